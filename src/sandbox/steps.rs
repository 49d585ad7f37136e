//! The steps of a plan, run one after the other in a sandbox: what is typed where, how long it lasts, when it is tried again,
//! and which values go from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

use crate::claim;
use crate::compare::as_expected;
use crate::exercise::{Ready, Role};
use crate::placeholder;
use crate::plan::{Input, Lasts, Manner, Plan, PlannedCommand, PlannedStep, Retry, in_run_order};
use crate::sandbox::container::{Ran, Task};
use crate::sandbox::inventory::Look;
use crate::sandbox::terminal::{self, Opening, Said, SaidEnd, Terminal, Typed};
use crate::sandbox::wire::{self, End, Streams};
use crate::sandbox::{Event, Sandbox, WORKSPACE, Watch};
use crate::transcript::{Blocked, CommandTranscript, Ending, StepTranscript, Touch};

/// Quiet after which a command that goes on has said what it has to say.
const QUIET: Duration = Duration::from_secs(2);

/// How long a command that goes on is given to be quiet.
const CHATTY: Duration = Duration::from_secs(20);

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// Between two tries of a command.
const PAUSE: Duration = Duration::from_millis(300);

/// Statuses of `curl` where nobody answered (7, 52, 56), and of `wget` (4).
const UNANSWERED: [i32; 4] = [4, 7, 52, 56];

/// What the steps of a run have in common.
pub(super) struct Course<'a> {
    chapter: &'a str,
    deadline: Instant,
    watch: Watch<'a>,
    /// Values of placeholders, those that were captured too.
    values: BTreeMap<String, String>,
    /// Names of values that stand for whole words.
    bare: BTreeSet<String>,
    /// Terminals that are open, by name.
    terminals: BTreeMap<String, Terminal>,
    /// What the engine did with images in exercises that came first.
    before: Vec<Touch>,
}

/// What came of the steps of a plan.
#[derive(Default)]
pub(super) struct Done {
    pub(super) before: Vec<Touch>,
    pub(super) steps: Vec<StepTranscript>,
    pub(super) blocked: Option<Blocked>,
}

/// A command whose output may still grow.
struct Gathered {
    /// Number of the command whose output it is; `None` if all of it is there.
    number: Option<u32>,
    transcript: CommandTranscript,
}

impl Sandbox {
    /// Runs those steps of required exercises that make what is required, then the plan's own: all in document order until one
    /// ends otherwise than it should, and then those of cleanup.
    pub(super) async fn run_steps(&mut self, plan: &Plan, watch: Watch<'_>) -> Result<Done> {
        let mut course = Course {
            chapter: &plan.chapter,
            deadline: Instant::now() + plan.timeout,
            watch,
            values: BTreeMap::new(),
            bare: BTreeSet::new(),
            terminals: BTreeMap::new(),
            before: Vec::new(),
        };
        for required in &plan.requires {
            course.chapter = &required.chapter;
            course.values = required.values.clone();
            course.bare = required.bare.clone();
            self.enter_folder(&required.folder).await?;
            let blocked = self.run_required(required, &mut course).await?;
            if blocked.is_some() {
                return Ok(Done {
                    blocked,
                    ..Done::default()
                });
            }
        }
        course.chapter = &plan.chapter;
        course.values = plan.values.clone();
        course.bare = plan.bare.clone();
        if !plan.requires.is_empty() || plan.folder != Path::new("") {
            self.enter_folder(&plan.folder).await?;
        }
        let gathered = self.run_own(plan, &mut course).await?;
        let secrets = secrets(plan);
        let mut transcript = |gathered: Gathered| CommandTranscript {
            output: mask(
                match gathered.number {
                    Some(number) => self.outputs.take(number),
                    None => gathered.transcript.output,
                },
                &secrets,
            ),
            ..gathered.transcript
        };
        let mut steps = Vec::new();
        for (id, commands) in gathered {
            steps.push(StepTranscript {
                id,
                commands: commands.into_iter().map(&mut transcript).collect(),
            });
        }
        Ok(Done {
            before: course.before,
            steps,
            blocked: None,
        })
    }

