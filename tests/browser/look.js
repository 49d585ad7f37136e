// What tests ask of a page. Each function answers with plain data; what there should be is up to the tests.

// Our blocks and their parts: what each is called here, and how it is told. The first that fits counts; a block that
// none fits is told as unknown.
const KINDS = [
  ['solution', '.rehearse-solution'],
  ['picture', '.rehearse-picture'],
  ['sums', '.rehearse-sums'],
  ['stacks', '.rehearse-stacks'],
  ['drawing', '.rehearse-stacks > svg'],
  ['twin', '.rehearse-twin'],
  ['course', '.rehearse-course'],
  ['layers', '.rehearse-layers'],
  ['images', '.rehearse-images'],
  ['check', '.rehearse-check'],
  ['provenance', '.rehearse-provenance'],
  ['note', '.rehearse-blank'],
  ['outputs', '.rehearse[role=group]'],
  ['heading', '.rehearse-head'],
  ['command', '.rehearse-command'],
  ['label', '.rehearse-label'],
  ['silence', '.rehearse-silent'],
  ['facts', '.rehearse-facts'],
  ['output', '.rehearse-output'],
  ['fold', '.rehearse-fold'],
  ['aside', '.rehearse-aside'],
  ['table', '.rehearse table'],
  ['summary', ':is(.rehearse, .rehearse-solution) summary'],
  ['block', 'main pre'],
];

// All that may stand in our blocks, and `hljs`, which mdBook gives to every `code`. An output is text: whatever else there is
// came from it.
const ELEMENTS = ('div p span strong a time br kbd samp pre code details summary table caption thead tbody tfoot tr th td b wbr '
  + 'figure figcaption svg g rect path text').split(' ');
const ATTRIBUTES = ('class id href datetime role aria-label aria-hidden tabindex scope title open data-what '
  + 'width height viewBox x y rx d fill stroke stroke-dasharray text-anchor font-family font-size font-weight').split(' ');
const CLASSES = /^(rehearse(-[a-z0-9-]+)?|tex2jax_ignore|nohighlight|hljs)$/;

const THEMES = ['light', 'rust', 'coal', 'navy', 'ayu'];

const main = document.querySelector('main');
const all = (selector) => [...main.querySelectorAll(selector)];
const ours = () => all('.rehearse, .rehearse *, .rehearse-solution, .rehearse-solution > summary');

const kind = (it) => KINDS.find(([, selector]) => it.matches(selector))?.[0]
  ?? (it.matches('.rehearse') ? `unknown ${it.className}` : undefined);

// The nearest elements inside another one that have a kind.
const parts = (it) => [...it.children].flatMap((child) => (kind(child) ? [child] : parts(child)));

// Our blocks that are in no other one of ours.
const blocks = () => all('.rehearse, .rehearse-solution')
  .filter((it) => !it.parentElement.closest('.rehearse, .rehearse-solution'));

const seen = (it) => it.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });

const count = (selector) => all(selector).length;
const texts = (selector) => all(selector).map((it) => it.textContent.trim());
const shown = (selector) => all(selector).filter(seen).map((it) => it.innerText);

const open = (selector) => all(selector).forEach((it) => { it.open = true; });
const shut = (selector) => all(selector).forEach((it) => { it.open = false; });

// --- What came from outputs ---

const wild = () => all('.rehearse, .rehearse *').flatMap((it) => [
  ...(ELEMENTS.includes(it.localName) ? [] : [it.localName]),
  ...[...it.attributes].filter((at) => !ATTRIBUTES.includes(at.name)).map((at) => `${it.localName} ${at.name}`),
  ...[...it.classList].filter((name) => !CLASSES.test(name)).map((name) => `${it.localName}.${name}`),
]);
const handlers = () => [...document.querySelectorAll('main, main *')]
  .flatMap((it) => [...it.attributes]).filter((it) => /^on/i.test(it.name)).map((it) => it.name);
const schemes = () => all('[href], [src]')
  .filter((it) => /^\s*(javascript|vbscript|data):/i.test(it.href || it.src)).map((it) => it.outerHTML);
