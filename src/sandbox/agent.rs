//! The agent: PID 1 of a sandbox container, and the tool's hands inside it.
//!
//! Its standard input and output are the wire ([`wire`]) and the lifeline: at the end of standard input it ends, and the
//! container with it. It starts the engine and one bash, hands the shell a command at a time, and reports what each
//! printed and how it ended. It also reaps the orphans that every PID 1 inherits.
//!
//! Standard library only and one file beside the wire, so that the image's own `rustc` builds it for whatever processor
//! the engine has. The few system calls that the library lacks are in [`system`].
//!
//! One loop waits for everything at once (orders, output, ends) and no thread exists, so the order of events is the
//! order of the reports. A command's output comes through a FIFO of its own, opened before the shell hears of it:
//! what the command wrote before it ended is read before its end is reported, and what it leaves in the background
//! keeps its number. A command that needs a terminal has one instead of the FIFO; it controls no session, since a shell
//! whose session it controlled would die with it. So what opens `/dev/tty` by name finds nothing.

mod wire;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::{symlink, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wire::{End, Order, Report, Start, Streams, GRACE};

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

/// The engine, started and watched.
struct Engine {
    pid: i32,
    log: PathBuf,
    socket: String,
}

impl Engine {
    fn launch(start: &Start) -> io::Result<Engine> {
        let log = Path::new(&start.scratch).join("engine.log");
        let out = File::create(&log)?;
        let child = command(start, &start.engine[0])?
            .args(&start.engine[1..])
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()?;
        Ok(Engine { pid: child.id() as i32, log, socket: start.socket.clone() })
    }

    /// Waits until the engine answers a ping; the wire's end ends the wait.
    fn wait_until_ready(&mut self, wire: &mut Wire, deadline: Instant) -> io::Result<()> {
        while Instant::now() < deadline {
            if matches!(get(&self.socket, "/_ping"), Report::Got { status: 200, .. }) {
                return Ok(());
            }
            if system::reap().iter().any(|it| it.pid == self.pid) {
                break;
            }
            system::wait_readable(&[wire.input.as_raw_fd()], 5)?;
            if !wire.receive()? {
                return Err(io::Error::other("the wire ended"));
            }
        }
        Err(io::Error::other(format!("the engine did not start\n{}", self.log_tail())))
    }

    fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(50)..].join("\n")
    }
}

/// A name server that knows no name. Docker's own resolver knows those of the network and asks here for all others.
struct NoNames {
    socket: UdpSocket,
}

impl NoNames {
    fn bind() -> io::Result<NoNames> {
        let socket = UdpSocket::bind("127.0.0.1:53")?;
        socket.set_nonblocking(true)?;
        Ok(NoNames { socket })
    }

    /// Answers every question that has come with "no such name" (RFC 1035, 4.1.1: QR and RA set, RCODE 3).
    fn answer(&self) {
        let mut message = [0; 512];
        while let Ok((n, from)) = self.socket.recv_from(&mut message) {
            if n >= 12 {
                message[2] |= 0x80;
                message[3] = 0x83;
                // Whoever asked asks again if this is lost.
                let _ = self.socket.send_to(&message[..n], from);
            }
        }
    }
}

/// Asks the engine's API; HTTP 1.0, so that the answer's end is the connection's.
fn get(socket: &str, path: &str) -> Report {
    let ask = || -> io::Result<(u16, Vec<u8>)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let path = path.replace(wire::NOW, &now);
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(wire::MAX_FRAME as u64 / 2).read_to_end(&mut answer)?;
        let head_end = answer.windows(4).position(|it| it == b"\r\n\r\n");
        let head_end = head_end.ok_or_else(|| io::Error::other("the engine's answer has no end of head"))?;
        let status = http_status(&answer).ok_or_else(|| io::Error::other("the engine's answer has no status"))?;
        Ok((status, answer.split_off(head_end + 4)))
    };
    match ask() {
        Ok((status, body)) => Report::Got { status, body },
        Err(error) => Report::Got { status: 0, body: error.to_string().into_bytes() },
    }
}

/// The status in an HTTP answer's first line.
fn http_status(answer: &[u8]) -> Option<u16> {
    let line = String::from_utf8_lossy(answer.split(|it| *it == b'\n').next()?);
    line.strip_prefix("HTTP/")?.split_whitespace().nth(1)?.parse().ok()
}

/// Asks whether somebody listens on the loopback address, and for a page if there is a path; takes a second at most.
fn probe(port: u16, path: &str) -> Report {
    let deadline = Instant::now() + Duration::from_secs(1);
    let none = Report::Probed { listens: false, status: 0 };
    let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(1))
    else {
        return none;
    };
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    if !path.is_empty() && stream.write_all(request.as_bytes()).is_err() {
        return none;
    }
    // A published port accepts before there is a server behind it, and then hangs up at once.
    let patience = if path.is_empty() { Duration::from_millis(100) } else { Duration::from_secs(1) };
    let mut answer = Vec::new();
    loop {
        let left = patience.min(deadline.saturating_duration_since(Instant::now()));
        let mut bytes = [0; 256];
        // A timeout of zero would be none.
        let read =
            stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).and_then(|()| stream.read(&mut bytes));
        match read {
            Ok(n @ 1..) => answer.extend(&bytes[..n]),
            Ok(_) => return Report::Probed { listens: !answer.is_empty(), status: http_status(&answer).unwrap_or(0) },
            Err(error) => {
                let is_patient = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                return Report::Probed { listens: is_patient || !answer.is_empty(), status: 0 };
            }
        }
        if path.is_empty() || answer.contains(&b'\n') || Instant::now() >= deadline {
            let status = if path.is_empty() { None } else { http_status(&answer) };
            return Report::Probed { listens: true, status: status.unwrap_or(0) };
        }
    }
}

