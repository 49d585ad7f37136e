//! Book in, book out: what mdBook calls. Its protocol is `[context, book]` on standard input and the book on standard output.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};
use mdbook_preprocessor::book::{Book, Chapter};
use mdbook_preprocessor::{MDBOOK_VERSION, Preprocessor, PreprocessorContext};
use semver::{Version, VersionReq};

use crate::compare;
use crate::config::RunPolicy;
use crate::exercise::{self, Spot};
use crate::problem::{Class, Fault};
use crate::record;
use crate::render::{self, ASSETS_VERSION, Overview, Page, Renderer};
use crate::report;
use crate::report::exercise::Purpose;
use crate::run::{self, Rehearsal, Subject};
use crate::session::{Effort, Notice, Session, Shelf, Writing, chapter_path};
use crate::snapshot::Snapshot;
use crate::status::{self, Place, Status};

/// The preprocessor, for mdBook in this process or outside of it.
pub struct Rehearse {
    /// What it may do and whom it tells.
    pub session: Arc<Session>,
}

/// Whether chapters are rendered for this renderer. `mdbook test` compiles Rust and has no use for outputs.
pub fn supports(renderer: &str) -> bool {
    renderer != "test"
}

/// Reads what mdBook sends. A book of mdBook 0.4 has another form and is refused by its version.
pub fn read_input(mut from: impl Read) -> Result<(PreprocessorContext, Book)> {
    let mut text = Vec::new();
    from.read_to_end(&mut text)
        .context("failed to read from mdBook")?;
    let usage = |message: String| anyhow::Error::from(Fault::new(Class::Usage, message));
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| {
        usage(format!(
            "mdBook should send `[context, book]` as JSON on standard input: {error}"
        ))
    })?;
    let Some(version) = value[0]["mdbook_version"].as_str() else {
        return Err(usage(
            "mdBook should send `[context, book]` on standard input, and its version in the context; what came is \
             something else"
                .to_owned(),
        ));
    };
    if Version::parse(version).is_ok_and(|it| it < Version::new(0, 5, 0)) {
        return Err(usage(format!(
            "this book is built by mdBook {version}, and mdbook-rehearse {} is made for mdBook {MDBOOK_VERSION}; \
             update mdBook to 0.5",
            env!("CARGO_PKG_VERSION")
        )));
    }
    mdbook_preprocessor::parse_input(text.as_slice()).map_err(|error| {
        usage(format!(
            "mdBook {version} sends a book that mdbook-rehearse {} (made for mdBook {MDBOOK_VERSION}) cannot read: \
             {error:#}",
            env!("CARGO_PKG_VERSION")
        ))
    })
}

impl Preprocessor for Rehearse {
    fn name(&self) -> &str {
        "rehearse"
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(supports(renderer))
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let session = &*self.session;
        warn_of_version(session, &context.mdbook_version);
        let mut shelf = session.survey(&context.root, &context.config, &book)?;
        let policy = shelf.config.run;
        let due: Vec<&Subject> = shelf
            .survey
            .subjects
            .iter()
            .filter(|it| run::is_due(it, policy))
            .collect();
        let rehearsals = rehearse_if_possible(session, &due, &shelf)?;
        refuse_broken(session, &rehearsals, &shelf)?;
        let mut snapshots: HashMap<String, Snapshot> = rehearsals
            .into_iter()
            .filter_map(|it| it.snapshot)
            .map(|it| (it.exercise.clone(), it))
            .collect();
        for subject in &mut shelf.survey.subjects {
            if let Some(snapshot) = snapshots.remove(&subject.exercise.id) {
                subject.standings = compare::standings(&subject.plan, Some(&snapshot));
                subject.recorded = Some(snapshot);
            }
        }
        let renderer = match context.renderer.as_str() {
            "html" => Renderer::Html,
            _ => Renderer::Plain,
        };
        if renderer == Renderer::Html {
            warn_of_style(session, shelf.config.assets_version.as_deref());
        }
        let subjects = shelf
            .survey
            .subjects
            .iter()
            .map(|it| (it.exercise.chapter.clone(), it));
        let subjects: HashMap<String, &Subject> = subjects.collect();
        let spots = spots(&book);
        // Most books have no such chapter, and then nothing is looked up for one.
        let status = match spots.is_empty() {
            true => Status::default(),
            false => {
                let digests = shelf.store.read_digests()?;
                status::status(&shelf.survey.subjects, &places(&book), digests.as_ref())
            }
        };
        book.for_each_chapter_mut(|chapter| {
            let Some(path) = chapter_path(chapter) else {
                return;
            };
            let page = page(chapter).unwrap_or_else(|| path.clone());
            let overview = spots.get(&path).map(|spots| Overview {
                status: &status,
                spots,
                page: &page,
            });
            if let Some(subject) = subjects.get(&path) {
                let page = Page {
                    markdown: &subject.markdown,
                    exercise: &subject.exercise,
                    plan: &subject.plan,
                    standings: &subject.standings,
                    snapshot: subject.recorded.as_ref(),
                    config: &shelf.config,
                    overview,
                };
                chapter.content = render::render(page, renderer);
            } else if let Some(overview) = overview {
                let config = &shelf.config;
                chapter.content =
                    render::render_overview(&chapter.content, overview, config, renderer);
            }
        });
        Ok(book)
    }
}

/// Where chapters ask for the table of the whole course, by the path of their source.
fn spots(book: &Book) -> HashMap<String, Vec<Spot>> {
    let chapters = book.chapters().filter_map(|chapter| {
        let spots = exercise::spots(&chapter.content);
        Some((chapter_path(chapter)?, spots))
    });
    chapters.filter(|(_, spots)| !spots.is_empty()).collect()
}

