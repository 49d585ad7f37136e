//! What stands at the end of a chapter: the table of images, and when, where and from what its outputs were recorded. In
//! words, not yet in HTML or Markdown.

use crate::config::Source;
use crate::images::{ImageOrigin, LedgerEntry, same_as, short_name};
use crate::snapshot::Snapshot;
use crate::status::day;

/// One line of the table of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// As people write it: `alpine:latest`.
    pub(super) familiar: String,
    /// In full: `docker.io/library/alpine:latest`.
    pub(super) reference: String,
    /// In full.
    pub(super) digest: Digest,
    /// How many layers it has.
    pub(super) n_layers: usize,
    /// `7.83MB`, as `docker images` writes it.
    pub(super) size: String,
    /// The other references that name the same image, as people write them.
    pub(super) same_as: Vec<String>,
    /// Since when it names this image, and the digest of the one before.
    pub(super) moved: Option<(String, String)>,
}

/// What the table says of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Digest {
    /// In full.
    Known(String),
    /// Why there is none.
    None(&'static str),
}

/// Whether any row has something to say in a column that most tables do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    /// That references name one image.
    pub(super) same_as: bool,
    /// That references moved.
    pub(super) moved: bool,
}

/// Tells which columns a table of images has beside those of every one.
pub(super) fn columns(rows: &[Row]) -> Columns {
    Columns {
        same_as: rows.iter().any(|it| !it.same_as.is_empty()),
        moved: rows.iter().any(|it| it.moved.is_some()),
    }
}

/// Makes the table of images, a row for each reference.
pub(super) fn rows(images: &[LedgerEntry]) -> Vec<Row> {
    let row = |entry: &LedgerEntry| Row {
        familiar: short_name(&entry.reference),
        reference: entry.reference.clone(),
        digest: match (&entry.digest, entry.origin) {
            (Some(digest), _) => Digest::Known(digest.clone()),
            (None, ImageOrigin::Exercise) => Digest::None("made here"),
            (None, ImageOrigin::Registry) => Digest::None("not known"),
        },
        n_layers: entry.layers.len(),
        size: size(u128::from(entry.size), Digits::Three),
        same_as: same_as(entry, images).into_iter().map(short_name).collect(),
        moved: entry.moved.as_ref().map(|it| (day(it.on), it.from.clone())),
    };
    images.iter().map(row).collect()
}

/// How exactly a size is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// As `docker images` does.
    Three,
    /// As `docker system df` does.
    Four,
}

/// A few digits and a decimal unit, as the engine's own command line writes sizes.
pub(super) fn size(bytes: u128, digits: Digits) -> String {
    let n_digits = match digits {
        Digits::Three => 3,
        Digits::Four => 4,
    };
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        // From here on that many digits would round up to a thousand.
        if value < 1000.0 - 0.5 / 10_f64.powi(n_digits - 3) {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let decimals = [n_digits - 1, n_digits - 2, n_digits - 3];
    let numbers = decimals.map(|it| format!("{value:.*}", it as usize));
    let is_short = |it: &&String| it.len() <= n_digits as usize + 1;
    let number = numbers.iter().find(is_short).unwrap_or(&numbers[2]);
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
