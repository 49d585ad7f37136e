//! Image archives that fill a local registry: which images they hold. OCI layouts and `docker save`, as files or folders.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::images::full_name;

/// An archive with the images in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    /// File, or folder of an OCI layout.
    pub(crate) path: PathBuf,
    /// In the words of `skopeo`: `oci-archive`, `oci` or `docker-archive`.
    pub(crate) transport: &'static str,
    /// Name inside the archive to name in full, `docker.io/library/alpine:latest`.
    pub(crate) images: BTreeMap<String, String>,
    /// The text that names every image by digest: equal texts are equal contents.
    pub(crate) index: Vec<u8>,
}

/// Finds the archives at a path: the path itself, or all `*.tar` below it.
pub(crate) fn find(path: &Path) -> Result<Vec<Archive>> {
    let metadata = path.metadata();
    let metadata =
        metadata.with_context(|| format!("image archive `{}` cannot be read", path.display()))?;
    if metadata.is_file() {
        return Ok(vec![read_file(path)?]);
    }
    if path.join("index.json").is_file() {
        return Ok(vec![read_folder(path)?]);
    }
    let mut entries: Vec<PathBuf> = path
        .read_dir()
        .and_then(|it| it.map(|entry| entry.map(|it| it.path())).collect())
        .with_context(|| format!("failed to list `{}`", path.display()))?;
    entries.sort();
    let mut archives = Vec::new();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|it| it == "tar") {
            archives.extend(find(&entry)?);
        }
    }
    Ok(archives)
}

fn read_folder(path: &Path) -> Result<Archive> {
    let index = std::fs::read(path.join("index.json"))
        .with_context(|| format!("failed to read `{}`", path.join("index.json").display()))?;
    let images = oci_names(&index).with_context(|| format!("in `{}`", path.display()))?;
    named(Archive {
        path: path.to_owned(),
        transport: "oci",
        images,
        index,
    })
}

fn read_file(path: &Path) -> Result<Archive> {
    let indexes = read_indexes(path)
        .with_context(|| format!("failed to read image archive `{}`", path.display()))?;
    let path = path.to_owned();
    // `docker save` of today writes both; its `index.json` may name no image in full.
    if let Some(index) = indexes.oci {
        let images = oci_names(&index).with_context(|| format!("in `{}`", path.display()))?;
        if !images.is_empty() || indexes.docker.is_none() {
            return named(Archive {
                path,
                transport: "oci-archive",
                images,
                index,
            });
        }
    }
    let Some(index) = indexes.docker else {
        bail!(
            "`{}` is no image archive: it has neither `index.json` nor `manifest.json`",
            path.display()
        );
    };
    let images = docker_names(&index).with_context(|| format!("in `{}`", path.display()))?;
    named(Archive {
        path,
        transport: "docker-archive",
        images,
        index,
    })
}

/// The two files by which an archive can name its images.
#[derive(Default)]
struct Indexes {
    /// `index.json`.
    oci: Option<Vec<u8>>,
    /// `manifest.json`.
    docker: Option<Vec<u8>>,
}

fn read_indexes(path: &Path) -> Result<Indexes> {
    let mut indexes = Indexes::default();
    let mut archive = tar::Archive::new(File::open(path)?);
    for entry in archive.entries_with_seek()? {
        let mut entry = entry?;
        let name = entry
            .path()?
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        let place = match name.as_str() {
            "index.json" => &mut indexes.oci,
            "manifest.json" => &mut indexes.docker,
            _ => continue,
        };
        let mut text = Vec::new();
        entry.read_to_end(&mut text)?;
        *place = Some(text);
    }
    Ok(indexes)
}

fn named(archive: Archive) -> Result<Archive> {
    if archive.images.is_empty() {
        bail!(
            "`{}` names no image in full; annotate it with `org.opencontainers.image.ref.name` = \
             `docker.io/library/alpine:latest` or make it with `docker save NAME:TAG`",
            archive.path.display()
        );
    }
    Ok(archive)
}

/// <https://github.com/opencontainers/image-spec/blob/main/image-index.md>
fn oci_names(index: &[u8]) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Index {
        manifests: Vec<Manifest>,
    }
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(default)]
        annotations: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index).context("`index.json` has an unknown form")?;
    let mut names = BTreeMap::new();
    for manifest in index.manifests {
        let Some(name) = manifest
            .annotations
            .get("org.opencontainers.image.ref.name")
        else {
            continue;
        };
        let full = manifest
            .annotations
            .get("io.containerd.image.name")
            .unwrap_or(name);
        if full.contains('/') {
            names.insert(name.clone(), checked(full)?);
        }
    }
    Ok(names)
}

/// <https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format>
fn docker_names(manifest: &[u8]) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Image {
        repo_tags: Option<Vec<String>>,
    }
    let images: Vec<Image> =
        serde_json::from_slice(manifest).context("`manifest.json` has an unknown form")?;
    let tags = images
        .into_iter()
        .flat_map(|it| it.repo_tags.unwrap_or_default());
    tags.map(|it| checked(&it).map(|full| (it, full))).collect()
}

/// A name that is safe in a shell's command.
fn checked(name: &str) -> Result<String> {
    if !name
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || "._/:@-".contains(it))
    {
        bail!("`{}` is no image name", name.escape_debug());
    }
    Ok(full_name(name))
}
