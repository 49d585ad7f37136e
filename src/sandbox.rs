//! The edge to the machine: one rootless Docker engine, one shell and one workspace for one exercise, and nothing left of
//! them afterwards.
//!
//! The outer engine is driven by the `docker` command line (`docker`), what runs inside by an agent over a
//! wire ([`wire`]). Everything a run makes is labelled and goes by one `teardown`.

#![expect(clippy::disallowed_methods, reason = "the edge to the machine")]

mod archive;
mod authority;
mod container;
mod docker;
mod image;
mod inventory;
mod labels;
pub mod leftovers;
mod manifests;
mod registry;
mod steps;
mod teardown;
pub mod terminal;
pub mod typing;
pub mod wire;
pub mod workspace;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use regex::bytes::Regex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::config::{Config, ImageStore, Network, Registry, Source};
use crate::digests::Answer;
use crate::images::ledger;
use crate::plan::{Plan, Reach};
use crate::sandbox::authority::Authority;
use crate::sandbox::container::{Container, Spec};
use crate::sandbox::labels::Run;
use crate::sandbox::registry::Site;
use crate::sandbox::teardown::{Rush, Teardown};
use crate::sandbox::wire::Start;
use crate::transcript::{Engine, Image, Transcript};

pub use docker::{OuterEngine, outer_engine};
pub use image::tag as image_tag;

/// Where the agent keeps its scripts; part of what bash says about them.
const SCRATCH: &str = "/run/rehearse";

/// Home of the shell's user.
const HOME: &str = "/home/learner";

/// The folder that the shell starts in, with the copy of the author's files.
const WORKSPACE: &str = "/home/learner/work";

/// Time for making and removing a sandbox, on top of the exercise's own.
const OVERHEAD: Duration = Duration::from_secs(300);

/// The network of the outer engine that leads to the world.
const BRIDGE: &str = "bridge";

/// What happens while an exercise runs, for whoever shows progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The sandbox image is being built; a line of what the builder says.
    ImageBuild {
        /// The line.
        line: String,
    },
    /// A local registry is being filled from archives.
    RegistryFill {
        /// Its host.
        host: String,
        /// Number of images.
        n_images: usize,
    },
    /// The upstream of a proxy cannot be reached; its registry has only what earlier runs pulled.
    Offline {
        /// Its host.
        host: String,
        /// What it said.
        why: String,
    },
    /// The engine is starting.
    Starting,
    /// The engine answers.
    Ready {
        /// From the agent's first moment.
        boot: Duration,
    },
    /// A command begins.
    Command {
        /// Line in the chapter.
        line: usize,
        /// The command.
        text: String,
    },
    /// All commands have run; the sandbox is being removed.
    Removing,
}

/// Gets the events of a run.
pub type Watch<'a> = &'a (dyn Fn(Event) + Send + Sync);

/// Turns true when the run shall end early; its sandbox is removed all the same.
pub type Stop = tokio::sync::watch::Receiver<bool>;

/// The error of a run that ended early because it was told to.
#[derive(Debug)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// What an exercise finds around it that is no matter of its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// The book's root, that the paths of its settings start from.
    pub root: &'a Path,
    /// Folder of the built book, which is no part of the workspace.
    pub build_folder: &'a Path,
}

/// Makes what all sandboxes of a book stand on and what is kept between runs, where it is not there yet: the sandbox image,
/// and registries filled from archives. After it, exercises that run side by side find it and none of them makes it again.
pub async fn prepare(config: &Config, root: &Path, watch: Watch<'_>, stop: Stop) -> Result<()> {
    if is_prepared(config, root).await? {
        return Ok(());
    }
    let lifetime = config.exercise_timeout + OVERHEAD;
    in_run(lifetime, watch, stop, async |run| {
        let image = image::ensure(&config.base_image, watch).await?;
        let site = Site {
            run,
            // Nobody asks the registries that are only filled.
            network: "none",
            authority: &Authority::new()?,
            image: &image,
            root,
            lifetime,
            watch,
        };
        let fill = async |(host, images)| {
            let filled = registry::seed(host, images, &site).await;
            filled.with_context(|| cannot_fill(host))
        };
        let filled = archived(config).map(fill);
        futures::future::try_join_all(filled).await.map(|_| ())
    })
    .await
}

