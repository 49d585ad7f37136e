//! What the sandbox saw: the plain record of one run of one exercise.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{ImageStore, Source};
use crate::problem::Origin;

/// One run of one exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The engine inside the sandbox.
    pub engine: Engine,
    /// Registry host, as people write it (`docker.io`), to where its images came from.
    pub registries: BTreeMap<String, Source>,
    /// What the engine did with image references in the exercises that came first.
    pub before: Vec<Touch>,
    /// What an exercise that comes first broke at; nothing else ran then.
    pub blocked: Option<Blocked>,
    /// Steps that began, in the order in which they ran.
    pub steps: Vec<StepTranscript>,
    /// What the engine had after the last step.
    pub left: Inventory,
    /// What registries say of the digests that images were pulled by, by digest.
    pub manifests: BTreeMap<String, Manifest>,
}

/// What a registry says of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Digest of the manifest for the engine's platform, if the digest is that of an index of several.
    pub of_platform: Option<String>,
    /// Digest of the image's configuration.
    pub config: String,
}

/// The engine that ran an exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Version of the Docker engine, `26.1.5`.
    pub version: String,
    /// What keeps its images: `overlay2` and others are graph drivers; `overlayfs`, and `containerd-` before a name that a graph
    /// driver has too, are containerd's.
    pub store: String,
    /// `linux/amd64`.
    pub platform: String,
}

impl Engine {
    /// How it stores images, which decides what an image ID means.
    pub fn image_store(&self) -> ImageStore {
        match self.store == "overlayfs" || self.store.starts_with("containerd-") {
            true => ImageStore::Containerd,
            false => ImageStore::GraphDriver,
        }
    }
}

/// A command of an exercise that comes first, which did not end as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Path of its chapter.
    pub chapter: String,
    /// Which file of the chapter it stands in.
    pub origin: Origin,
    /// Its line, from 1.
    pub line: usize,
    /// The command.
    pub command: String,
    /// What it printed.
    pub output: Vec<u8>,
    /// How it ended.
    pub ending: Ending,
}

/// How many things an engine has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Containers, running or not.
    pub containers: usize,
    /// Images, with or without a tag.
    pub images: usize,
    /// Volumes, with or without a name of their own.
    pub volumes: usize,
    /// Networks that somebody made: neither the three of every engine nor the two of every swarm.
    pub networks: usize,
}

/// A step that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTranscript {
    /// The step's name.
    pub id: String,
    /// Commands that began.
    pub commands: Vec<CommandTranscript>,
}

/// A command that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandTranscript {
    /// As the shell got it.
    pub text: String,
    /// What it printed, standard output and error in the order of writing; the middle replaced by a line if too long.
    pub output: Vec<u8>,
    /// How it ended.
    pub ending: Ending,
    /// From handing it to the shell to its end.
    pub took: Duration,
    /// All images of the engine after it; `None` if nothing changed since the command before.
    pub images: Option<Vec<Image>>,
    /// What the engine did with image references while it ran, in order.
    pub touches: Vec<Touch>,
}

/// What the engine did with an image reference, as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// In full: `docker.io/library/alpine:latest`.
    pub reference: String,
    /// What it did.
    pub kind: TouchKind,
}

/// What an engine does with an image reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchKind {
    /// Its image came from a registry, or was asked for there.
    Pulled,
    /// Its image went to a registry.
    Pushed,
    /// It was made to name an image that was there.
    Tagged,
    /// A container of it was made or started.
    Used,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this status; the shell goes on.
    Exited(i32),
    /// It ended the shell (`exit`, `exec`, `set -e`) with this status.
    ShellExited(i32),
    /// The shell was killed by this signal.
    ShellKilled(i32),
    /// It was ended by our Ctrl-C, when its time was over.
    Interrupted,
    /// It goes on, in the background or at a terminal that later commands are typed in.
    GoesOn,
    /// It was to go on, and never got ready within the step's time limit.
    NeverReady,
    /// It was still running at the step's time limit.
    TimedOut,
    /// It was not typed: its terminal is closed, or a value cannot be put into it. Its output says which.
    NotTyped,
    /// The engine, or the whole sandbox, went away.
    SandboxLost,
}

/// An image as the engine's API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Image ID with `sha256:`: digest of the configuration in a graph driver's store, of the manifest in containerd's.
    pub id: String,
    /// `RepoTags`, as the engine spells them (`alpine:latest`).
    pub tags: Vec<String>,
    /// `RepoDigests`, as the engine spells them (`alpine@sha256:…`).
    pub digests: Vec<String>,
    /// `linux/amd64`, `linux/arm/v7`.
    pub platform: String,
    /// Bytes, as the engine counts them: with the containerd store the compressed layers too.
    pub size: u64,
    /// Bottom first.
    pub layers: Vec<Layer>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Digest of its uncompressed files (diff ID).
    pub digest: String,
    /// Bytes of its uncompressed files; `None` if the engine does not tell which of its sizes is this layer's.
    pub size: Option<u64>,
}
