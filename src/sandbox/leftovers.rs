//! What the tool left with the outer engine: things of runs whose process is gone, and the images and caches it keeps.

use anyhow::Result;

use crate::sandbox::docker::docker;
use crate::sandbox::labels::{self, EXPIRES, MANAGED, OWNER};

/// One thing that the tool made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// ID or name.
    pub name: String,
    /// What it is for.
    pub role: Role,
}

/// The engine's word for a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// An image.
    Image,
}

/// What a thing is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Of a run whose process is alive.
    InUse,
    /// Of a run whose process is gone or whose time is over.
    LeftOver,
    /// Kept between runs: the sandbox image, filled registries, pull-through caches.
    Kept,
}

impl Kind {
    /// The word as `docker` has it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Image => "image",
        }
    }
}

/// Lists everything with the tool's label, in the order in which it can be removed.
pub async fn list() -> Result<Vec<Thing>> {
    let filter = format!("label={MANAGED}");
    let format = |name: &str| {
        format!("{{{{{name}}}}}\t{{{{.Label \"{OWNER}\"}}}}\t{{{{.Label \"{EXPIRES}\"}}}}")
    };
    let mut things = Vec::new();
    for (kind, command) in [
        (
            Kind::Container,
            vec![
                "ps",
                "--all",
                "--no-trunc",
                "--filter",
                &filter,
                "--format",
                &format(".ID"),
            ],
        ),
        (
            Kind::Network,
            vec![
                "network",
                "ls",
                "--no-trunc",
                "--filter",
                &filter,
                "--format",
                &format(".ID"),
            ],
        ),
        (
            Kind::Volume,
            vec![
                "volume",
                "ls",
                "--filter",
                &filter,
                "--format",
                &format(".Name"),
            ],
        ),
    ] {
        for line in docker(&command).await?.lines() {
            let mut fields = line.split('\t');
            let mut field = || fields.next().unwrap_or_default();
            let (name, owner, expires) = (field(), field(), field());
            let role = match owner {
                "" => Role::Kept,
                owner if labels::is_left_over(owner, expires) => Role::LeftOver,
                _ => Role::InUse,
            };
            things.push(Thing {
                kind,
                name: name.to_owned(),
                role,
            });
        }
    }
    let images = docker(&[
        "image",
        "ls",
        "--filter",
        &filter,
        "--format",
        "{{.Repository}}:{{.Tag}}\t{{.ID}}",
    ])
    .await?;
    for line in images.lines() {
        let (name, id) = line.split_once('\t').unwrap_or((line, line));
        let name = if name.contains("<none>") { id } else { name };
        things.push(Thing {
            kind: Kind::Image,
            name: name.to_owned(),
            role: Role::Kept,
        });
    }
    Ok(things)
}

/// Removes a thing.
pub async fn remove(thing: &Thing) -> Result<()> {
    let name = &thing.name;
    let command = match thing.kind {
        Kind::Container => vec!["rm", "--force", "--volumes", name],
        Kind::Network => vec!["network", "rm", name],
        Kind::Volume => vec!["volume", "rm", "--force", name],
        Kind::Image => vec!["image", "rm", name],
    };
    docker(&command).await.map(|_| ())
}

/// Removes what runs without a living process left; their number.
pub async fn sweep() -> Result<usize> {
    let mut n_removed = 0;
    for thing in list().await?.iter().filter(|it| it.role == Role::LeftOver) {
        // Another run may be sweeping too.
        n_removed += usize::from(remove(thing).await.is_ok());
    }
    Ok(n_removed)
}

/// What the kept images take, in the engine's own words. Filled registries stand on the sandbox image and share it.
pub async fn disk_use(sandbox_tag: &str) -> Result<String> {
    let filter = format!("label={MANAGED}");
    let format = "{{.Repository}}:{{.Tag}}\t{{.Size}}";
    let images = docker(&["image", "ls", "--filter", &filter, "--format", format]).await?;
    let images: Vec<(&str, &str)> = images
        .lines()
        .filter_map(|it| it.split_once('\t'))
        .collect();
    let size = images
        .iter()
        .find(|it| it.0 == sandbox_tag)
        .map_or("none yet", |it| it.1);
    let n_registries = images
        .iter()
        .filter(|it| it.0.starts_with("mdbook-rehearse/registry:"))
        .count();
    let n_others = images.iter().filter(|it| it.0 != sandbox_tag).count() - n_registries;
    Ok(format!(
        "sandbox image {size}, {n_registries} filled registries, {n_others} images of other versions"
    ))
}
