//! What a person at a terminal does: answers a command that asks, keeps a shell or a program open and types in it, presses
//! Ctrl-C, and sees where the drawing ends.
//!
//! When which key is pressed is decided in [`crate::sandbox::typing`]; terminals and their keys are the agent's; which step
//! types where is the caller's.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

use crate::sandbox::container::{Container, Heard, Ran, Task};
use crate::sandbox::typing::{
    Answers, CTRL_C, CTRL_D, ENTER, LONG, SHORT, asks, end_line, end_mark, find, has_prompt,
    has_prompt_again, has_shell_again, is_shell, keep_last_line, last_line, mark, seen,
    shell_lines, start_of_last_line, without_echo, without_marks, word,
};
use crate::sandbox::wire::{self, Streams};

/// Quiet after which an opening has no prompt to come.
const OPENING: Duration = Duration::from_secs(20);

/// What an interrupted command and a closing terminal get to come to their end.
const ENDING: Duration = Duration::from_secs(5);

/// Runs a command at a terminal of its own and types a line whenever it waits, then Ctrl-D. `output` gets what is printed,
/// as it is drawn: see [`seen`].
pub(crate) async fn run_answering(
    container: &mut Container,
    task: Task<'_>,
    lines: &[String],
    mut output: impl FnMut(u32, &[u8]),
) -> Result<Ran> {
    let task = Task {
        streams: Streams::Terminal,
        ..task
    };
    let number = container.begin(task).await?;
    let mut answers = Answers::new(lines);
    let (mut line, mut last_byte) = (Vec::new(), Instant::now());
    loop {
        let heard = container
            .hear(Instant::now() + SHORT, |id, bytes| {
                if id == number {
                    keep_last_line(&mut line, bytes);
                    last_byte = Instant::now();
                }
                output(id, bytes);
            })
            .await?;
        if let Heard::Done(ran) = heard {
            return Ok(ran);
        }
        if let Some(keys) = answers.next(&line, last_byte.elapsed()) {
            container.type_at(number, &keys).await?;
            last_byte = Instant::now();
        }
    }
}

/// What is opened at a terminal of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening<'a> {
    /// The command.
    pub script: &'a str,
    /// When it is given up.
    pub limit: Duration,
    /// Lines to type before the prompt comes: a password.
    pub lines: &'a [String],
}

/// What became of an opening.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The terminal, unless there was no prompt to come.
    pub(crate) terminal: Option<Terminal>,
    /// How it ended, if it did, with its status where that is known.
    pub(crate) closed: Option<Option<i32>>,
    /// What was seen before the prompt.
    pub(crate) output: Vec<u8>,
    /// Time until the prompt.
    pub(crate) took: Duration,
}

/// A terminal that stays open, at its prompt.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Number of the command that was opened.
    pub(crate) id: u32,
    /// What reads the keys.
    pub(crate) kind: Kind,
    /// What was drawn since the last command, the prompt at its end.
    drawn: Vec<u8>,
    /// The prompt of a shell, which may change with every command.
    prompt: String,
    last_byte: Instant,
    last_status: i32,
    /// Words of the lines that are not done because a shell inside took over, the innermost last.
    pending: Vec<String>,
    is_lost: bool,
}

/// What reads the keys at a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A shell, by a prompt that ends with `# `, `$ ` or `% `; it can say where the output of a command begins and ends.
    /// One that is opened inside of it takes its place until it ends.
    Shell,
    /// Something else. Whatever it asks with in the beginning, it asks with when it is done.
    Program {
        /// Its prompt; empty if it had none.
        prompt: String,
    },
}

/// What is typed at a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Typed<'a> {
    /// A command of the shell, or lines for the program.
    pub text: &'a str,
    /// When Ctrl-C is pressed because it takes too long.
    pub limit: Duration,
    /// When Ctrl-C is pressed because it should be.
    pub interrupt: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// What was seen, without prompts and without what was typed.
    pub output: Vec<u8>,
    /// How it ended.
    pub end: SaidEnd,
    /// From the first key.
    pub took: Duration,
    /// Whether it was interrupted, as it was to be.
    pub interrupted: bool,
}

