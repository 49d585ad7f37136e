//! What a browser makes of a page whose outputs are hostile. Nothing runs: the snapshot is made by hand.
//!
//! Needs mdBook and Chromium; `make tools` provides them.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::civil::date;
use mdbook_rehearse::config::Source;
use mdbook_rehearse::images::LedgerEntry;
use mdbook_rehearse::snapshot::{self, RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::{Engine, Layer};

#[path = "scratch/book.rs"]
mod scratch;

use scratch::{REHEARSE, Scratch, run};

/// What a program may print to get at the page's readers.
const HOSTILE: &str = "</samp></pre></div><script>window.pwned = 1</script>\n\
    <img src=x onerror=\"window.pwned = 1\"> <svg onload=window.pwned=1>\n\
    <a href=\"javascript:window.pwned=1\" onclick=\"window.pwned=1\">link</a>\n\
    <iframe src=secret.html></iframe><style>body { display: none }</style>\n\
    \n\
    ![image](x.png) [link](javascript:pwned) <https://example.org> https://example.org\n\
    # heading\n\
    ```\n~~~\n````html\n<script>window.pwned = 1</script>\n````\n\
    {{#include ../secret.txt}} {{#title pwned}} {{#playground x.rs}}\n\
    $$ x $$ \\( y \\) \\[ z \\] &lt;script&gt; &#60;script&#62;\n\
    \u{1b}]8;;javascript:pwned\u{1b}\\link\u{1b}]8;;\u{1b}\\ \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}\n\
    user\u{202e}txt.exe zero\u{200b}width\n\
    # hidden? ~ hidden?\n";

/// A word that no screen of a telephone holds.
fn long_word() -> String {
    "sha256:0123456789abcdef".repeat(20)
}

fn command(text: &str, output: &str) -> RecordedCommand {
    RecordedCommand {
        text: text.to_string(),
        output: output.as_bytes().to_vec(),
        status: 0,
        took: Duration::from_millis(1200),
    }
}

/// A chapter with what readers open, and with what is no output.
const COURSE: &str = "# Course\n\nYour challenge: do it.\n\n```bash solution\ndocker ps\n```\n\n1. In a list:\n\n   ```bash solution\n   docker ps\n   ```\n\n\
    <!-- rehearse: check=\"it `answers` <b>at once</b>\" -->\n```bash\ntest -e x\n```\n\n\
    <!-- rehearse: check=\"later\" -->\n```bash\ntest -e y\n```\n\n```bash for=2s\nsleep 9\n```\n\n\
    <!-- rehearse: layers one two three four five six -->\n\n<!-- rehearse: images one two none -->\n\n<!-- rehearse: images none -->\n";

/// What is recorded of it: all but the second check.
fn of_course(like: &Snapshot) -> Snapshot {
    let texts = ["docker ps", "docker ps", "test -e x", "", "sleep 9"];
    let steps = texts.iter().enumerate().filter(|it| !it.1.is_empty());
    let steps = steps.map(|(idx, text)| RecordedStep {
        id: format!("course-{}", idx + 1),
        commands: vec![command(text, "seen\n")],
    });
    let names = ["one", "two", "three", "four", "five", "six"];
    let images = names.iter().enumerate().map(|(idx, name)| LedgerEntry {
        reference: format!("docker.io/library/{name}:latest"),
        digest: Some(format!("sha256:{}", idx.to_string().repeat(64))),
        id: format!("sha256:{idx}"),
        size: 123_456_789,
        layers: [0, idx]
            .map(|it| Layer {
                digest: format!("sha256:{}", it.to_string().repeat(64)),
                size: Some(61_728_394),
            })
            .to_vec(),
        ..LedgerEntry::default()
    });
    Snapshot {
        exercise: "course".to_string(),
        steps: steps.collect(),
        images: images.collect(),
        ..like.clone()
    }
}

/// The built book with the hostile snapshot.
#[track_caller]
fn book() -> &'static Scratch {
    static BOOK: OnceLock<Scratch> = OnceLock::new();
    BOOK.get_or_init(|| {
        let mdbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/mdbook");
        assert!(mdbook.exists(), "no `{}`; make it: make tools", mdbook.display());
        let chapter = "# Hostile\n\n```bash\ncat hostile\n```\n\n1. In a list:\n\n   ```bash\n   cat hostile\n   ```\n\n   \
            more\n\n> ```bash\n> cat hostile\n> ```\n\n```bash\nseq 100\n```\n\n```bash\ncat long\n```\n";
        let table = format!(
            "[preprocessor.rehearse]\ncommand = '{REHEARSE}'\nrun = \"never\"\n\
             [output.html]\nmathjax-support = true\n[output.html.code.hidelines]\nbash = \"~\"\n"
        );
        let chapters = [("hostile.md", chapter), ("course.md", COURSE), ("last.md", "# Last\n")];
        let book = Scratch::new(&table, &chapters);
        book.write("secret.txt", "SECRET");
        let numbers: String = (1..=100).map(|it| format!("{it}\n")).collect();
        let long = long_word();
        let outputs = [
            ("cat hostile", HOSTILE),
            ("cat hostile", HOSTILE),
            ("cat hostile", HOSTILE),
            ("seq 100", &numbers),
            ("cat long", &long),
        ];
        let steps = outputs.iter().enumerate().map(|(idx, (text, output))| RecordedStep {
            id: format!("hostile-{}", idx + 1),
            commands: vec![command(text, output)],
        });
        let entry = |reference: &str| LedgerEntry {
            reference: reference.to_string(),
            digest: Some(format!("sha256:{}", "0123456789abcdef".repeat(4))),
            id: "sha256:1\"><script>window.pwned=1</script>".to_string(),
            size: 123_456_789,
            layers: vec![Layer {
                digest: "<img/src=x/onerror=window.pwned=1>".to_string(),
                size: None,
            }],
            ..LedgerEntry::default()
        };
        let snapshot = Snapshot {
            exercise: "hostile".to_string(),
            recorded: date(2026, 11, 23),
            engine: Engine {
                version: "28<script>window.pwned=1</script>".to_string(),
                store: "\"onclick=\"window.pwned=1".to_string(),
                platform: "linux/amd64".to_string(),
            },
            registries: [("docker.io".to_string(), Source::Local)].into(),
            left: None,
        steps: steps.collect(),
            images: vec![
                entry("docker.io/library/<script>window.pwned=1</script>:1"),
                entry("docker.io/library/\"onmouseover=\"window.pwned=1:2"),
            ],
        };
        book.write("snapshots/hostile.snap", &snapshot::print(&snapshot));
        book.write("snapshots/course.snap", &snapshot::print(&of_course(&snapshot)));
        let said = run(&mut book.command(mdbook, &["build"]), b"");
        assert_eq!((said.status, said.out.as_str()), (0, ""), "{}", said.err);
        assert!(!said.err.contains("WARN"), "{}", said.err);
        // Looks at a page in a frame of a given width, and writes down what it sees.
        book.write("book/look.html", LOOK);
        book
    })
}

