//! What registries have now against what is recorded: what is asked and found as data, real and made-up registries on
//! loopback, and the program as a whole.

#[path = "digests/asked.rs"]
mod asked;
#[path = "digests/found.rs"]
mod found;
#[path = "scratch/machine.rs"]
mod machine;
#[path = "digests/registries.rs"]
mod registries;
#[path = "scratch/book.rs"]
mod scratch;
#[path = "digests/server.rs"]
mod server;

use std::process::Command;
use std::time::Duration;

use jiff::civil::date;
use mdbook_rehearse::images::{CommandName, LedgerEntry};
use mdbook_rehearse::snapshot::{self, RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::Engine;

use scratch::{REHEARSE, Said, Scratch, run};

/// A digest that consists of one digit.
fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// A snapshot of an exercise that touched these images, given with their digests.
fn snapshot(exercise: &str, images: &[(&str, Option<String>)]) -> Snapshot {
    let entries = images.iter().map(|(reference, digest)| LedgerEntry {
        reference: reference.to_string(),
        digest: digest.clone(),
        id: "sha256:1d".to_string(),
        size: 1,
        platform: "linux/amd64".to_string(),
        first: CommandName {
            step: format!("{exercise}-1"),
            number: 1,
        },
        last: CommandName {
            step: format!("{exercise}-1"),
            number: 1,
        },
        ..LedgerEntry::default()
    });
    let command = RecordedCommand {
        text: "true".to_string(),
        output: Vec::new(),
        status: 0,
        took: Duration::from_millis(1),
    };
    Snapshot {
        exercise: exercise.to_string(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "28.5.2".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        left: None,
        steps: vec![RecordedStep {
            id: format!("{exercise}-1"),
            commands: vec![command],
        }],
        images: entries.collect(),
    }
}

/// A book whose one exercise has recorded these images.
fn book(table: &str, images: &[(&str, Option<String>)]) -> Scratch {
    let table = format!("[preprocessor.rehearse]\n{table}");
    let book = Scratch::new(&table, &[("one.md", "# One\n\n```bash\ntrue\n```\n")]);
    record(&book, images);
    book
}

fn record(book: &Scratch, images: &[(&str, Option<String>)]) {
    let text = snapshot::print(&snapshot("one", images));
    book.write("snapshots/one.snap", &text);
}

/// The part of the table that says where the images of a host come from.
fn proxy(host: &str, upstream: &str) -> String {
    format!(
        "[preprocessor.rehearse.registries.\"{host}\"]\nmode = \"proxy\"\nupstream = \"{upstream}\"\n"
    )
}

/// The tool in a book's folder, with no engine in reach and no proxy between it and loopback.
fn rehearse(book: &Scratch, arguments: &[&str]) -> Command {
    let mut command = book.command(REHEARSE, arguments);
    command.env("DOCKER_HOST", "unix:///nonexistent");
    command.env("NO_PROXY", "*");
    command
}

/// Asks, and shows exit status and both outputs.
#[track_caller]
fn check(book: &Scratch, arguments: &[&str]) -> String {
    show(&run(&mut rehearse(book, arguments), b""))
}

fn show(said: &Said) -> String {
    let mut text = said.out.clone();
    for line in said.err.lines() {
        text.push_str(&format!("! {line}\n"));
    }
    format!("{text}exit {}", said.status)
}