/// How something typed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaidEnd {
    /// With a status; a program tells none, which counts as 0.
    Exited(i32),
    /// With the terminal, that had this status where it is known.
    Closed(Option<i32>),
    /// It did not within its time. The terminal can be used if Ctrl-C brought its prompt back.
    TimedOut,
}

/// Opens a command at a terminal and waits for its prompt. `output` gets what others print meanwhile.
pub(crate) async fn open(
    container: &mut Container,
    opening: Opening<'_>,
    mut output: impl FnMut(u32, &[u8]),
) -> Result<Opened> {
    let began = Instant::now();
    // The opened one is heard only after the opening is done, as its number is known only then.
    let mut early = Vec::new();
    let ran = container
        .open(opening.script, Streams::Terminal, |id, bytes| {
            early.push((id, bytes.to_vec()))
        })
        .await?;
    let mut terminal = Terminal::new(ran.id);
    for (id, bytes) in early {
        terminal.take(id, &bytes, &mut output);
    }
    let mut answers = opening.lines.iter();
    let (prompt, closed) = loop {
        if let Some(status) = container.closed(terminal.id) {
            break (None, Some(status));
        }
        let line = last_line(&terminal.drawn);
        let quiet = terminal.last_byte.elapsed();
        let is_answered = answers.len() == 0;
        if is_answered && has_prompt(&line, quiet) {
            break (Some(line), None);
        }
        if quiet >= OPENING || began.elapsed() >= opening.limit {
            // A program without a prompt is one; a command that still works is none.
            let prompt = (quiet >= LONG).then_some(line);
            break (prompt, None);
        }
        // What is silent here is on its way to its prompt.
        if !line.is_empty()
            && asks(&line, quiet)
            && let Some(answer) = answers.next()
        {
            let keys = format!("{answer}{ENTER}");
            container.type_at(terminal.id, keys.as_bytes()).await?;
            terminal.last_byte = Instant::now();
        }
        terminal
            .hear(container, Instant::now() + SHORT / 3, &mut output)
            .await?;
    };
    if prompt.is_none() && closed.is_none() {
        container.interrupt(terminal.id).await?;
    }
    let drawn = std::mem::take(&mut terminal.drawn);
    let (before, last) = drawn.split_at(start_of_last_line(&drawn));
    let before = match prompt {
        Some(_) => before,
        None => &drawn,
    };
    let opened = Opened {
        closed,
        output: seen(before),
        took: began.elapsed(),
        terminal: prompt.map(|prompt| Terminal {
            prompt: prompt.clone(),
            kind: match is_shell(&prompt) {
                true => Kind::Shell,
                false => Kind::Program { prompt },
            },
            drawn: last.to_vec(),
            ..terminal
        }),
    };
    Ok(opened)
}

impl Terminal {
    fn new(id: u32) -> Terminal {
        Terminal {
            id,
            kind: Kind::Shell,
            drawn: Vec::new(),
            prompt: String::new(),
            last_byte: Instant::now(),
            last_status: 0,
            pending: Vec::new(),
            is_lost: false,
        }
    }

    /// Whether something can still be typed: its prompt came back after all that was.
    pub(crate) fn is_usable(&self, container: &Container) -> bool {
        !self.is_lost && container.closed(self.id).is_none()
    }

    /// Types something and waits until it is done. `output` gets what others print meanwhile.
    pub(crate) async fn say(
        &mut self,
        container: &mut Container,
        typed: Typed<'_>,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Said> {
        if !self.is_usable(container) {
            bail!("nothing can be typed any more at a terminal that did not come back");
        }
        match self.kind.clone() {
            Kind::Shell => self.say_to_shell(container, typed, &mut output).await,
            Kind::Program { prompt } => {
                self.say_to_program(container, typed, &prompt, &mut output)
                    .await
            }
        }
    }

