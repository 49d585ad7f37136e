//! Markdown to exercise: which fences are steps, their words, commands and exact spans. It decides nothing about running.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use sha2::{Digest, Sha256};

use crate::bash;
use crate::config::{self, Config};
use crate::nearest::advice;
use crate::placeholder::mask;
use crate::problem::Problem;

/// A chapter with at least one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// Stable name made from the chapter's path, `[a-z0-9-]{1,64}`; names the snapshot.
    pub id: String,
    /// Path of the chapter inside the book's source folder, with `/`.
    pub chapter: String,
    /// In document order.
    pub steps: Vec<Step>,
}

/// A fenced block in one of the configured languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The word `id=`, or the heading's slug and a number; unique in its exercise, `[a-z0-9-]{1,64}`.
    pub id: String,
    /// Line of the opening fence, from 1.
    pub line: usize,
    /// Bytes of the whole fence, from its first backtick to the end of its closing line (without the newline).
    pub span: Range<usize>,
    /// Bytes of the info string's parts that are ours and go off the page, in order, each with the separator before it.
    pub words_spans: Vec<Range<usize>>,
    /// What every line put after the fence must begin with to stay in the same list item or quote.
    pub prefix: String,
    /// The words after the fence's language.
    pub words: Words,
    /// In order; none if the block is empty or only comments.
    pub commands: Vec<Command>,
}

/// One complete shell command of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Line of its first character in the chapter, from 1.
    pub line: usize,
    /// As the shell gets it: LF only, no trailing newline, container prefixes removed.
    pub text: String,
}

/// The author's words after the language of a fence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// `skip`, `skip="why"`: shown, never run. The reason may be empty.
    pub skip: Option<String>,
    /// `fails`, `fails=125`.
    pub fails: Option<Failure>,
    /// Whether the block is on the page.
    pub visibility: Visibility,
    /// When the step runs, and what its failure means.
    pub role: Role,
    /// `timeout=90s`.
    pub timeout: Option<Duration>,
}

/// The status that the word `fails` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Any status but zero.
    Any,
    /// This status.
    Status(i32),
}

/// Whether a step is on the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Block and output are shown.
    #[default]
    Shown,
    /// Word `hide`, or `setup`: run, not shown.
    Hidden,
}

/// What a step is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// A step that the learner does.
    #[default]
    Task,
    /// Word `setup`: hidden preparation.
    Setup,
    /// Word `cleanup`, or under a heading "Cleanup": runs last, always.
    Cleanup,
}

/// Reads a chapter; `None` if it has no step. Never fails: what is wrong is in the problems.
pub fn parse(chapter: &str, markdown: &str, config: &Config) -> (Option<Exercise>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut steps = Vec::new();
    let mut ids = Ids::default();
    let lines = Lines::new(markdown);
    for fence in fences(markdown, config, &lines, &mut problems) {
        let info = parse_info(markdown, &fence, &mut problems);
        let mut words = info.words;
        if words.role == Role::Task && fence.section.in_cleanup {
            words.role = Role::Cleanup;
        }
        check_characters(&fence, &mut problems);
        let commands = commands(&fence, &words, &mut problems);
        ids.wish(steps.len(), info.id, &fence, &mut problems);
        steps.push(Step {
            id: String::new(),
            line: fence.line,
            prefix: prefix(lines.before(markdown, fence.span.start)),
            span: fence.span,
            words_spans: info.spans,
            words,
            commands,
        });
    }
    for (step, id) in steps.iter_mut().zip(ids.give()) {
        step.id = id;
    }
    problems.sort_by_key(|it| it.line);
    if steps.is_empty() {
        return (None, problems);
    }
    let exercise = Exercise {
        id: exercise_id(chapter),
        chapter: chapter.to_string(),
        steps,
    };
    (Some(exercise), problems)
}