/// Where each chapter stands in the book, by the path of its source.
fn places(book: &Book) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    for chapter in book.chapters() {
        let (Some(path), Some(page)) = (chapter_path(chapter), page(chapter)) else {
            continue;
        };
        // A file may be listed twice; the first time counts.
        places.entry(path).or_insert_with(|| Place {
            title: chapter.name.clone(),
            page,
        });
    }
    places
}

/// Path of a chapter's page, ending in `.md`; mdBook makes the index of a folder of its `README.md`, if it has not yet.
fn page(chapter: &Chapter) -> Option<String> {
    let path = chapter.path.as_ref()?.to_string_lossy().replace('\\', "/");
    let (folder, name) = match path.rfind('/') {
        Some(it) => path.split_at(it + 1),
        None => ("", path.as_str()),
    };
    match name.eq_ignore_ascii_case("readme.md") {
        true => Some(format!("{folder}index.md")),
        false => Some(path),
    }
}

/// Runs what is due and records it. Where no engine can be had, a build of what is recorded goes on and says so.
fn rehearse_if_possible(
    session: &Session,
    due: &[&Subject],
    shelf: &Shelf,
) -> Result<Vec<Rehearsal>> {
    let mut rehearsals = Vec::new();
    if due.is_empty() {
        return Ok(rehearsals);
    }
    let mut troubles: Vec<(String, Fault)> = Vec::new();
    let res = session.rehearse(due, shelf, Effort::default(), |subject, res| {
        match res {
            Ok(it) => {
                session.record(&it, shelf)?;
                rehearsals.push(it);
            }
            Err(fault) => troubles.push((subject.exercise.chapter.clone(), fault)),
        }
        Ok(ControlFlow::Continue(()))
    });
    let fault = match res {
        Ok(_) => troubles.first().map(|it| it.1.clone()),
        Err(error) => Some(error.downcast::<Fault>()?),
    };
    let Some(fault) = fault else {
        if session.writing == Writing::Refused {
            let text = "rehearse: warning: this is a CI job (`CI` is set); the new recordings are not written\n";
            (session.tell)(Notice::Text(text));
        }
        return Ok(rehearsals);
    };
    let is_other = troubles.iter().any(|it| it.1.class != Class::Engine);
    if shelf.config.run != RunPolicy::Stale || fault.class != Class::Engine || is_other {
        return Err(fault.into());
    }
    (session.tell)(Notice::Text(&missing(due, &rehearsals, &troubles, &fault)));
    Ok(rehearsals)
}

/// Tells what could not be run: each with its own trouble, and the others for want of an engine.
fn missing(
    due: &[&Subject],
    rehearsals: &[Rehearsal],
    troubles: &[(String, Fault)],
    fault: &Fault,
) -> String {
    let chapters = due.iter().map(|it| it.exercise.chapter.as_str());
    let is_known = |it: &&str| {
        rehearsals.iter().any(|done| done.comparison.chapter == *it)
            || troubles.iter().any(|trouble| trouble.0 == *it)
    };
    let others: Vec<&str> = chapters.filter(|it| !is_known(it)).collect();
    let mut lines: Vec<(String, &str)> = troubles
        .iter()
        .map(|it| (it.0.clone(), it.1.message.as_str()))
        .collect();
    if !others.is_empty() {
        lines.push((others.join(", "), &fault.message));
    }
    let lines = lines.iter();
    let lines = lines.map(|it| format!("rehearse: warning: could not run {}: {}\n", it.0, it.1));
    lines.collect::<String>()
        + "rehearse: warning: the pages show what is recorded and mark the rest\n"
}

fn refuse_broken(session: &Session, rehearsals: &[Rehearsal], shelf: &Shelf) -> Result<()> {
    let broken: Vec<&Rehearsal> = rehearsals
        .iter()
        .filter(|it| run::is_broken(&it.comparison))
        .collect();
    let book = shelf.root.display().to_string();
    for rehearsal in &broken {
        let text =
            report::exercise::exercise(&record::exercise(rehearsal), Purpose::Recording, &book);
        (session.tell)(Notice::Text(&text));
    }
    match broken.len() {
        0 => Ok(()),
        n => {
            let word = if n == 1 {
                "exercise is"
            } else {
                "exercises are"
            };
            let message = format!("{n} {word} broken; what was recorded of it stays as it was");
            Err(Fault::new(Class::Broke, message).into())
        }
    }
}

fn warn_of_style(session: &Session, installed: Option<&str>) {
    if let Some(version) = installed.filter(|it| *it != ASSETS_VERSION) {
        let text = format!(
            "rehearse: warning: the book's style file is of version {}, and the pages are made for version \
             {ASSETS_VERSION}; bring it up to date: mdbook-rehearse install\n",
            report::visible(version)
        );
        (session.tell)(Notice::Text(&text));
    }
}

fn warn_of_version(session: &Session, theirs: &str) {
    let made_for = VersionReq::parse(MDBOOK_VERSION);
    let fits =
        made_for.is_ok_and(|it| Version::parse(theirs).is_ok_and(|theirs| it.matches(&theirs)));
    // A patch release apart is no difference.
    let same_minor = theirs
        .split('.')
        .take(2)
        .eq(MDBOOK_VERSION.split('.').take(2));
    if !fits && !same_minor {
        let text = format!(
            "rehearse: warning: this book is built by mdBook {theirs}, and mdbook-rehearse {} is made for {MDBOOK_VERSION}\n",
            env!("CARGO_PKG_VERSION")
        );
        (session.tell)(Notice::Text(&text));
    }
}