async fn is_prepared(config: &Config, root: &Path) -> Result<bool> {
    let image = image::tag(&config.base_image);
    if !image::is_there(&image).await {
        return Ok(false);
    }
    for (host, images) in archived(config) {
        let is_filled = registry::is_filled(host, images, root, &image).await;
        if !is_filled.with_context(|| cannot_fill(host))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn cannot_fill(host: &str) -> String {
    format!("the registry `{host}` of the sandbox cannot be filled")
}

/// Hosts whose registries are filled from archives and that exercises reach, with the paths of the archives.
fn archived(config: &Config) -> impl Iterator<Item = (&str, &[PathBuf])> {
    let registries = match config.network {
        Network::None => None,
        Network::Registries => Some(&config.registries),
    };
    let registries = registries.into_iter().flatten();
    registries.filter_map(|(host, registry)| match registry {
        Registry::Local { images, .. } => Some((host.as_str(), images.as_slice())),
        Registry::Proxy { .. } => None,
    })
}

/// Runs an exercise in a sandbox of its own, which is gone when this returns.
pub async fn rehearse(
    plan: &Plan,
    config: &Config,
    surroundings: Surroundings<'_>,
    watch: Watch<'_>,
    stop: Stop,
) -> Result<Transcript> {
    // Before anything is started: what is wrong with it is told at once.
    let workspace = match &config.workspace {
        Some(folder) => {
            let folder = surroundings.root.join(folder);
            let build_folder = surroundings.build_folder.to_owned();
            spawn_blocking(move || workspace::pack(&folder, &build_folder)).await??
        }
        None => Vec::new(),
    };
    in_sandbox(
        plan.timeout,
        config,
        surroundings.root,
        plan.reach,
        watch,
        stop,
        async |sandbox| {
            if !workspace.is_empty() {
                sandbox.container.unpack(&workspace).await?;
            }
            sandbox.run(plan, config, watch).await
        },
    )
    .await
}

/// Starts a sandbox, asks its engine who it is and removes it again.
pub async fn probe(config: &Config, root: &Path, watch: Watch<'_>, stop: Stop) -> Result<Probe> {
    in_sandbox(
        Duration::from_secs(60),
        config,
        root,
        Reach::Registries,
        watch,
        stop,
        async |sandbox| {
            Ok(Probe {
                engine: sandbox.facts().await?,
                boot: sandbox.container.boot,
            })
        },
    )
    .await
}

/// What [`probe`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The engine of the sandbox.
    pub engine: Engine,
    /// From the agent's first moment until shell and engine answered.
    pub boot: Duration,
}

/// Asks the book's own registries for the digests of manifests, given by reference with host and path; the network that they
/// are on is gone when this returns.
pub async fn ask_registries(
    manifests: &BTreeMap<String, (String, String)>,
    config: &Config,
    root: &Path,
    watch: Watch<'_>,
    stop: Stop,
) -> Result<BTreeMap<String, Answer>> {
    let mut by_host: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (reference, (host, path)) in manifests {
        let of_host = by_host.entry(host).or_default();
        of_host.push((reference, path));
    }
    // As long as an exercise may take whose registries have to be filled first.
    let lifetime = config.exercise_timeout + OVERHEAD;
    in_run(lifetime, watch, stop, async |run| {
        let image = image::ensure(&config.base_image, watch).await?;
        let authority = Authority::new()?;
        let network = make_network(run).await?;
        let site = Site {
            run,
            network: &network,
            authority: &authority,
            image: &image,
            root,
            lifetime,
            watch,
        };
        let answers = by_host.iter().map(async |(host, manifests)| {
            let Some(Registry::Local { images, .. }) = config.registries.get(*host) else {
                return Vec::new();
            };
            let paths: Vec<&str> = manifests.iter().map(|it| it.1).collect();
            let answers = registry::ask(host, images, &paths, &site).await;
            // One that cannot be filled leaves the others their answers.
            let answers = answers.unwrap_or_else(|error| {
                vec![Answer::Nothing(format!("{error:#}")); manifests.len()]
            });
            manifests
                .iter()
                .map(|it| it.0.to_owned())
                .zip(answers)
                .collect()
        });
        Ok(futures::future::join_all(answers)
            .await
            .into_iter()
            .flatten()
            .collect())
    })
    .await
}

/// Makes a sandbox, does something in it, and removes it on every path.
async fn in_sandbox<T>(
    time: Duration,
    config: &Config,
    root: &Path,
    reach: Reach,
    watch: Watch<'_>,
    stop: Stop,
    work: impl AsyncFnOnce(&mut Sandbox) -> Result<T>,
) -> Result<T> {
    let lifetime = time + OVERHEAD;
    in_run(lifetime, watch, stop, async |run| {
        work(&mut Sandbox::start(run, lifetime, config, root, reach, watch).await?).await
    })
    .await
}

/// Does something with the outer engine, and removes on every path what was made for it.
async fn in_run<T>(
    lifetime: Duration,
    watch: Watch<'_>,
    mut stop: Stop,
    work: impl AsyncFnOnce(&Run) -> Result<T>,
) -> Result<T> {
    let run = Run::begin(lifetime);
    let teardown = Teardown::arm(&run)?;
    let res = tokio::select! {
        res = work(&run) => res,
        _ = stop.wait_for(|it| *it) => Err(anyhow!(Stopped)),
    };
    watch(Event::Removing);
    let removed = teardown.complete(if res.is_ok() { Rush::No } else { Rush::Yes });
    let removed = removed.await;
    match res {
        Ok(value) => removed.map(|()| value),
        // The first trouble is the one to tell; a failed removal shows at the next start and in `clean`.
        Err(error) => Err(error),
    }
}

/// A running sandbox.
struct Sandbox {
    container: Container,
    /// By host. They end when they are dropped.
    registries: BTreeMap<String, Container>,
    /// The engine's list of images as it came, and what it says.
    inventory: (Vec<u8>, Vec<Image>),
    /// When the last event was that was told, in nanoseconds of the engine's clock.
    last_event: u64,
    outputs: Outputs,
}

impl Sandbox {
    async fn start(
        run: &Run,
        lifetime: Duration,
        config: &Config,
        root: &Path,
        reach: Reach,
        watch: Watch<'_>,
    ) -> Result<Sandbox> {
        let image = image::ensure(&config.base_image, watch).await?;
        watch(Event::Starting);
        let authority = Authority::new()?;
        let network = match (config.network, reach) {
            (Network::None, Reach::Registries) => "none".to_owned(),
            (Network::None, Reach::World) => BRIDGE.to_owned(),
            (Network::Registries, _) => make_network(run).await?,
        };
        let site = Site {
            run,
            network: &network,
            authority: &authority,
            image: &image,
            root,
            lifetime,
            watch,
        };
        let registries = async {
            match config.network {
                Network::None => anyhow::Ok(BTreeMap::new()),
                Network::Registries => {
                    let registries = config.registries.iter();
                    let registries = registries.map(async |(host, registry)| {
                        let container = registry::start(host, registry, &site).await?;
                        anyhow::Ok((host.clone(), container))
                    });
                    let registries = futures::future::try_join_all(registries).await?;
                    Ok(registries.into_iter().collect())
                }
            }
        };
        let engine = async {
            let mut spec = spec(run, &network, &authority, &image, lifetime, config);
            if reach == Reach::Registries {
                // Whoever asks for a name that the network does not know asks the agent, which knows none: it fails at
                // once instead of after the resolver's patience, and no name leaves the machine.
                spec.options
                    .extend(["--dns", "127.0.0.1"].map(str::to_owned));
            }
            let container = Container::start(spec).await?;
            if reach == Reach::World && network != BRIDGE {
                container.join(BRIDGE, &[]).await?;
            }
            Ok(container)
        };
        let (container, registries) = tokio::try_join!(engine, registries)?;
        watch(Event::Ready {
            boot: container.boot,
        });
        Ok(Sandbox {
            container,
            registries,
            inventory: (Vec::new(), Vec::new()),
            last_event: 0,
            outputs: Outputs::default(),
        })
    }

    /// Runs a plan and tells what came of it.
    async fn run(&mut self, plan: &Plan, config: &Config, watch: Watch<'_>) -> Result<Transcript> {
        let engine = self.facts().await?;
        let done = self.run_steps(plan, watch).await?;
        let left = self.count_what_is_left().await?;
        let registries = match config.network {
            Network::None => BTreeMap::new(),
            Network::Registries => config
                .registries
                .iter()
                .map(|(host, it)| (host.clone(), source(it)))
                .collect(),
        };
        let mut transcript = Transcript {
            engine,
            registries,
            before: done.before,
            blocked: done.blocked,
            steps: done.steps,
            left,
            manifests: BTreeMap::new(),
        };
        let pulled = ledger(&transcript);
        transcript.manifests = manifests::ask(&mut self.registries, &pulled).await?;
        Ok(transcript)
    }

    async fn facts(&mut self) -> Result<Engine> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Version {
            version: String,
            os: String,
            arch: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Info {
            driver: String,
            driver_status: Option<Vec<(String, String)>>,
        }
        let version: Version = self.ask("/version").await?;
        let info: Info = self.ask("/info").await?;
        let is_containerd = info
            .driver_status
            .into_iter()
            .flatten()
            .any(|(key, value)| {
                key == "driver-type" && value.starts_with("io.containerd.snapshotter")
            });
        Ok(Engine {
            version: version.version,
            // Containerd has snapshotters that are named as graph drivers are.
            store: match is_containerd && info.driver != "overlayfs" {
                true => format!("containerd-{}", info.driver),
                false => info.driver,
            },
            platform: format!("{}/{}", version.os, version.arch),
        })
    }

    /// What the engine's API says at a path.
    async fn ask<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let outputs = &mut self.outputs;
        let body = self
            .container
            .get(path, |id, bytes| outputs.add(id, bytes))
            .await?;
        serde_json::from_slice(&body)
            .with_context(|| format!("the engine's answer for `{path}` has an unknown form"))
    }
}

