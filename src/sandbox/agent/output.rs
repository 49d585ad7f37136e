//! What one command prints, to a pipe or a terminal, and what is typed at that terminal.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::system;
use super::wire::{self, Report};

/// What one command prints: the head is reported as it comes, the tail is held back until the end.
pub struct Output {
    pub id: u32,
    pub source: File,
    /// Our own hold on the end that the command writes to, so that it is not lost before the command has it.
    pub writer: Option<File>,
    pub terminal: Option<Terminal>,
    pub open: bool,
    pub head_limit: u64,
    pub head_left: u64,
    tail_limit: u64,
    pub tail: VecDeque<u8>,
    omitted: u64,
}

/// What is different with an output that is a terminal.
pub struct Terminal {
    /// What is still to be typed.
    pub typed: VecDeque<u8>,
    last_read: Instant,
    pub releases_left: u32,
}

impl Output {
    pub fn open(id: u32, path: &Path, limit: u64) -> io::Result<Output> {
        make_fifo(path)?;
        let fifo = open_fifo(path)?;
        let writer = OpenOptions::new().write(true).custom_flags(system::O_NONBLOCK).open(path)?;
        Ok(Output::new(id, fifo, writer, limit))
    }

    /// A new terminal, and the path that the shell knows it by.
    pub fn open_terminal(id: u32, owner: Option<(u32, u32)>, limit: u64) -> io::Result<(Output, PathBuf)> {
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
    pub fn raw_terminal(&mut self) -> Option<&mut Terminal> {
        let is_raw = !system::has_signals(self.source.as_raw_fd());
        self.terminal.as_mut().filter(|_| is_raw)
    }

    /// Types as much as the terminal takes now.
    pub fn type_on(&mut self) {
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
    pub fn read(&mut self, reports: &mut Vec<Report>) -> io::Result<()> {
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
    pub fn flush(&mut self, reports: &mut Vec<Report>) {
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

/// Quiet after which the end of a long output at a terminal is no longer held back: it may be a prompt.
const QUIET: Duration = Duration::from_millis(100);

/// How often that may happen until something is typed again, so that a slow endless printer is bounded too.
pub const MAX_RELEASES: u32 = 16;

/// Makes a FIFO that the shell's user can write to.
pub fn make_fifo(path: &Path) -> io::Result<()> {
    system::make_fifo(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o622))
}

/// Opens a FIFO to read from, without waiting for a writer.
pub fn open_fifo(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(system::O_NONBLOCK).open(path)
}
