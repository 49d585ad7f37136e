//! Markdown to exercise: which fences are steps, their words, commands and exact spans. It decides nothing about running.

mod fence;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::fence::{Fence, Lines, fences, prefix};
use self::words::parse_info;
use crate::bash;
use crate::config::Config;
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
        let info = parse_info(markdown, &fence.info);
        let faults = info.faults.into_iter();
        problems.extend(faults.map(|it| Problem::error(fence.line, it)));
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
