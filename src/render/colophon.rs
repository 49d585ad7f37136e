//! What stands at the end of a chapter: the table of images, and when, where and from what its outputs were recorded. In
//! words, not yet in HTML or Markdown.

use jiff::civil::Date;

use crate::config::Source;
use crate::images::{LedgerEntry, same_as, short_digest, short_name};
use crate::snapshot::Snapshot;
use crate::transcript::Layer;

/// One line of the table of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// As people write it: `alpine:latest`.
    pub(super) familiar: String,
    /// In full: `docker.io/library/alpine:latest`.
    pub(super) reference: String,
    /// In full; `None` for an image that no registry knows.
    pub(super) digest: Option<String>,
    /// How many layers it has.
    pub(super) n_layers: usize,
    /// `7.83MB`, as `docker images` writes it.
    pub(super) size: String,
    /// The other references that name the same image, as people write them.
    pub(super) same_as: Vec<String>,
}

/// Which image has which layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layers {
    /// The images, as people write them.
    pub(super) columns: Vec<String>,
    /// Short digests, those that most images have first, and which images have them.
    pub(super) rows: Vec<(String, Vec<bool>)>,
}

impl Layers {
    /// `9 layers, 1 of them shared`.
    pub(super) fn summary(&self) -> String {
        let is_shared = |it: &&(String, Vec<bool>)| it.1.iter().filter(|it| **it).count() > 1;
        let n_shared = self.rows.iter().filter(is_shared).count();
        let noun = if self.rows.len() == 1 {
            "layer"
        } else {
            "layers"
        };
        match n_shared {
            0 => format!("{} {noun}, none of them shared", self.rows.len()),
            n => format!("{} {noun}, {n} of them shared", self.rows.len()),
        }
    }
}

/// Makes the table of which image has which layer.
pub(super) fn layers(images: &[LedgerEntry]) -> Layers {
    let mut digests: Vec<&String> = Vec::new();
    for Layer { digest, .. } in images.iter().flat_map(|it| &it.layers) {
        if !digests.contains(&digest) {
            digests.push(digest);
        }
    }
    let has = |digest: &String| -> Vec<bool> {
        let has = |it: &LedgerEntry| it.layers.iter().any(|it| it.digest == *digest);
        images.iter().map(has).collect()
    };
    let mut rows: Vec<(String, Vec<bool>)> = digests
        .into_iter()
        .map(|it| (short_digest(it), has(it)))
        .collect();
    rows.sort_by_key(|it| std::cmp::Reverse(it.1.iter().filter(|it| **it).count()));
    Layers {
        columns: images.iter().map(|it| short_name(&it.reference)).collect(),
        rows,
    }
}

/// Makes the table of images, a row for each reference.
pub(super) fn rows(images: &[LedgerEntry]) -> Vec<Row> {
    let row = |entry: &LedgerEntry| Row {
        familiar: short_name(&entry.reference),
        reference: entry.reference.clone(),
        digest: entry.digest.clone(),
        n_layers: entry.layers.len(),
        size: size(entry.size),
        same_as: same_as(entry, images).into_iter().map(short_name).collect(),
    };
    images.iter().map(row).collect()
}

/// Three digits and a decimal unit, as the engine's own command line writes sizes.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        // From here on three digits would round up to a thousand.
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let n_decimals = match value {
        0.0..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    let number = format!("{value:.n_decimals$}");
    match number.contains('.') {
        true => format!(
            "{}{unit}",
            number.trim_end_matches('0').trim_end_matches('.')
        ),
        false => format!("{number}{unit}"),
    }
}

/// Says when, with what and from where a snapshot was recorded; `n_newer` steps of the chapter are not in it.
pub(super) fn provenance(snapshot: &Snapshot, n_newer: usize) -> String {
    let engine = &snapshot.engine;
    let mut res = format!(
        "Recorded on {} with Docker {} ({}, {}).",
        day(snapshot.recorded),
        engine.version,
        engine.store,
        engine.platform
    );
    let hosts = |wanted: Source| -> Vec<&str> {
        let hosts = snapshot.registries.iter();
        let hosts = hosts.filter(|(_, source)| **source == wanted);
        hosts.map(|(host, _)| host.as_str()).collect()
    };
    let (local, proxy) = (hosts(Source::Local), hosts(Source::Proxy));
    if let Some(sentence) = local_images(&local) {
        res.push_str(&sentence);
    }
    if let Some(sentence) = proxied_images(&proxy) {
        res.push_str(&sentence);
    }
    match n_newer {
        0 => {}
        1 => res.push_str(" One step of this chapter is newer than that."),
        n => res.push_str(&format!(" {n} steps of this chapter are newer than that.")),
    }
    res
}

fn local_images(hosts: &[&str]) -> Option<String> {
    let registry = match hosts.len() {
        0 => return None,
        1 => "a local stand-in, filled from archives of this course, not from that registry itself",
        _ => {
            "local stand-ins, filled from archives of this course, not from those registries themselves"
        }
    };
    Some(format!(
        " Images of {} came from {registry}.",
        listed(hosts)
    ))
}

fn proxied_images(hosts: &[&str]) -> Option<String> {
    let registry = match hosts.len() {
        0 => return None,
        1 => "a cache of the real registry",
        _ => "caches of the real registries",
    };
    Some(format!(
        " Images of {} came through {registry}.",
        listed(hosts)
    ))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_string(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

fn day(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}
