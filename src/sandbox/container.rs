//! A container with an agent in it, and the wire to the agent.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::sandbox::docker::{command, docker};
use crate::sandbox::wire::{self, End, Order, Report, Start};

/// How long an agent may take to be ready.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// What `docker create` gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    /// Image with the agent.
    pub(crate) image: String,
    /// Labels, `NAME=value`.
    pub(crate) labels: Vec<String>,
    /// Further options.
    pub(crate) options: Vec<String>,
    /// The agent's first order.
    pub(crate) start: Start,
}

/// A running container with an agent that is ready. It ends when this value goes.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    client: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    buffer: Vec<u8>,
    last_command: u32,
    /// From the agent's first moment until shell and engine answered.
    pub(crate) boot: Duration,
}

/// What one command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) id: u32,
    pub(crate) end: End,
    pub(crate) took: Duration,
    pub(crate) forked: bool,
}

impl Container {
    /// Creates and starts a container and waits for its agent.
    pub(crate) async fn start(spec: Spec) -> Result<Container> {
        let mut arguments = vec!["create", "--interactive", "--rm", "--log-driver", "none"];
        for label in &spec.labels {
            arguments.extend(["--label", label]);
        }
        arguments.extend(spec.options.iter().map(String::as_str));
        arguments.push(&spec.image);
        let id = docker(&arguments).await?;
        let mut client = command(&["start", "--attach", "--interactive", &id])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start `docker start`")?;
        let (Some(stdin), Some(stdout)) = (client.stdin.take(), client.stdout.take()) else {
            bail!("`docker start` has no pipes");
        };
        let boot = Duration::ZERO;
        let mut container = Container {
            id,
            client,
            stdin,
            stdout,
            buffer: Vec::new(),
            last_command: 0,
            boot,
        };
        timeout(START_DEADLINE, container.greet(spec.start))
            .await
            .map_err(|_| {
                anyhow!(
                    "the sandbox was not ready within {} s",
                    START_DEADLINE.as_secs()
                )
            })??;
        Ok(container)
    }

    async fn greet(&mut self, start: Start) -> Result<()> {
        match self.report().await? {
            Report::Hello {
                version: wire::VERSION,
            } => {}
            report => bail!("the agent speaks another version of the wire: {report:?}"),
        }
        self.order(&Order::Start(start)).await?;
        match self.report().await? {
            Report::Ready { micros } => {
                self.boot = Duration::from_micros(micros);
                Ok(())
            }
            report => bail!("the agent is not ready but says {report:?}"),
        }
    }

    /// Joins a further network, under these names.
    pub(crate) async fn join(&self, network: &str, names: &[&str]) -> Result<()> {
        let mut arguments = vec!["network", "connect"];
        for name in names {
            arguments.extend(["--alias", name]);
        }
        arguments.extend([network, &self.id]);
        docker(&arguments).await.map(|_| ())
    }

    /// Unpacks a tar stream into the workspace.
    pub(crate) async fn unpack(&mut self, archive: &[u8]) -> Result<()> {
        for piece in archive.chunks(1 << 20) {
            self.order(&Order::Files(piece.to_vec())).await?;
        }
        self.end_unpacking().await
    }

    /// Unpacks a file or folder of this machine into the workspace under a name, without reading it whole.
    pub(crate) async fn unpack_path(&mut self, path: &Path, name: &str) -> Result<()> {
        let (sender, mut pieces) = mpsc::channel(4);
        let packing = tokio::task::spawn_blocking({
            let (path, name) = (path.to_owned(), name.to_owned());
            move || {
                let mut archive =
                    tar::Builder::new(BufWriter::with_capacity(1 << 20, Pieces { sender }));
                match path.is_dir() {
                    true => archive.append_dir_all(&name, &path)?,
                    false => archive.append_path_with_name(&path, &name)?,
                }
                archive.into_inner()?.flush()
            }
        });
        while let Some(piece) = pieces.recv().await {
            self.order(&Order::Files(piece)).await?;
        }
        packing
            .await?
            .with_context(|| format!("failed to pack `{}`", path.display()))?;
        self.end_unpacking().await
    }

