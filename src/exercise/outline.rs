//! A chapter as the list of what can matter to an exercise: headings, code, comments of ours and prose, with exact places.
//! It knows how Markdown nests, and nothing of what a block's words or lines mean.

use std::ops::Range;
use std::sync::LazyLock;

use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use regex::Regex;

use crate::problem::Problem;
use crate::regexes::known;

/// One thing of a chapter, in document order.
pub(super) enum Item {
    Heading {
        level: usize,
        title: String,
        /// Bytes from its first character to its last.
        span: Range<usize>,
    },
    Code(Code),
    Comment(Comment),
    Prose(Prose),
}

/// A fence or an indented block.
pub(super) struct Code {
    /// Line of the opening fence, or the line before the first of an indented block: its text begins one further.
    pub(super) line: usize,
    /// Bytes of the whole block, from its first backtick to the end of its closing line (without the newline).
    pub(super) span: Range<usize>,
    /// Bytes of the info string.
    pub(super) info: Range<usize>,
    pub(super) kind: Kind,
    /// Its text, container prefixes removed, LF only; empty if it is not closed.
    pub(super) text: String,
    /// What is wrong with its end.
    pub(super) unclosed: Option<Unclosed>,
    /// Where something can be put after it: after what it is in, where that is code to Markdown.
    pub(super) after: usize,
    /// What every line put there must begin with to stay in the same list item or quote.
    pub(super) prefix: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fenced,
    Indented,
}

/// A fence without an end of its own.
pub(super) struct Unclosed {
    pub(super) fence: String,
    /// Lines in it that look like the opening of another fence: number, and info string.
    pub(super) swallowed: Vec<(usize, String)>,
    pub(super) is_closed: bool,
}

/// `<!-- rehearse: … -->`.
pub(super) struct Comment {
    pub(super) line: usize,
    /// Bytes between the colon and `-->`; `None` if there is no colon.
    pub(super) text: Option<Range<usize>>,
    /// As for [`Code::after`]; `None` if text follows it on its line.
    pub(super) after: Option<usize>,
    /// As for [`Code::prefix`].
    pub(super) prefix: String,
    /// Bytes of all of it, if it stands in a paragraph of its own.
    pub(super) alone: Option<Range<usize>>,
}

/// A paragraph, or the text of a tight list item.
pub(super) struct Prose {
    pub(super) line: usize,
    /// Inline code between backticks.
    pub(super) text: String,
}

/// Byte offsets of the beginnings of lines.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Lines {
        let newlines = text.match_indices('\n').map(|(idx, _)| idx + 1);
        Lines(std::iter::once(0).chain(newlines).collect())
    }

    /// Line of a byte, from 1.
    pub(super) fn of(&self, at: usize) -> usize {
        self.0.partition_point(|it| *it <= at)
    }

    /// Where a line begins, from 1; the end of `text` if it has fewer.
    pub(super) fn start(&self, text: &str, line: usize) -> usize {
        self.0.get(line - 1).copied().unwrap_or(text.len())
    }

    /// What a byte's line has before it.
    pub(super) fn before<'a>(&self, text: &'a str, at: usize) -> &'a str {
        &text[self.0[self.of(at) - 1]..at]
    }
}

/// Reads a chapter.
pub(super) fn outline(markdown: &str, lines: &Lines) -> Vec<Item> {
    let bom = if markdown.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut reader = Reader {
        markdown,
        lines,
        items: Vec::new(),
        admonition: None,
    };
    reader.read(&markdown[bom..], &Places::Shifted(bom));
    reader.items
}

/// From offsets of what is parsed to those of the chapter.
enum Places {
    /// All by so many bytes.
    Shifted(usize),
    /// For each line of what is parsed: where it begins there, and in the chapter.
    Dedented(Vec<(usize, usize)>),
}

impl Places {
    fn of(&self, at: usize) -> usize {
        match self {
            Places::Shifted(by) => at + by,
            Places::Dedented(lines) => {
                let nth = lines.partition_point(|it| it.0 <= at) - 1;
                lines[nth].1 + (at - lines[nth].0)
            }
        }
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        // An end is that of the line before it, not the beginning of the next one.
        let end = match range.end > range.start {
            true => self.of(range.end - 1) + 1,
            false => self.of(range.start),
        };
        self.of(range.start)..end
    }
}