/// What commands printed, by their numbers.
#[derive(Default)]
struct Outputs {
    by_command: BTreeMap<u32, Vec<u8>>,
}

impl Outputs {
    fn add(&mut self, id: u32, bytes: &[u8]) {
        self.by_command.entry(id).or_default().extend(bytes);
    }

    /// What a command has printed until now.
    fn so_far(&self, id: u32) -> &[u8] {
        self.by_command.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Makes of what a command drew at its terminal what a person saw there.
    fn draw(&mut self, id: u32) {
        if let Some(output) = self.by_command.get_mut(&id) {
            *output = typing::seen(output);
        }
    }

    /// What a command printed, with bash speaking of itself as at a prompt instead of naming the agent's script.
    fn take(&mut self, id: u32) -> Vec<u8> {
        static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(&format!(r"(?m-u)^{SCRATCH}/[0-9]+: (?:line [0-9]+: )?"))
                .expect("the pattern is fixed")
        });
        let output = self.by_command.remove(&id).unwrap_or_default();
        SCRIPT.replace_all(&output, &b"bash: "[..]).into_owned()
    }
}

fn source(registry: &Registry) -> Source {
    match registry {
        Registry::Local { .. } => Source::Local,
        Registry::Proxy { .. } => Source::Proxy,
    }
}