/// Finds chapters whose exercises would have one name. Each comes with the later chapter's path.
pub fn clashes(exercises: &[Exercise]) -> Vec<(String, Problem)> {
    let mut chapters: BTreeMap<&str, &str> = BTreeMap::new();
    let mut clashes = Vec::new();
    for exercise in exercises {
        let first = *chapters.entry(&exercise.id).or_insert(&exercise.chapter);
        // A book may list one chapter twice.
        if first == exercise.chapter {
            continue;
        }
        let line = exercise.steps.first().map_or(1, |it| it.line);
        let message = format!(
            "chapters `{first}` and `{}` would share the snapshot `{}`; rename one of them",
            exercise.chapter, exercise.id
        );
        clashes.push((exercise.chapter.clone(), Problem::error(line, message)));
    }
    clashes
}

/// Most bytes of a block; the shell grammar is not made for more.
const LARGEST: usize = 256 * 1024;

/// Words that fences may have, with what follows them.
const WORDS: [&str; 8] = [
    "skip", "fails", "hide", "setup", "cleanup", "timeout", "id", "ignore",
];

/// Words of mdBook's and rustdoc's, which stay on the page.
const HOST_WORDS: [&str; 9] = [
    "editable",
    "noplayground",
    "noplaypen",
    "mdbook-runnable",
    "should_panic",
    "no_run",
    "compile_fail",
    "hidelines",
    "icon",
];

/// A fence of one of the configured languages.
struct Fence {
    line: usize,
    span: Range<usize>,
    /// Bytes of the info string.
    info: Range<usize>,
    /// Its text, container prefixes removed, LF only; empty if it is not closed.
    text: String,
    section: Section,
}

/// The part of a chapter that a fence is in.
#[derive(Clone)]
struct Section {
    /// Slug of the nearest heading; `step` before any.
    slug: String,
    in_cleanup: bool,
}

/// Byte offsets of the beginnings of lines.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        let newlines = text.match_indices('\n').map(|(idx, _)| idx + 1);
        Lines(std::iter::once(0).chain(newlines).collect())
    }

    /// Line of a byte, from 1.
    fn of(&self, at: usize) -> usize {
        self.0.partition_point(|it| *it <= at)
    }

    /// What a byte's line has before it.
    fn before<'a>(&self, text: &'a str, at: usize) -> &'a str {
        &text[self.0[self.of(at) - 1]..at]
    }
}

fn fences(
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

/// Makes a name of `[a-z0-9-]` with at most `longest` bytes; empty if nothing of the text can be in one.
fn slug(text: &str, longest: usize) -> String {
    let mut slug = String::new();
    for char in text.chars().flat_map(char::to_lowercase) {
        if char.is_ascii_alphanumeric() {
            slug.push(char);
        } else if !slug.is_empty() && !slug.ends_with('-') && char != '\'' && char != '’' {
            slug.push('-');
        }
        if slug.len() == longest {
            break;
        }
    }
    slug.trim_end_matches('-').to_string()
}

/// Names an exercise after its chapter's path.
fn exercise_id(chapter: &str) -> String {
    let path = chapter.strip_suffix(".md").unwrap_or(chapter);
    // The one name in capitals that every folder has.
    let plain = match path.strip_suffix("README") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("{folder}readme"),
        _ => path.to_string(),
    };
    let is_plain = plain
        .bytes()
        .all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'/'));
    let id = plain.replace(['/', '_'], "-");
    if is_plain && chapter.ends_with(".md") && (1..=64).contains(&id.len()) && !id.starts_with('-')
    {
        return id;
    }
    let hash = Sha256::digest(chapter.as_bytes());
    let hash: String = hash.iter().take(4).map(|it| format!("{it:02x}")).collect();
    match slug(path, 55).as_str() {
        "" => format!("chapter-{hash}"),
        it => format!("{it}-{hash}"),
    }
}

/// Names of steps: the authors' wishes first, then what the headings give.
#[derive(Default)]
struct Ids {
    /// For each step its wish, if any, and its heading's slug.
    steps: Vec<(Option<String>, String)>,
    /// Lines of the fences whose wishes are granted.
    taken: BTreeMap<String, usize>,
}

