//! A container with an agent in it, and the wire to the agent.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::sandbox::docker::{command, docker};
use crate::sandbox::wire::{self, End, Order, Report, Start, Streams};

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
    /// Reports of commands that came while nobody waited for any.
    aside: VecDeque<Report>,
    /// Opened commands that have ended, with their statuses where these are known.
    closed: BTreeMap<u32, Option<i32>>,
    /// From the agent's first moment until shell and engine answered.
    pub(crate) boot: Duration,
}

/// A command to be run and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task<'a> {
    /// The command.
    pub(crate) script: &'a str,
    /// When it is given up.
    pub(crate) limit: Duration,
    /// What it reads from and prints to.
    pub(crate) streams: Streams,
    /// When it is interrupted. Its limit should leave [`wire::GRACE`] after that.
    pub(crate) interrupt: Option<Duration>,
}

impl<'a> Task<'a> {
    /// A command that has nothing to read and runs to its end.
    pub(crate) fn new(script: &'a str, limit: Duration) -> Task<'a> {
        Task {
            script,
            limit,
            streams: nothing_to_read(),
            interrupt: None,
        }
    }
}

/// A pipe out, and in nothing.
pub(crate) fn nothing_to_read() -> Streams {
    Streams::Pipe { input: Vec::new() }
}

/// What one command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) id: u32,
    pub(crate) end: End,
    pub(crate) took: Duration,
    pub(crate) forked: bool,
    /// Whether it was interrupted, as it was to be.
    pub(crate) interrupted: bool,
}

/// What was heard of the commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Something was printed, or an opened command ended.
    Something,
    /// The command in the foreground ended.
    Done(Ran),
    /// Nothing, within the time.
    Nothing,
}

/// What a server on the sandbox's loopback address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probed {
    /// Whether there is one.
    pub(crate) listens: bool,
    /// HTTP status of the page asked for; 0 for none.
    pub(crate) status: u16,
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
            aside: VecDeque::new(),
            closed: BTreeMap::new(),
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
        let mut aside = VecDeque::new();
        loop {
            match self.report().await? {
                Report::Unpacked { message } => {
                    self.aside = aside;
                    return match message.trim() {
                        "" => Ok(()),
                        message => bail!("failed to unpack files in the sandbox: {message}"),
                    };
                }
                report => aside.push_back(report),
            }
        }
    }

    /// Runs a command; `output` gets what is printed until its end, by it and by others still running.
    pub(crate) async fn run(
        &mut self,
        task: Task<'_>,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Ran> {
        self.begin(task).await?;
        loop {
            let report = self.report().await?;
            if let Heard::Done(ran) = self.take_in(report, &mut output)? {
                return Ok(ran);
            }
        }
    }

    /// Begins to run a command, whose end [`Container::hear`] tells; gives its number.
    pub(crate) async fn begin(&mut self, task: Task<'_>) -> Result<u32> {
        self.last_command += 1;
        let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        self.order(&Order::Run {
            id: self.last_command,
            timeout: millis(task.limit),
            interrupt: task.interrupt.map_or(0, |it| millis(it).max(1)),
            streams: task.streams,
            script: task.script.as_bytes().to_vec(),
        })
        .await?;
        Ok(self.last_command)
    }

    /// Starts a command beside the shell and comes back at once, with how the opening went. What it prints comes to
    /// whoever waits for something; [`Container::closed`] tells whether it has ended.
    pub(crate) async fn open(
        &mut self,
        script: &str,
        streams: Streams,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Ran> {
        self.last_command += 1;
        self.order(&Order::Open {
            id: self.last_command,
            streams,
            script: script.as_bytes().to_vec(),
        })
        .await?;
        loop {
            let report = self.report().await?;
            if let Heard::Done(ran) = self.take_in(report, &mut output)? {
                return Ok(ran);
            }
        }
    }

    /// Types at a command's terminal, if it has one and has not ended.
    pub(crate) async fn type_at(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        self.order(&Order::Type {
            id,
            bytes: bytes.to_vec(),
        })
        .await
    }

    /// Presses Ctrl-C for a command; what has not ended by it is killed [`wire::GRACE`] later.
    pub(crate) async fn interrupt(&mut self, id: u32) -> Result<()> {
        self.order(&Order::Interrupt { id }).await
    }

    /// Whether an opened command has ended, as far as was heard, and its status where it is known.
    pub(crate) fn closed(&self, id: u32) -> Option<Option<i32>> {
        self.closed.get(&id).copied()
    }

    /// Waits for the next thing to be told of the commands, at most until `deadline`.
    pub(crate) async fn hear(
        &mut self,
        deadline: Instant,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Heard> {
        match timeout_at(deadline, self.report()).await {
            Err(_) => Ok(Heard::Nothing),
            Ok(report) => self.take_in(report?, &mut output),
        }
    }

    /// Asks a server on the loopback address for a page, or with an empty path whether it is there.
    pub(crate) async fn probe(
        &mut self,
        port: u16,
        path: &str,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Probed> {
        let path = path.to_owned();
        self.order(&Order::Probe { port, path }).await?;
        loop {
            match self.report().await? {
                Report::Probed { listens, status } => return Ok(Probed { listens, status }),
                report => self.expect_aside(report, &mut output)?,
            }
        }
    }

    /// Runs a command of our own that must succeed, and gives its output.
    pub(crate) async fn must_run(&mut self, script: &str, limit: Duration) -> Result<String> {
        let mut output = Vec::new();
        let ran = self
            .run(Task::new(script, limit), |_, bytes| output.extend(bytes))
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
                Report::Got { status: 200, body } => return Ok(body),
                Report::Got { status, body } => {
                    bail!(
                        "the engine answered {status} for `{path}`: {}",
                        String::from_utf8_lossy(&body).trim()
                    )
                }
                report => self.expect_aside(report, &mut output)?,
            }
        }
    }

    /// Takes in a report of something that goes on beside what is waited for.
    fn expect_aside(&mut self, report: Report, output: &mut impl FnMut(u32, &[u8])) -> Result<()> {
        match self.take_in(report, output)? {
            Heard::Something | Heard::Nothing => Ok(()),
            Heard::Done(ran) => {
                bail!("the agent tells the end of a command that nobody ran: {ran:?}")
            }
        }
    }

    /// Takes in a report of the commands.
    fn take_in(&mut self, report: Report, output: &mut impl FnMut(u32, &[u8])) -> Result<Heard> {
        match report {
            Report::Output { id, bytes } => output(id, &bytes),
            Report::Closed { id, status } => {
                self.closed.insert(id, status);
            }
            Report::Done {
                id,
                end,
                micros,
                forked,
                interrupted,
            } if id == self.last_command => {
                return Ok(Heard::Done(Ran {
                    id,
                    end,
                    took: Duration::from_micros(micros),
                    forked,
                    interrupted,
                }));
            }
            report => bail!("the agent should tell of commands but says {report:?}"),
        }
        Ok(Heard::Something)
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
        if let Some(report) = self.aside.pop_front() {
            return Ok(report);
        }
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
