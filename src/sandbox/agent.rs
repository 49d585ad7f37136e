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
//! keeps its number.

mod wire;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::{symlink, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use wire::{End, Order, Report, Start};

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
                Order::Run { id, timeout, script } => {
                    shell.run(id, Duration::from_millis(timeout), &script)?;
                }
                Order::Get { path } => wire.report(&get(&start.socket, &path))?,
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
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(wire::MAX_FRAME as u64 / 2).read_to_end(&mut answer)?;
        let head_end = answer.windows(4).position(|it| it == b"\r\n\r\n");
        let head_end = head_end.ok_or_else(|| io::Error::other("the engine's answer has no end of head"))?;
        let head = String::from_utf8_lossy(&answer[..head_end]);
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("the engine's answer has no status"))?;
        Ok((status, answer.split_off(head_end + 4)))
    };
    match ask() {
        Ok((status, body)) => Report::Got { status, body },
        Err(error) => Report::Got { status: 0, body: error.to_string().into_bytes() },
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
    output_limit: u64,
    running: Option<Running>,
    outputs: Vec<Output>,
    last_status: i32,
    ended: Option<End>,
    knows_forks: bool,
}

struct Running {
    id: u32,
    word: String,
    began: Instant,
    timeout: Duration,
    last_pid: Option<String>,
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
            output_limit: start.output_limit,
            running: None,
            outputs: Vec::new(),
            last_status: 0,
            ended: None,
            knows_forks: false,
        })
    }

    fn push_descriptors(&self, descriptors: &mut Vec<RawFd>) {
        descriptors.push(self.control.as_raw_fd());
        // One that has lost its writers would wake us forever.
        descriptors.extend(self.outputs.iter().filter(|it| it.open).map(|it| it.fifo.as_raw_fd()));
    }

    /// Hands a command to the shell.
    fn run(&mut self, id: u32, timeout: Duration, script: &[u8]) -> io::Result<()> {
        if self.running.is_some() {
            return Err(io::Error::other("a command is still running"));
        }
        let file = self.scratch.join(id.to_string());
        let fifo = self.scratch.join(format!("{id}.out"));
        fs::write(&file, [script, b"\n"].concat())?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        self.outputs.push(Output::open(id, &fifo, self.output_limit)?);

        // `$?` goes from command to command like everything else; only a subshell can set it without other effects, and
        // only on the left of `||` does neither `set -e` nor a trap take notice. The backslash keeps aliases away.
        let status = match self.last_status {
            0 => String::new(),
            status => format!("(\\builtin exit {status}) || "),
        };
        let word = random_word()?;
        let (file, fifo, control) = (file.display(), fifo.display(), self.scratch.join(CONTROL));
        let lines = format!(
            "{status}\\builtin source {file} </dev/null >{fifo} 2>&1\n\
             \\builtin printf '%s %s\\n' {word} \"$?\" >{}\n",
            control.display()
        );
        let last_pid = last_pid();
        self.running = Some(Running { id, word, began: Instant::now(), timeout, last_pid });
        // A shell that is gone shows by its status.
        let _ = self.stdin.write_all(lines.as_bytes());
        Ok(())
    }

    /// Notes how the shell ended.
    fn note_end(&mut self, ended: system::Ended) {
        if ended.pid == self.pid {
            self.ended = Some(match ended.signal {
                0 => End::ShellExited(ended.status),
                signal => End::ShellKilled(signal),
            });
        }
    }

    /// What there is to report now.
    fn reports(&mut self) -> io::Result<Vec<Report>> {
        let end = self.read_end()?;
        // After the end was read: whatever the command wrote before it is in the pipe by now.
        let mut reports = Vec::new();
        for output in &mut self.outputs {
            output.read(&mut reports)?;
        }
        if let (Some(end), Some(running)) = (end, &self.running) {
            let id = running.id;
            for output in self.outputs.iter_mut().filter(|it| it.id == id) {
                output.flush(&mut reports);
            }
            let forked = !self.knows_forks || running.last_pid != last_pid();
            reports.push(Report::Done { id, end, micros: micros(running.began.elapsed()), forked });
            let _ = fs::remove_file(self.scratch.join(id.to_string()));
            let _ = fs::remove_file(self.scratch.join(format!("{id}.out")));
            self.running = None;
        }
        let running = self.running.as_ref().map(|it| it.id);
        self.outputs.retain(|it| it.open || Some(it.id) == running);
        Ok(reports)
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
        let is_late = running.began.elapsed() > running.timeout;
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

/// Makes a FIFO that the shell's user can write to.
fn make_fifo(path: &Path) -> io::Result<()> {
    system::make_fifo(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o622))
}

/// What one command prints: the head is reported as it comes, the tail is held back until the end.
struct Output {
    id: u32,
    fifo: File,
    open: bool,
    head_left: u64,
    tail_limit: u64,
    tail: VecDeque<u8>,
    omitted: u64,
}

impl Output {
    fn open(id: u32, path: &Path, limit: u64) -> io::Result<Output> {
        make_fifo(path)?;
        // Without waiting for a writer: the shell opens its side only after this.
        let fifo = OpenOptions::new().read(true).custom_flags(system::O_NONBLOCK).open(path)?;
        Ok(Output {
            id,
            fifo,
            open: true,
            head_left: limit.div_ceil(2),
            tail_limit: limit / 2,
            tail: VecDeque::new(),
            omitted: 0,
        })
    }

    /// Reads all there is, at most 16 MiB at a time so that an endless printer cannot hold up its own time limit.
    fn read(&mut self, reports: &mut Vec<Report>) -> io::Result<()> {
        let mut bytes = vec![0; 64 << 10];
        for _ in 0..256 {
            if !self.open || !system::is_readable(self.fifo.as_raw_fd())? {
                break;
            }
            match self.fifo.read(&mut bytes) {
                Ok(0) => {
                    self.open = false;
                    self.flush(reports);
                }
                Ok(n) => self.add(&bytes[..n], reports),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
    use std::io;
    use std::os::fd::RawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    /// Of `open(2)` on Linux, the same on every processor that Docker runs on.
    pub const O_NONBLOCK: c_int = 0o4000;

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

    // The C library that the standard library is linked with anyway.
    extern "C" {
        fn mkfifo(path: *const c_char, mode: c_uint) -> c_int;
        fn poll(fds: *mut PollFd, n_fds: c_ulong, timeout: c_int) -> c_int;
        fn prctl(option: c_int, ...) -> c_int;
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