    async fn end_unpacking(&mut self) -> Result<()> {
        self.order(&Order::Files(Vec::new())).await?;
        match self.report().await? {
            Report::Unpacked { message } if message.is_empty() => Ok(()),
            Report::Unpacked { message } => {
                bail!("failed to unpack files in the sandbox: {}", message.trim())
            }
            report => bail!("the agent should have unpacked files but says {report:?}"),
        }
    }

    /// Runs a command; `output` gets what is printed until its end, by it and by earlier ones still running.
    pub(crate) async fn run(
        &mut self,
        script: &str,
        limit: Duration,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Ran> {
        self.last_command += 1;
        let number = self.last_command;
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.order(&Order::Run {
            id: number,
            timeout: millis,
            script: script.as_bytes().to_vec(),
        })
        .await?;
        loop {
            match self.report().await? {
                Report::Output { id, bytes } => output(id, &bytes),
                Report::Done {
                    id,
                    end,
                    micros,
                    forked,
                } if id == number => {
                    return Ok(Ran {
                        id,
                        end,
                        took: Duration::from_micros(micros),
                        forked,
                    });
                }
                report => bail!("the agent should be running command {number} but says {report:?}"),
            }
        }
    }

    /// Runs a command of our own that must succeed, and gives its output.
    pub(crate) async fn must_run(&mut self, script: &str, limit: Duration) -> Result<String> {
        let mut output = Vec::new();
        let ran = self
            .run(script, limit, |_, bytes| output.extend(bytes))
            .await?;
        let output = String::from_utf8_lossy(&output).into_owned();
        match ran.end {
            End::Exited(0) => Ok(output),
            end => bail!("in the sandbox `{script}` ended with {end:?}:\n{output}"),
        }
    }

    /// Asks the engine's API; the body of an answer with status 200. `output` as in [`Container::run`].
    pub(crate) async fn get(
        &mut self,
        path: &str,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Vec<u8>> {
        self.order(&Order::Get {
            path: path.to_owned(),
        })
        .await?;
        loop {
            match self.report().await? {
                Report::Output { id, bytes } => output(id, &bytes),
                Report::Got { status: 200, body } => return Ok(body),
                Report::Got { status, body } => {
                    bail!(
                        "the engine answered {status} for `{path}`: {}",
                        String::from_utf8_lossy(&body).trim()
                    )
                }
                report => bail!("the agent should have asked for `{path}` but says {report:?}"),
            }
        }
    }

    async fn order(&mut self, order: &Order) -> Result<()> {
        let mut frame = Vec::new();
        wire::write_order(&mut frame, order)?;
        if self.stdin.write_all(&frame).await.is_err() {
            return Err(self.lost().await);
        }
        Ok(())
    }

    async fn report(&mut self) -> Result<Report> {
        loop {
            if let Some(frame) = wire::take_frame(&mut self.buffer)? {
                return match wire::parse_report(&frame)? {
                    Report::Failed { message } => bail!("{message}"),
                    report => Ok(report),
                };
            }
            if self.stdout.read_buf(&mut self.buffer).await? == 0 {
                return Err(self.lost().await);
            }
        }
    }

    /// Why the wire ended, as the client tells it.
    async fn lost(&mut self) -> anyhow::Error {
        let mut message = String::new();
        if let Some(stderr) = &mut self.client.stderr {
            let _ = timeout(Duration::from_secs(2), stderr.read_to_string(&mut message)).await;
        }
        match message.trim() {
            "" => anyhow!("the sandbox went away"),
            message => anyhow!("the sandbox went away: {message}"),
        }
    }
}

/// Hands what is written on to an asynchronous reader.
struct Pieces {
    sender: mpsc::Sender<Vec<u8>>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(1 << 20)];
        self.sender
            .blocking_send(piece.to_vec())
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
