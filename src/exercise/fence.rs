//! The fences of a chapter in one of the configured languages, with their exact places and the headings above them.

use std::ops::Range;

use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};

use super::slug;
use super::words::has_ignore;
use crate::config::Config;
use crate::problem::Problem;

/// A fence of one of the configured languages.
pub(super) struct Fence {
    pub(super) line: usize,
    pub(super) span: Range<usize>,
    /// Bytes of the info string.
    pub(super) info: Range<usize>,
    /// Its text, container prefixes removed, LF only; empty if it is not closed.
    pub(super) text: String,
    pub(super) section: Section,
}

/// The part of a chapter that a fence is in.
#[derive(Clone)]
pub(super) struct Section {
    /// Slug of the nearest heading; `step` before any.
    pub(super) slug: String,
    pub(super) in_cleanup: bool,
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

    /// What a byte's line has before it.
    pub(super) fn before<'a>(&self, text: &'a str, at: usize) -> &'a str {
        &text[self.0[self.of(at) - 1]..at]
    }
}

pub(super) fn fences(
    markdown: &str,
    config: &Config,
    lines: &Lines,
    problems: &mut Vec<Problem>,
) -> Vec<Fence> {
    let bom = if markdown.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut sections = Sections::new(config);
    let mut fences = Vec::new();
    let mut events =
        new_cmark_parser(&markdown[bom..], &MarkdownOptions::default()).into_offset_iter();
    while let Some((event, span)) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let mut title = String::new();
                for (event, _) in events.by_ref() {
                    match event {
                        Event::Text(it) | Event::Code(it) => title.push_str(&it),
                        Event::SoftBreak | Event::HardBreak => title.push(' '),
                        Event::End(TagEnd::Heading(_)) => break,
                        _ => {}
                    }
                }
                sections.enter(level as usize, &title);
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                let mut text = String::new();
                let mut text_end = None;
                for (event, span) in events.by_ref() {
                    match event {
                        Event::Text(it) => {
                            text.push_str(&it);
                            text_end = Some(span.end + bom);
                        }
                        _ => break,
                    }
                }
                let span = span.start + bom..span.end + bom;
                let fence = Raw {
                    span,
                    text,
                    text_end,
                };
                let section = sections.current.clone();
                fences.extend(fence.check(markdown, config, lines, section, problems));
            }
            _ => {}
        }
    }
    fences
}

/// A fence as the Markdown parser tells of it.
struct Raw {
    span: Range<usize>,
    text: String,
    /// End of its last line of text, if it has one.
    text_end: Option<usize>,
}

impl Raw {
    /// Takes it as a step's fence if it is one, and reports one that is not closed.
    fn check(
        self,
        markdown: &str,
        config: &Config,
        lines: &Lines,
        section: Section,
        problems: &mut Vec<Problem>,
    ) -> Option<Fence> {
        let line = lines.of(self.span.start);
        let all = &markdown[self.span.clone()];
        let opening = all.lines().next().unwrap_or_default();
        let fence_char = opening.chars().next()?;
        let fence_len = opening.len() - opening.trim_start_matches(fence_char).len();
        let ours = |info: &str| {
            let language = info.split([' ', '\t', ',']).next().unwrap_or_default();
            let mut languages = config.languages.iter();
            languages.any(|it| it.eq_ignore_ascii_case(language))
        };
        let info = opening[fence_len..].trim();
        let info_start = self.span.start
            + fence_len
            + (opening.len() - fence_len - opening[fence_len..].trim_start().len());
        let is_ours = ours(info) && !has_ignore(info);

        let body_end = match self.text_end {
            Some(it) => it - self.span.start,
            None => opening.len(),
        };
        let closing = all.get(body_end..).unwrap_or_default();
        let closing = closing.trim_matches(|it: char| it.is_whitespace() || it == '>');
        let is_closed = closing.len() >= fence_len && closing.chars().all(|it| it == fence_char);

        // The fence after one that was forgotten to close shows up as its text.
        let fence: String = std::iter::repeat_n(fence_char, fence_len).collect();
        let swallowed = self.text.lines().enumerate().find(|(_, it)| {
            let it = it.trim_start_matches([' ', '\t']);
            let info = it.trim_start_matches(fence_char).trim();
            it.starts_with(&fence) && !info.is_empty() && (is_ours || ours(info))
        });
        let swallowed = swallowed.map(|(idx, _)| line + 1 + idx);
        let problem = match (is_closed, swallowed) {
            (true, None) => None,
            (false, None) => Some(format!(
                "the block is never closed; put a line \"{fence}\" after it"
            )),
            (_, Some(swallowed)) => Some(format!(
                "the block is never closed, and swallows the one at line {swallowed}; \
                 put a line \"{fence}\" between them, or open and close this one with \"{fence}{fence_char}\""
            )),
        };
        let text = if problem.is_none() {
            self.text
        } else {
            // What else would be said of it is not worth reading.
            String::new()
        };
        match problem {
            Some(message) if is_ours => problems.push(Problem::error(line, message)),
            Some(message) if swallowed.is_some() => problems.push(Problem::warning(line, message)),
            _ => {}
        }
        if !is_ours {
            return None;
        }
        let end = self.span.start + all.trim_end_matches(['\n', '\r']).len();
        Some(Fence {
            line,
            span: self.span.start..end,
            info: info_start..info_start + info.len(),
            text,
            section,
        })
    }
}

/// Follows the headings of a chapter.
struct Sections {
    /// Cleanup headings as [`bare`] leaves them.
    cleanup_headings: Vec<String>,
    current: Section,
    /// Level of the cleanup heading that the current section is below.
    cleanup_level: Option<usize>,
}

impl Sections {
    fn new(config: &Config) -> Sections {
        Sections {
            cleanup_headings: config.cleanup_headings.iter().map(|it| bare(it)).collect(),
            current: Section {
                slug: "step".to_string(),
                in_cleanup: false,
            },
            cleanup_level: None,
        }
    }

    fn enter(&mut self, level: usize, title: &str) {
        if self.cleanup_level.is_some_and(|it| level <= it) {
            self.cleanup_level = None;
        }
        let bare = bare(title);
        let is_cleanup = !bare.is_empty() && self.cleanup_headings.contains(&bare);
        if is_cleanup && self.cleanup_level.is_none() {
            self.cleanup_level = Some(level);
        }
        let slug = slug(title, 48);
        self.current = Section {
            slug: if slug.is_empty() {
                "step".to_string()
            } else {
                slug
            },
            in_cleanup: self.cleanup_level.is_some(),
        };
    }
}

/// Leaves of a heading what tells it from others: no case, punctuation, emoji or numbering.
fn bare(title: &str) -> String {
    let no_codes = title
        .split_whitespace()
        .filter(|it| !(it.len() > 2 && it.starts_with(':') && it.ends_with(':')));
    let text: String = no_codes
        .flat_map(str::chars)
        .filter(|it| it.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let unnumbered = text.trim_start_matches(char::is_numeric);
    if unnumbered.is_empty() {
        text
    } else {
        unnumbered.to_string()
    }
}

/// Makes of what stands before a fence what must stand before lines after it: list markers become spaces.
pub(super) fn prefix(before: &str) -> String {
    before
        .trim_start_matches('\u{feff}')
        .chars()
        .map(|it| match it {
            '>' | '\t' => it,
            _ => ' ',
        })
        .collect()
}
