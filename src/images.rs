//! The ledger: which reference names which image, by digest, and who shares what. Data from the engine's API, never from text.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::config::ImageStore;
use crate::transcript::{Image, Layer, Touch, TouchKind, Transcript};

/// One image reference that an exercise touched, and what it named when the exercise ended or the reference went away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerEntry {
    /// In full: `docker.io/library/alpine:latest`, or `name@sha256:…` for an image pulled without a tag.
    pub reference: String,
    /// Who made it name this image.
    pub origin: ImageOrigin,
    /// Digest of the manifest or index in its registry; `None` for an image that no registry knows.
    pub digest: Option<String>,
    /// Digest of the manifest for its platform, if `digest` is that of an index and the registry told.
    pub manifest: Option<String>,
    /// Digest of its configuration, if the registry told.
    pub config: Option<String>,
    /// Image ID: digest of the configuration in a graph driver's store, of the manifest or index in containerd's.
    pub id: String,
    /// `linux/amd64`.
    pub platform: String,
    /// Bytes, as the engine counts them.
    pub size: u64,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// The command that first showed it.
    pub first: CommandName,
    /// The last command that pulled, pushed, tagged, used or removed it.
    pub last: CommandName,
    /// How it came to name this image, if it is recorded with another one before.
    pub moved: Option<Move>,
}

/// Who made a reference name its image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImageOrigin {
    /// A registry: it was pulled.
    #[default]
    Registry,
    /// The exercise: it was built, tagged or loaded there. What is built anew has another digest each time, wherever it is pushed.
    Exercise,
}

/// Which command of an exercise is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandName {
    /// Name of its step.
    pub step: String,
    /// Its number in the step, from 1.
    pub number: usize,
}

/// That a reference came to name another image, from one recording to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Day of the recording that first had the image.
    pub on: Date,
    /// Digest of the image before.
    pub from: String,
}

/// Collects every reference of a run, in order of appearance.
///
/// A reference that comes to name another image keeps its place, its origin and its first command and takes the last image; one
/// that is removed stays. An image without a name has no entry.
pub fn ledger(transcript: &Transcript) -> Vec<LedgerEntry> {
    let store = transcript.engine.image_store();
    let mut entries: Vec<LedgerEntry> = Vec::new();
    let mut known = BTreeSet::new();
    let mut present: BTreeSet<String> = BTreeSet::new();
    let mut in_registry: BTreeSet<&str> = BTreeSet::new();
    let mut pulled: BTreeSet<&str> = BTreeSet::new();
    for touch in &transcript.before {
        note(touch, &mut in_registry, &mut pulled);
    }
    let steps = transcript.steps.iter();
    let commands = steps.flat_map(|step| {
        let commands = step.commands.iter().enumerate();
        commands.map(|(idx, command)| {
            let name = CommandName {
                step: step.id.clone(),
                number: idx + 1,
            };
            (name, command)
        })
    });
    for (name, command) in commands {
        for touch in &command.touches {
            note(touch, &mut in_registry, &mut pulled);
        }
        if let Some(images) = &command.images {
            let mut now = BTreeSet::new();
            for image in images {
                for (reference, digests) in references(image) {
                    // Of an image that lost its name the containerd store still tells one; it is in no registry.
                    let is_by_digest = reference.contains('@');
                    if is_by_digest
                        && store == ImageStore::Containerd
                        && !in_registry.contains(reference.as_str())
                    {
                        continue;
                    }
                    now.insert(reference.clone());
                    let idx = entries.iter().position(|it| it.reference == reference);
                    let current = idx.map(|it| &entries[it]);
                    let digest = match store {
                        ImageStore::GraphDriver => {
                            pick(&digests, &known, current.and_then(|it| it.digest.as_ref()))
                        }
                        ImageStore::Containerd => in_registry
                            .contains(reference.as_str())
                            .then(|| image.id.clone()),
                    };
                    let is_as_before = current.is_some_and(|it| {
                        it.id == image.id && it.digest == digest && present.contains(&reference)
                    });
                    let told = digest.as_ref().and_then(|it| transcript.manifests.get(it));
                    let entry = LedgerEntry {
                        origin: match current {
                            Some(it) => it.origin,
                            None if pulled.contains(reference.as_str()) => ImageOrigin::Registry,
                            None => ImageOrigin::Exercise,
                        },
                        manifest: told.and_then(|it| it.of_platform.clone()),
                        config: told.map(|it| it.config.clone()),
                        digest,
                        first: current.map_or(&name, |it| &it.first).clone(),
                        last: current
                            .filter(|_| is_as_before)
                            .map_or(&name, |it| &it.last)
                            .clone(),
                        reference,
                        id: image.id.clone(),
                        platform: image.platform.clone(),
                        size: image.size,
                        layers: image.layers.clone(),
                        moved: None,
                    };
                    match idx {
                        Some(idx) => entries[idx] = entry,
                        None => entries.push(entry),
                    }
                }
            }
            known.extend(images.iter().flat_map(full_digests));
            for gone in present.difference(&now) {
                set_last(&mut entries, gone, &name);
            }
            present = now;
        }
        for touch in &command.touches {
            set_last(&mut entries, &touch.reference, &name);
        }
    }
    entries
}