    async fn enter_folder(&mut self, folder: &Path) -> Result<()> {
        let folder = Path::new(WORKSPACE).join(folder);
        let script = format!("\\builtin cd -- {}", quoted(&folder.to_string_lossy()));
        let limit = Duration::from_secs(30);
        self.container.must_run(&script, limit).await.map(|_| ())
    }

    /// Runs what an exercise makes: neither its tests nor its cleanup, and nothing that is only watched.
    async fn run_required(
        &mut self,
        plan: &Plan,
        course: &mut Course<'_>,
    ) -> Result<Option<Blocked>> {
        let makes = |it: &&PlannedStep| !matches!(it.role, Role::Check | Role::Cleanup);
        for step in in_run_order(plan).into_iter().filter(makes) {
            let mut step = step.clone();
            let is_watched = |it: &PlannedCommand| matches!(it.manner.lasts, Lasts::For(_));
            step.commands.retain(|it| !is_watched(it));
            let commands = self.run_step(&step, course).await?;
            self.capture(&step, &commands, course);
            let touches = commands.iter().flat_map(|it| &it.transcript.touches);
            course.before.extend(touches.cloned());
            let n_commands = step.commands.len();
            let failed = commands.iter().enumerate().find(|(idx, it)| {
                !as_expected(step.expect, *idx, n_commands, it.transcript.ending)
            });
            if let Some((idx, failed)) = failed {
                let output = match failed.number {
                    Some(number) => self.outputs.take(number),
                    None => failed.transcript.output.clone(),
                };
                return Ok(Some(Blocked {
                    chapter: plan.chapter.clone(),
                    origin: step.origin,
                    line: step.commands.get(idx).map_or(step.line, |it| it.line),
                    command: failed.transcript.text.clone(),
                    output: mask(output, &secrets(plan)),
                    ending: failed.transcript.ending,
                }));
            }
        }
        Ok(None)
    }

    async fn run_own(
        &mut self,
        plan: &Plan,
        course: &mut Course<'_>,
    ) -> Result<Vec<(String, Vec<Gathered>)>> {
        let mut steps: Vec<(String, Vec<Gathered>)> = Vec::new();
        let mut is_broken = false;
        for step in in_run_order(plan) {
            if is_broken && step.role != Role::Cleanup {
                continue;
            }
            let commands = self.run_step(step, course).await?;
            let n_commands = step.commands.len();
            let last = commands.last().map(|it| it.transcript.ending);
            // A terminal that is lost takes nothing with it.
            let is_inside = step.commands.iter().any(|it| it.manner.inside.is_some());
            is_broken |= last
                .is_some_and(|it| !as_expected(step.expect, commands.len() - 1, n_commands, it));
            is_broken |= !self.capture(step, &commands, course);
            steps.push((step.id.clone(), commands));
            if !is_inside && last.is_some_and(is_end_of_shell) {
                return Ok(steps);
            }
        }
        let terminals = std::mem::take(&mut course.terminals);
        for terminal in terminals.into_values() {
            let outputs = &mut self.outputs;
            terminal
                .close(&mut self.container, |id, bytes| outputs.add(id, bytes))
                .await?;
        }
        // What was left in the background may have changed images, and has printed until now.
        let last = steps.iter_mut().rev().find_map(|(_, it)| it.last_mut());
        if let Some(last) = last {
            let look = self.look_at_images().await?;
            last.transcript.images = look.images.or(last.transcript.images.take());
            last.transcript.touches.extend(look.touches);
        }
        Ok(steps)
    }

    /// Takes the values that a step gives; false if one is not there.
    fn capture(&self, step: &PlannedStep, commands: &[Gathered], course: &mut Course<'_>) -> bool {
        if step.captures.is_empty() {
            return true;
        }
        let output = |it: &Gathered| match it.number {
            Some(number) => claim::plain(self.outputs.so_far(number)),
            None => claim::plain(&it.transcript.output),
        };
        let text: String = commands.iter().map(output).collect();
        let mut is_whole = true;
        for capture in &step.captures {
            match claim::captured(&capture.regex, &text) {
                Some(value) => {
                    course.values.insert(capture.name.clone(), value);
                }
                None => is_whole = false,
            }
        }
        is_whole
    }

