//! The option `--report`: which reports are asked for, and where they go.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use mdbook_rehearse::problem::{Class, Fault};
use mdbook_rehearse::record::Record;
use mdbook_rehearse::report::exercise::checked;
use mdbook_rehearse::report::formats::{FORMATS, Format, written};
use mdbook_rehearse::report::github;
use mdbook_rehearse::store::Draft;

#[derive(clap::Args)]
pub(crate) struct Reports {
    /// Write a report too, as often as needed: FORMAT is `json`, `junit`, `github` or `gitlab`; FILE `-` is standard output
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = target)]
    targets: Vec<Target>,
}

/// A report that is asked for.
#[derive(Debug, Clone)]
struct Target {
    format: Format,
    /// `None`: standard output.
    file: Option<PathBuf>,
}

/// Reports whose places are known to take them.
pub(crate) struct Prepared {
    /// `None`: standard output.
    places: Vec<(Format, Option<Draft>)>,
}

fn target(text: &str) -> Result<Target, String> {
    let names = FORMATS.map(|it| format!("`{}`", it.0)).join(", ");
    let Some((name, file)) = text.split_once('=') else {
        return Err(format!("write FORMAT=FILE; formats: {names}"));
    };
    let Some((_, format)) = FORMATS.iter().find(|it| it.0 == name) else {
        return Err(format!("unknown format `{name}`; known: {names}"));
    };
    if file.is_empty() {
        return Err("no file is named after `=`; `-` is standard output".to_owned());
    }
    Ok(Target {
        format: *format,
        file: Some(file).filter(|it| *it != "-").map(PathBuf::from),
    })
}

/// Makes sure that every report can be written, before anything is run for it.
pub(crate) fn prepare(reports: Reports) -> Result<Prepared> {
    let mut places = Vec::new();
    let mut files = Vec::new();
    for Target { format, file } in reports.targets {
        if files.contains(&file) {
            let what = match &file {
                Some(file) => format!("`{}`", file.display()),
                None => "standard output".to_owned(),
            };
            let message = format!("two reports would go to {what}; give each its own place");
            bail!(Fault::new(Class::Usage, message));
        }
        let draft = match &file {
            Some(file) => Some(
                Draft::new(file)
                    .context("no place for a report; name a file, or `-` for standard output")?,
            ),
            None => None,
        };
        files.push(file);
        places.push((format, draft));
    }
    Ok(Prepared { places })
}

/// Tells people what a check found, and writes the reports; `book` is the book's folder as they would type it.
pub(crate) fn tell(record: &Record, book: &str, reports: Prepared) -> Result<()> {
    let text = checked(record, book);
    // What a program reads from standard output has it alone; GitHub's is read from among all that a job says.
    let is_taken =
        |(format, draft): &(Format, Option<Draft>)| draft.is_none() && *format != Format::Github;
    match reports.places.iter().any(is_taken) {
        true => anstream::eprint!("{text}"),
        false => anstream::print!("{text}"),
    }
    // One that fails keeps nothing from the others.
    let mut all = Ok(());
    for (format, draft) in reports.places {
        let report = written(record, format);
        let mut res = match draft {
            Some(draft) => draft.publish(&report),
            None => print(&report),
        };
        if format == Format::Github {
            res = res.and(append_summary(record));
        }
        all = all.and(res);
    }
    all
}

fn print(report: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(report.as_bytes())
        .and_then(|()| out.flush())
        .context("failed to write a report to standard output")
}

/// Adds to the summary of a GitHub Actions job, if this is one; steps before may have said something there.
fn append_summary(record: &Record) -> Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).append(true).open(&path);
    file.and_then(|mut it| it.write_all(github::summary(record).as_bytes()))
        .with_context(|| format!("failed to add to the summary `{}`", path.display()))
}