/// Unpacks a tar stream into the workspace.
struct Unpacking {
    tar: Child,
    /// A file and no pipe, that would have to be read while pieces are written.
    log: PathBuf,
    succeeded: Option<bool>,
}

impl Unpacking {
    fn begin(start: &Start) -> io::Result<Unpacking> {
        let log = Path::new(&start.scratch).join("tar.log");
        let tar = command(start, "tar")?
            .args(["--extract", "--file=-", "--no-same-owner"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        Ok(Unpacking { tar, log, succeeded: None })
    }

    /// A failure to write shows in the message of [`Unpacking::finish`].
    fn add(&mut self, piece: &[u8]) {
        if let Some(stdin) = &mut self.tar.stdin {
            let _ = stdin.write_all(piece);
        }
    }

    /// Notes how `tar` ended, if it was it.
    fn note_end(&mut self, ended: system::Ended) {
        if ended.pid == self.tar.id() as i32 {
            self.succeeded = Some(ended.status == 0 && ended.signal == 0);
        }
    }

    /// Why it failed; empty if it did not, for then there are at most warnings.
    fn finish(mut self) -> io::Result<String> {
        drop(self.tar.stdin.take());
        let succeeded = match self.succeeded {
            Some(it) => it,
            None => self.tar.wait()?.success(),
        };
        if succeeded {
            return Ok(String::new());
        }
        let log = fs::read(&self.log)?;
        Ok(format!("tar failed: {}", String::from_utf8_lossy(&log[..log.len().min(4096)])))
    }
}

/// The one bash of the exercise.
///
/// Its standard input brings two lines a command: the first runs it, the second, which bash reads only when the first is
/// done, sends its status through a FIFO. A random word in the second line makes sure that it was that line: a command
/// cannot know the word while it runs. What the shell itself prints (of traps and traces, around the lines) goes nowhere.
struct Shell {
    pid: i32,
    stdin: ChildStdin,
    control: File,
    statuses: Vec<u8>,
    scratch: PathBuf,
    owner: Option<(u32, u32)>,
    output_limit: u64,
    running: Option<Running>,
    opened: Vec<Opened>,
    outputs: Vec<Output>,
    last_status: i32,
    ended: Option<End>,
    knows_forks: bool,
    /// Whether the last command had a trap of ours, that the next one shall not find.
    has_trap: bool,
}

/// When a command is interrupted and when it is given up.
struct Limits {
    timeout: Duration,
    interrupt: Option<Duration>,
}

/// What the shell is busy with: a command, or the opening of one.
struct Running {
    id: u32,
    word: String,
    began: Instant,
    limits: Limits,
    /// The FIFO that the shell opens in the moment when its trap catches an interrupt of this command.
    gate: Option<File>,
    last_pid: Option<String>,
    /// Children that the shell had before.
    earlier: Vec<i32>,
    interrupt: Option<Interrupt>,
}

/// A command beside the shell. An orphan from the start, so that the shell's own jobs stay as they are and its status
/// comes to this process; of a process group of its own, so that it is not deaf to interrupts as other background jobs.
struct Opened {
    id: u32,
    pid: Option<i32>,
    has_ended: bool,
    status: Option<i32>,
    interrupt: Option<Interrupt>,
}

/// That Ctrl-C was pressed.
struct Interrupt {
    at: Instant,
    reach: Reach,
    heard: Vec<Heard>,
    /// Since when nobody is left whom it could end, and the processor time that the shell had used until then.
    over: Option<(Instant, u64)>,
}

/// Whom an interrupt goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// A program that reads it as a letter.
    Letter,
    /// The processes that a command of the shell had then.
    Present,
    /// The shell too, or the whole of an opened command: and so also what they were about to begin.
    Everything,
}

/// A process that got the signal.
struct Heard {
    pid: i32,
    /// It was a copy of a shell that had not yet laid down that shell's trap, and so the signal was lost.
    is_copy: bool,
}

impl Running {
    /// Whether an interrupt would meet this command; one that comes before would meet nothing, or end the shell.
    fn takes_interrupts(&mut self) -> bool {
        // A FIFO that nobody has opened for writing is at its end.
        self.gate.as_mut().is_none_or(|it| !matches!(it.read(&mut [0]), Ok(0)))
    }
}

impl Interrupt {
    /// The processes that the signal is due to. None gets it twice: to many programs a second one means to hurry.
    fn due(&self, processes: &[Process]) -> Vec<i32> {
        // Until somebody has heard it goes to whoever comes: it was pressed for what the shell was about to begin.
        let is_for_new = self.heard.is_empty() || self.reach == Reach::Everything;
        let mut due = Vec::new();
        for process in processes {
            let is_root = processes.iter().all(|it| it.pid != process.parent);
            let is_due = match self.heard.iter().find(|it| it.pid == process.pid) {
                Some(heard) => heard.is_copy && !is_trapping_copy(process),
                // What a program begins because of the interrupt is not to be ended by it: its parent has heard already.
                None => (is_root && is_for_new) || due.contains(&process.parent),
            };
            if is_due {
                due.push(process.pid);
            }
        }
        due
    }