    /// Runs the commands of a step up to the first that does not end as it should.
    async fn run_step(
        &mut self,
        step: &PlannedStep,
        course: &mut Course<'_>,
    ) -> Result<Vec<Gathered>> {
        let mut commands = Vec::new();
        for (idx, command) in step.commands.iter().enumerate() {
            (course.watch)(Event::Command {
                line: command.line,
                text: command.text.clone(),
            });
            let wanted = |ending| as_expected(step.expect, idx, step.commands.len(), ending);
            let gathered = self.try_command(step, command, &wanted, course).await;
            let gathered = gathered.with_context(|| {
                let file = step.origin.path(course.chapter);
                format!(
                    "{file}:{}: the sandbox broke during this command",
                    command.line
                )
            })?;
            let is_last = !wanted(gathered.transcript.ending);
            commands.push(gathered);
            if is_last {
                break;
            }
        }
        Ok(commands)
    }

    /// Runs a command, and again as long as it is to be tried.
    async fn try_command(
        &mut self,
        step: &PlannedStep,
        command: &PlannedCommand,
        wanted: &dyn Fn(Ending) -> bool,
        course: &mut Course<'_>,
    ) -> Result<Gathered> {
        let began = Instant::now();
        let patience = match command.manner.retry {
            Retry::Never => Duration::ZERO,
            Retry::Unanswered(it) | Retry::For(it) => it,
        };
        loop {
            let left = course.deadline.saturating_duration_since(Instant::now());
            let time = step.timeout.min(left);
            let gathered = self.run_command(command, time, course).await?;
            let ending = gathered.transcript.ending;
            let is_again = match (command.manner.retry, ending) {
                (Retry::Unanswered(_), Ending::Exited(it)) => UNANSWERED.contains(&it),
                (Retry::For(_), Ending::Exited(_)) => true,
                _ => false,
            };
            if wanted(ending) || !is_again || began.elapsed() >= patience {
                return Ok(gathered);
            }
            // A try that failed is nothing to show.
            if let Some(number) = gathered.number {
                self.outputs.take(number);
            }
            sleep(PAUSE).await;
        }
    }

    async fn run_command(
        &mut self,
        command: &PlannedCommand,
        time: Duration,
        course: &mut Course<'_>,
    ) -> Result<Gathered> {
        let value = |name: &str| course.values.get(name).cloned();
        let script = match placeholder::fill(&command.text, &value) {
            Ok(script) => script,
            Err(names) => return Ok(unfilled(command, &names)),
        };
        let word = |word: &str| course.bare.get(word).and_then(|it| value(it));
        let script = placeholder::replace_words(&script, &word);
        let Manner {
            inside,
            input,
            lasts,
            ..
        } = &command.manner;
        let typed: Vec<String> = match input {
            Input::Terminal(lines) => lines
                .iter()
                .map(|it| plainly_filled(it, &course.values))
                .collect(),
            _ => Vec::new(),
        };
        let interrupt = match lasts {
            Lasts::For(it) => Some(*it),
            _ => None,
        };
        let limit = match interrupt {
            Some(it) => time.max(it + wire::GRACE),
            None => time,
        };
        let streams = match input {
            Input::Given(text) => Streams::Pipe {
                input: plainly_filled(text, &course.values).into_bytes(),
            },
            Input::Nothing => Streams::Pipe { input: Vec::new() },
            Input::Terminal(_) => Streams::Terminal,
        };
        let task = Task {
            script: &script,
            limit,
            streams,
            interrupt,
        };
        match (inside, lasts, input) {
            (Some(name), ..) => {
                let typed = Typed {
                    text: &script,
                    limit,
                    interrupt,
                };
                self.type_inside(name, command, typed, course).await
            }
            (None, Lasts::Opens(name), _) => {
                let opening = Opening {
                    script: &script,
                    limit: time,
                    lines: &typed,
                };
                self.open_terminal(name, command, opening, course).await
            }
            (None, Lasts::On(ready), _) => self.begin(command, task, ready).await,
            (None, _, Input::Terminal(_)) => {
                let outputs = &mut self.outputs;
                let output = |id, bytes: &[u8]| outputs.add(id, bytes);
                let ran =
                    terminal::run_answering(&mut self.container, task, &typed, output).await?;
                self.outputs.draw(ran.id);
                self.gathered(command, &ran).await
            }
            (None, ..) => {
                let outputs = &mut self.outputs;
                let ran = self.container.run(task, |id, bytes| outputs.add(id, bytes));
                let ran = ran.await?;
                self.gathered(command, &ran).await
            }
        }
    }

