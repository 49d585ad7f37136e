//! The ledger: which reference names which image, by digest, and who shares what. Data from the engine's API, never from text.

use std::collections::BTreeSet;

use crate::transcript::{Image, Transcript};

/// One image reference that an exercise touched, and what it named when the exercise ended or the reference went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// In full: `docker.io/library/alpine:latest`, or `name@sha256:…` for an image pulled without a tag.
    pub reference: String,
    /// Digest of the manifest or index in its registry; `None` for an image that no registry knows.
    pub digest: Option<String>,
    /// Image ID, whose meaning depends on the engine's image store.
    pub id: String,
    /// Bytes, as the engine counts them.
    pub size: u64,
    /// Digests of the uncompressed layers, bottom first.
    pub layers: Vec<String>,
    /// Step whose command first showed it.
    pub first: String,
}

/// Collects every reference of a run, in order of appearance.
///
/// A reference that comes to name another image keeps its place and its first step and takes the last image; one that
/// is removed stays. An image without a name has no entry.
pub fn ledger(transcript: &Transcript) -> Vec<LedgerEntry> {
    let mut entries: Vec<LedgerEntry> = Vec::new();
    let mut known = BTreeSet::new();
    for step in &transcript.steps {
        for images in step.commands.iter().filter_map(|it| it.images.as_ref()) {
            for image in images {
                for (reference, digests) in references(image) {
                    let idx = entries.iter().position(|it| it.reference == reference);
                    let current = idx.map(|it| &entries[it]);
                    let entry = LedgerEntry {
                        digest: pick(&digests, &known, current.and_then(|it| it.digest.as_ref())),
                        first: current.map_or(&step.id, |it| &it.first).clone(),
                        reference,
                        id: image.id.clone(),
                        size: image.size,
                        layers: image.layers.clone(),
                    };
                    match idx {
                        Some(idx) => entries[idx] = entry,
                        None => entries.push(entry),
                    }
                }
            }
            known.extend(images.iter().flat_map(full_digests));
        }
    }
    entries
}

/// References that the exercise made itself, by building or tagging: none of them came from a registry. What is built anew has
/// another digest each time, wherever it is pushed.
pub fn made_here(transcript: &Transcript) -> BTreeSet<String> {
    let mut met = BTreeSet::new();
    let mut made = BTreeSet::new();
    let commands = transcript.steps.iter().flat_map(|it| &it.commands);
    for images in commands.filter_map(|it| it.images.as_ref()) {
        for (reference, digests) in images.iter().flat_map(references) {
            if met.insert(reference.clone()) && digests.is_empty() {
                made.insert(reference);
            }
        }
    }
    made
}

/// Tells which other references name the image of this one: those with its digest or, in one engine, its ID.
pub fn same_as<'a>(entry: &LedgerEntry, all: &'a [LedgerEntry]) -> Vec<&'a str> {
    all.iter()
        .filter(|it| it.reference != entry.reference)
        .filter(|it| it.id == entry.id || (it.digest.is_some() && it.digest == entry.digest))
        .map(|it| it.reference.as_str())
        .collect()
}

/// Spells a reference in full, as Docker reads it: `alpine` is `docker.io/library/alpine:latest`. An image ID stays.
pub fn full_name(reference: &str) -> String {
    if reference.is_empty() || reference.starts_with("sha256:") {
        return reference.to_string();
    }
    let (host, path) = match reference.split_once('/') {
        Some(("index.docker.io", path)) => ("docker.io", path),
        Some((host, path)) if is_host(host) => (host, path),
        _ => ("docker.io", reference),
    };
    let library = match host {
        "docker.io" if !repository(path).contains('/') => "library/",
        _ => "",
    };
    let tag = match path.contains('@') || repository(path) != path {
        true => "",
        false => ":latest",
    };
    format!("{host}/{library}{path}{tag}")
}

/// Spells a reference as Docker shows it: without `docker.io/` and `library/`. The tag stays.
pub fn familiar_name(reference: &str) -> String {
    let full = full_name(reference);
    let short = full.strip_prefix("docker.io/").unwrap_or(&full);
    short.strip_prefix("library/").unwrap_or(short).to_string()
}

/// Cuts tag and digest off a reference.
pub fn repository(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let path_start = name.rfind('/').map_or(0, |it| it + 1);
    match name[path_start..].find(':') {
        Some(colon) => &name[..path_start + colon],
        None => name,
    }
}

/// Host of the registry that a reference points to, with its port.
pub fn host(reference: &str) -> String {
    let full = full_name(reference);
    full.split('/').next().unwrap_or_default().to_string()
}

/// Whether the first part of a name is a registry's host and not a user's name.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.chars().any(char::is_uppercase)
}

/// The repository digests of an image in full, `<none>` left out.
fn full_digests(image: &Image) -> Vec<String> {
    let digests = image.digests.iter().filter(|it| !it.contains("<none>"));
    digests.map(|it| full_name(it)).collect()
}

/// All references of an image, each with its repository's digests: its tags, and digests of repositories without a tag there.
fn references(image: &Image) -> Vec<(String, Vec<String>)> {
    let digests = full_digests(image);
    let tags = image.tags.iter().filter(|it| !it.contains("<none>"));
    let mut res: Vec<(String, Vec<String>)> = Vec::new();
    for tag in tags.map(|it| full_name(it)) {
        let ours = digests
            .iter()
            .filter(|it| repository(it) == repository(&tag));
        let ours = ours.cloned().collect();
        res.push((tag, ours));
    }
    let n_tags = res.len();
    for digest in digests {
        let mut tags = res[..n_tags].iter();
        if !tags.any(|it| repository(&it.0) == repository(&digest)) {
            res.push((digest.clone(), vec![digest]));
        }
    }
    res
}

/// Picks a reference's digest. An image has several in one repository if it was published there again; then the one that
/// just came counts, else the one that the reference had.
fn pick(digests: &[String], known: &BTreeSet<String>, current: Option<&String>) -> Option<String> {
    let bare = |it: &String| it.split_once('@').map(|it| it.1.to_string());
    let newcomer = digests.iter().find(|it| !known.contains(*it));
    let kept = digests.iter().find(|it| bare(it).as_ref() == current);
    newcomer.or(kept).or(digests.first()).and_then(bare)
}
