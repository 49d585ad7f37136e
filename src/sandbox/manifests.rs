//! What the sandbox's registries say of the digests that images were pulled by: whether one is of an index of several
//! platforms, and what the image's configuration is called. The engine's API tells neither with the containerd store.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;

use crate::config::address;
use crate::digests::{ACCEPTED, is_digest, manifest};
use crate::images::{ImageOrigin, LedgerEntry, host, repository};
use crate::sandbox::container::Container;
use crate::sandbox::registry::LIMIT;
use crate::transcript::Manifest;

/// Manifests asked for at once; what is kept of an output holds the larger ones of as many.
const AT_ONCE: usize = 4;

/// Asks the registries for what they say of the digests of a ledger. What they do not tell is left out.
pub(super) async fn ask(
    registries: &mut BTreeMap<String, Container>,
    ledger: &[LedgerEntry],
) -> Result<BTreeMap<String, Manifest>> {
    let mut res = BTreeMap::new();
    for (registry, container) in registries {
        let pulled = ledger
            .iter()
            .filter(|it| it.origin == ImageOrigin::Registry);
        let pulled = pulled.filter(|it| host(&it.reference) == *registry);
        let wanted: BTreeSet<Wanted<'_>> = pulled
            .filter_map(|it| {
                Some(Wanted {
                    digest: it.digest.as_ref()?,
                    repository: repository(&it.reference),
                    platform: &it.platform,
                })
            })
            .collect();
        let wanted: Vec<Wanted<'_>> = wanted.into_iter().collect();
        let digests = wanted.iter().map(|it| (it.repository, it.digest));
        let found = get(container, registry, &digests.collect::<Vec<_>>()).await?;
        // An index has no configuration; the manifests that it names have.
        let indexes = wanted.iter().zip(&found).filter(|it| it.1.config.is_none());
        let parts = indexes.filter_map(|(wanted, document)| {
            let mut parts = document.manifests.iter();
            let part = parts.find(|it| it.is_for(wanted.platform))?;
            Some((wanted, part.digest.as_str()))
        });
        let parts: Vec<(&Wanted<'_>, &str)> = parts.collect();
        let digests = parts.iter().map(|it| (it.0.repository, it.1));
        let of_parts = get(container, registry, &digests.collect::<Vec<_>>()).await?;
        let whole = wanted.iter().map(|it| (it, None)).zip(&found);
        let parts = parts.into_iter().map(|it| (it.0, Some(it.1)));
        for ((wanted, part), document) in whole.chain(parts.zip(&of_parts)) {
            if let Some(config) = &document.config {
                let manifest = Manifest {
                    of_platform: part.map(str::to_owned),
                    config: config.digest.clone(),
                };
                res.insert(wanted.digest.to_owned(), manifest);
            }
        }
    }
    res.retain(|_, it| is_digest(&it.config) && it.of_platform.as_deref().is_none_or(is_digest));
    Ok(res)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Wanted<'a> {
    digest: &'a str,
    repository: &'a str,
    platform: &'a str,
}

/// A manifest, or an index of manifests.
#[derive(Default, Deserialize)]
struct Document {
    config: Option<Descriptor>,
    #[serde(default)]
    manifests: Vec<Part>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// One of an index's manifests.
#[derive(Deserialize)]
struct Part {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Part {
    /// Whether it is for a platform such as `linux/arm/v7`. Many indexes name a variant where the engine names none.
    fn is_for(&self, platform: &str) -> bool {
        let Some(own) = &self.platform else {
            return false;
        };
        let plain = format!("{}/{}", own.os, own.architecture);
        let whole = own.variant.as_ref().map(|it| format!("{plain}/{it}"));
        platform == plain || whole.is_some_and(|it| it == platform)
    }
}

/// Gets manifests by repository and digest, in order; an empty document for one that does not come.
async fn get(
    container: &mut Container,
    registry: &str,
    digests: &[(&str, &str)],
) -> Result<Vec<Document>> {
    let (_, port) = address(registry);
    let mut res = Vec::new();
    for digests in digests.chunks(AT_ONCE) {
        // With a login they serve pulls to anybody, but not without a token.
        let mut script = format!(
            "get() {{ local headers=(-H 'Accept: {ACCEPTED}') port name service; \
             if [ -e token.txt ]; then {{ read -r port; read -r name; read -r service; }} <token.txt; \
             headers+=(-H \"Authorization: Bearer $(curl -s --max-time 5 \
             \"http://127.0.0.1:$port/token?service=$service&scope=repository:${{1%%/manifests/*}}:pull\" | jq -r .token)\"); fi; \
             curl -sfk --max-time 5 \"${{headers[@]}}\" \"https://127.0.0.1:{port}/v2/$1\" | jq -c . || echo '{{}}'; }}\n"
        );
        let mut asked = 0;
        for (repository, digest) in digests {
            // None of it is what a script takes for anything else.
            if let Some(path) = manifest(&format!("{repository}@{digest}")) {
                script.push_str(&format!("get {path}\n"));
                asked += 1;
            } else {
                script.push_str("echo '{}'\n");
            }
        }
        let output = match asked {
            0 => String::new(),
            _ => container.must_run(&script, LIMIT).await?,
        };
        let documents = output
            .lines()
            .map(|it| serde_json::from_str(it).unwrap_or_default());
        res.extend(
            documents
                .chain(std::iter::repeat_with(Document::default))
                .take(digests.len()),
        );
    }
    Ok(res)
}