    /// Sends the signal to those it is due to, who stand still meanwhile.
    fn press(&mut self, processes: &[Process]) {
        for pid in self.due(processes) {
            system::send(pid, system::SIGINT);
            self.heard.retain(|it| it.pid != pid);
            // A copy that has children has come further.
            let is_alone = processes.iter().all(|it| it.parent != pid);
            let is_copy = is_alone && processes.iter().any(|it| it.pid == pid && is_trapping_copy(it));
            self.heard.push(Heard { pid, is_copy });
        }
    }

    /// Whether all that got the signal are gone and the shell runs the next ones, or is itself what the command does.
    fn is_passed_over(&mut self, shell: &Process, processes: &[Process]) -> bool {
        if self.heard.iter().any(|it| hears_interrupts(it.pid)) {
            self.over = None;
            return false;
        }
        let (since, ticks) = *self.over.get_or_insert((Instant::now(), shell.ticks));
        // A shell that waits for the processor is on its way to the end of the command.
        let is_new = |it: &Process| self.heard.iter().all(|heard| heard.pid != it.pid) && hears_interrupts(it.pid);
        let is_at_work = shell.is_asleep || shell.ticks >= ticks + WORK || processes.iter().any(is_new);
        is_at_work && since.elapsed() >= COMING_TO_AN_END
    }
}

impl Shell {
    fn launch(start: &Start) -> io::Result<Shell> {
        let mut child = command(start, "bash")?
            .args(["--noprofile", "--norc", "-O", "expand_aliases"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let stdin = child.stdin.take().ok_or_else(|| io::Error::other("the shell has no pipe"))?;
        let control = Path::new(&start.scratch).join(CONTROL);
        make_fifo(&control)?;
        // For writing too: without a writer in between, a FIFO is at its end.
        let control = OpenOptions::new().read(true).write(true).custom_flags(system::O_NONBLOCK).open(control)?;
        Ok(Shell {
            pid: child.id() as i32,
            stdin,
            control,
            statuses: Vec::new(),
            scratch: PathBuf::from(&start.scratch),
            owner: ids(&start.user)?,
            output_limit: start.output_limit,
            running: None,
            opened: Vec::new(),
            outputs: Vec::new(),
            last_status: 0,
            ended: None,
            knows_forks: false,
            has_trap: false,
        })
    }

    fn push_descriptors(&self, descriptors: &mut Vec<RawFd>) {
        descriptors.push(self.control.as_raw_fd());
        // One that has lost its writers would wake us forever.
        descriptors.extend(self.outputs.iter().filter(|it| it.open).map(|it| it.source.as_raw_fd()));
    }

    /// Hands a command to the shell.
    fn run(&mut self, id: u32, limits: Limits, streams: &Streams, script: &[u8]) -> io::Result<()> {
        let source = self.prepare_source(id, streams, script)?;
        let gate_path = self.scratch.join(format!("{id}.gate"));
        let gate = match limits.interrupt {
            Some(_) => {
                make_fifo(&gate_path)?;
                Some(open_fifo(&gate_path)?)
            }
            None => None,
        };
        // The first redirection of the command itself: from then on a trap is run inside it.
        let opening = gate.as_ref().map_or(String::new(), |_| format!(">{} ", gate_path.display()));
        // What is interrupted between two processes is the shell itself, as in a loop. Without a trap it would die.
        let trap = match (limits.interrupt.is_some(), self.has_trap) {
            (true, _) => "\\builtin trap '\\builtin return 130' INT\n",
            (false, true) => "\\builtin trap - INT\n",
            (false, false) => "",
        };
        self.has_trap = limits.interrupt.is_some();
        // `$?` goes from command to command like everything else; only a subshell can set it without other effects, and
        // only on the left of `||` does neither `set -e` nor a trap take notice. The backslash keeps aliases away.
        let status = match self.last_status {
            0 => String::new(),
            status => format!("(\\builtin exit {status}) || "),
        };
        self.begin(id, limits, gate, &format!("{trap}{status}{opening}{source}"))
    }

    /// Has the shell start a command beside itself.
    fn open(&mut self, id: u32, streams: &Streams, script: &[u8]) -> io::Result<()> {
        let source = self.prepare_source(id, streams, script)?;
        let pid = self.scratch.join(format!("{id}.pid"));
        fs::write(&pid, "")?;
        fs::set_permissions(&pid, fs::Permissions::from_mode(0o622))?;
        self.opened.push(Opened { id, pid: None, has_ended: false, status: None, interrupt: None });
        let limits = Limits { timeout: Duration::from_secs(10), interrupt: None };
        // With job control the job is no deaf one; what runs inside has none, as everywhere.
        let line = format!(
            "(\\builtin set -m; {{ \\builtin set +m; \\builtin printf '%s\\n' \"$BASHPID\" >|{}; {source}; }} </dev/null &)",
            pid.display()
        );
        self.begin(id, limits, None, &line)
    }

    /// Writes down a command and makes its streams; gives the shell's words that run it.
    fn prepare_source(&mut self, id: u32, streams: &Streams, script: &[u8]) -> io::Result<String> {
        if self.running.is_some() {
            return Err(io::Error::other("a command is still running"));
        }
        let file = self.scratch.join(id.to_string());
        write_readable(&file, &[script, b"\n"].concat())?;
        let file = file.display();
        let (output, source) = match streams {
            Streams::Pipe { input } => {
                let (fifo, text) = (self.scratch.join(format!("{id}.out")), self.scratch.join(format!("{id}.in")));
                let stdin = match input.is_empty() {
                    true => Path::new("/dev/null"),
                    false => {
                        write_readable(&text, input)?;
                        &text
                    }
                };
                let source = format!("\\builtin source {file} <{} >{} 2>&1", stdin.display(), fifo.display());
                (Output::open(id, &fifo, self.output_limit)?, source)
            }
            Streams::Terminal => {
                let (output, path) = Output::open_terminal(id, self.owner, self.output_limit)?;
                (output, format!("\\builtin source {file} <>{} >&0 2>&1", path.display()))
            }
        };
        self.outputs.push(output);
        Ok(source)
    }

    fn begin(&mut self, id: u32, limits: Limits, gate: Option<File>, line: &str) -> io::Result<()> {
        let word = random_word()?;
        let lines =
            format!("{line}\n\\builtin printf '%s %s\\n' {word} \"$?\" >{}\n", self.scratch.join(CONTROL).display());
        let earlier = children(&processes()?, self.pid).map(|it| it.pid).collect();
        let last_pid = last_pid();
        let began = Instant::now();
        self.running = Some(Running { id, word, began, limits, gate, last_pid, earlier, interrupt: None });
        // A shell that is gone shows by its status.
        let _ = self.stdin.write_all(lines.as_bytes());
        Ok(())
    }

    /// Types at a command's terminal. What it printed until now no longer counts for the limit of its output.
    fn type_at(&mut self, id: u32, bytes: &[u8]) -> io::Result<()> {
        for output in self.outputs.iter_mut().filter(|it| it.id == id) {
            if let Some(terminal) = &mut output.terminal {
                if terminal.typed.len() + bytes.len() > MAX_TYPED {
                    return Err(io::Error::other("more was typed than is being read"));
                }
                terminal.typed.extend(bytes);
                terminal.releases_left = MAX_RELEASES;
                // A tail that is held back comes before any new head.
                if output.tail.is_empty() {
                    output.head_left = output.head_limit;
                }
            }
        }
        Ok(())
    }

    /// Presses Ctrl-C for a command.
    fn interrupt(&mut self, id: u32) {
        if let Some(running) = self.running.as_mut().filter(|it| it.id == id) {
            if !running.takes_interrupts() {
                running.limits.interrupt = Some(Duration::ZERO);
                return;
            }
        }
        let keyboard = self.outputs.iter_mut().filter(|it| it.id == id).find_map(|it| it.raw_terminal());
        let is_typed = keyboard.is_some();
        if let Some(keyboard) = keyboard {
            // What was typed ahead is lost, as at every terminal.
            keyboard.typed = VecDeque::from([CTRL_C]);
        }
        let is_opened = self.opened.iter().any(|it| it.id == id);
        let reach = match (is_typed, is_opened) {
            (true, _) => Reach::Letter,
            (false, false) => Reach::Present,
            (false, true) => Reach::Everything,
        };
        if let Some(interrupt) = self.interrupt_of(id) {
            *interrupt = Some(Interrupt { at: Instant::now(), reach, heard: Vec::new(), over: None });
        }
    }

    /// Where it is noted that Ctrl-C was pressed for a command.
    fn interrupt_of(&mut self, id: u32) -> Option<&mut Option<Interrupt>> {
        let opened = self.opened.iter_mut().filter(|it| it.id == id).map(|it| &mut it.interrupt);
        let running = self.running.iter_mut().filter(|it| it.id == id).map(|it| &mut it.interrupt);
        opened.chain(running).next()
    }

    /// The processes of a command, each after its parent; never the shell itself nor what it had in the background before.
    fn processes_of(&self, id: u32, all: &[Process]) -> Vec<Process> {
        if let Some(opened) = self.opened.iter().find(|it| it.id == id) {
            return all.iter().filter(|it| Some(it.group) == opened.pid).copied().collect();
        }
        let Some(running) = self.running.as_ref().filter(|it| it.id == id) else { return Vec::new() };
        let mut found: Vec<Process> = children(all, self.pid).filter(|it| !running.earlier.contains(&it.pid)).collect();
        let mut idx = 0;
        while idx < found.len() {
            found.extend(children(all, found[idx].pid));
            idx += 1;
        }
        found
    }

    /// Does what is due of interrupts.
    fn go_on_interrupting(&mut self) -> io::Result<()> {
        if let Some(running) = &mut self.running {
            let is_due = running.limits.interrupt.is_some_and(|it| running.began.elapsed() >= it);
            if is_due && running.interrupt.is_none() && running.takes_interrupts() {
                let id = running.id;
                self.interrupt(id);
            }
        }
        let running = self.running.iter().filter(|it| it.interrupt.is_some()).map(|it| it.id);
        let opened = self.opened.iter().filter(|it| it.interrupt.is_some()).map(|it| it.id);
        let interrupted: Vec<u32> = running.chain(opened).collect();
        if interrupted.is_empty() {
            return Ok(());
        }
        let all = processes()?;
        let shell = all.iter().find(|it| it.pid == self.pid && self.has_trap);
        // After the shell was looked at: one that sleeps now is not at the end of its command, where it sleeps too.
        let has_ended = system::is_readable(self.control.as_raw_fd())?;
        for id in interrupted {
            let processes = self.processes_of(id, &all);
            let Some(Some(interrupt)) = self.interrupt_of(id) else { continue };
            if interrupt.at.elapsed() >= GRACE {
                for process in &processes {
                    system::send(process.pid, system::SIGKILL);
                }
            }
            if let Some(shell) = shell.filter(|_| interrupt.reach == Reach::Present && !has_ended) {
                if interrupt.is_passed_over(shell, &processes) {
                    system::send(shell.pid, system::SIGINT);
                    interrupt.reach = Reach::Everything;
                }
            }
            if interrupt.reach != Reach::Letter && !interrupt.due(&processes).is_empty() {
                self.press(id)?;
            }
        }
        Ok(())
    }

    /// Sends the signal of Ctrl-C to a command's processes as a terminal does: to all in one moment. Else one would begin
    /// another between the look at what there is and the signal, and take that for what ends by the interrupt.
    fn press(&mut self, id: u32) -> io::Result<()> {
        let mut stopped: Vec<i32> = Vec::new();
        let mut processes = Vec::new();
        for _ in 0..MAX_LOOKS {
            processes = self.processes_of(id, &self::processes()?);
            if processes.iter().all(|it| it.stands_still) {
                break;
            }
            for process in processes.iter().filter(|it| !it.stands_still) {
                if !stopped.contains(&process.pid) {
                    system::send(process.pid, system::SIGSTOP);
                    stopped.push(process.pid);
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(Some(interrupt)) = self.interrupt_of(id) {
            interrupt.press(&processes);
        }
        // Parents last, so that none sees that its child was stopped.
        for pid in stopped.iter().rev() {
            system::send(*pid, system::SIGCONT);
        }
        Ok(())
    }

    /// Notes how the shell or an opened command ended.
    fn note_end(&mut self, ended: system::Ended) {
        if ended.pid == self.pid {
            self.ended = Some(match ended.signal {
                0 => End::ShellExited(ended.status),
                signal => End::ShellKilled(signal),
            });
        }
        self.learn_pids();
        for opened in self.opened.iter_mut().filter(|it| it.pid == Some(ended.pid)) {
            opened.has_ended = true;
            opened.status = Some(match ended.signal {
                0 => ended.status,
                signal => 128 + signal,
            });
        }
    }

    /// Reads the process numbers of opened commands; each writes its own before it does anything else.
    fn learn_pids(&mut self) {
        for opened in self.opened.iter_mut().filter(|it| it.pid.is_none()) {
            let pid = fs::read_to_string(self.scratch.join(format!("{}.pid", opened.id))).unwrap_or_default();
            opened.pid = pid.strip_suffix('\n').and_then(|it| it.parse().ok());
        }
    }

    /// What there is to report now.
    fn reports(&mut self) -> io::Result<Vec<Report>> {
        self.learn_pids();
        self.go_on_interrupting()?;
        let end = self.read_end()?;
        for opened in &mut self.opened {
            // The shell may have taken its status in the moment before it became an orphan.
            opened.has_ended |= opened.pid.is_some_and(|it| !Path::new(&format!("/proc/{it}")).exists());
            let has_ended = opened.has_ended;
            for output in self.outputs.iter_mut().filter(|it| it.id == opened.id && has_ended) {
                output.writer = None;
            }
        }
        // After the end was read: whatever the command wrote before it is in the pipe by now.
        let mut reports = Vec::new();
        for output in &mut self.outputs {
            output.type_on();
            output.read(&mut reports)?;
        }
        if let Some((end, running)) = end.and_then(|end| Some((end, self.running.take()?))) {
            self.finish(end, running, &mut reports);
        }
        let running = self.running.as_ref().map(|it| it.id);
        self.outputs.retain(|it| it.open || Some(it.id) == running);
        let outputs = &self.outputs;
        let is_closed = |it: &Opened| it.has_ended && outputs.iter().all(|output| output.id != it.id);
        for opened in self.opened.iter().filter(|it| is_closed(it)) {
            reports.push(Report::Closed { id: opened.id, status: opened.status });
            remove_files(&self.scratch, opened.id);
        }
        self.opened.retain(|it| !is_closed(it));
        Ok(reports)
    }

    /// Reports the end of what the shell was busy with.
    fn finish(&mut self, end: End, running: Running, reports: &mut Vec<Report>) {
        let id = running.id;
        let goes_on = matches!(end, End::Exited(_)) && self.opened.iter().any(|it| it.id == id);
        if !goes_on {
            self.opened.retain(|it| it.id != id);
            for output in self.outputs.iter_mut().filter(|it| it.id == id) {
                output.flush(reports);
                output.writer = None;
            }
            remove_files(&self.scratch, id);
        }
        let forked = !self.knows_forks || running.last_pid != last_pid();
        let interrupted = running.interrupt.is_some();
        reports.push(Report::Done { id, end, micros: micros(running.began.elapsed()), forked, interrupted });
    }

    /// How the running command ended, if it did.
    fn read_end(&mut self) -> io::Result<Option<End>> {
        // Before the control channel is read: a shell sends the status of its last command before it dies.
        let ended = self.ended;
        let mut bytes = [0; 4096];
        match self.control.read(&mut bytes) {
            Ok(n) => self.statuses.extend(&bytes[..n]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let forged = || io::Error::other("a command wrote to the shell's control channel");
        let Some(running) = &self.running else {
            return if self.statuses.is_empty() { Ok(None) } else { Err(forged()) };
        };
        if let Some(end) = self.statuses.iter().position(|it| *it == b'\n') {
            let line: Vec<u8> = self.statuses.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let status = line.trim_end().split_once(' ').filter(|it| it.0 == running.word);
            let status = status.and_then(|it| it.1.parse().ok()).ok_or_else(forged)?;
            self.last_status = status;
            return Ok(Some(End::Exited(status)));
        }
        let is_late = running.began.elapsed() > running.limits.timeout;
        Ok(ended.or(is_late.then_some(End::TimedOut)))
    }
}

/// Name of the FIFO that brings the statuses.
const CONTROL: &str = "control";

/// A word that nobody can guess.
fn random_word() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}

/// What Ctrl-C sends.
const CTRL_C: u8 = 3;

/// The most bytes that wait for a terminal to take them.
const MAX_TYPED: usize = 1 << 20;

/// Quiet after which the end of a long output at a terminal is no longer held back: it may be a prompt.
const QUIET: Duration = Duration::from_millis(100);

/// How often that may happen until something is typed again, so that a slow endless printer is bounded too.
const MAX_RELEASES: u32 = 16;

/// From when an interrupt has ended all that it could end: what the shell gets to see that and to end too.
const COMING_TO_AN_END: Duration = Duration::from_millis(200);

/// Processor time, in the kernel's hundredths of a second, that no shell takes for that.
const WORK: u64 = 5;

/// How often it is looked whether all processes of a command stand still. One that never does is interrupted as it is.
const MAX_LOOKS: u32 = 100;

/// Makes a FIFO that the shell's user can write to.
fn make_fifo(path: &Path) -> io::Result<()> {
    system::make_fifo(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o622))
}

/// Opens a FIFO to read from, without waiting for a writer.
fn open_fifo(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(system::O_NONBLOCK).open(path)
}

/// Writes a file that the shell's user can read.
fn write_readable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

/// Removes what a command had in the agent's folder.
fn remove_files(scratch: &Path, id: u32) {
    for ending in ["", ".out", ".in", ".gate", ".pid"] {
        let _ = fs::remove_file(scratch.join(format!("{id}{ending}")));
    }
}

/// A process as the kernel lists it.
#[derive(Clone, Copy)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    is_asleep: bool,
    /// Whether it is stopped, or has ended and only waits to be noticed.
    stands_still: bool,
    /// Whether it is a copy of its parent that has not begun a program of its own.
    is_copy: bool,
    /// Processor time that it has used, in hundredths of a second.
    ticks: u64,
}

fn processes() -> io::Result<Vec<Process>> {
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|it| it.parse().ok()) else { continue };
        // One that has gone in the meantime is none.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        processes.extend(parse_stat(pid, &stat));
    }
    Ok(processes)
}

/// Reads a line of `/proc/PID/stat` (proc_pid_stat(5)).
fn parse_stat(pid: i32, stat: &str) -> Option<Process> {
    /// Of the kernel's `sched.h`: forked, but has not called `exec`.
    const PF_FORKNOEXEC: u64 = 0x40;
    // After its name, that may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |idx: usize| fields.get(idx)?.parse::<u64>().ok();
    Some(Process {
        pid,
        parent: number(1)? as i32,
        group: number(2)? as i32,
        is_asleep: fields[0] == "S",
        stands_still: matches!(fields[0], "T" | "t" | "Z" | "X"),
        is_copy: number(6)? & PF_FORKNOEXEC != 0,
        ticks: number(11)? + number(12)?,
    })
}

fn children(processes: &[Process], parent: i32) -> impl Iterator<Item = Process> + '_ {
    processes.iter().filter(move |it| it.parent == parent).copied()
}

/// Whether a process is there and does not ignore interrupts, as background jobs do.
fn hears_interrupts(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let is_zombie = status_field(&status, "State:").is_some_and(|it| it.starts_with('Z'));
    !is_zombie && has_interrupt(&status, "SigIgn:") == Some(false)
}

/// Whether a process is a copy of a shell that has that shell's trap for interrupts, or one of its own.
fn is_trapping_copy(process: &Process) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap_or_default();
    process.is_copy && has_interrupt(&status, "SigCgt:") == Some(true)
}

/// Whether interrupts are in a set of signals of a process's status.
fn has_interrupt(status: &str, set: &str) -> Option<bool> {
    let set = u64::from_str_radix(status_field(status, set)?, 16).ok()?;
    Some(set & (1 << (system::SIGINT - 1)) != 0)
}

fn status_field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|it| it.strip_prefix(name)).map(str::trim)
}

