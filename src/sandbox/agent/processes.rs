//! What the kernel tells of processes.

use std::fs;
use std::io;

use super::system;

/// A process as the kernel lists it.
#[derive(Clone, Copy)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    pub is_asleep: bool,
    /// Whether it is stopped, or has ended and only waits to be noticed.
    pub stands_still: bool,
    /// Whether it is a copy of its parent that has not begun a program of its own.
    pub is_copy: bool,
    /// Processor time that it has used, in hundredths of a second.
    pub ticks: u64,
}

pub fn processes() -> io::Result<Vec<Process>> {
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

pub fn children(processes: &[Process], parent: i32) -> impl Iterator<Item = Process> + '_ {
    processes.iter().filter(move |it| it.parent == parent).copied()
}

/// Whether a process is there and does not ignore interrupts, as background jobs do.
pub fn hears_interrupts(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let is_zombie = status_field(&status, "State:").is_some_and(|it| it.starts_with('Z'));
    !is_zombie && has_interrupt(&status, "SigIgn:") == Some(false)
}

/// Whether a process is a copy of a shell that has that shell's trap for interrupts, or one of its own.
pub fn is_trapping_copy(process: &Process) -> bool {
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

/// The last process number given out in this PID namespace, `None` where the kernel does not tell.
pub fn last_pid() -> Option<String> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    loads.split_whitespace().nth(4).map(str::to_owned)
}
