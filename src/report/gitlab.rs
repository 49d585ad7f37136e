//! A check as a GitLab code-quality report: an entry for each thing, at its line. GitLab knows an entry again by its
//! fingerprint, which is made of what stays when lines move.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::problem::Level;
use crate::record::Record;
use crate::report::annotations::{Annotation, again, annotations, from_root};
use crate::report::{json, visible};

/// The entries as JSON.
pub(super) fn code_quality(record: &Record) -> String {
    let mut seen = BTreeMap::new();
    let entries: Vec<Value> = annotations(record)
        .iter()
        .map(|it| {
            // A command may be there twice, and no two entries have one fingerprint.
            let n_before = seen.entry(key(it)).or_insert(0_usize);
            *n_before += 1;
            json!({
                "description": line(&description(it, record)),
                "check_name": it.word.replace(' ', "-"),
                "fingerprint": fingerprint(&key(it), *n_before),
                "severity": match it.level {
                    Level::Error => "critical",
                    Level::Warning => "minor",
                },
                "location": {
                    "path": from_root(record, &it.file),
                    "lines": {"begin": it.line},
                },
            })
        })
        .collect();
    json::print(&entries)
}

fn description(annotation: &Annotation<'_>, record: &Record) -> String {
    let Annotation { word, message, .. } = annotation;
    let name = annotation.exercise.unwrap_or(&annotation.file);
    // The last thing that it is about is the command, where there is one.
    let command = match (annotation.details.is_empty(), annotation.about.last()) {
        (false, Some(command)) => format!(": $ {command}"),
        _ => String::new(),
    };
    let again = again(record, annotation.exercise, annotation.options);
    format!("{name} {word}: {message}{command} ({again})")
}

fn line(text: &str) -> String {
    visible(&text.lines().collect::<Vec<_>>().join(" "))
}

/// What an entry is about, whatever its line is and what was printed this time.
fn key(annotation: &Annotation<'_>) -> Vec<String> {
    let names = [
        annotation.exercise.unwrap_or(&annotation.file),
        annotation.word,
    ];
    let about = annotation.about.iter().copied();
    names.into_iter().chain(about).map(str::to_owned).collect()
}

fn fingerprint(key: &[String], n: usize) -> String {
    let mut hash = Sha256::new();
    for part in key {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(n.to_le_bytes());
    hash.finalize()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect()
}
