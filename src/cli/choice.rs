//! Which exercises of a book a command is about.

use anyhow::Result;
use mdbook_rehearse::problem::{Class, Fault};
use mdbook_rehearse::run::Subject;
use mdbook_rehearse::schedule;
use mdbook_rehearse::session::Shelf;

/// Which exercises a command is about.
#[derive(clap::Args)]
pub(crate) struct Choice {
    /// Only these, by name or chapter path (see `list`)
    #[arg(value_name = "EXERCISE")]
    exercises: Vec<String>,
    /// The same, for use without a BOOK before it
    #[arg(long = "exercise", value_name = "EXERCISE")]
    more_exercises: Vec<String>,
    /// Of these only those with TEXT in their name or chapter path, or, if TEXT has `*` or `?`, those that are all of it; more
    /// than one: those that any of them means
    #[arg(long = "filter", value_name = "TEXT")]
    filters: Vec<String>,
}

/// The chosen exercises, in the book's order; all of them if nothing is said.
pub(crate) fn choose<'a>(shelf: &'a Shelf, choice: &Choice) -> Result<Vec<&'a Subject>> {
    let names = choice.exercises.iter().chain(&choice.more_exercises);
    let names: Vec<&str> = names.map(String::as_str).collect();
    let filters: Vec<&str> = choice.filters.iter().map(String::as_str).collect();
    schedule::choose(&shelf.survey.subjects, &names, &filters)
        .map_err(|it| Fault::new(Class::Usage, it.join("\n")).into())
}
