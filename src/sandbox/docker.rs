//! The `docker` command line, as far as the tool needs it to reach the outer engine: contexts, `DOCKER_HOST`, `ssh://`
//! hosts and credentials come with it, and it negotiates the API's version.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// No single call may take longer, building an image aside.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs `docker` with these arguments; its standard output, trimmed.
pub(crate) async fn docker(arguments: &[&str]) -> Result<String> {
    docker_with_input(arguments, &[]).await
}

/// Runs `docker` with these arguments and this standard input; its standard output, trimmed.
pub(crate) async fn docker_with_input(arguments: &[&str], input: &[u8]) -> Result<String> {
    let what = arguments
        .iter()
        .take_while(|it| !it.starts_with('-'))
        .take(2)
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    let mut child = command(arguments)
        .stdin(if input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start `docker`; is the docker command line installed?")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(input)
            .await
            .with_context(|| format!("`docker {what}` did not read its input"))?;
    }
    let output = match timeout(DEADLINE, child.wait_with_output()).await {
        Ok(output) => output.with_context(|| format!("failed to wait for `docker {what}`"))?,
        Err(_) => bail!(
            "`docker {what}` did not answer within {} s",
            DEADLINE.as_secs()
        ),
    };
    if !output.status.success() {
        bail!(
            "`docker {what}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `docker` with these arguments, in a process group of its own so that the terminal's Ctrl-C reaches only the tool,
/// and ended with it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments).process_group(0).kill_on_drop(true);
    command
}

/// The outer engine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OuterEngine {
    /// `28.5.2`.
    pub server_version: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// `linux`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// `1` or `2`.
    #[serde(default)]
    pub cgroup_version: String,
    /// Number of processors.
    #[serde(rename = "NCPU", default)]
    pub n_cpu: usize,
    /// Bytes of memory.
    #[serde(rename = "MemTotal", default)]
    pub memory: u64,
    /// Storage driver.
    pub driver: String,
    /// Folder of its data, on its host.
    pub docker_root_dir: String,
    /// Container runtimes by name: `runc`, and others that wall off better.
    #[serde(default)]
    pub runtimes: BTreeMap<String, serde_json::Value>,
}

/// Asks the outer engine who it is, within five seconds.
pub async fn outer_engine() -> Result<OuterEngine> {
    const REMEDY: &str =
        "is it running, may this user reach it, and does `docker context show` name the right one?";
    let info = timeout(
        Duration::from_secs(5),
        docker(&["info", "--format", "{{json .}}"]),
    )
    .await;
    let info = match info {
        Err(_) => bail!("no Docker engine answered within 5 s; {REMEDY}"),
        Ok(Err(error)) if error.downcast_ref::<std::io::Error>().is_some() => return Err(error),
        Ok(Err(error)) => bail!("no Docker engine answers; {REMEDY} ({error:#})"),
        Ok(Ok(info)) => info,
    };
    // `docker info` ends with status 0 and empty fields where it finds only itself.
    let value: serde_json::Value =
        serde_json::from_str(&info).context("`docker info` printed no JSON")?;
    if let Some(errors) = value["ServerErrors"].as_array().filter(|it| !it.is_empty()) {
        let errors: Vec<&str> = errors
            .iter()
            .filter_map(serde_json::Value::as_str)
            .collect();
        bail!("no Docker engine answers; {REMEDY} ({})", errors.join("; "));
    }
    let engine: OuterEngine =
        serde_json::from_value(value).context("`docker info` has an unknown form")?;
    if engine.os_type != "linux" {
        bail!(
            "the Docker engine runs {} containers; switch it to Linux containers",
            engine.os_type
        );
    }
    Ok(engine)
}