const tidied = () => all('.rehearse .buttons, .rehearse [class^=hljs-], .rehearse-output .hljs').map((it) => it.outerHTML);
// Those of ours that MathJax would read.
const untold = () => all('.rehearse:not(.tex2jax_ignore)').map((it) => it.className);
const pwned = () => 'pwned' in window;

// --- Colors ---

const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

// How light the last of some layers of paint is, in the terms of WCAG.
function light(colors) {
  pen.clearRect(0, 0, 1, 1);
  for (const it of colors) {
    pen.fillStyle = it;
    pen.fillRect(0, 0, 1, 1);
  }
  const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((it) => it / 255)
    .map((it) => (it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const around = (it) => (it ? [...around(it.parentElement), it] : []);

// How well the text of an element is told from what is behind it. Browsers print no backgrounds unless told to.
function contrast(it) {
  const styles = around(it).map((it) => getComputedStyle(it));
  const papers = matchMedia('print').matches
    ? ['#fff', ...styles.filter((it) => it.printColorAdjust === 'exact').map((it) => it.backgroundColor)]
    : styles.map((it) => it.backgroundColor);
  // In a drawing text is painted with its fill, upon its box, which printers print.
  const box = it.parentElement.querySelector(':scope > rect');
  if (box) papers.push(getComputedStyle(box).fill);
  const ink = getComputedStyle(it)[it.closest('svg') ? 'fill' : 'color'];
  const strength = styles.reduce((product, it) => product * it.opacity, 1);
  const shown = `color-mix(in srgb, ${ink} ${strength * 100}%, transparent)`;
  const [a, b] = [light(papers), light([...papers, shown])];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

// Elements of ours with text of their own that is seen.
const inked = () => ours().filter((it) => [...it.childNodes].some((text) => text.nodeType === 3 && text.data.trim()) && seen(it));

// Texts of less contrast than WCAG wants, in the theme that is on: where they are, and how much they have.
const faint = () => [...new Set(inked().map((it) => [contrast(it), it]).filter(([it]) => !(it >= 4.5))
  .map(([contrast, it]) => `${it.getAttribute('class') || kind(it) || it.localName} in ${it.parentElement.getAttribute('class')}: ${contrast.toFixed(2)}`))];

// As mdBook does it, but for its keeping the choice: that would be for all pages.
function wear(theme) {
  document.documentElement.classList.remove(...THEMES);
  document.documentElement.classList.add(theme);
  const worn = { ayu: 'ayu-highlight', coal: 'tomorrow-night', navy: 'tomorrow-night' }[theme] ?? 'highlight';
  for (const it of ['highlight', 'tomorrow-night', 'ayu-highlight']) {
    document.getElementById(`mdbook-${it}-css`).disabled = it !== worn;
  }
}

const faintInThemes = () => THEMES.flatMap((theme) => {
  wear(theme);
  return faint().map((it) => `${theme} ${it}`);
});
const schemesOfBlocks = () => [...new Set(blocks().map((it) => getComputedStyle(it).colorScheme))];

// --- Motion ---

const moving = () => {
  const styles = ours().flatMap((it) => ['', '::before', '::after', '::marker', '::details-content']
    .map((pseudo) => [it, pseudo, getComputedStyle(it, pseudo)]));
  const lasts = (it) => it.split(', ').some((it) => parseFloat(it) > 0);
  return [
    ...styles.filter(([,, it]) => lasts(it.transitionDuration) || lasts(it.animationDuration))
      .map(([it, pseudo]) => `${kind(it) ?? it.localName}${pseudo}`),
    ...document.getAnimations().map((it) => it.effect.target).filter((it) => it.closest('.rehearse, .rehearse-solution'))
      .map((it) => `${kind(it) ?? it.localName} runs`),
  ];
};

// --- Boxes ---

// By how many pixels anything around our blocks is wider than its place. mdBook lets `.content` scroll, so that the page as a
// whole never looks too wide.
const overflow = () => Math.max(...around(main).map((it) => it.scrollWidth - it.clientWidth));

const scrolls = (it) => ['auto', 'scroll'].includes(getComputedStyle(it).overflowX);

// What of ours is behind an edge of the window and cannot be scrolled to.
const cut = () => ours().filter(seen).filter((it) => !around(it.parentElement).some((it) => ours().includes(it) && scrolls(it)))
  .filter((it) => {
    const box = it.getBoundingClientRect();
    return box.width > 0 && (box.left < -1 || box.right > document.documentElement.clientWidth + 1);
  }).map((it) => it.getAttribute('class') || it.localName);

// At which heights the layers that several images have are drawn, by their letters.
const tops = () => Object.fromEntries(Object.entries(Object.groupBy(all('.rehearse-shared:has(rect)'), (it) => it.querySelector('text').textContent))
  .map(([mark, layers]) => [mark, [...new Set(layers.map((it) => it.querySelector('rect').getBoundingClientRect().top))]]));

function inner(it) {
  const box = it.getBoundingClientRect(), style = getComputedStyle(it);
  const left = box.left + parseFloat(style.borderLeftWidth) + parseFloat(style.paddingLeft);
  const right = box.right - parseFloat(style.borderRightWidth) - parseFloat(style.paddingRight);
  return { left, right };
}

const meets = (a, b) => Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
const covers = (a, b) => meets(a, b) && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;

// How an element lies in its column: `before` is what comes before it there.
function place(it, column, before) {
  const box = it.getBoundingClientRect(), near = (a, b) => Math.abs(a - b) <= 1.5;
  const words = [];
  const [left, right] = [near(box.left, column.left), near(box.right, column.right)];
  if (left && right) words.push('full width');
  else if (box.left < column.left - 1.5) words.push('sticks out');
  else if (box.right > column.right + 1.5) words.push(scrolls(it.parentElement) ? 'scrolled' : 'sticks out');
  else if (left || right) words.push(left ? 'left' : 'right');
  else words.push('inside');
  const last = before?.getBoundingClientRect();
  if (last && covers(box, last)) words.push('covers the one before');
  else if (last && meets(box, last)) words.push('beside');
  else if (last && box.top < last.top) words.push('above the one before');
  if (scrolls(it)) words.push(it.scrollWidth > it.clientWidth ? 'scrolls' : 'fits');
  if (it.localName === 'details') words.push(it.open ? 'open' : 'closed');
  return words.join(', ');
}

// The boxes of our blocks on the page, each in its column, as an outline. Fonts move none of these words.
function boxes() {
  const lines = [];
  const tell = (siblings, column, depth) => siblings.filter(seen).forEach((it, idx, all) => {
    const before = depth ? all[idx - 1] : it.previousElementSibling;
    lines.push(`${'  '.repeat(depth)}${kind(it)}: ${place(it, column(it), before)}`);
    tell(parts(it), () => inner(it), depth + 1);
  });
  tell(blocks(), (it) => inner(it.parentElement), 0);
  return lines.join('\n');
}

// --- Keys and mouse ---

// The middle of an element, brought into the window.
function spot(it) {
  it.scrollIntoView({ block: 'center', behavior: 'instant' });
  const box = it.getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}

// From here on the Tab key goes to the first thing of the page's text.
function begin() {
  main.tabIndex = -1;
  main.focus();
}

// Where the keyboard is, while it is in the page's text: what that is, and whether a reader sees it.
function stop() {
  const it = document.activeElement;
  if (it === main || !main.contains(it)) return null;
  const style = getComputedStyle(it);
  const name = (it.ariaLabel || it.title || it.innerText).trim().split('\n')[0].slice(0, 30);
  const ring = style.outlineStyle === 'none' || parseFloat(style.outlineWidth) === 0 ? ', no ring' : '';
  return `${kind(it) ?? it.localName} "${name}"${ring}`;
}

const isOpen = () => document.activeElement.closest('details').open;
const scrollers = () => all('.rehearse, .rehearse *').filter((it) => seen(it) && scrolls(it) && it.scrollWidth > it.clientWidth)
  .map((it) => kind(it));

// --- Links ---

const ids = () => [...document.querySelectorAll('[id]')].map((it) => it.id);
const links = () => all('a[href]').map((it) => new URL(it.href)).filter((it) => it.protocol === 'file:' && it.hash)
  .map((it) => [it.pathname.split('/').pop(), decodeURIComponent(it.hash.slice(1))]);

// --- Without style ---

function unstyle() {
  for (const it of document.styleSheets) it.disabled = true;
  for (const it of document.querySelectorAll('[style]')) it.removeAttribute('style');
}
