//! The one bash of the exercise: how commands are handed to it, and what it tells of their ends. Not what an interrupt does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

use super::interrupt::Interrupt;
use super::output::{make_fifo, open_fifo, Output, MAX_RELEASES};
use super::processes::{children, last_pid, processes};
use super::wire::{End, Report, Start, Streams};
use super::{command, ids, micros, system};

/// The one bash of the exercise.
///
/// Its standard input brings two lines a command: the first runs it, the second, which bash reads only when the first is
/// done, sends its status through a FIFO. A random word in the second line makes sure that it was that line: a command
/// cannot know the word while it runs. What the shell itself prints (of traps and traces, around the lines) goes nowhere.
pub struct Shell {
    pub pid: i32,
    stdin: ChildStdin,
    pub control: File,
    statuses: Vec<u8>,
    scratch: PathBuf,
    owner: Option<(u32, u32)>,
    output_limit: u64,
    pub running: Option<Running>,
    pub opened: Vec<Opened>,
    pub outputs: Vec<Output>,
    last_status: i32,
    ended: Option<End>,
    pub knows_forks: bool,
    /// Whether the last command had a trap of ours, that the next one shall not find.
    pub has_trap: bool,
}

/// When a command is interrupted and when it is given up.
pub struct Limits {
    pub timeout: Duration,
    pub interrupt: Option<Duration>,
}

/// What the shell is busy with: a command, or the opening of one.
pub struct Running {
    pub id: u32,
    word: String,
    pub began: Instant,
    pub limits: Limits,
    /// The FIFO that the shell opens in the moment when its trap catches an interrupt of this command.
    pub gate: Option<File>,
    last_pid: Option<String>,
    /// Children that the shell had before.
    pub earlier: Vec<i32>,
    pub interrupt: Option<Interrupt>,
}

/// A command beside the shell. An orphan from the start, so that the shell's own jobs stay as they are and its status
/// comes to this process; of a process group of its own, so that it is not deaf to interrupts as other background jobs.
pub struct Opened {
    pub id: u32,
    pub pid: Option<i32>,
    has_ended: bool,
    status: Option<i32>,
    pub interrupt: Option<Interrupt>,
}

impl Shell {
    pub fn launch(start: &Start) -> io::Result<Shell> {
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

    pub fn push_descriptors(&self, descriptors: &mut Vec<RawFd>) {
        descriptors.push(self.control.as_raw_fd());
        // One that has lost its writers would wake us forever.
        descriptors.extend(self.outputs.iter().filter(|it| it.open).map(|it| it.source.as_raw_fd()));
    }

    /// Hands a command to the shell.
    pub fn run(&mut self, id: u32, limits: Limits, streams: &Streams, script: &[u8]) -> io::Result<()> {
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
    pub fn open(&mut self, id: u32, streams: &Streams, script: &[u8]) -> io::Result<()> {
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
    pub fn type_at(&mut self, id: u32, bytes: &[u8]) -> io::Result<()> {
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

    /// Notes how the shell or an opened command ended.
    pub fn note_end(&mut self, ended: system::Ended) {
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
    pub fn reports(&mut self) -> io::Result<Vec<Report>> {
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

/// The most bytes that wait for a terminal to take them.
const MAX_TYPED: usize = 1 << 20;

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