/// What one command prints: the head is reported as it comes, the tail is held back until the end.
struct Output {
    id: u32,
    source: File,
    /// Our own hold on the end that the command writes to, so that it is not lost before the command has it.
    writer: Option<File>,
    terminal: Option<Terminal>,
    open: bool,
    head_limit: u64,
    head_left: u64,
    tail_limit: u64,
    tail: VecDeque<u8>,
    omitted: u64,
}

/// What is different with an output that is a terminal.
struct Terminal {
    /// What is still to be typed.
    typed: VecDeque<u8>,
    last_read: Instant,
    releases_left: u32,
}

impl Output {
    fn open(id: u32, path: &Path, limit: u64) -> io::Result<Output> {
        make_fifo(path)?;
        let fifo = open_fifo(path)?;
        let writer = OpenOptions::new().write(true).custom_flags(system::O_NONBLOCK).open(path)?;
        Ok(Output::new(id, fifo, writer, limit))
    }

    /// A new terminal, and the path that the shell knows it by.
    fn open_terminal(id: u32, owner: Option<(u32, u32)>, limit: u64) -> io::Result<(Output, PathBuf)> {
        let (master, slave) = system::open_terminal(wire::TERMINAL_SIZE)?;
        let path = fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd()))?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid))?;
        }
        let mut output = Output::new(id, master, slave, limit);
        output.terminal =
            Some(Terminal { typed: VecDeque::new(), last_read: Instant::now(), releases_left: MAX_RELEASES });
        Ok((output, path))
    }

    fn new(id: u32, source: File, writer: File, limit: u64) -> Output {
        Output {
            id,
            source,
            writer: Some(writer),
            terminal: None,
            open: true,
            head_limit: limit.div_ceil(2),
            head_left: limit.div_ceil(2),
            tail_limit: limit / 2,
            tail: VecDeque::new(),
            omitted: 0,
        }
    }

    /// Its terminal if that takes Ctrl-C for a letter; else it would take it for a signal, to a session that is none.
    fn raw_terminal(&mut self) -> Option<&mut Terminal> {
        let is_raw = !system::has_signals(self.source.as_raw_fd());
        self.terminal.as_mut().filter(|_| is_raw)
    }

    /// Types as much as the terminal takes now.
    fn type_on(&mut self) {
        let Some(terminal) = &mut self.terminal else { return };
        while !terminal.typed.is_empty() {
            let n = self.source.write(terminal.typed.make_contiguous()).unwrap_or(0);
            if n == 0 {
                return;
            }
            terminal.typed.drain(..n);
        }
    }

    /// Reads all there is, at most 16 MiB at a time so that an endless printer cannot hold up its own time limit.
    fn read(&mut self, reports: &mut Vec<Report>) -> io::Result<()> {
        let mut bytes = vec![0; 64 << 10];
        for _ in 0..256 {
            if !self.open || !system::is_readable(self.source.as_raw_fd())? {
                break;
            }
            match self.source.read(&mut bytes) {
                Ok(0) => self.close(reports),
                Ok(n) => self.add(&bytes[..n], reports),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // How a terminal says that nobody has it any more.
                Err(error) if error.raw_os_error() == Some(system::EIO) => self.close(reports),
                Err(error) => return Err(error),
            }
        }
        let Some(terminal) = &mut self.terminal else { return Ok(()) };
        if !self.tail.is_empty() && terminal.last_read.elapsed() >= QUIET && terminal.releases_left > 0 {
            terminal.releases_left -= 1;
            self.flush(reports);
        }
        Ok(())
    }

    fn close(&mut self, reports: &mut Vec<Report>) {
        self.open = false;
        self.flush(reports);
    }

    fn add(&mut self, bytes: &[u8], reports: &mut Vec<Report>) {
        let n_head = bytes.len().min(self.head_left as usize);
        let (head, tail) = bytes.split_at(n_head);
        if !head.is_empty() {
            self.head_left -= n_head as u64;
            reports.push(Report::Output { id: self.id, bytes: head.to_vec() });
        }
        self.tail.extend(tail);
        let excess = self.tail.len().saturating_sub(self.tail_limit as usize);
        self.tail.drain(..excess);
        self.omitted += excess as u64;
        if let Some(terminal) = &mut self.terminal {
            terminal.last_read = Instant::now();
        }
    }

    /// Reports the tail, after a line that tells what was left out before it.
    fn flush(&mut self, reports: &mut Vec<Report>) {
        if self.omitted > 0 {
            let line = format!("\n[{} bytes omitted]\n", self.omitted);
            reports.push(Report::Output { id: self.id, bytes: line.into_bytes() });
            self.omitted = 0;
        }
        if !self.tail.is_empty() {
            reports.push(Report::Output { id: self.id, bytes: self.tail.drain(..).collect() });
        }
    }
}