impl Ids {
    fn wish(
        &mut self,
        step: usize,
        id: Option<String>,
        fence: &Fence,
        problems: &mut Vec<Problem>,
    ) {
        debug_assert_eq!(step, self.steps.len());
        let id = id.filter(|it| match self.taken.get(it) {
            Some(line) => {
                problems.push(Problem::error(
                    fence.line,
                    format!("`id={it}` is already at line {line}; give one of them another name"),
                ));
                false
            }
            None => true,
        });
        if let Some(it) = &id {
            self.taken.insert(it.clone(), fence.line);
        }
        self.steps.push((id, fence.section.slug.clone()));
    }

    fn give(self) -> Vec<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut ids = Vec::with_capacity(self.steps.len());
        for (wish, slug) in self.steps {
            let count = counts.entry(slug.clone()).or_default();
            *count += 1;
            let id = match wish {
                Some(it) => it,
                None => {
                    while self.taken.contains_key(&format!("{slug}-{count}")) {
                        *count += 1;
                    }
                    format!("{slug}-{count}")
                }
            };
            ids.push(id);
        }
        ids
    }
}

/// Makes of what stands before a fence what must stand before lines after it: list markers become spaces.
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

/// One word of an info string.
struct Word<'a> {
    /// Bytes of the word with the separators before it.
    span: Range<usize>,
    text: &'a str,
}

/// Splits an info string on space, tab and comma, outside quotes and braces.
fn split_info(info: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = 0;
    loop {
        let rest = &info[start..];
        let text = rest.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return words;
        }
        let mut in_quotes = false;
        let mut n_braces = 0_usize;
        let len = text.find(|it| {
            match it {
                '"' => in_quotes = !in_quotes,
                '{' if !in_quotes => n_braces += 1,
                '}' if !in_quotes => n_braces = n_braces.saturating_sub(1),
                ' ' | '\t' | ',' => return !in_quotes && n_braces == 0,
                _ => {}
            }
            false
        });
        let text = &text[..len.unwrap_or(text.len())];
        let end =
            start + (rest.len() - rest.trim_start_matches([' ', '\t', ',']).len()) + text.len();
        words.push(Word {
            span: start..end,
            text,
        });
        start = end;
    }
}

fn has_ignore(info: &str) -> bool {
    split_info(info)
        .iter()
        .skip(1)
        .any(|it| it.text == "ignore")
}

/// What an info string says.
#[derive(Default)]
struct Info {
    words: Words,
    id: Option<String>,
    spans: Vec<Range<usize>>,
}

fn parse_info(markdown: &str, fence: &Fence, problems: &mut Vec<Problem>) -> Info {
    let mut info = Info::default();
    let mut seen: Vec<&str> = Vec::new();
    for word in split_info(&markdown[fence.info.clone()]).iter().skip(1) {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.text, None),
        };
        let is_host = word.text.starts_with('{')
            || HOST_WORDS.contains(&name)
            || name.starts_with("edition20");
        if is_host {
            continue;
        }
        if seen.contains(&name) {
            let message = format!("word `{name}` stands twice; remove one");
            problems.push(Problem::error(fence.line, message));
        }
        seen.push(name);
        if let Err(it) = take_word(name, value, &mut info) {
            problems.push(Problem::error(fence.line, it));
        }
        let span = fence.info.start + word.span.start..fence.info.start + word.span.end;
        match info.spans.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => info.spans.push(span),
        }
    }
    if seen.contains(&"setup") && seen.contains(&"cleanup") {
        let message = "a block cannot be both `setup` and `cleanup`; remove one".to_string();
        problems.push(Problem::error(fence.line, message));
    }
    info
}

