//! The system calls that the standard library does not have, and nothing of when they are made.

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