    /// Notes a command that has ended, or been ended.
    async fn gathered(&mut self, command: &PlannedCommand, ran: &Ran) -> Result<Gathered> {
        let ending = match ran.interrupted {
            true => Ending::Interrupted,
            false => ending(ran.end),
        };
        // Nothing can be asked any more of a shell that hangs. And where no process was started nothing has changed.
        let look = match ending {
            Ending::Exited(_) | Ending::Interrupted if ran.forked => self.look_at_images().await?,
            _ => Look::default(),
        };
        Ok(Gathered {
            number: Some(ran.id),
            transcript: CommandTranscript {
                text: command.text.clone(),
                output: Vec::new(),
                ending,
                took: ran.took,
                images: look.images,
                touches: look.touches,
            },
        })
    }

    /// Notes what a command that does not run to its end has come to, with the images that are there now.
    async fn noted(
        &mut self,
        command: &PlannedCommand,
        output: Vec<u8>,
        ending: Ending,
        took: Duration,
    ) -> Result<CommandTranscript> {
        let look = self.look_at_images().await?;
        Ok(CommandTranscript {
            text: command.text.clone(),
            output,
            ending,
            took,
            images: look.images,
            touches: look.touches,
        })
    }

    /// Starts a command that goes on, and waits until it is ready.
    async fn begin(
        &mut self,
        command: &PlannedCommand,
        task: Task<'_>,
        ready: &Ready,
    ) -> Result<Gathered> {
        let began = Instant::now();
        let outputs = &mut self.outputs;
        let opened = self
            .container
            .open(task.script, task.streams, |id, bytes| {
                outputs.add(id, bytes)
            })
            .await?;
        let mut ending = Ending::NeverReady;
        let mut heard = (0, Instant::now());
        while began.elapsed() < task.limit {
            let n_bytes = self.outputs.so_far(opened.id).len();
            if n_bytes != heard.0 {
                heard = (n_bytes, Instant::now());
            }
            let is_quiet = heard.1.elapsed() >= QUIET || began.elapsed() >= CHATTY;
            if self.is_ready(opened.id, ready, is_quiet).await? {
                ending = Ending::GoesOn;
                break;
            }
            if let Some(status) = self.container.closed(opened.id) {
                ending = Ending::Exited(status.unwrap_or(0));
                break;
            }
            let outputs = &mut self.outputs;
            let output = |id, bytes: &[u8]| outputs.add(id, bytes);
            self.container.hear(Instant::now() + LOOK, output).await?;
        }
        let transcript = self
            .noted(command, Vec::new(), ending, began.elapsed())
            .await?;
        Ok(Gathered {
            number: Some(opened.id),
            transcript,
        })
    }

    async fn is_ready(&mut self, number: u32, ready: &Ready, is_quiet: bool) -> Result<bool> {
        let (port, path) = match ready {
            Ready::AtOnce => return Ok(true),
            Ready::Quiet => return Ok(is_quiet),
            Ready::Text(text) => {
                let output = claim::plain(self.outputs.so_far(number));
                return Ok(output.contains(text.as_str()));
            }
            Ready::Port(port) => (*port, ""),
            Ready::Url { port, path } => (*port, path.as_str()),
        };
        let outputs = &mut self.outputs;
        let output = |id, bytes: &[u8]| outputs.add(id, bytes);
        let probed = self.container.probe(port, path, output).await?;
        Ok(match path {
            "" => probed.listens,
            _ => (1..500).contains(&probed.status),
        })
    }

    async fn open_terminal(
        &mut self,
        name: &str,
        command: &PlannedCommand,
        opening: Opening<'_>,
        course: &mut Course<'_>,
    ) -> Result<Gathered> {
        let outputs = &mut self.outputs;
        let output = |id, bytes: &[u8]| outputs.add(id, bytes);
        let opened = terminal::open(&mut self.container, opening, output).await?;
        let ending = match (&opened.terminal, opened.closed) {
            (_, Some(status)) => Ending::Exited(status.unwrap_or(0)),
            (Some(_), None) => Ending::GoesOn,
            (None, None) => Ending::NeverReady,
        };
        if let Some(terminal) = opened.terminal {
            course.terminals.insert(name.to_string(), terminal);
        }
        let transcript = self
            .noted(command, opened.output, ending, opened.took)
            .await?;
        Ok(Gathered {
            number: None,
            transcript,
        })
    }

