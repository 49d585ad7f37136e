//! The agent: PID 1 of a sandbox container, and the tool's hands inside it.
//!
//! Its standard input and output are the wire ([`wire`]) and the lifeline: at the end of standard input it ends, and the
//! container with it. It starts the engine and one bash, hands the shell a command at a time, and reports what each
//! printed and how it ended. It also reaps the orphans that every PID 1 inherits.
//!
//! Standard library only, so that the image's own `rustc` builds it for whatever processor the engine has. This file is
//! its loop, the wire and how programs are started; the folder beside it has a file a topic.
//!
//! One loop waits for everything at once (orders, output, ends) and no thread exists, so the order of events is the
//! order of the reports. A command's output comes through a FIFO of its own, opened before the shell hears of it:
//! what the command wrote before it ended is read before its end is reported, and what it leaves in the background
//! keeps its number. A command that needs a terminal has one instead of the FIFO; it controls no session, since a shell
//! whose session it controlled would die with it. So what opens `/dev/tty` by name finds nothing.

#[path = "agent/system.rs"]
mod system;
mod wire;
#[path = "agent/ask.rs"]
mod ask;
#[path = "agent/engine.rs"]
mod engine;
#[path = "agent/unpack.rs"]
mod unpack;
#[path = "agent/processes.rs"]
mod processes;
#[path = "agent/output.rs"]
mod output;
#[path = "agent/shell.rs"]
mod shell;
#[path = "agent/interrupt.rs"]
mod interrupt;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use ask::{get, probe};
use engine::{Engine, NoNames};
use processes::last_pid;
use shell::{Limits, Shell};
use unpack::Unpacking;
use wire::{Order, Report, Start};

fn main() -> ExitCode {
    let began = Instant::now();
    let mut wire = match Wire::open() {
        Ok(wire) => wire,
        Err(_) => return ExitCode::from(70),
    };
    match serve(&mut wire, began) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The tool may be gone, and then nobody is left to tell.
            let _ = wire.report(&Report::Failed { message: error.to_string() });
            ExitCode::from(70)
        }
    }
}

/// Serves orders until the wire ends.
fn serve(wire: &mut Wire, began: Instant) -> io::Result<()> {
    wire.report(&Report::Hello { version: wire::VERSION })?;
    let start = match wire.next_order()? {
        Some(Order::Start(start)) => start,
        Some(_) => return Err(io::Error::other("the first order is not to start")),
        None => return Ok(()),
    };
    let deadline = began + Duration::from_millis(start.lifetime);
    system::become_subreaper();
    prepare(&start)?;
    let pid_before = last_pid();
    let (mut engine, names) = match start.engine.is_empty() {
        true => (None, None),
        false => (Some(Engine::launch(&start)?), Some(NoNames::bind()?)),
    };
    let mut shell = Shell::launch(&start)?;
    // A kernel that tells the same number after a fork tells nothing.
    shell.knows_forks = pid_before.is_some() && last_pid() != pid_before;
    if let Some(engine) = &mut engine {
        engine.wait_until_ready(wire, deadline)?;
    }
    wire.report(&Report::Ready { micros: micros(began.elapsed()) })?;

    let mut unpacking: Option<Unpacking> = None;
    while Instant::now() < deadline {
        wait(wire, &shell, names.as_ref())?;
        if let Some(names) = &names {
            names.answer();
        }
        if !wire.receive()? {
            return Ok(());
        }
        while let Some(order) = wire.take_order()? {
            match order {
                Order::Start(_) => return Err(io::Error::other("started twice")),
                Order::Files(piece) if piece.is_empty() => {
                    let message = unpacking.take().map_or(Ok(String::new()), Unpacking::finish)?;
                    wire.report(&Report::Unpacked { message })?;
                }
                Order::Files(piece) => {
                    if unpacking.is_none() {
                        unpacking = Some(Unpacking::begin(&start)?);
                    }
                    if let Some(unpacking) = &mut unpacking {
                        unpacking.add(&piece);
                    }
                }
                Order::Run { id, timeout, interrupt, streams, script } => {
                    let limits = Limits {
                        timeout: Duration::from_millis(timeout),
                        interrupt: (interrupt > 0).then(|| Duration::from_millis(interrupt)),
                    };
                    shell.run(id, limits, &streams, &script)?;
                }
                Order::Open { id, streams, script } => shell.open(id, &streams, &script)?,
                Order::Type { id, bytes } => shell.type_at(id, &bytes)?,
                Order::Interrupt { id } => shell.interrupt(id),
                Order::Get { path } => wire.report(&get(&start.socket, &path))?,
                Order::Probe { port, path } => wire.report(&probe(port, &path))?,
            }
        }
        for ended in system::reap() {
            shell.note_end(ended);
            if let Some(unpacking) = &mut unpacking {
                unpacking.note_end(ended);
            }
            if let Some(engine) = engine.as_ref().filter(|it| it.pid == ended.pid) {
                return Err(io::Error::other(format!("the engine stopped\n{}", engine.log_tail())));
            }
        }
        for report in shell.reports()? {
            wire.report(&report)?;
        }
    }
    Err(io::Error::other("the sandbox's time is over"))
}

