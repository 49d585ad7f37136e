//! The registries that an exercise can reach: one container a host, on an internal network, under the host's real name.
//!
//! `local` is a writable registry filled from archives: the filling is done once and kept as an image, and every exercise
//! gets a container of that image, so what an exercise pushes goes with it. `proxy` is a pull-through cache whose blobs
//! stay in a volume between runs, which is what saves its users from rate limits; it refuses pushes. Where its upstream
//! cannot be reached it serves what it has kept.
//!
//! A local registry can ask for login as the real ones do: beside it stands a token service then (`token.rs`), and the
//! registry believes what is signed with the key of its own certificate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::config::{self, Login, Registry, address};
use crate::digests::{ACCEPTED, Answer, is_digest};
use crate::sandbox::archive::{self, Archive};
use crate::sandbox::authority::Authority;
use crate::sandbox::container::{Container, Spec};
use crate::sandbox::docker::docker;
use crate::sandbox::labels::{self, Run};
use crate::sandbox::wire::Start;
use crate::sandbox::{Event, Watch, image};

/// Folder of the registries' blobs. No volume unless it is a cache: what is pushed stays in the container.
const STORAGE: &str = "/srv/registry";

/// Time for our own commands inside a registry's container.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Time for a registry to answer; a proxy asks its upstream first.
const LAUNCH: Duration = Duration::from_secs(15);

/// What all registries of a run have in common.
pub(crate) struct Site<'a> {
    pub(crate) run: &'a Run,
    pub(crate) network: &'a str,
    pub(crate) authority: &'a Authority,
    pub(crate) image: &'a str,
    /// The book's root, that the paths of archives start from.
    pub(crate) root: &'a Path,
    pub(crate) lifetime: Duration,
    pub(crate) watch: Watch<'a>,
}

/// Starts the registry of one host and waits until it answers.
pub(crate) async fn start(host: &str, registry: &Registry, site: &Site<'_>) -> Result<Container> {
    let begin = async || match registry {
        Registry::Local { images, login } => {
            let image = seed(host, images, site).await?;
            serve(host, &image, Kind::Local(login.as_ref()), site).await
        }
        Registry::Proxy { upstream } => {
            let upstream = config::upstream(host, upstream.as_deref());
            serve(host, site.image, Kind::Proxy(&upstream), site).await
        }
    };
    begin()
        .await
        .with_context(|| format!("the registry `{host}` of the sandbox did not start"))
}

/// Asks a registry that is filled from archives for the digests of manifests, given by their paths from `/v2/`. It is one
/// without a login: those who have it serve pulls to anybody too.
pub(crate) async fn ask(
    host: &str,
    images: &[PathBuf],
    paths: &[&str],
    site: &Site<'_>,
) -> Result<Vec<Answer>> {
    /// What the agent keeps of an output is more than these many answers.
    const AT_ONCE: usize = 200;
    let image = seed(host, images, site).await?;
    let mut container = serve(host, &image, Kind::Local(None), site).await?;
    let (_, port) = address(host);
    let mut answers = Vec::new();
    for paths in paths.chunks(AT_ONCE) {
        let script = format!(
            "for path in {}; do curl -sk --head --max-time 5 -o /dev/null -H 'Accept: {ACCEPTED}' \
             -w '%{{http_code}} %header{{docker-content-digest}}\\n' \"https://127.0.0.1:{port}/v2/$path\"; done; true",
            paths.join(" ")
        );
        let output = container.must_run(&script, LIMIT).await?;
        answers.extend(output.lines().map(answer));
    }
    Ok(answers)
}

/// Reads HTTP status and digest.
fn answer(line: &str) -> Answer {
    match line.split_once(' ') {
        Some(("200", digest)) if is_digest(digest) => Answer::Digest(digest.to_owned()),
        Some(("404", _)) => Answer::Gone,
        _ => Answer::Nothing(format!("the registry of the sandbox answered `{line}`")),
    }
}

/// What a container serves.
#[derive(Debug, Clone, Copy)]
enum Kind<'a> {
    /// What it has itself; with a login, nobody else pushes.
    Local(Option<&'a Login>),
    /// What this URL has.
    Proxy(&'a str),
}

/// Where a registry's clients get their tokens.
struct Gate<'a> {
    login: &'a Login,
    /// Host of the token service; the issuer's name too.
    name: &'a str,
    port: u16,
    /// What the registry calls itself to the token service.
    service: &'a str,
}

impl Gate<'_> {
    fn url(&self) -> String {
        format!("http://{}:{}/token", self.name, self.port)
    }

    /// What the registry's settings say of it.
    fn settings(&self) -> String {
        let Gate { name, service, .. } = self;
        format!(
            "auth: {{token: {{realm: \"{}\", service: \"{service}\", issuer: \"{name}\", rootcertbundle: authority.pem}}}}\n",
            self.url()
        )
    }

    /// What the token service reads.
    fn lines(&self) -> String {
        let Gate {
            login: Login { user, password },
            name,
            port,
            service,
        } = self;
        format!("{port}\n{name}\n{service}\n{user}\n{password}\n")
    }
}