struct Reader<'a> {
    markdown: &'a str,
    lines: &'a Lines,
    items: Vec<Item>,
    /// Where things are put that belong to code in the admonition being read, and with which prefix.
    admonition: Option<(usize, String)>,
}

impl Reader<'_> {
    fn read(&mut self, text: &str, places: &Places) {
        let mut events = new_cmark_parser(text, &MarkdownOptions::default()).into_offset_iter();
        let mut prose: Option<Prose> = None;
        // End of an admonition that was read apart.
        let mut skip_until = 0;
        while let Some((event, span)) = events.next() {
            if span.start < skip_until {
                continue;
            }
            match event {
                Event::Text(it) => self.prose(&mut prose, places.of(span.start)).push_str(&it),
                Event::Code(it) => {
                    let prose = self.prose(&mut prose, places.of(span.start));
                    prose.push_str(&format!("`{it}`"));
                }
                Event::SoftBreak | Event::HardBreak => {
                    if let Some(prose) = &mut prose {
                        prose.text.push(' ');
                    }
                }
                Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => {
                    let comments = self.comments(&text[span.clone()], span.start, places);
                    if !comments.is_empty() {
                        self.flush(&mut prose);
                        self.items.extend(comments);
                    }
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    self.flush(&mut prose);
                    let mut title = String::new();
                    let mut comments = Vec::new();
                    for (event, inner) in events.by_ref() {
                        match event {
                            Event::InlineHtml(_) => {
                                let html = &text[inner.clone()];
                                comments.extend(self.comments(html, inner.start, places));
                            }
                            Event::Text(it) | Event::Code(it) => title.push_str(&it),
                            Event::SoftBreak | Event::HardBreak => title.push(' '),
                            Event::End(TagEnd::Heading(_)) => break,
                            _ => {}
                        }
                    }
                    self.items.push(Item::Heading {
                        level: level as usize,
                        title,
                        span: places.range(&trimmed(text, span)),
                    });
                    // As if they stood below it.
                    self.items.extend(comments);
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    self.flush(&mut prose);
                    let mut code = String::new();
                    let mut text_end = None;
                    for (event, span) in events.by_ref() {
                        match event {
                            Event::Text(it) => {
                                code.push_str(&it);
                                text_end = Some(span.end);
                            }
                            _ => break,
                        }
                    }
                    let code = match kind {
                        CodeBlockKind::Fenced(_) => self.fenced(text, span, code, text_end, places),
                        CodeBlockKind::Indented => self.indented(span, code, places),
                    };
                    self.items.extend(code.map(Item::Code));
                }
                Event::Start(Tag::Paragraph) => {
                    self.flush(&mut prose);
                    skip_until = self.read_admonition(text, span.start, places).unwrap_or(0);
                }
                Event::Start(
                    Tag::Item | Tag::List(_) | Tag::BlockQuote(_) | Tag::TableCell | Tag::TableRow,
                )
                | Event::End(
                    TagEnd::Paragraph | TagEnd::Item | TagEnd::BlockQuote(_) | TagEnd::TableCell,
                ) => self.flush(&mut prose),
                _ => {}
            }
        }
        self.flush(&mut prose);
    }

    /// The text of the paragraph that is being read, which begins here if none was.
    fn prose<'a>(&self, prose: &'a mut Option<Prose>, at: usize) -> &'a mut String {
        let line = self.lines.of(at);
        let prose = prose.get_or_insert_with(|| Prose {
            line,
            text: String::new(),
        });
        &mut prose.text
    }

    fn flush(&mut self, prose: &mut Option<Prose>) {
        self.items.extend(prose.take().map(Item::Prose));
    }

    /// Our comments in a piece of HTML.
    fn comments(&self, html: &str, start: usize, places: &Places) -> Vec<Item> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(begin) = html[at..].find("<!--").map(|it| at + it) {
            let Some(end) = html[begin..].find("-->").map(|it| begin + it) else {
                break;
            };
            at = end + "-->".len();
            let inside = &html[begin + "<!--".len()..end];
            let Some(ours) = inside.trim_start().strip_prefix("rehearse") else {
                continue;
            };
            if ours.starts_with(|it: char| it.is_alphanumeric() || "-_./".contains(it)) {
                continue;
            }
            let span = places.range(&(start + begin..start + at));
            let text = ours.trim_start().strip_prefix(':').map(|it| {
                let text = start + end - it.len()..start + end;
                places.range(&text)
            });
            let before = self.lines.before(self.markdown, span.start);
            let (after, prefix) = match &self.admonition {
                Some((after, prefix)) => (Some(*after), prefix.clone()),
                None => (self.end_of_line(span.end), prefix(containers(before))),
            };
            found.push(Item::Comment(Comment {
                line: self.lines.of(span.start),
                text,
                alone: (self.admonition.is_none() && self.is_alone(&span)).then_some(span),
                after,
                prefix,
            }));
        }
        found
    }

    /// Whether nothing but a comment stands on its lines, so that it is no part of any paragraph.
    fn is_alone(&self, span: &Range<usize>) -> bool {
        let before = self.lines.before(self.markdown, span.start);
        let after = self.markdown[span.end..].lines().next();
        before == containers(before) && after.unwrap_or_default().trim().is_empty()
    }

    /// The end of a line on which nothing but comments follows.
    fn end_of_line(&self, at: usize) -> Option<usize> {
        let line = self.markdown[at..].lines().next().unwrap_or_default();
        let mut rest = line.trim();
        while let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->")?.1.trim_start();
        }
        rest.is_empty().then_some(at + line.len())
    }

    fn fenced(
        &self,
        all: &str,
        inner: Range<usize>,
        text: String,
        text_end: Option<usize>,
        places: &Places,
    ) -> Option<Code> {
        let block = &all[inner.clone()];
        let opening = block.lines().next().unwrap_or_default();
        let fence_char = opening.chars().next()?;
        let fence_len = opening.len() - opening.trim_start_matches(fence_char).len();
        let info = opening[fence_len..].trim();
        let info_start = inner.start
            + fence_len
            + (opening.len() - fence_len - opening[fence_len..].trim_start().len());
        let body_end = text_end.map_or(opening.len(), |it| it - inner.start);
        let closing = block.get(body_end..).unwrap_or_default();
        let closing = closing.trim_matches(|it: char| it.is_whitespace() || it == '>');
        let is_closed = closing.len() >= fence_len && closing.chars().all(|it| it == fence_char);
        let end = inner.start + block.trim_end_matches(['\n', '\r']).len();
        let span = places.range(&(inner.start..end));
        let line = self.lines.of(span.start);

        // The fence after one that was forgotten to close shows up as its text.
        let fence: String = std::iter::repeat_n(fence_char, fence_len).collect();
        let mut swallowed = Vec::new();
        for (idx, it) in text.lines().enumerate() {
            let it = it.trim_start_matches([' ', '\t']);
            let info = it.trim_start_matches(fence_char).trim();
            if it.starts_with(&fence) && !info.is_empty() {
                swallowed.push((line + 1 + idx, info.to_string()));
            }
        }
        let unclosed = (!is_closed || !swallowed.is_empty()).then_some(Unclosed {
            fence,
            swallowed,
            is_closed,
        });
        let before = self.lines.before(self.markdown, span.start);
        let (after, prefix) = match &self.admonition {
            Some((after, prefix)) => (*after, prefix.clone()),
            None => (span.end, prefix(before)),
        };
        Some(Code {
            line,
            info: places.range(&(info_start..info_start + info.len())),
            span,
            kind: Kind::Fenced,
            text,
            unclosed,
            after,
            prefix,
        })
    }

    fn indented(&self, inner: Range<usize>, text: String, places: &Places) -> Option<Code> {
        let n_lines = text.trim_end().lines().count();
        if n_lines == 0 {
            return None;
        }
        let start = places.of(inner.start);
        let line = self.lines.of(start);
        let last = self.lines.start(self.markdown, line + n_lines);
        let end = self.markdown[..last].trim_end_matches(['\n', '\r']).len();
        let before = prefix(self.lines.before(self.markdown, start));
        let outer = match before.strip_suffix("    ") {
            Some(it) => it,
            None => before.trim_end_matches('\t'),
        };
        let (after, prefix) = match &self.admonition {
            Some((after, prefix)) => (*after, prefix.clone()),
            None => (end, outer.to_string()),
        };
        Some(Code {
            line: line - 1,
            span: start..end,
            info: start..start,
            kind: Kind::Indented,
            text,
            unclosed: None,
            after,
            prefix,
        })
    }

    /// Reads what some site makers know and Markdown does not: `!!! note` or `??? note`, and indented below it what belongs
    /// to it. The place where it ends in `text`, if there is one at `start`.
    fn read_admonition(&mut self, text: &str, start: usize, places: &Places) -> Option<usize> {
        let is_opening = |it: &str| {
            let after = ["!!! ", "???+ ", "??? ", "=== \""];
            after.iter().any(|mark| it.starts_with(mark))
        };
        if !is_opening(&text[start..]) {
            return None;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |it| it + 1);
        let head = &text[line_start..start];
        if !head.chars().all(|it| it == ' ') {
            return None;
        }
        let indent = " ".repeat(head.len() + 4);
        let mut inner = String::new();
        let mut inner_lines = Vec::new();
        let mut at = start
            + text[start..]
                .find('\n')
                .map_or(text.len() - start, |it| it + 1);
        let (mut end, mut inner_end) = (at, 0);
        for line in text[at..].split_inclusive('\n') {
            let content = line.strip_prefix(indent.as_str());
            if content.is_none() && !line.trim().is_empty() {
                break;
            }
            let content = content.unwrap_or("\n");
            inner_lines.push((inner.len(), places.of(at + line.len() - content.len())));
            inner.push_str(content);
            at += line.len();
            if !content.trim().is_empty() {
                (end, inner_end) = (at, inner.len());
            }
        }
        inner.truncate(inner_end);
        if inner.is_empty() {
            return None;
        }
        let last = text[..end].trim_end_matches(['\n', '\r']).len();
        let outer = self.admonition.clone();
        if outer.is_none() {
            self.admonition = Some((places.of(last - 1) + 1, head.to_string()));
        }
        self.read(&inner, &Places::Dedented(inner_lines));
        self.admonition = outer;
        Some(end)
    }
}

