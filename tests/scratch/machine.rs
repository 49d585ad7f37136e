//! The engine of this machine, the stand-ins, and a registry as the world has them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use mdbook_rehearse::config::{self, Config};
use mdbook_rehearse::sandbox;
use sha2::{Digest, Sha256};

pub(crate) const RUN: &str = "io.github.mdbook-rehearse.run";
pub(crate) const OWNER: &str = "io.github.mdbook-rehearse.owner";

/// Fails with one line that names the remedy where the machine lacks something; nothing here passes without it.
pub(crate) fn need(config: &Config) {
    if tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(sandbox::outer_engine())
        .is_err()
    {
        panic!("no Docker engine answers; start one with `make engine`");
    }
    let is_local = |it: &config::Registry| matches!(it, config::Registry::Local { .. });
    if config.registries.values().any(is_local) && !stand_ins().join("built.json").exists() {
        panic!("the stand-ins are missing; make them with `make stand-ins`");
    }
}

pub(crate) fn stand_ins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/stand-ins")
}

/// What `docker` on this machine prints; its own trouble is none of ours.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// All containers, networks and volumes that a process made and that are still there.
pub(crate) fn things_of(pid: u32) -> BTreeSet<String> {
    let format = |id: &str| format!("{{{{{id}}}}} {{{{.Label \"{OWNER}\"}}}}");
    let filter = format!("label={RUN}");
    let (by_id, by_name) = (format(".ID"), format(".Name"));
    let lists = [
        docker(&["ps", "-a", "--filter", &filter, "--format", &by_id]),
        docker(&["network", "ls", "--filter", &filter, "--format", &by_id]),
        docker(&["volume", "ls", "--filter", &filter, "--format", &by_name]),
    ];
    let lines = lists.iter().flat_map(|it| it.lines());
    let is_its = |it: &&str| it.contains(&format!("/{pid}/"));
    lines.filter(is_its).map(str::to_owned).collect()
}

/// A registry outside of every sandbox, as the world has them; it goes with this value.
pub(crate) struct Upstream {
    pub(crate) container: String,
    pub(crate) url: String,
}

impl Upstream {
    #[track_caller]
    pub(crate) fn start() -> Upstream {
        let settings = "version: 0.1\\nstorage: {filesystem: {rootdirectory: /tmp/blobs}}\\nhttp: {addr: \":5000\"}\\n";
        let serve = format!(
            "printf '{settings}' >/tmp/settings.yml; exec docker-registry serve /tmp/settings.yml"
        );
        let image = sandbox::image_tag(&Config::default().base_image);
        let container = docker(&[
            "run",
            "-d",
            "--label",
            "mdbook-rehearse-test=upstream",
            "--entrypoint",
            "sh",
            &image,
            "-c",
            &serve,
        ]);
        assert_eq!(container.len(), 64, "the upstream did not start");
        let address = docker(&[
            "inspect",
            "--format",
            "{{.NetworkSettings.IPAddress}}",
            &container,
        ]);
        let upstream = Upstream {
            container,
            url: format!("http://{address}:5000"),
        };
        let archive = stand_ins()
            .join("docker.io/alpine.tar")
            .display()
            .to_string();
        docker(&[
            "cp",
            &archive,
            &format!("{}:/tmp/alpine.tar", upstream.container),
        ]);
        let fill = "until curl -so /dev/null 127.0.0.1:5000/v2/; do sleep 0.05; done; skopeo --insecure-policy copy -q \
                    --dest-tls-verify=false oci-archive:/tmp/alpine.tar:docker.io/library/alpine:latest \
                    docker://127.0.0.1:5000/library/alpine:latest && echo filled";
        assert_eq!(
            docker(&["exec", &upstream.container, "sh", "-c", fill]),
            "filled"
        );
        upstream
    }

    pub(crate) fn stop(&self) {
        docker(&["rm", "-fv", &self.container]);
    }

    pub(crate) fn cache(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.url.len() as u64).to_be_bytes());
        hash.update(&self.url);
        let hash: String = hash
            .finalize()
            .iter()
            .take(6)
            .map(|it| format!("{it:02x}"))
            .collect();
        format!("mdbook-rehearse-cache-docker.io-{hash}")
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop();
        docker(&["volume", "rm", "-f", &self.cache()]);
    }
}