/// A network without a way out. Without an address on the bridge the host cannot be reached through it either: a service
/// that listens on all of the host's addresses would answer otherwise.
///
/// Its addresses are of 198.18.0.0/15, which is for the tests of networks alone (RFC 2544): neither the networks that
/// exercises make in their engine nor those of people's machines have such, and the registries stay within reach.
async fn make_network(run: &Run) -> Result<String> {
    const MOST_TRIES: u32 = 20;
    let name = format!("mdbook-rehearse-{}", run.id);
    let labels = run.labels("network");
    let mut tries = 0;
    loop {
        let subnet = subnet(&run.id, tries);
        let mut arguments = vec![
            "network",
            "create",
            "--internal",
            "--subnet",
            &subnet,
            "--opt",
            "com.docker.network.bridge.inhibit_ipv4=true",
        ];
        for label in &labels {
            arguments.extend(["--label", label]);
        }
        arguments.push(&name);
        tries += 1;
        match docker::docker(&arguments).await {
            // Another sandbox has just these.
            Err(error) if tries < MOST_TRIES && error.to_string().contains("overlaps") => {}
            res => return res,
        }
    }
}

/// One of the 4096 networks of 32 addresses, another for each run and each try.
fn subnet(run: &str, tries: u32) -> String {
    let hash = Sha256::digest(format!("{run} {tries}"));
    let nth = (u32::from(hash[0]) << 8 | u32::from(hash[1])) % 4096;
    let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + nth * 32);
    format!("{address}/27")
}