/// The last process number given out in this PID namespace, `None` where the kernel does not tell.
fn last_pid() -> Option<String> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    loads.split_whitespace().nth(4).map(str::to_owned)
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

/// The system calls that the standard library does not have.
mod system {
    use std::ffi::{c_char, c_int, c_short, c_uint, c_ulong, CString};
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    /// Of `open(2)` on Linux, the same on every processor that Docker runs on.
    pub const O_NONBLOCK: c_int = 0o4000;
    pub const EIO: c_int = 5;
    pub const SIGINT: c_int = 2;
    pub const SIGKILL: c_int = 9;
    pub const SIGCONT: c_int = 18;
    pub const SIGSTOP: c_int = 19;

    const SIGHUP: c_int = 1;
    const SIGQUIT: c_int = 3;
    const SIGTSTP: c_int = 20;
    const SIGTTIN: c_int = 21;
    const SIGTTOU: c_int = 22;

    const F_SETFL: c_int = 4;
    const O_RDWR: c_int = 2;
    /// Of `tcgetattr(3)`: the terminal makes signals of Ctrl-C and its like.
    const ISIG: c_uint = if cfg!(target_arch = "powerpc64") { 0o200 } else { 1 };

    const POLLIN: c_short = 1;
    const POLLHUP: c_short = 16;
    const WNOHANG: c_int = 1;
    const PR_SET_CHILD_SUBREAPER: c_int = 36;