/// What to tell of a fence that is not closed, if anything; `is_ours` tells of an info string whether such a fence is a step.
pub(super) fn unclosed(code: &Code, is_ours: impl Fn(&str) -> bool, info: &str) -> Option<Problem> {
    let Unclosed {
        fence,
        swallowed,
        is_closed,
    } = code.unclosed.as_ref()?;
    let swallowed = swallowed
        .iter()
        .find(|(_, it)| is_ours(info) || is_ours(it))
        .map(|it| it.0);
    let message = match (is_closed, swallowed) {
        (true, None) => return None,
        (false, None) => format!("the block is never closed; put a line \"{fence}\" after it"),
        (_, Some(swallowed)) => {
            let longer = format!("{fence}{}", &fence[..1]);
            format!(
                "the block is never closed, and swallows the one at line {swallowed}; \
                 put a line \"{fence}\" between them, or open and close this one with \"{longer}\""
            )
        }
    };
    match (is_ours(info), swallowed) {
        (true, _) => Some(Problem::error(code.line, message)),
        (false, Some(_)) => Some(Problem::warning(code.line, message)),
        (false, None) => None,
    }
}

/// A piece of the text without white space at its end.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    span.start..span.start + text[span].trim_end().len()
}

/// The part of what stands before something on its line that is quotes, list items and indent.
fn containers(before: &str) -> &str {
    static CONTAINERS: LazyLock<Regex> =
        LazyLock::new(|| known(r"^(?:[ \t>\u{feff}]|(?:[-+*]|[0-9]{1,9}[.)])[ \t])*"));
    CONTAINERS.find(before).map_or("", |it| it.as_str())
}

/// Makes of what stands before a block what must stand before lines after it: list markers become spaces.
fn prefix(before: &str) -> String {
    before
        .trim_start_matches('\u{feff}')
        .chars()
        .map(|it| match it {
            '>' | '\t' => it,
            _ => ' ',
        })
        .collect()
}