/// A page that opens another one in a frame and reports about it as text.
const LOOK: &str = r#"<!doctype html><meta charset="utf-8"><pre id="report">nothing seen</pre><script>
const [page, width] = decodeURIComponent(location.hash.slice(1)).split(',');
const frame = document.createElement('iframe');
frame.style.cssText = `width: ${width}px; height: 800px; border: 0`;
frame.onload = () => setTimeout(() => {
  const inside = frame.contentWindow, main = inside.document.querySelector('main'), lines = [];
  const all = (what) => [...main.querySelectorAll(what)];
  lines.push(`pwned: ${inside.pwned}`);
  const ours = all('.rehearse, .rehearse *');
  const wild = 'script, img, iframe, object, embed, form, input, svg, video, a, h1, h2, style, link, meta, base';
  lines.push(`wild: ${ours.filter((it) => it.matches(wild)).map((it) => it.outerHTML)}`);
  const handlers = all('*').flatMap((it) => [...it.attributes]).filter((it) => /^on/i.test(it.name));
  lines.push(`handlers: ${handlers.map((it) => it.name)}`);
  const schemes = all('[href], [src]').filter((it) => /^\s*javascript:/i.test(it.href || it.src));
  lines.push(`schemes: ${schemes.length}`);
  lines.push(`highlighted: ${all('.rehearse .buttons, .rehearse [class^=hljs-], .rehearse-output .hljs').map((it) => it.outerHTML)}`);
  lines.push(`blocks: ${all('.rehearse > .rehearse-head').length}`);
  lines.push(`in list: ${all('li .rehearse').length}, in quote: ${all('blockquote .rehearse').length}`);
  const fold = all('.rehearse-fold')[0];
  if (fold) {
    const samp = fold.querySelector('samp'), seen = () => samp.checkVisibility();
    const closed = seen();
    fold.querySelector('summary').click();
    lines.push(`fold: ${closed} then ${seen()}, ${fold.querySelector('summary').textContent}`);
  }
  const solutions = all('.rehearse-solution');
  lines.push(`solutions: ${solutions.map((it) => {
    const seen = () => [...it.querySelectorAll('pre code, samp')].filter((it) => it.checkVisibility()).length;
    const closed = seen(), summary = it.querySelector('summary');
    summary.focus({ focusVisible: true });
    const isFocused = inside.document.activeElement === summary && inside.getComputedStyle(summary).outlineStyle;
    summary.click();
    return `${closed} then ${seen()}, ${isFocused}`;
  }).join('; ')}`);
  lines.push(`checks: ${all('.rehearse-check').map((it) => it.textContent.trim()).join('; ')}`);
  lines.push(`regions: ${all('[role=region]').map((it) => `${it.ariaLabel} ${it.tabIndex}`).join('; ')}`);
  lines.push(`layers: ${all('.rehearse-layers tbody tr').map((it) => `${it.querySelectorAll('[role=img][aria-label=yes]').length}${it.className}`).join('; ')}`);
  const root = inside.document.documentElement;
  // What a reader has to tell from its background, in each theme; 4.5 is what WCAG wants of text.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const painted = (colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const it of colors) { canvas.fillStyle = it; canvas.fillRect(0, 0, 1, 1); }
    const light = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((it) => it / 255)
      .map((it) => it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  };
  const contrast = (what) => {
    const papers = [];
    for (let it = what; it; it = it.parentElement) papers.unshift(inside.getComputedStyle(it).backgroundColor);
    const [a, b] = [painted(papers), painted([...papers, inside.getComputedStyle(what).color])];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const words = all('.rehearse-check p, .rehearse-tick, .rehearse-solution > summary, .rehearse-has span, .rehearse caption, .rehearse-status, .rehearse-took, .rehearse-note, .rehearse-label, .rehearse-provenance p');
  const themes = ['light', 'rust', 'coal', 'navy', 'ayu'];
  lines.push(`faint: ${themes.flatMap((theme) => {
    root.classList.remove(...themes);
    root.classList.add(theme);
    return words.map((it) => [contrast(it), it]).filter((it) => !(it[0] >= 4.5))
      .map((it) => `${theme} ${it[1].className || it[1].parentElement.className} ${it[0].toFixed(2)}`);
  })}`);
  lines.push(`words: ${words.length}`);
  // mdBook lets `.content` scroll, so that the page as a whole never looks too wide.
  const around = [];
  for (let it = main; it; it = it.parentElement) around.push(it.scrollWidth - it.clientWidth);
  lines.push(`overflow: ${Math.max(...around)}`);
  const wide = all('.rehearse, .rehearse-solution').filter((it) => it.getBoundingClientRect().right > root.clientWidth + 1);
  lines.push(`too wide: ${wide.map((it) => it.className)}`);
  lines.push('texts:', ...all('.rehearse samp').map((it) => it.textContent));
  document.getElementById('report').textContent = lines.join('\n');
}, 200);
frame.src = page;
document.body.append(frame);
</script>"#;

/// Opens a page of the book in Chromium; the report about it.
#[track_caller]
fn look(page: &str, width: usize) -> String {
    let profile = tempfile::tempdir().unwrap();
    let url = format!(
        "file://{}#{page},{width}",
        book().path("book/look.html").display()
    );
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--allow-file-access-from-files",
            "--window-size=1300,900",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .output()
        .unwrap_or_else(|error| panic!("no `chromium` ({error}); install it: make tools"));
    let dom = String::from_utf8_lossy(&output.stdout);
    let report = dom
        .split_once("<pre id=\"report\">")
        .and_then(|it| it.1.split_once("</pre>"));
    let (report, _) =
        report.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    // As the dump escapes text.
    let report = report
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", "\u{a0}");
    report.replace("&amp;", "&")
}

/// The report's line about something.
#[track_caller]
fn line<'a>(report: &'a str, about: &str) -> &'a str {
    let mut lines = report.lines();
    let line = lines.find_map(|it| it.strip_prefix(about)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("nothing about `{about}` in:\n{report}"))
}