    #[repr(C)]
    struct PollFd {
        fd: c_int,
        events: c_short,
        revents: c_short,
    }

    #[repr(C)]
    struct WindowSize {
        rows: u16,
        columns: u16,
        width: u16,
        height: u16,
    }

    /// Longer than any `struct termios`, which begins with the flags for input, output, control and local matters.
    type Termios = [c_uint; 64];

    // The C library that the standard library is linked with anyway.
    extern "C" {
        fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
        fn kill(pid: c_int, signal: c_int) -> c_int;
        fn mkfifo(path: *const c_char, mode: c_uint) -> c_int;
        fn openpty(
            master: *mut c_int,
            slave: *mut c_int,
            name: *mut c_char,
            termios: *const Termios,
            size: *const WindowSize,
        ) -> c_int;
        fn poll(fds: *mut PollFd, n_fds: c_ulong, timeout: c_int) -> c_int;
        fn prctl(option: c_int, ...) -> c_int;
        fn signal(signal: c_int, handler: usize) -> usize;
        fn tcgetattr(fd: c_int, termios: *mut Termios) -> c_int;
        fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    }

    /// A process that ended.
    #[derive(Debug, Clone, Copy)]
    pub struct Ended {
        pub pid: i32,
        pub status: i32,
        /// The signal that killed it, 0 if none did.
        pub signal: i32,
    }

