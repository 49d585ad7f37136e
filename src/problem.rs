//! What an author can fix: a message with a line. It says nothing of what the machine broke; that is an `anyhow::Error`.

use serde::{Deserialize, Serialize};

/// Which file of a chapter something stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The chapter itself.
    #[default]
    Chapter,
    /// The author's copy beside it, `NAME.rehearse.md`.
    Copy,
}

impl Origin {
    /// Path of the file, given the chapter's.
    pub fn path(self, chapter: &str) -> String {
        match self {
            Origin::Chapter => chapter.to_string(),
            Origin::Copy => {
                let stem = chapter.strip_suffix(".md").unwrap_or(chapter);
                format!("{stem}.rehearse.md")
            }
        }
    }
}

/// One thing in a chapter that its author should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which file it is in.
    pub origin: Origin,
    /// Line of that file, from 1.
    pub line: usize,
    /// Whether the exercise can still be rehearsed.
    pub level: Level,
    /// Lower-case fragment without a full stop: what, and what to do about it.
    pub message: String,
}

/// How much a [`Problem`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The exercise is rehearsed all the same.
    Warning,
    /// Nothing of the book runs before this is mended.
    Error,
}

impl Problem {
    /// Makes a problem that stops the run.
    pub fn error(line: usize, message: impl Into<String>) -> Problem {
        Problem {
            origin: Origin::Chapter,
            line,
            level: Level::Error,
            message: message.into(),
        }
    }

    /// Makes a problem that is only told.
    pub fn warning(line: usize, message: impl Into<String>) -> Problem {
        Problem {
            origin: Origin::Chapter,
            line,
            level: Level::Warning,
            message: message.into(),
        }
    }
}

/// A [`Problem`] and the chapter that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Path of the chapter inside the book's source folder.
    pub chapter: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Why a command of the tool ends otherwise than well; the number is the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Fresh outputs differ from recorded ones.
    Drift = 1,
    /// Arguments or configuration.
    Usage = 2,
    /// A chapter.
    Input = 3,
    /// A step ended otherwise than it should.
    Broke = 4,
    /// Engine or sandbox.
    Engine = 5,
    /// A registry.
    Registry = 6,
    /// Snapshots.
    Store = 7,
    /// Something was not granted, and nothing may be left out.
    Policy = 8,
    /// Something is left after a cleanup, and nothing may be.
    Leftovers = 10,
}

/// The class that decides the exit status where several meet: what makes the others doubtful comes before what they say.
pub fn gravest(classes: impl Iterator<Item = Class>) -> Option<Class> {
    classes.max_by_key(|it| match it {
        Class::Leftovers => 0,
        Class::Drift => 1,
        Class::Usage => 2,
        Class::Input => 3,
        Class::Broke => 4,
        Class::Registry => 5,
        Class::Engine => 6,
        Class::Store => 7,
        Class::Policy => 8,
    })
}

/// An error whose class is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its class.
    pub class: Class,
    /// What to tell, a line or several.
    pub message: String,
}

impl Fault {
    /// Makes one.
    pub fn new(class: Class, message: impl Into<String>) -> Fault {
        Fault {
            class,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