/// Notes what a touch tells of where a reference is.
fn note<'a>(touch: &'a Touch, in_registry: &mut BTreeSet<&'a str>, pulled: &mut BTreeSet<&'a str>) {
    if matches!(touch.kind, TouchKind::Pulled | TouchKind::Pushed) {
        in_registry.insert(&touch.reference);
    }
    if touch.kind == TouchKind::Pulled {
        pulled.insert(&touch.reference);
    }
}

fn set_last(entries: &mut [LedgerEntry], reference: &str, name: &CommandName) {
    if let Some(entry) = entries.iter_mut().find(|it| it.reference == reference) {
        entry.last = name.clone();
    }
}

/// One line of an image's history, as the engine's API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// The instruction of the Dockerfile, as the builder wrote it.
    pub created_by: String,
    /// Bytes that it added.
    pub size: u64,
}

/// Finds the sizes of an image's layers, bottom first, in its history, newest first. The engine tells the size of each line and
/// not which lines have a layer: those with bytes do, and of the others those whose instruction writes files. `None` where
/// that does not come out at the number of layers.
pub fn layer_sizes(history: &[HistoryItem], n_layers: usize) -> Option<Vec<u64>> {
    let has_bytes = |it: &HistoryItem| it.size > 0;
    let has_files = |it: &HistoryItem| it.size > 0 || writes_files(&it.created_by);
    let sizes = |has_layer: &dyn Fn(&HistoryItem) -> bool| -> Vec<u64> {
        let layers = history.iter().rev().filter(|it| has_layer(it));
        layers.map(|it| it.size).collect()
    };
    let candidates = [sizes(&has_bytes), sizes(&has_files)];
    candidates.into_iter().find(|it| it.len() == n_layers)
}

/// Whether an instruction makes a layer, be it an empty one.
fn writes_files(created_by: &str) -> bool {
    const ONLY_SETTINGS: [&str; 14] = [
        "ARG",
        "CMD",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
    ];
    let instruction = created_by.trim_start();
    let instruction = instruction
        .strip_prefix("/bin/sh -c #(nop)")
        .unwrap_or(instruction);
    let word = instruction.split_whitespace().next().unwrap_or_default();
    !ONLY_SETTINGS.contains(&word)
}

/// How many layers two images have in common; one that an image has twice counts as often as both have it.
pub fn n_shared(one: &[Layer], other: &[Layer]) -> usize {
    let mut rest: Vec<&str> = other.iter().map(|it| it.digest.as_str()).collect();
    let mut res = 0;
    for layer in one {
        if let Some(at) = rest.iter().position(|it| *it == layer.digest) {
            rest.swap_remove(at);
            res += 1;
        }
    }
    res
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

/// Spells a reference as Docker shows it, with a digest in it shortened.
pub fn short_name(reference: &str) -> String {
    let name = familiar_name(reference);
    match name.split_once('@') {
        Some((name, digest)) => format!("{name}@{}", short_digest(digest)),
        None => name,
    }
}

/// `sha256:9f2a1c…`: the algorithm and 12 digits; all of what has no such form.
pub fn short_digest(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, digits)) if digits.chars().count() > 12 => {
            let head: String = digits.chars().take(12).collect();
            format!("{algorithm}:{head}…")
        }
        _ => digest.to_string(),
    }
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

/// Whether a registry's host is the machine itself: in an exercise, a registry that it runs.
pub fn is_loopback(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    name == "localhost" || name.starts_with("127.")
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