/// The container of the rootless engine: not privileged, without an added capability.
fn spec(
    run: &Run,
    network: &str,
    authority: &Authority,
    image: &str,
    lifetime: Duration,
    config: &Config,
) -> Spec {
    let labels = run.labels("sandbox");
    let volume_labels: String = labels
        .iter()
        .map(|it| format!(",volume-label={it}"))
        .collect();
    let home = HOME;
    let mut options: Vec<String> = [
        "--hostname",
        "rehearse",
        "--network",
        network,
        // The engine makes namespaces and mounts of its own; what it may do there is bounded by its ordinary user.
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "apparmor=unconfined",
        "--security-opt",
        "systempaths=unconfined",
        "--device",
        "/dev/net/tun",
        "--pids-limit",
        "8192",
    ]
    .map(str::to_owned)
    .to_vec();
    // A volume because overlay does not work on overlay; an anonymous one goes with its container.
    options.extend([
        "--mount".to_owned(),
        format!("type=volume,dst={home}/.local/share/docker{volume_labels}"),
    ]);
    let environment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/home/learner",
        "USER=learner",
        "LOGNAME=learner",
        "SHELL=/bin/bash",
        "LANG=C.UTF-8",
        // What the commands that have a terminal have. A variable of those alone would not survive their own `export`.
        "TERM=xterm",
        "TZ=UTC",
        "XDG_RUNTIME_DIR=/run/user/1000",
    ];
    let mut engine = vec!["/usr/lib/rehearse/engine.sh".to_owned()];
    engine.extend(config.image_store.map(|it| match it {
        ImageStore::Containerd => "containerd".to_owned(),
        ImageStore::GraphDriver => "graph-driver".to_owned(),
    }));
    Spec {
        image: image.to_owned(),
        labels: labels.to_vec(),
        options,
        start: Start {
            engine,
            socket: "/run/user/1000/docker.sock".to_owned(),
            user: "1000:1000".to_owned(),
            scratch: SCRATCH.to_owned(),
            workspace: WORKSPACE.to_owned(),
            environment: environment.map(str::to_owned).to_vec(),
            authority: authority.certificate.clone(),
            output_limit: config.output_limit,
            lifetime: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX),
        },
    }
}