/// Sleeps until something can have happened. The limit is there for the deadlines and for orphans, that wake nobody.
fn wait(wire: &Wire, shell: &Shell, names: Option<&NoNames>) -> io::Result<()> {
    let mut descriptors = vec![wire.input.as_raw_fd()];
    descriptors.extend(names.map(|it| it.socket.as_raw_fd()));
    shell.push_descriptors(&mut descriptors);
    system::wait_readable(&descriptors, 50)
}

/// Makes the container ready for its user; does nothing on a bare host, where no user is named.
fn prepare(start: &Start) -> io::Result<()> {
    // The image of a filled registry has the files of the agent that filled it.
    match fs::remove_dir_all(&start.scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&start.scratch)?,
    }
    fs::set_permissions(&start.scratch, fs::Permissions::from_mode(0o711))?;
    if !start.authority.is_empty() {
        let mut bundle = OpenOptions::new().append(true).open("/etc/ssl/certs/ca-certificates.crt")?;
        bundle.write_all(start.authority.as_bytes())?;
    }
    if !start.engine.is_empty() {
        fs::set_permissions("/dev/net/tun", fs::Permissions::from_mode(0o666))?;
        let run = Path::new(&start.socket).parent().ok_or_else(|| io::Error::other("a socket without a folder"))?;
        fs::create_dir_all(run.join("containerd"))?;
        let (uid, gid) = ids(&start.user)?.unwrap_or_default();
        for folder in [run, &run.join("containerd")] {
            std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        // Where every client looks first, so that no step needs DOCKER_HOST.
        symlink(&start.socket, "/run/docker.sock")?;
    }
    Ok(())
}

/// A command that runs as the shell's user, in its environment and a process group of its own.
fn command(start: &Start, program: &str) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.env_clear().current_dir(&start.workspace).process_group(0);
    command.envs(start.environment.iter().filter_map(|it| it.split_once('=')));
    if let Some((uid, gid)) = ids(&start.user)? {
        command.uid(uid).gid(gid);
    }
    // As at a terminal, whatever started this process: a shell cannot undo that a signal is ignored from its start.
    system::hear_signals(&mut command);
    Ok(command)
}

fn ids(user: &str) -> io::Result<Option<(u32, u32)>> {
    if user.is_empty() {
        return Ok(None);
    }
    let ids = user.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
    ids.map(Some).ok_or_else(|| io::Error::other(format!("`{user}` is no `uid:gid`")))
}

/// The tool's end of the wire.
struct Wire {
    input: File,
    buffer: Vec<u8>,
}

impl Wire {
    fn open() -> io::Result<Wire> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Wire { input, buffer: Vec::new() })
    }

    fn report(&mut self, report: &Report) -> io::Result<()> {
        wire::write_report(&mut io::stdout().lock(), report)
    }

    /// Takes in what has come, without waiting; false at the wire's end.
    fn receive(&mut self) -> io::Result<bool> {
        if !system::is_readable(self.input.as_raw_fd())? {
            return Ok(true);
        }
        let mut bytes = vec![0; 64 << 10];
        let n = self.input.read(&mut bytes)?;
        self.buffer.extend(&bytes[..n]);
        Ok(n > 0)
    }

    fn take_order(&mut self) -> io::Result<Option<Order>> {
        match wire::take_frame(&mut self.buffer)? {
            Some(frame) => wire::parse_order(&frame).map(Some),
            None => Ok(None),
        }
    }

    /// Waits for the next order; `None` at the wire's end.
    fn next_order(&mut self) -> io::Result<Option<Order>> {
        loop {
            if let Some(order) = self.take_order()? {
                return Ok(Some(order));
            }
            system::wait_readable(&[self.input.as_raw_fd()], 1000)?;
            if !self.receive()? {
                return Ok(None);
            }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
