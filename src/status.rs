//! How the exercises of a course stand, as a build knows it without running anything: the rows of the table that a chapter can
//! ask for, what needs attention first. How it looks is up to `render`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::coverage::{Coverage, coverage};
use crate::digests::{Digests, Finding, Today};
use crate::images::short_name;
use crate::plan::Decision;
use crate::run::{Subject, n_gone, n_newer};
use crate::transcript::Engine;

/// How a course stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Those that need attention first, the worst of them at the top; then the others in the book's order.
    pub rows: Vec<Row>,
    /// Day on which registries were last asked what they have, if that is known.
    pub asked: Option<Date>,
}

/// How an exercise stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the book calls its chapter.
    pub title: String,
    /// Path of its page below the book's root, ending in `.md`, with `/`.
    pub page: String,
    /// How much of it is rehearsed.
    pub coverage: Coverage,
    /// How it stands to what is recorded.
    pub state: State,
    /// When and with what it was recorded.
    pub recorded: Option<(Date, Engine)>,
    /// Its images that moved, in ledger order.
    pub moved: Vec<MovedImage>,
}

/// How an exercise stands to what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has steps that run, and none was ever recorded.
    NotRecorded,
    /// Something was changed since.
    Newer {
        /// Steps that are new or were edited.
        n_steps: usize,
        /// Steps that are recorded and no longer in the chapter.
        n_gone: usize,
    },
    /// Every step that runs is recorded as it is.
    AsRecorded,
    /// No step of it runs.
    Skipped,
}

/// An image that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedImage {
    /// As people write it: `alpine:latest`.
    pub name: String,
    /// When, as far as that is known.
    pub when: When,
}

/// When an image moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Between two recordings; the day of the later one, which shows the image of now.
    Before(Date),
    /// After the last recording: its registry has another one today.
    Since,
    /// After the last recording: its registry has none any more.
    Gone,
}

/// A chapter's place in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What the book calls it.
    pub title: String,
    /// Path of its page below the book's root, ending in `.md`, with `/`.
    pub page: String,
}

/// Makes the rows. `places` are by the path of the chapter's source; `digests` are what registries said when they were last asked.
pub fn status(
    subjects: &[Subject],
    places: &BTreeMap<String, Place>,
    digests: Option<&Digests>,
) -> Status {
    let findings = digests.map_or(&[][..], |it| &it.references);
    let mut rows: Vec<Row> = subjects
        .iter()
        .map(|it| row(it, places, findings))
        .collect();
    // Stable: among those that are equally well the book's order stays.
    rows.sort_by_key(urgency);
    Status {
        rows,
        asked: digests.map(|it| it.asked),
    }
}

/// `19 exercises, 17 as recorded, 1 changed since, 1 not recorded; oldest recording 3 November 2026`.
pub fn in_words(status: &Status) -> String {
    let n = status.rows.len();
    if n == 0 {
        return "No exercise".to_string();
    }
    let noun = if n == 1 { "exercise" } else { "exercises" };
    let count = |is_meant: fn(State) -> bool| {
        let rows = status.rows.iter();
        rows.filter(|it| is_meant(it.state)).count()
    };
    let kinds: [(usize, &str); 4] = [
        (count(|it| it == State::AsRecorded), "as recorded"),
        (
            count(|it| matches!(it, State::Newer { .. })),
            "changed since",
        ),
        (count(|it| it == State::NotRecorded), "not recorded"),
        (count(|it| it == State::Skipped), "skipped altogether"),
    ];
    let kinds = kinds.iter().filter(|it| it.0 > 0);
    let kinds: Vec<String> = kinds
        .map(|(n_of_kind, what)| match *n_of_kind == n && n > 1 {
            true => format!("all {what}"),
            false => format!("{n_of_kind} {what}"),
        })
        .collect();
    let mut res = format!("{n} {noun}, {}", kinds.join(", "));
    let days = status.rows.iter().filter_map(|it| it.recorded.as_ref());
    if let Some(oldest) = days.map(|it| it.0).min() {
        res.push_str(&format!("; oldest recording {}", day(oldest)));
    }
    if let Some(asked) = status.asked {
        let moved = status.rows.iter().flat_map(|it| &it.moved);
        let moved = moved.filter(|it| !matches!(it.when, When::Before(_)));
        let moved: BTreeSet<&str> = moved.map(|it| it.name.as_str()).collect();
        let images = match moved.len() {
            0 => "no image has moved since".to_string(),
            1 => "1 image has moved since".to_string(),
            n => format!("{n} images have moved since"),
        };
        res.push_str(&format!("; {images}, as registries said on {}", day(asked)));
    }
    res
}

/// Whether somebody should look at it.
pub fn needs_attention(row: &Row) -> bool {
    urgency(row) < 3
}

/// `3 November 2026`.
pub fn day(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// The lower the sooner.
fn urgency(row: &Row) -> u8 {
    let has_moved = row
        .moved
        .iter()
        .any(|it| !matches!(it.when, When::Before(_)));
    match row.state {
        State::NotRecorded => 0,
        State::Newer { .. } => 1,
        _ if has_moved => 2,
        State::AsRecorded | State::Skipped => 3,
    }
}

fn row(subject: &Subject, places: &BTreeMap<String, Place>, findings: &[Finding]) -> Row {
    let chapter = &subject.exercise.chapter;
    let place = places.get(chapter);
    let recorded = subject.recorded.as_ref();
    Row {
        title: place.map_or(chapter, |it| &it.title).clone(),
        page: place.map_or(chapter, |it| &it.page).clone(),
        coverage: coverage(&subject.exercise, &subject.plan),
        state: state(subject),
        recorded: recorded.map(|it| (it.recorded, it.engine.clone())),
        moved: moved(subject, findings),
    }
}

fn state(subject: &Subject) -> State {
    let mut steps = subject.plan.steps.iter();
    if !steps.any(|it| it.decision == Decision::Run) {
        return State::Skipped;
    }
    match (&subject.recorded, n_newer(subject), n_gone(subject)) {
        (None, ..) => State::NotRecorded,
        (Some(_), 0, 0) => State::AsRecorded,
        (Some(_), n_steps, n_gone) => State::Newer { n_steps, n_gone },
    }
}

fn moved(subject: &Subject, findings: &[Finding]) -> Vec<MovedImage> {
    let images = subject.recorded.iter().flat_map(|it| &it.images);
    let moved = images.filter_map(|entry| {
        let mut findings = findings.iter();
        let finding = findings.find(|it| {
            it.reference == entry.reference && Some(&it.recorded) == entry.digest.as_ref()
        });
        let when = match (finding.map(|it| &it.today), &entry.moved) {
            (Some(Today::Moved { .. }), _) => When::Since,
            (Some(Today::Gone), _) => When::Gone,
            (_, Some(it)) => When::Before(it.on),
            (_, None) => return None,
        };
        Some(MovedImage {
            name: short_name(&entry.reference),
            when,
        })
    });
    moved.collect()
}
