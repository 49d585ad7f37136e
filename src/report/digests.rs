//! What the terminal says of what registries have now.

use std::collections::BTreeSet;
use std::path::Path;

use crate::digests::{Counts, Digests, Finding, Today, count};
use crate::images::{host, short_digest, short_name};
use crate::report::{BAD, CAREFUL, FAINT, GOOD, paint, push, visible};

/// A line for each reference that is not as recorded, then how many there are of each kind, and what records those that moved
/// anew; `book` is the folder of the book.
pub fn digests(digests: &Digests, book: &Path) -> String {
    if digests.references.is_empty() {
        return "no image of a registry is recorded\n".to_owned();
    }
    let rows = rows(digests);
    let width = |column: fn(&Row) -> &str| {
        let widths = rows.iter().map(|it| column(it).chars().count());
        widths.max().unwrap_or_default()
    };
    let (word_width, name_width) = (width(|it| it.word), width(|it| &it.name));
    let mut text = String::new();
    for row in &rows {
        let word = paint(row.style, &format!("{:word_width$}", row.word));
        let (name, what) = (&row.name, &row.what);
        push(
            &mut text,
            format_args!("{word}  {name:name_width$}  {what}\n"),
        );
    }
    push(&mut text, format_args!("{}\n", counts(&count(digests))));
    let mut known = BTreeSet::new();
    let moved = digests.references.iter();
    let moved = moved.filter(|it| matches!(it.today, Today::Moved { .. }));
    let exercises: Vec<&str> = moved
        .flat_map(|it| it.exercises.iter().map(String::as_str))
        .filter(|it| known.insert(*it))
        .collect();
    if !exercises.is_empty() {
        let again = format!(
            "to record what moved: mdbook-rehearse run --all {} {}",
            book.display(),
            exercises.join(" ")
        );
        push(&mut text, format_args!("{}\n", paint(FAINT, &again)));
    }
    text
}

/// A line of the table.
struct Row {
    style: anstyle::Style,
    word: &'static str,
    name: String,
    what: String,
}

fn rows(digests: &Digests) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut unreached: Vec<(String, &str, Vec<&Finding>)> = Vec::new();
    for finding in &digests.references {
        let name = visible(&short_name(&finding.reference));
        let recorded = visible(&short_digest(&finding.recorded));
        let exercises = paint(FAINT, &finding.exercises.join(", "));
        let (style, word, what) = match &finding.today {
            Today::AsRecorded => continue,
            Today::Moved { current } => {
                let what = format!(
                    "{recorded} → {}  {exercises}",
                    visible(&short_digest(current))
                );
                (CAREFUL, "moved", what)
            }
            Today::Gone => {
                let width = recorded.chars().count();
                let what = format!("{recorded} → {:width$}  {exercises}", "none");
                (BAD, "gone", what)
            }
            Today::NotAsked { reason } => (FAINT, "not asked", paint(FAINT, &line(reason))),
            Today::NotReached { reason } => {
                let host = host(&finding.reference);
                let known = unreached.iter_mut();
                match known.into_iter().find(|it| it.0 == host && it.1 == reason) {
                    Some(it) => it.2.push(finding),
                    None => unreached.push((host, reason, vec![finding])),
                }
                continue;
            }
        };
        rows.push(Row {
            style,
            word,
            name,
            what,
        });
    }
    // A registry that cannot be reached is told once.
    for (host, reason, findings) in unreached {
        let name = match findings.as_slice() {
            [finding] => visible(&short_name(&finding.reference)),
            findings => visible(&format!("{host} ({} images)", findings.len())),
        };
        rows.push(Row {
            style: BAD,
            word: "not reached",
            name,
            what: line(reason),
        });
    }
    rows
}

fn counts(counts: &Counts) -> String {
    let Counts {
        as_recorded,
        moved,
        gone,
        not_reached,
        not_asked,
    } = *counts;
    let mut parts = vec![paint(GOOD, &format!("{as_recorded} as recorded"))];
    for (style, n, word) in [
        (CAREFUL, moved, "moved"),
        (BAD, gone, "gone"),
        (BAD, not_reached, "not reached"),
        (FAINT, not_asked, "not asked"),
    ] {
        match n {
            0 => {}
            n => parts.push(paint(style, &format!("{n} {word}"))),
        }
    }
    parts.join(", ")
}

/// A reason in one line; programs give theirs in several.
fn line(reason: &str) -> String {
    const LONGEST: usize = 300;
    let lines: Vec<&str> = reason.lines().map(str::trim).collect();
    visible(&lines.join("; ").chars().take(LONGEST).collect::<String>())
}