    async fn say_to_shell(
        &mut self,
        container: &mut Container,
        typed: Typed<'_>,
        output: &mut impl FnMut(u32, &[u8]),
    ) -> Result<Said> {
        let began = Instant::now();
        let word = word();
        let lines = shell_lines(typed.text, self.last_status, &word);
        let mut waiting = Waiting::new(began, typed);
        self.drawn.clear();
        self.last_byte = began;
        for line in &lines[..lines.len() - 1] {
            self.enter(container, line).await?;
            while find(&self.drawn, &mark('P', &word)).is_none() {
                let closed = container.closed(self.id).map(SaidEnd::Closed);
                if closed.is_some() || Instant::now() >= waiting.limit_at {
                    self.is_lost = true;
                    return Ok(waiting.said(Vec::new(), closed, began.elapsed()));
                }
                self.hear(container, waiting.next(), output).await?;
            }
            self.drawn.clear();
        }
        self.enter(container, &lines[lines.len() - 1]).await?;
        // Where the command's output ends if the shell forgets the rest of the line: over an interrupt, over an error in
        // it, or because another shell reads now.
        let mut cut = None;
        let (end, prompt, status) = loop {
            if let Some(mark) = end_mark(&self.drawn, &word) {
                // Without an end of the line's own, what was left out of it may still come.
                self.pending.extend(cut.map(|_| word.clone()));
                break (mark.begin, mark.end, Some(SaidEnd::Exited(mark.status)));
            }
            // The shell ended that took over, and the one around it tells the status of that.
            let around = self.pending.iter().map(|it| end_mark(&self.drawn, it));
            if let Some((idx, mark)) = around.enumerate().find_map(|(idx, it)| Some((idx, it?))) {
                self.pending.truncate(idx);
                break (mark.begin, mark.end, Some(SaidEnd::Exited(mark.status)));
            }
            if let Some(status) = container.closed(self.id) {
                let all = self.drawn.len();
                break (all, all, Some(SaidEnd::Closed(status)));
            }
            if waiting.is_over() {
                let all = self.drawn.len();
                break (all, all, None);
            }
            if waiting.takes_interrupt() {
                container.type_at(self.id, CTRL_C).await?;
                self.last_byte = Instant::now();
            }
            if cut.is_none() && has_shell_again(&self.drawn, &self.prompt, self.last_byte.elapsed())
            {
                cut = Some(start_of_last_line(&self.drawn));
                self.enter(container, &end_line(&word)).await?;
            }
            self.hear(container, waiting.next(), output).await?;
        };
        let took = began.elapsed();
        let begin = mark('B', &word);
        let begin = find(&self.drawn, &begin).map_or(end, |at| at + begin.len());
        let said = &self.drawn[begin..cut.unwrap_or(end).max(begin)];
        let said = seen(&without_marks(said));
        if let Some(SaidEnd::Exited(status)) = status {
            self.last_status = status;
            self.drawn.drain(..prompt);
            self.last_byte = Instant::now();
            // The prompt, so that the next line is typed to a shell that reads.
            while !is_shell(&last_line(&self.drawn)) && self.last_byte.elapsed() < SHORT {
                self.hear(container, Instant::now() + SHORT / 3, output)
                    .await?;
            }
            self.prompt = last_line(&self.drawn);
        }
        self.is_lost = status.is_none();
        Ok(waiting.said(said, status, took))
    }

    async fn say_to_program(
        &mut self,
        container: &mut Container,
        typed: Typed<'_>,
        prompt: &str,
        output: &mut impl FnMut(u32, &[u8]),
    ) -> Result<Said> {
        let began = Instant::now();
        let mut waiting = Waiting::new(began, typed);
        let mut said = Vec::new();
        let mut end = None;
        for line in typed.text.lines() {
            self.enter(container, line).await?;
            self.last_byte = Instant::now();
            let n_before = self.drawn.len();
            end = loop {
                let quiet = self.last_byte.elapsed();
                if let Some(status) = container.closed(self.id) {
                    break Some(SaidEnd::Closed(status));
                }
                if has_prompt_again(&self.drawn, n_before, prompt, quiet) {
                    break Some(SaidEnd::Exited(0));
                }
                if waiting.is_over() {
                    break None;
                }
                if waiting.takes_interrupt() {
                    container.type_at(self.id, CTRL_C).await?;
                    self.last_byte = Instant::now();
                }
                self.hear(container, waiting.next(), output).await?;
            };
            let at = match end {
                Some(SaidEnd::Exited(_)) => start_of_last_line(&self.drawn),
                _ => self.drawn.len(),
            };
            said.extend(without_echo(&seen(&self.drawn[..at])));
            self.drawn.drain(..at);
            if !matches!(end, Some(SaidEnd::Exited(_))) {
                break;
            }
        }
        self.is_lost = end.is_none();
        Ok(waiting.said(said, end, began.elapsed()))
    }