    async fn type_inside(
        &mut self,
        name: &str,
        command: &PlannedCommand,
        typed: Typed<'_>,
        course: &mut Course<'_>,
    ) -> Result<Gathered> {
        let outputs = &mut self.outputs;
        let terminal = course.terminals.get_mut(name);
        let Some(terminal) = terminal.filter(|it| it.is_usable(&self.container)) else {
            return Ok(not_typed(
                command,
                format!("the terminal `{name}` is closed\n"),
            ));
        };
        let output = |id, bytes: &[u8]| outputs.add(id, bytes);
        let said: Said = terminal.say(&mut self.container, typed, output).await?;
        let ending = match said.end {
            _ if said.interrupted => Ending::Interrupted,
            SaidEnd::Exited(status) => Ending::Exited(status),
            // Leaving is what `exit` is for, whatever the status was that it passes on.
            SaidEnd::Closed(_) => Ending::Exited(0),
            SaidEnd::TimedOut => Ending::TimedOut,
        };
        let transcript = self.noted(command, said.output, ending, said.took).await?;
        Ok(Gathered {
            number: None,
            transcript,
        })
    }
}

/// A command that is not run, since a value cannot be put where it should be.
fn unfilled(command: &PlannedCommand, names: &[String]) -> Gathered {
    let names: Vec<String> = names.iter().map(|it| format!("<{it}>")).collect();
    let names = names.join(", ");
    let why = format!("the value of {names} cannot be put into this command without being run\n");
    not_typed(command, why)
}

fn not_typed(command: &PlannedCommand, why: String) -> Gathered {
    Gathered {
        number: None,
        transcript: CommandTranscript {
            text: command.text.clone(),
            output: why.into_bytes(),
            ending: Ending::NotTyped,
            took: Duration::ZERO,
            images: None,
            touches: Vec::new(),
        },
    }
}

/// Whether nothing more can be run in the exercise's shell.
fn is_end_of_shell(ending: Ending) -> bool {
    match ending {
        Ending::Exited(_)
        | Ending::Interrupted
        | Ending::GoesOn
        | Ending::NeverReady
        | Ending::NotTyped => false,
        Ending::ShellExited(_)
        | Ending::ShellKilled(_)
        | Ending::TimedOut
        | Ending::SandboxLost => true,
    }
}

fn ending(end: End) -> Ending {
    match end {
        End::Exited(status) => Ending::Exited(status),
        End::ShellExited(status) => Ending::ShellExited(status),
        End::ShellKilled(signal) => Ending::ShellKilled(signal),
        End::TimedOut => Ending::TimedOut,
    }
}

/// Values that no output may show, longest first, with what is shown in their place.
fn secrets(plan: &Plan) -> Vec<(String, String)> {
    let plans = plan.requires.iter().chain([plan]);
    let all: BTreeSet<(String, String)> = plans
        .flat_map(|plan| {
            plan.secrets.iter().filter_map(|name| {
                let value = plan.values.get(name).filter(|it| !it.is_empty())?;
                Some((value.clone(), format!("<{name}>")))
            })
        })
        .collect();
    let mut all: Vec<(String, String)> = all.into_iter().collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.0.len()));
    all
}

fn mask(output: Vec<u8>, secrets: &[(String, String)]) -> Vec<u8> {
    let mut res = Vec::new();
    let mut rest = output.as_slice();
    while let Some(first) = rest.first() {
        let secret = secrets.iter().find(|it| rest.starts_with(it.0.as_bytes()));
        match secret {
            Some((value, shown)) => {
                res.extend(shown.bytes());
                rest = &rest[value.len()..];
            }
            None => {
                res.push(*first);
                rest = &rest[1..];
            }
        }
    }
    res
}

/// What is typed, with values for `<name>`.
fn plainly_filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut res = text.to_string();
    for (name, value) in values {
        res = res.replace(&format!("<{name}>"), value);
    }
    res
}

/// A word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