/// Holds a page to what must be so at any width.
#[track_caller]
fn check(page: &str, width: usize) -> String {
    let report = look(page, width);
    for (about, seen) in [
        ("pwned", "undefined"),
        ("handlers", ""),
        ("schemes", "0"),
        ("highlighted", ""),
        ("overflow", "0"),
        ("too wide", ""),
        ("faint", ""),
    ] {
        assert_eq!(line(&report, about), seen, "{about} in:\n{report}");
    }
    assert_ne!(line(&report, "words"), "0", "something was held to it");
    let wild = line(&report, "wild");
    assert!(wild.is_empty(), "{wild}");
    report
}

#[test]
fn hostile_outputs_are_text() {
    let report = check("hostile.html", 1200);
    let texts = report.split_once("texts:\n").unwrap().1;
    for text in [
        "</samp></pre></div><script>window.pwned = 1</script>",
        "<img src=x onerror=\"window.pwned = 1\">",
        "![image](x.png) [link](javascript:pwned) <https://example.org> https://example.org",
        "{{#include ../secret.txt}} {{#title pwned}} {{#playground x.rs}}",
        "$$ x $$ \\( y \\) \\[ z \\] &lt;script&gt; &#60;script&#62;",
        "# hidden? ~ hidden?",
    ] {
        assert_eq!(texts.matches(text).count(), 3, "{text} in:\n{texts}");
    }
    assert!(
        !texts.contains(['\u{202e}', '\u{1b}', '\u{200b}']),
        "{texts}"
    );
    // Nor is there anything for a browser without scripts, or for a program that reads pages.
    let page = book().read("book/hostile.html");
    assert!(!page.contains("<script>window") && !page.contains("<img src=x"));
    assert!(!page.contains("SECRET"));
}