    /// Leaves the shell or program; its status where it is known. What does not go by itself goes with its engine.
    pub(crate) async fn close(
        mut self,
        container: &mut Container,
        mut output: impl FnMut(u32, &[u8]),
    ) -> Result<Option<i32>> {
        let deadline = Instant::now() + ENDING;
        if container.closed(self.id).is_none() {
            match self.kind {
                Kind::Shell => self.enter(container, "exit").await?,
                Kind::Program { .. } => container.type_at(self.id, CTRL_D).await?,
            }
        }
        loop {
            if let Some(status) = container.closed(self.id) {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            self.hear(container, deadline, &mut output).await?;
        }
    }

    async fn enter(&mut self, container: &mut Container, line: &str) -> Result<()> {
        let keys = format!("{line}{ENTER}");
        container.type_at(self.id, keys.as_bytes()).await
    }

    async fn hear(
        &mut self,
        container: &mut Container,
        until: Instant,
        output: &mut impl FnMut(u32, &[u8]),
    ) -> Result<()> {
        container
            .hear(until, |id, bytes| self.take(id, bytes, output))
            .await
            .map(|_| ())
    }

    fn take(&mut self, id: u32, bytes: &[u8], output: &mut impl FnMut(u32, &[u8])) {
        if id == self.id {
            self.drawn.extend(bytes);
            self.last_byte = Instant::now();
        } else {
            output(id, bytes);
        }
    }
}

/// Waiting for the end of what was typed: first as long as it may take, then for the effect of Ctrl-C.
struct Waiting {
    interrupt_at: Instant,
    limit_at: Instant,
    interrupted: Option<Instant>,
}

impl Waiting {
    fn new(began: Instant, typed: Typed<'_>) -> Waiting {
        let limit_at = began + typed.limit;
        Waiting {
            interrupt_at: typed
                .interrupt
                .map_or(limit_at, |it| began + it)
                .min(limit_at),
            limit_at,
            interrupted: None,
        }
    }

    /// Whether Ctrl-C is due; says so once.
    fn takes_interrupt(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self.interrupted.is_none() && now >= self.interrupt_at;
        if is_due {
            self.interrupted = Some(now);
        }
        is_due
    }

    fn is_over(&self) -> bool {
        let grace = match self.is_late() {
            true => ENDING,
            false => wire::GRACE,
        };
        self.interrupted.is_some_and(|it| it.elapsed() >= grace)
    }

    /// Whether Ctrl-C was pressed because it took too long.
    fn is_late(&self) -> bool {
        self.interrupt_at == self.limit_at
    }

    /// When to look again.
    fn next(&self) -> Instant {
        let soon = Instant::now() + SHORT / 3;
        match self.interrupt_at > Instant::now() {
            true => soon.min(self.interrupt_at),
            false => soon,
        }
    }

    /// The result; without an end there was none in time.
    fn said(&self, output: Vec<u8>, end: Option<SaidEnd>, took: Duration) -> Said {
        let is_pressed = self.interrupted.is_some();
        Said {
            output,
            end: match end {
                Some(SaidEnd::Exited(_)) if is_pressed && self.is_late() => SaidEnd::TimedOut,
                Some(end) => end,
                None => SaidEnd::TimedOut,
            },
            took,
            interrupted: is_pressed && !self.is_late(),
        }
    }
}