    pub fn make_fifo(path: &Path) -> io::Result<()> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: `path` is a C string that lives through the call.
        match unsafe { mkfifo(path.as_ptr(), 0o600) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes a terminal of so many rows and columns: the end that never blocks is ours, the other the command's.
    pub fn open_terminal((rows, columns): (u16, u16)) -> io::Result<(File, File)> {
        let (mut master, mut slave) = (-1, -1);
        let size = WindowSize { rows, columns, width: 0, height: 0 };
        // SAFETY: the pointers are to values that live through the call, or null where that is allowed.
        let res = unsafe { openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null(), &size) };
        if res != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: both were just opened and are nobody else's.
        let ends = unsafe { [OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)] };
        // Copies, because a copy is not handed on to programs that are started.
        let [master, slave] = [ends[0].try_clone()?, ends[1].try_clone()?];
        // SAFETY: takes numbers only.
        match unsafe { fcntl(master.as_raw_fd(), F_SETFL, O_RDWR | O_NONBLOCK) } {
            0 => Ok((File::from(master), File::from(slave))),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Whether a terminal makes signals of Ctrl-C and its like.
    pub fn has_signals(terminal: RawFd) -> bool {
        let mut termios: Termios = [0; 64];
        // SAFETY: `termios` lives through the call and is longer than what is written to it.
        let res = unsafe { tcgetattr(terminal, &mut termios) };
        res != 0 || termios[3] & ISIG != 0
    }

    /// Sends a signal; one that has ended gets none.
    pub fn send(pid: c_int, signal: c_int) {
        // SAFETY: takes numbers only.
        unsafe { kill(pid, signal) };
    }

    /// Waits until one of the descriptors can be read or has lost its writers, at most so many milliseconds.
    pub fn wait_readable(descriptors: &[RawFd], timeout: c_int) -> io::Result<()> {
        poll_all(descriptors, timeout).map(|_| ())
    }

    pub fn is_readable(descriptor: RawFd) -> io::Result<bool> {
        poll_all(&[descriptor], 0)
    }

    fn poll_all(descriptors: &[RawFd], timeout: c_int) -> io::Result<bool> {
        let mut fds: Vec<PollFd> =
            descriptors.iter().map(|fd| PollFd { fd: *fd, events: POLLIN, revents: 0 }).collect();
        // SAFETY: `fds` is an array of as many elements, that lives through the call.
        let n = unsafe { poll(fds.as_mut_ptr(), fds.len() as c_ulong, timeout) };
        if n < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(false) } else { Err(error) };
        }
        Ok(fds.iter().any(|it| it.revents & (POLLIN | POLLHUP) != 0))
    }

    /// Has a program start with no signal of a terminal ignored.
    pub fn hear_signals(command: &mut Command) {
        let hear = || {
            for it in [SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU] {
                // SAFETY: takes numbers only; 0 is `SIG_DFL`.
                unsafe { signal(it, 0) };
            }
            Ok(())
        };
        // SAFETY: `signal` is one of the few calls that are allowed between fork and exec.
        unsafe { command.pre_exec(hear) };
    }

    /// Makes the orphans below this process its own; PID 1 has them anyway.
    pub fn become_subreaper() {
        // SAFETY: takes numbers only.
        unsafe { prctl(PR_SET_CHILD_SUBREAPER, 1 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) };
    }

    /// Takes the statuses of all children that ended.
    pub fn reap() -> Vec<Ended> {
        let mut ended = Vec::new();
        loop {
            let mut status = 0;
            // SAFETY: `status` lives through the call.
            let pid = unsafe { waitpid(-1, &mut status, WNOHANG) };
            if pid <= 0 {
                return ended;
            }
            ended.push(Ended { pid, status: (status >> 8) & 0xff, signal: status & 0x7f });
        }
    }
}
