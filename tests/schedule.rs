//! What runs when, how often and where: shares of a book, what is chosen of it, and exercises side by side in a real engine.

#[path = "scratch/book.rs"]
mod book;
#[path = "schedule/choice.rs"]
mod choice;
#[path = "schedule/flaky.rs"]
mod flaky;
#[path = "scratch/machine.rs"]
mod machine;
#[path = "schedule/shards.rs"]
mod shards;
#[path = "schedule/side_by_side.rs"]
mod side_by_side;
#[path = "schedule/strict.rs"]
mod strict;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::date;
use mdbook_rehearse::config::Config;
use mdbook_rehearse::exercise::Chapter;
use mdbook_rehearse::plan::Circumstances;
use mdbook_rehearse::run::{self, Survey};
use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::Engine;

/// A chapter: its path, its text, and the seconds that it took when it was recorded.
type Written<'a> = (&'a str, &'a str, Option<u64>);

/// The exercises of these chapters and what is wrong with them.
#[track_caller]
fn survey(chapters: &[Written<'_>]) -> Survey {
    let none = BTreeSet::new();
    let config = Config::default();
    let read = chapters.iter().map(|(path, text, _)| Chapter {
        path,
        text,
        copy: None,
        workspace: &none,
    });
    let recorded = |name: &str| {
        let is_it = |it: &&Written<'_>| it.0.replace('/', "-") == format!("{name}.md");
        Ok(chapters
            .iter()
            .find(is_it)
            .and_then(|it| it.2)
            .map(|it| snapshot(name, it)))
    };
    run::survey(read, Circumstances::bare(&config), recorded).unwrap()
}

fn snapshot(name: &str, seconds: u64) -> Snapshot {
    // Of two commands, so that their sum is what counts.
    let took = [
        Duration::from_secs(seconds / 2),
        Duration::from_secs(seconds - seconds / 2),
    ];
    let command = |took| RecordedCommand {
        text: "true".to_string(),
        output: Vec::new(),
        status: 0,
        took,
    };
    Snapshot {
        exercise: name.to_string(),
        recorded: date(2026, 11, 24),
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        left: None,
        steps: vec![RecordedStep {
            id: format!("{name}-1"),
            commands: took.map(command).to_vec(),
        }],
        images: Vec::new(),
    }
}
