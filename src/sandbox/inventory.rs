//! What the engine of a sandbox has, and what it did with images: from its API, never from text.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::images::{HistoryItem, full_name, layer_sizes};
use crate::sandbox::{Sandbox, wire};
use crate::transcript::{Image, Inventory, Layer, Touch, TouchKind};

/// What a look at the engine's images shows.
#[derive(Default)]
pub(super) struct Look {
    /// All of them, if they are others than at the look before.
    pub(super) images: Option<Vec<Image>>,
    /// What the engine did with them since then.
    pub(super) touches: Vec<Touch>,
}

impl Sandbox {
    /// What the engine did with images since the last look, and all of them if they are others than then.
    pub(super) async fn look_at_images(&mut self) -> Result<Look> {
        let list = self
            .container
            .get("/images/json", |id, bytes| self.outputs.add(id, bytes))
            .await?;
        let touches = self.touches().await?;
        if list == self.inventory.0 {
            return Ok(Look {
                images: None,
                touches,
            });
        }
        let listed: Vec<ListedImage> = serde_json::from_slice(&list)
            .context("the engine's list of images has an unknown form")?;
        let mut images = Vec::new();
        for it in listed {
            let known = self.inventory.1.iter().find(|known| known.id == it.id);
            let (platform, layers) = match known {
                Some(known) => (known.platform.clone(), known.layers.clone()),
                None => self.inspect(&it.id).await?,
            };
            images.push(Image {
                id: it.id,
                tags: it.repo_tags.unwrap_or_default(),
                digests: it.repo_digests.unwrap_or_default(),
                platform,
                size: it.size,
                layers,
            });
        }
        // The engine sorts by age, which is no order for images of one moment.
        images.sort_by(|a, b| (&a.tags, &a.digests, &a.id).cmp(&(&b.tags, &b.digests, &b.id)));
        self.inventory = (list, images.clone());
        Ok(Look {
            images: Some(images),
            touches,
        })
    }

    /// What the engine did with image references since the last look.
    async fn touches(&mut self) -> Result<Vec<Touch>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Happened {
            r#type: String,
            action: String,
            actor: Actor,
            #[serde(rename = "timeNano")]
            time: u64,
        }
        #[derive(Deserialize)]
        struct Actor {
            #[serde(rename = "ID")]
            id: String,
            #[serde(rename = "Attributes", default)]
            attributes: BTreeMap<String, String>,
        }
        const FILTERS: &str = "%7B%22type%22:%5B%22image%22,%22container%22%5D,\
            %22event%22:%5B%22pull%22,%22push%22,%22tag%22,%22create%22,%22start%22%5D%7D";
        let since = self.last_event + 1;
        let (secs, nanos) = (since / 1_000_000_000, since % 1_000_000_000);
        let path = format!(
            "/events?since={secs}.{nanos:09}&until={}&filters={FILTERS}",
            wire::NOW
        );
        let body = self
            .container
            .get(&path, |id, bytes| self.outputs.add(id, bytes))
            .await?;
        let events = serde_json::Deserializer::from_slice(&body).into_iter::<Happened>();
        let mut touches = Vec::new();
        for event in events {
            let event = event.context("the engine's events have an unknown form")?;
            self.last_event = self.last_event.max(event.time);
            let attribute = |name: &str| event.actor.attributes.get(name).cloned();
            let touched = match (event.r#type.as_str(), event.action.as_str()) {
                ("image", "pull") => Some((event.actor.id, TouchKind::Pulled)),
                ("image", "push") => Some((event.actor.id, TouchKind::Pushed)),
                ("image", "tag") => attribute("name").map(|it| (it, TouchKind::Tagged)),
                ("container", _) => attribute("image").map(|it| (it, TouchKind::Used)),
                _ => None,
            };
            touches.extend(touched.map(|(name, kind)| Touch {
                reference: full_name(&name),
                kind,
            }));
        }
        Ok(touches)
    }

    pub(super) async fn count_what_is_left(&mut self) -> Result<Inventory> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Network {
            name: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Volumes {
            volumes: Option<Vec<IgnoredAny>>,
        }
        const OF_THE_ENGINE: [&str; 5] = ["bridge", "host", "none", "ingress", "docker_gwbridge"];
        let containers: Vec<IgnoredAny> = self.ask("/containers/json?all=1").await?;
        let images: Vec<IgnoredAny> = self.ask("/images/json").await?;
        let volumes: Volumes = self.ask("/volumes").await?;
        let networks: Vec<Network> = self.ask("/networks").await?;
        let is_own = |it: &&Network| !OF_THE_ENGINE.contains(&it.name.as_str());
        Ok(Inventory {
            containers: containers.len(),
            images: images.len(),
            volumes: volumes.volumes.map_or(0, |it| it.len()),
            networks: networks.iter().filter(is_own).count(),
        })
    }

    /// Platform and layers of an image.
    async fn inspect(&mut self, id: &str) -> Result<(String, Vec<Layer>)> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Inspected {
            os: String,
            architecture: String,
            variant: Option<String>,
            #[serde(rename = "RootFS")]
            root_fs: RootFs,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct RootFs {
            layers: Option<Vec<String>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Item {
            created_by: Option<String>,
            size: u64,
        }
        let found = async {
            let image: Inspected = self.ask(&format!("/images/{id}/json")).await?;
            let history: Vec<Item> = self.ask(&format!("/images/{id}/history")).await?;
            anyhow::Ok((image, history))
        };
        let (image, history) = match found.await {
            Ok(found) => found,
            // It went between the list and the look, by a command in the background.
            Err(error) if error.to_string().contains("answered 404") => {
                return Ok((String::new(), Vec::new()));
            }
            Err(error) => return Err(error),
        };
        let variant = image.variant.filter(|it| !it.is_empty());
        let parts = [Some(image.os), Some(image.architecture), variant];
        let platform: Vec<String> = parts.into_iter().flatten().collect();
        let history = history.into_iter().map(|it| HistoryItem {
            created_by: it.created_by.unwrap_or_default(),
            size: it.size,
        });
        let history: Vec<HistoryItem> = history.collect();
        let digests = image.root_fs.layers.unwrap_or_default();
        let sizes = layer_sizes(&history, digests.len());
        let layers = digests.into_iter().enumerate().map(|(idx, digest)| Layer {
            digest,
            size: sizes.as_ref().and_then(|it| it.get(idx).copied()),
        });
        Ok((platform.join("/"), layers.collect()))
    }
}

/// An image as `/images/json` lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedImage {
    id: String,
    repo_tags: Option<Vec<String>>,
    repo_digests: Option<Vec<String>>,
    size: u64,
}