async fn serve(host: &str, image: &str, kind: Kind<'_>, site: &Site<'_>) -> Result<Container> {
    let (name, port) = address(host);
    let (upstream, login) = match kind {
        Kind::Local(login) => (None, login),
        Kind::Proxy(upstream) => (Some(upstream), None),
    };
    let (gate_name, service) = match host {
        "docker.io" => ("auth.docker.io", "registry.docker.io"),
        _ => (name, name),
    };
    let gate = login.map(|login| Gate {
        login,
        name: gate_name,
        port: if port == "80" { 81 } else { 80 },
        service,
    });
    // The client looks up the name that people write too, if only to see whether it is a local address.
    let mut names = vec![name, host.split(':').next().unwrap_or(host)];
    names.extend(gate.as_ref().map(|it| it.name));
    names.sort_unstable();
    names.dedup();
    let mut options = vec![
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "--network",
    ];
    match upstream {
        None => {
            options.push(site.network);
            for name in &names {
                options.extend(["--network-alias", name]);
            }
        }
        Some(_) => options.push("bridge"),
    }
    let mut options: Vec<String> = options.into_iter().map(str::to_owned).collect();
    let settings = |storage: &str| {
        format!(
            "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {STORAGE}}}, {storage}}}\n\
             http: {{addr: \":{port}\", secret: \"{}\", tls: {{certificate: certificate.pem, key: key.pem}}}}\n",
            site.run.id,
        )
    };
    if let Some(upstream) = upstream {
        let volume = cache(host, upstream).await?;
        options.extend([
            "--mount".to_owned(),
            format!("type=volume,src={volume},dst={STORAGE}"),
        ]);
    }
    let mut container = Container::start(Spec {
        image: image.to_owned(),
        labels: site.run.labels("registry").to_vec(),
        options,
        start: agent(site.lifetime),
    })
    .await?;
    if upstream.is_some() {
        // On the inner network its upstream's name is its own: it keeps the resolver that it had outside.
        let keep = "cp /etc/resolv.conf resolv.conf";
        container.must_run(keep, LIMIT).await?;
        container.join(site.network, &names).await?;
        let restore = "cat resolv.conf >/etc/resolv.conf";
        container.must_run(restore, LIMIT).await?;
    }
    let identity = site.authority.identify(&names)?;
    let mut files = tar::Builder::new(Vec::new());
    let mut online = settings("delete: {enabled: true}");
    if let Some(upstream) = upstream {
        let upstream = serde_json::to_string(upstream)?;
        online.push_str(&format!("proxy: {{remoteurl: {upstream}}}\n"));
    }
    if let Some(gate) = &gate {
        online.push_str(&gate.settings());
        image::append(&mut files, "token.txt", gate.lines().as_bytes())?;
        let authority = site.authority.certificate.as_bytes();
        image::append(&mut files, "authority.pem", authority)?;
    }
    image::append(&mut files, "registry.yml", online.as_bytes())?;
    let offline = settings("maintenance: {readonly: {enabled: true}}");
    image::append(&mut files, "offline.yml", offline.as_bytes())?;
    image::append(
        &mut files,
        "certificate.pem",
        identity.certificate.as_bytes(),
    )?;
    image::append(&mut files, "key.pem", identity.key.as_bytes())?;
    container.unpack(&files.into_inner()?).await?;
    if let Some(gate) = &gate {
        let url = format!("http://127.0.0.1:{}", gate.port);
        must_launch(&mut container, "/usr/lib/rehearse/token", &url).await?;
    }
    let url = format!("https://127.0.0.1:{port}/v2/");
    match launch(&mut container, "docker-registry serve registry.yml", &url).await? {
        Launched::Serving => {}
        // A proxy does not even start when its upstream cannot be reached. What it has kept is a registry of its own.
        Launched::Failed(why) if upstream.is_some() => {
            (site.watch)(Event::Offline {
                host: host.to_owned(),
                why,
            });
            must_launch(&mut container, "docker-registry serve offline.yml", &url).await?;
        }
        Launched::Failed(why) => bail!("{why}"),
    }
    Ok(container)
}

/// What came of starting a program.
enum Launched {
    /// It answers.
    Serving,
    /// It ended, or does not answer and was ended; what it said last.
    Failed(String),
}

async fn must_launch(container: &mut Container, program: &str, url: &str) -> Result<()> {
    match launch(container, program, url).await? {
        Launched::Serving => Ok(()),
        Launched::Failed(why) => bail!("{why}"),
    }
}

