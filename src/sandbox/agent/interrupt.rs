//! Ctrl-C: to which processes of a command it goes, when the shell hears of it too, and what does not end by it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use super::processes::{children, hears_interrupts, is_trapping_copy, processes, Process};
use super::shell::{Running, Shell};
use super::system;
use super::wire::GRACE;

/// That Ctrl-C was pressed.
pub struct Interrupt {
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
    /// Presses Ctrl-C for a command.
    pub fn interrupt(&mut self, id: u32) {
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
    pub fn go_on_interrupting(&mut self) -> io::Result<()> {
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
}

/// What Ctrl-C sends.
const CTRL_C: u8 = 3;

/// From when an interrupt has ended all that it could end: what the shell gets to see that and to end too.
const COMING_TO_AN_END: Duration = Duration::from_millis(200);

/// Processor time, in the kernel's hundredths of a second, that no shell takes for that.
const WORK: u64 = 5;

/// How often it is looked whether all processes of a command stand still. One that never does is interrupted as it is.
const MAX_LOOKS: u32 = 100;