#[test]
fn blocks_stay_in_their_list_and_quote() {
    let report = check("hostile.html", 1200);
    assert_eq!(line(&report, "in list"), "1, in quote: 1");
    assert_eq!(line(&report, "blocks"), "5");
}

#[test]
fn a_long_output_unfolds_on_a_click() {
    let report = check("hostile.html", 1200);
    assert_eq!(line(&report, "fold"), "false then true, … 76 more lines");
}

#[test]
fn nothing_overflows_a_telephone() {
    check("hostile.html", 360);
    check("course.html", 360);
}

#[test]
fn a_solution_opens_to_its_block_and_output() {
    let report = check("course.html", 1200);
    let solutions = line(&report, "solutions");
    assert_eq!(solutions, "0 then 2, solid; 0 then 2, solid");
}

#[test]
fn checks_and_layers_say_the_same_to_those_who_do_not_see_them() {
    let report = check("course.html", 1200);
    let checks = line(&report, "checks");
    assert_eq!(
        checks,
        "✓ Checked: it answers <b>at once</b>; ○ Not checked yet: later"
    );
    assert_eq!(line(&report, "regions"), "Layers 0; Images 0");
    let layers = line(&report, "layers");
    assert_eq!(layers, "6rehearse-shared; 1; 1; 1; 1; 1");
}

#[test]
fn the_printed_book_has_the_outputs_and_is_as_harmless() {
    let report = check("print.html", 1200);
    assert_eq!(line(&report, "blocks"), "8");
    assert!(report.contains("</samp></pre></div><script>window.pwned = 1</script>"));
}
