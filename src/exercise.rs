//! Markdown to exercise: which blocks are steps, their words, commands and exact spans, and what comments say. It decides
//! nothing about running.

mod outline;
mod words;
mod comment;
mod file;
mod promise;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::reading::Reader;
use crate::config::Config;
use crate::console::{Ending, Line, Place};
use crate::problem::{Origin, Problem};

/// What the comment `needs` can ask for, and the user grant: `open-network`, a way out of the sandbox to the world.
pub const NEEDS: [&str; 1] = ["open-network"];

/// A chapter as it comes, and what lies beside it.
#[derive(Debug, Clone, Copy)]
pub struct Chapter<'a> {
    /// Path inside the book's source folder, with `/`.
    pub path: &'a str,
    /// Its Markdown.
    pub text: &'a str,
    /// The author's copy, if there is one.
    pub copy: Option<&'a str>,
    /// Paths of the workspace's files: none of them is overwritten because a block looks like it.
    pub workspace: &'a BTreeSet<String>,
}

impl<'a> Chapter<'a> {
    /// A chapter with nothing beside it.
    pub fn alone(path: &'a str, text: &'a str) -> Chapter<'a> {
        const NONE: &BTreeSet<String> = &BTreeSet::new();
        Chapter {
            path,
            text,
            copy: None,
            workspace: NONE,
        }
    }
}

/// A chapter with at least one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exercise {
    /// Stable name made from the chapter's path, `[a-z0-9-]{1,64}`; names the snapshot.
    pub id: String,
    /// Path of the chapter inside the book's source folder, with `/`.
    pub chapter: String,
    /// In document order; those of the author's copy at the end of their sections.
    pub steps: Vec<Step>,
    /// Its parts, in document order; the first is what stands before any heading.
    pub sections: Vec<Section>,
    /// Values of placeholders by name, from comments.
    pub values: BTreeMap<String, String>,
    /// Tables of images that comments ask for, in document order.
    pub tables: Vec<Table>,
    /// Chapters that come first.
    pub requires: Vec<Requirement>,
    /// What the user has to grant.
    pub needs: Vec<String>,
    /// What is no step, and what could be one.
    pub asides: Vec<Aside>,
}

/// A block that is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The word `id=`, or the heading's slug and a number; unique in its exercise, `[a-z0-9-]{1,64}`.
    pub id: String,
    /// Which file it stands in.
    pub origin: Origin,
    /// Line of the opening fence in that file, from 1.
    pub line: usize,
    /// Bytes of the whole block in the chapter, from its first backtick to the end of its closing line (without the
    /// newline); empty for what is no block of the chapter.
    pub span: Range<usize>,
    /// Bytes of the info string's parts that are ours and go off the page, in order, each with the separator before it.
    pub words_spans: Vec<Range<usize>>,
    /// Where in the chapter its output is put.
    pub after: usize,
    /// What every line put there must begin with to stay in the same list item or quote.
    pub prefix: String,
    /// The author's words.
    pub words: Words,
    /// In order; none if the block is empty or only comments.
    pub commands: Vec<Command>,
    /// Bytes of the chapter's lines that are the author's sample of output.
    pub samples: Vec<Range<usize>>,
    /// Its lines, if they are commands with prompts or samples of output.
    pub console: Option<Console>,
    /// Index of its section.
    pub section: usize,
    /// What its output must hold.
    pub claims: Vec<Claim>,
    /// What the prose below seems to say of its output, or of the next step's; nothing of it is checked.
    pub promises: Vec<Claim>,
    /// Values that its output gives to later steps.
    pub captures: Vec<Capture>,
    /// The block itself, where the chapter does not have it.
    pub block: Option<Block>,
    /// What was taken for granted about it, for the author to confirm: fragments.
    pub inferred: Vec<String>,
}

/// A block in which not every line is typed as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Its language; may be empty.
    pub language: String,
    /// All of them, without what hides lines from mdBook's readers.
    pub lines: Vec<Line>,
    /// Indexes of those that mdBook hides.
    pub hidden: BTreeSet<usize>,
}

/// A block of the author's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its language; may be empty.
    pub language: String,
    /// What stands in it.
    pub text: String,
}

/// One complete shell command of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Line of its first character in its file, from 1.
    pub line: usize,
    /// As it is typed: LF only, no trailing newline, container prefixes and prompts removed.
    pub text: String,
    /// Where it is typed, as far as its prompt tells.
    pub place: Place,
    /// What the author's sample shows as typed while it ran, in order: `y` after `[y/N]`.
    pub answers: Vec<String>,
    /// How it ends in the author's sample.
    pub ending: Ending,
}