/// Starts a program and waits until it answers or has ended.
async fn launch(container: &mut Container, program: &str, url: &str) -> Result<Launched> {
    // A log of its own, for another program may still write to its.
    let start = format!("rm -f log; {program} >log 2>&1 &");
    container.must_run(&start, LIMIT).await?;
    // Of a panic the first lines tell something.
    let wait = format!(
        "is_up() {{ curl -sko /dev/null --max-time 1 {url}; }}; \
         until is_up || ((SECONDS > {})) || ! kill -0 $! 2>/dev/null; do sleep 0.01; done; \
         if is_up; then echo up; else \
         {{ kill -9 $!; wait $!; }} 2>/dev/null; sed '/^goroutine /,$d' log | tail -5; fi",
        LAUNCH.as_secs()
    );
    let output = container
        .must_run(&format!("SECONDS=0; {wait}"), LIMIT)
        .await?;
    Ok(match output.trim() {
        "up" => Launched::Serving,
        "" => Launched::Failed(format!("it did not answer within {} s", LAUNCH.as_secs())),
        why => Launched::Failed(why.trim_start_matches("panic: ").to_owned()),
    })
}

fn agent(lifetime: Duration) -> Start {
    Start {
        scratch: "/run/rehearse".to_owned(),
        workspace: "/root".to_owned(),
        environment: [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LANG=C.UTF-8",
        ]
        .map(str::to_owned)
        .to_vec(),
        output_limit: 64 << 10,
        lifetime: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX),
        ..Start::default()
    }
}

/// The volume that keeps a proxy's blobs; the same for every run of the same upstream.
async fn cache(host: &str, upstream: &str) -> Result<String> {
    let hash = hash([upstream.as_bytes()]);
    let name = format!("mdbook-rehearse-cache-{}-{hash}", host.replace(':', "-"));
    docker(&[
        "volume",
        "create",
        "--label",
        &format!("{}=cache", labels::MANAGED),
        &name,
    ])
    .await
}

/// The archives that hold images of a host, with just those images; `images` are paths from the book's root.
fn archives(host: &str, images: &[PathBuf], root: &Path) -> Result<Vec<Archive>> {
    let prefix = format!("{host}/");
    let mut archives = Vec::new();
    for path in images {
        for mut archive in archive::find(&root.join(path))? {
            archive.images.retain(|_, full| full.starts_with(&prefix));
            if !archive.images.is_empty() {
                archives.push(archive);
            }
        }
    }
    Ok(archives)
}

/// The tag of an image whose registry is filled from these archives, on a sandbox image.
fn seed_tag(host: &str, archives: &[Archive], image: &str) -> String {
    let mut parts = vec![image.as_bytes(), host.as_bytes()];
    parts.extend(archives.iter().map(|it| it.index.as_slice()));
    format!("mdbook-rehearse/registry:{}", hash(parts))
}

/// Whether the image is there that a host's registry is filled in; `images` are the paths of its archives from the root.
pub(crate) async fn is_filled(
    host: &str,
    images: &[PathBuf],
    root: &Path,
    image: &str,
) -> Result<bool> {
    let archives = archives(host, images, root)?;
    Ok(image::is_there(&seed_tag(host, &archives, image)).await)
}

/// Makes sure of an image whose registry is filled from archives, by their paths from the book's root, and gives its tag.
pub(crate) async fn seed(host: &str, images: &[PathBuf], site: &Site<'_>) -> Result<String> {
    let archives = archives(host, images, site.root)?;
    let tag = seed_tag(host, &archives, site.image);
    if image::is_there(&tag).await {
        return Ok(tag);
    }
    let n_images = archives.iter().map(|it| it.images.len()).sum();
    (site.watch)(Event::RegistryFill {
        host: host.to_owned(),
        n_images,
    });
    let options = [
        "--network",
        "none",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
    ];
    let mut container = Container::start(Spec {
        image: site.image.to_owned(),
        labels: site.run.labels("registry").to_vec(),
        options: options.map(str::to_owned).to_vec(),
        start: agent(site.lifetime),
    })
    .await?;
    let settings = format!(
        "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {STORAGE}}}}}\nhttp: {{addr: \"127.0.0.1:5000\"}}\n"
    );
    let mut files = tar::Builder::new(Vec::new());
    image::append(&mut files, "fill.yml", settings.as_bytes())?;
    container.unpack(&files.into_inner()?).await?;
    container
        .must_run(&format!("mkdir -p {STORAGE}"), LIMIT)
        .await?;
    must_launch(
        &mut container,
        "docker-registry serve fill.yml",
        "http://127.0.0.1:5000/v2/",
    )
    .await?;
    for archive in &archives {
        container.unpack_path(&archive.path, "archive").await?;
        for (name, full) in &archive.images {
            let target = full.strip_prefix(host).unwrap_or(full);
            let copy = format!(
                "skopeo --insecure-policy copy --quiet --all --dest-tls-verify=false {}:archive:{name} \
                 docker://127.0.0.1:5000{target}",
                archive.transport
            );
            container.must_run(&copy, Duration::from_secs(300)).await?;
        }
        container.must_run("rm -rf archive", LIMIT).await?;
    }
    container
        .must_run("kill %1; wait; rm -rf /root/* /var/tmp/*", LIMIT)
        .await?;
    let label = format!("LABEL {}=image", labels::MANAGED);
    docker(&["commit", "--change", &label, &container.id, &tag]).await?;
    Ok(tag)
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    image::short(hash)
}