fn take_word(name: &str, value: Option<&str>, info: &mut Info) -> Result<(), String> {
    let value = match value {
        Some(it) => Some(unquote(name, it)?),
        None => None,
    };
    let words = &mut info.words;
    match (name, value) {
        ("skip", it) => words.skip = Some(it.unwrap_or_default().to_string()),
        ("fails", None) => words.fails = Some(Failure::Any),
        ("fails", Some(it)) => {
            let status = it.parse().ok().filter(|it| (1..=255).contains(it));
            let status = status.ok_or_else(|| {
                format!("`fails` is `{it}`, which is no status; write 1 to 255, or `fails` alone")
            })?;
            words.fails = Some(Failure::Status(status));
        }
        ("hide", None) => words.visibility = Visibility::Hidden,
        ("setup", None) => {
            words.role = Role::Setup;
            words.visibility = Visibility::Hidden;
        }
        ("cleanup", None) => words.role = Role::Cleanup,
        ("hide" | "setup" | "cleanup", Some(_)) => {
            return Err(format!("word `{name}` has no value; write `{name}` alone"));
        }
        ("timeout", Some(it)) => {
            words.timeout = Some(config::duration(it).map_err(|it| format!("`timeout` {it}"))?);
        }
        ("timeout", None) => {
            return Err("word `timeout` needs a time; write it like `timeout=90s`".to_string());
        }
        ("id", Some(it)) if is_id(it) => info.id = Some(it.to_string()),
        ("id", _) => {
            return Err(
                "word `id` needs a name of a-z, 0-9 and `-`; write it like `id=first-pull`"
                    .to_string(),
            );
        }
        _ => return Err(format!("unknown word `{name}`; {}", advice(name, &WORDS))),
    }
    Ok(())
}

fn unquote<'a>(name: &str, value: &'a str) -> Result<&'a str, String> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    };
    inner
        .filter(|it| !it.contains('"'))
        .ok_or_else(|| format!("the quote after `{name}=` is never closed; write `{name}=\"…\"`"))
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}

/// Reports characters that make a reader see another command than the one that runs, or that no shell can get.
fn check_characters(fence: &Fence, problems: &mut Vec<Problem>) {
    for (idx, line) in fence.text.lines().enumerate() {
        let mut points: Vec<String> = Vec::new();
        let mut before = ' ';
        for char in line.chars() {
            // It joins the parts of an emoji.
            let joins = char == '\u{200d}' && before >= '\u{2190}';
            if is_deceptive(char) && !joins {
                let point = format!("U+{:04X}", u32::from(char));
                if !points.contains(&point) && points.len() < 8 {
                    points.push(point);
                }
            }
            before = char;
        }
        if !points.is_empty() {
            problems.push(Problem::error(
                fence.line + 1 + idx,
                format!(
                    "the line has {}, which a reader cannot see; remove it",
                    points.join(", ")
                ),
            ));
        }
    }
}

fn is_deceptive(char: char) -> bool {
    match char {
        '\t' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{fffd}' | '\u{e0000}'..='\u{e007f}' => true,
        it => it.is_control(),
    }
}

fn commands(fence: &Fence, words: &Words, problems: &mut Vec<Problem>) -> Vec<Command> {
    let text = &fence.text;
    if text.len() > LARGEST {
        let message = format!(
            "the block has {} KiB and can have {}; put the data into a file",
            text.len() / 1024,
            LARGEST / 1024
        );
        problems.push(Problem::error(fence.line, message));
        return Vec::new();
    }
    let lines = Lines::new(text);
    let command = |span: Range<usize>| Command {
        line: fence.line + lines.of(span.start),
        text: text[span].to_string(),
    };
    match bash::split(&mask(text)) {
        Ok(spans) => {
            let commands: Vec<Command> = spans.into_iter().map(command).collect();
            let prompted = commands.iter().find(|it| it.text.starts_with("$ "));
            if let (Some(prompted), None) = (prompted, &words.skip) {
                let message = "the line begins with a prompt, which the shell takes for a command; \
                               leave out `$ ` and the output";
                problems.push(Problem::warning(prompted.line, message));
            }
            commands
        }
        Err((line, message)) => {
            if words.skip.is_none() {
                let message = format!("{message}; the block is run as one command");
                problems.push(Problem::warning(fence.line + line, message));
            }
            let start = text.len() - text.trim_start_matches(['\n', ' ', '\t']).len();
            let end = text.trim_end().len();
            if start < end {
                vec![command(start..end)]
            } else {
                Vec::new()
            }
        }
    }
}