impl Command {
    /// A command at the exercise's own shell.
    pub fn plain(line: usize, text: impl Into<String>) -> Command {
        Command {
            line,
            text: text.into(),
            place: Place::Host,
            answers: Vec::new(),
            ending: Ending::Itself,
        }
    }
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
    /// `check="what is checked"`.
    pub criterion: Option<String>,
    /// `timeout=90s`.
    pub timeout: Option<Duration>,
    /// `retry=5s`: tried again for that long.
    pub retry: Option<Duration>,
    /// `until=…`, `background`: goes on in the background, ready when this holds.
    pub until: Option<Ready>,
    /// `for=5s`: ended by Ctrl-C after that time.
    pub limit: Option<Duration>,
    /// `stdin="…"`: what is typed.
    pub stdin: Option<String>,
    /// `tty`: runs at a terminal.
    pub tty: bool,
    /// `in=NAME`: typed in the terminal of that name.
    pub inside: Option<String>,
    /// `opens=NAME`: names the terminal that it opens.
    pub opens: Option<String>,
    /// `save-as=PATH`: no commands but a file.
    pub save_as: Option<String>,
}

/// When a command that goes on is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// At once.
    AtOnce,
    /// When it has printed this.
    Text(String),
    /// When this port of the sandbox takes a connection.
    Port(u16),
    /// When this address of the sandbox answers with a status below 500.
    Url {
        /// Its port.
        port: u16,
        /// Its path, with `/`.
        path: String,
    },
    /// When it has printed nothing for a while.
    Quiet,
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
    /// The block is shown, its output is not: it is a file.
    Silent,
    /// Word `hide`, `setup` or `check`: run, not shown.
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
    /// Word `solution`: the author's answer to a challenge.
    Solution,
    /// Word `check`: a hidden test of a success criterion.
    Check,
    /// Word `cleanup`, or under a heading "Cleanup": runs last, always.
    Cleanup,
}

/// A part of a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading; empty before any.
    pub title: String,
    /// Line of its heading in the chapter, from 1.
    pub line: usize,
    /// Whether its text sets the reader a task without saying how.
    pub challenge: bool,
}

/// What a text says that a reader will see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which file it stands in.
    pub origin: Origin,
    /// Line of the comment, from 1.
    pub line: usize,
    /// What the output must hold.
    pub pattern: Pattern,
}

/// Something to look for in an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This text.
    Text(String),
    /// A match of this regular expression, which compiles.
    Regex(String),
}

/// A value that an output gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Which file it stands in.
    pub origin: Origin,
    /// Line of the comment, from 1.
    pub line: usize,
    /// Name of the placeholder that it is for.
    pub name: String,
    /// Regular expression with one group, which compiles.
    pub regex: String,
}

/// A table of images at its place in the chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub kind: TableKind,
    /// As the author spells them.
    pub references: Vec<String>,
    /// Where in the chapter it is put.
    pub after: usize,
    /// As for [`Step::prefix`].
    pub prefix: String,
}

/// What a table of images shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// Comment `images`: digests, and which are one image.
    Images,
    /// Comment `layers`: which layers they share.
    Layers,
}

/// A place where a chapter asks for the table of the whole course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Bytes of the comment, which the table takes the place of.
    pub span: Range<usize>,
    /// As for [`Step::prefix`].
    pub prefix: String,
}

/// A chapter that another one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Which file it stands in.
    pub origin: Origin,
    /// Line of the comment, from 1.
    pub line: usize,
    /// Name, path, or the end of a path.
    pub exercise: String,
}

/// Something that is no step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Which file it stands in.
    pub origin: Origin,
    /// Line, from 1.
    pub line: usize,
    /// What it is.
    pub kind: AsideKind,
}

/// What something that is no step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsideKind {
    /// A block in one of the languages that is not run: what it is, as a fragment.
    LeftAlone(String),
    /// A block that could be saved: path, and why it is not.
    Unsaved {
        /// Where to.
        path: String,
        /// As a fragment.
        why: &'static str,
    },
    /// A command that the prose asks for.
    Asked(String),
}

/// Reads a chapter; `None` if it has no step. Never fails: what is wrong is in the problems.
pub fn parse(chapter: Chapter<'_>, config: &Config) -> (Option<Exercise>, Vec<Problem>) {
    let mut reader = Reader::new(chapter, config);
    reader.read_chapter();
    if let Some(copy) = chapter.copy {
        reader.read_copy(copy);
    }
    reader.finish()
}

/// Finds the places where a chapter asks for the table of the whole course; it need not have a step. Those that cannot have
/// one are problems of [`parse`].
pub fn spots(markdown: &str) -> Vec<Spot> {
    match markdown.contains("rehearse") && markdown.contains("status") {
        true => reading::spots(markdown),
        false => Vec::new(),
    }
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
