//! Every decision about a run, made before it: what runs, what is skipped and why, in which order, under which limits, and
//! how each command is run: where it is typed, what is typed at it, and how long it lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::bash;
use crate::config::{Config, Registry, Supplied};
use crate::console::{Ending, Place};
use crate::exercise::{Capture, Claim, Command, Exercise, Failure, Ready, Role, Step};
use crate::interactive::{self, Behavior, Opened};
use crate::placeholder::{fill, mask, placeholders};
use crate::problem::{Origin, Problem};

/// What would happen if the exercise ran now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The exercise's name.
    pub exercise: String,
    /// Path of the chapter, for messages.
    pub chapter: String,
    /// Time for the whole exercise.
    pub timeout: Duration,
    /// Values of placeholders by name, as far as they are known before the run.
    pub values: BTreeMap<String, String>,
    /// Names of values that no output may show.
    pub secrets: BTreeSet<String>,
    /// Names of values that stand for whole words, without brackets: of IDs and names copied from a sample.
    pub bare: BTreeSet<String>,
    /// What the sandbox can reach.
    pub reach: Reach,
    /// Folder of the workspace that the shell starts in; empty for its top.
    pub folder: PathBuf,
    /// Plans of the exercises that come first in the same sandbox, in order; each with none of its own.
    pub requires: Vec<Plan>,
    /// One for each step of the exercise, in document order. Cleanup steps run after all others.
    pub steps: Vec<PlannedStep>,
}

impl Plan {
    /// Whether any of it runs.
    pub fn runs(&self) -> bool {
        self.steps.iter().any(|it| it.decision == Decision::Run)
    }

    /// Takes over what exercises need that come first: with them their sandbox reaches the world, and without a grant for them
    /// nothing can run.
    pub fn needs_of(&mut self, required: &[Plan]) {
        if required.iter().any(|it| it.reach == Reach::World) {
            self.reach = Reach::World;
        }
        let decisions = required.iter().flat_map(|it| &it.steps);
        let missing = decisions.map(|it| &it.decision).find_map(|it| match it {
            Decision::Skip(skip @ Skip::NeedsGrant(_)) => Some(skip.clone()),
            _ => None,
        });
        let Some(missing) = missing else { return };
        for step in &mut self.steps {
            if step.decision == Decision::Run {
                step.decision = Decision::Skip(missing.clone());
            }
        }
    }
}

/// What the sandbox can reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// What the book's `network` says.
    #[default]
    Registries,
    /// The world too, and with it this machine and the networks around it. Only the user can grant that.
    World,
}

/// One step with what was decided for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedStep {
    /// The step's name.
    pub id: String,
    /// Which file it stands in.
    pub origin: Origin,
    /// Line of the opening fence in that file, from 1.
    pub line: usize,
    /// What it is for.
    pub role: Role,
    /// Its commands.
    pub commands: Vec<PlannedCommand>,
    /// Run it or not.
    pub decision: Decision,
    /// How it must end.
    pub expect: Expect,
    /// Time for each of its commands.
    pub timeout: Duration,
    /// What its output must hold.
    pub claims: Vec<Claim>,
    /// Values that its output gives to later steps.
    pub captures: Vec<Capture>,
    /// What was taken for granted, for the author to confirm: fragments.
    pub inferred: Vec<String>,
}

/// One command with how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCommand {
    /// Line of its first character in its file, from 1.
    pub line: usize,
    /// As it is typed, placeholders as they are written.
    pub text: String,
    /// How it is run.
    pub manner: Manner,
}

impl PlannedCommand {
    /// A command at the exercise's own shell that ends by itself.
    pub fn plain(line: usize, text: impl Into<String>) -> PlannedCommand {
        PlannedCommand {
            line,
            text: text.into(),
            manner: Manner::default(),
        }
    }
}

/// How a command is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// Where it is typed: the terminal of this name, or the exercise's own shell.
    pub inside: Option<String>,
    /// What it reads.
    pub input: Input,
    /// How long it lasts.
    pub lasts: Lasts,
    /// Whether it is tried again.
    pub retry: Retry,
}

/// What a command reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Input {
    /// Nothing: it is at its end at once.
    #[default]
    Nothing,
    /// This text.
    Given(String),
    /// A terminal, at which these lines are typed as it asks for them.
    Terminal(Vec<String>),
}

/// How long a command lasts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Lasts {
    /// Until it ends by itself.
    #[default]
    ToItsEnd,
    /// That long; then Ctrl-C, which is how it should end.
    For(Duration),
    /// In the background to the end of the exercise; the next command comes when it is ready.
    On(Ready),
    /// Until its terminal, which later steps type in, is closed: the terminal's name.
    Opens(String),
}

/// Whether a command that fails is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Retry {
    /// It is not.
    #[default]
    Never,
    /// For that long while nobody answers the connection: `curl` of what was started just before.
    Unanswered(Duration),
    /// For that long.
    For(Duration),
}

/// Run a step, or not and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    #[default]
    Run,
    /// It is shown and not run.
    Skip(Skip),
}

/// Why a step is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// The author said so; the reason may be empty.
    Author(String),
    /// It has placeholders: their names without brackets.
    NeedsValue(Vec<String>),
    /// It waits for a person: what it waits for, as a fragment (`docker login asks for a user name and password`).
    Interactive(String),
    /// The exercise needs what the user has not granted.
    NeedsGrant(String),
    /// It is about something that no sandbox has: as a fragment.
    OutOfScope(String),
}

impl Skip {
    /// Whether it is only for want of something here and now: what is recorded of the step stays true.
    pub fn is_for_now(&self) -> bool {
        match self {
            Skip::NeedsValue(_) | Skip::Interactive(_) | Skip::NeedsGrant(_) => true,
            Skip::Author(_) | Skip::OutOfScope(_) => false,
        }
    }

    /// Why, as a fragment; empty if its author gave no reason.
    pub fn reason(&self) -> String {
        match self {
            Skip::Author(why) | Skip::Interactive(why) | Skip::OutOfScope(why) => why.clone(),
            Skip::NeedsValue(names) => {
                let names: Vec<String> = names.iter().map(|it| format!("<{it}>")).collect();
                let listed = match names.as_slice() {
                    [head @ .., last] if !head.is_empty() => {
                        format!("{} and {last}", head.join(", "))
                    }
                    names => names.concat(),
                };
                format!("needs a value for {listed}")
            }
            Skip::NeedsGrant(need) => format!("needs `{need}`, which was not granted"),
        }
    }
}

/// How a step must end. A command is as expected when it, or for `Failure` the last one of the step, ends so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expect {
    /// Every command ends with status 0.
    #[default]
    Success,
    /// The last command does not end with 0 but so.
    Failure(Failure),
}

/// What a plan depends on besides the exercise.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The book's.
    pub config: &'a Config,
    /// Reads a variable of the environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// What the user grants.
    pub granted: &'a BTreeSet<String>,
    /// Folder of the workspace that a chapter of this path starts in.
    pub folder: &'a dyn Fn(&str) -> PathBuf,
}

impl<'a> Circumstances<'a> {
    /// Nothing in the environment, and nothing granted.
    pub fn bare(config: &'a Config) -> Circumstances<'a> {
        const NONE: &BTreeSet<String> = &BTreeSet::new();
        Circumstances {
            config,
            environment: &|_| None,
            granted: NONE,
            folder: &|_| PathBuf::new(),
        }
    }
}

/// How long something endless is watched that its author gave no time.
const WATCHED: Duration = Duration::from_secs(3);

/// How long what was started just before is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Decides for every step of an exercise; warnings name the steps that will not run for want of something.
pub fn plan(exercise: &Exercise, around: Circumstances<'_>) -> (Plan, Vec<Problem>) {
    let config = around.config;
    let mut values = BTreeMap::new();
    let mut secrets = BTreeSet::new();
    for (name, value) in &config.values {
        let (value, is_secret) = match value {
            Supplied::Text(it) => (Some(it.clone()), false),
            Supplied::Environment(it) => ((around.environment)(it), true),
        };
        if let Some(value) = value {
            values.insert(name.clone(), value);
            if is_secret {
                secrets.insert(name.clone());
            }
        }
    }
    for (name, value) in &exercise.values {
        values.insert(name.clone(), value.clone());
        secrets.remove(name);
    }
    let missing = exercise
        .needs
        .iter()
        .find(|it| !around.granted.contains(*it));
    let mut planner = Planner {
        exercise,
        config,
        known: values.keys().cloned().collect(),
        missing,
        terminals: Vec::new(),
        n_terminals: 0,
        problems: Vec::new(),
    };
    let mut planned: BTreeMap<usize, PlannedStep> = BTreeMap::new();
    for idx in run_order(exercise) {
        planned.insert(idx, planner.step(&exercise.steps[idx]));
    }
    let mut problems = planner.problems;
    problems.sort_by_key(|it| (it.origin, it.line));
    let reach = match exercise.needs.is_empty() || missing.is_some() {
        true => Reach::Registries,
        false => Reach::World,
    };
    let plan = Plan {
        exercise: exercise.id.clone(),
        chapter: exercise.chapter.clone(),
        timeout: config.exercise_timeout,
        bare: bare(exercise, &values),
        values,
        secrets,
        reach,
        folder: (around.folder)(&exercise.chapter),
        requires: Vec::new(),
        steps: planned.into_values().collect(),
    };
    (plan, problems)
}

/// The steps that run, in the order in which they do: as in the chapter, those of cleanup last.
pub fn in_run_order(plan: &Plan) -> Vec<&PlannedStep> {
    let runs = plan.steps.iter().filter(|it| it.decision == Decision::Run);
    let (cleanup, mut steps): (Vec<&PlannedStep>, Vec<_>) =
        runs.partition(|it| it.role == Role::Cleanup);
    steps.extend(cleanup);
    steps
}

/// Names of values and captures that stand in commands as whole words, and nowhere as placeholders.
fn bare(exercise: &Exercise, values: &BTreeMap<String, String>) -> BTreeSet<String> {
    let commands = || exercise.steps.iter().flat_map(|it| &it.commands);
    let bracketed: BTreeSet<String> = commands()
        .flat_map(|it| placeholders(&it.text))
        .map(|it| it.1)
        .collect();
    let captures = exercise.steps.iter().flat_map(|it| &it.captures);
    let names = captures.map(|it| &it.name).chain(values.keys());
    let is_word = |name: &&String| {
        commands().any(|it| it.text.split_whitespace().any(|it| it == name.as_str()))
    };
    names
        .filter(|it| !bracketed.contains(*it))
        .filter(is_word)
        .cloned()
        .collect()
}

/// Indices of steps in the order in which they would run.
fn run_order(exercise: &Exercise) -> Vec<usize> {
    let is_cleanup = |idx: &usize| exercise.steps[*idx].words.role == Role::Cleanup;
    let (cleanup, mut steps): (Vec<usize>, Vec<usize>) =
        (0..exercise.steps.len()).partition(is_cleanup);
    steps.extend(cleanup);
    steps
}

/// What is known while the steps are decided in the order in which they run.
struct Planner<'a> {
    exercise: &'a Exercise,
    config: &'a Config,
    /// Names of values, those that earlier steps capture too.
    known: BTreeSet<String>,
    /// A need that is not granted.
    missing: Option<&'a String>,
    /// Names of terminals that are open, the last one last.
    terminals: Vec<String>,
    n_terminals: usize,
    problems: Vec<Problem>,
}

impl Planner<'_> {
    fn step(&mut self, step: &Step) -> PlannedStep {
        let mut inferred = step.inferred.clone();
        let is_shown_failing = step
            .commands
            .last()
            .is_some_and(|it| it.ending == Ending::Failed);
        let expect = match step.words.fails {
            Some(it) => Expect::Failure(it),
            None if is_shown_failing => {
                inferred.push("fails, as its sample shows".to_string());
                Expect::Failure(Failure::Any)
            }
            None => Expect::Success,
        };
        let n_terminals = self.terminals.len();
        let refusal = self.refusal(step);
        let n_problems = self.problems.len();
        let manners = self.manners(step, &mut inferred);
        let defaults = || step.commands.iter().map(|_| Manner::default()).collect();
        let (decision, commands) = match (refusal, manners) {
            (None, Ok(manners)) => {
                self.known
                    .extend(step.captures.iter().map(|it| it.name.clone()));
                (Decision::Run, manners)
            }
            // What is recorded of it is shown as it was run.
            (Some(skip), manners) => {
                self.problems.truncate(n_problems);
                self.terminals.truncate(n_terminals);
                inferred = Vec::new();
                (Decision::Skip(skip), manners.unwrap_or_else(|_| defaults()))
            }
            (None, Err(skip)) => {
                self.terminals.truncate(n_terminals);
                inferred = Vec::new();
                (Decision::Skip(skip), defaults())
            }
        };
        let commands = step.commands.iter().zip(commands);
        let commands = commands.map(|(command, manner)| PlannedCommand {
            line: command.line,
            text: command.text.clone(),
            manner,
        });
        PlannedStep {
            id: step.id.clone(),
            origin: step.origin,
            line: step.line,
            role: step.words.role,
            commands: commands.collect(),
            decision,
            expect,
            timeout: step.words.timeout.unwrap_or(self.config.timeout),
            claims: step.claims.clone(),
            captures: step.captures.clone(),
            inferred,
        }
    }

    /// Why a step is not run, whatever its commands do.
    fn refusal(&mut self, step: &Step) -> Option<Skip> {
        if let Some(why) = &step.words.skip {
            return Some(Skip::Author(why.clone()));
        }
        if step.commands.is_empty() {
            return Some(Skip::Author("the block has no command".to_string()));
        }
        if let Some(need) = self.missing {
            return Some(Skip::NeedsGrant(need.clone()));
        }
        self.check_values(step).err()
    }

    /// How each command of a step is run, or why the step is not.
    fn manners(&mut self, step: &Step, inferred: &mut Vec<String>) -> Result<Vec<Manner>, Skip> {
        let mut manners = Vec::new();
        for (idx, command) in step.commands.iter().enumerate() {
            let is_last = idx + 1 == step.commands.len();
            manners.push(self.manner(step, command, is_last, inferred)?);
        }
        Ok(manners)
    }

    fn check_values(&mut self, step: &Step) -> Result<(), Skip> {
        let mut names: Vec<String> = Vec::new();
        for command in &step.commands {
            for (span, name) in placeholders(&command.text) {
                if self.known.contains(&name) || names.contains(&name) {
                    continue;
                }
                if names.is_empty() {
                    let line = command.line + command.text[..span.start].matches('\n').count();
                    let written = &command.text[span];
                    self.warn(step, line, needs_value(written, &name));
                }
                names.push(name);
            }
        }
        let typed = step.words.stdin.as_deref().unwrap_or_default();
        for (span, name) in placeholders(typed) {
            if !self.known.contains(&name) && !names.contains(&name) {
                if names.is_empty() {
                    self.warn(step, step.line, needs_value(&typed[span], &name));
                }
                names.push(name);
            }
        }
        if names.is_empty() {
            let value = |_: &str| Some("x".to_string());
            for command in &step.commands {
                let Err(impossible) = fill(&command.text, &value) else {
                    continue;
                };
                let message = format!(
                    "step is skipped: `{}` stands where no value can be put without being run; write the command \
                     otherwise, or `skip=\"why\"` after the fence's language",
                    impossible.join("`, `")
                );
                self.warn(step, command.line, message);
                names.extend(impossible);
            }
        }
        match names.is_empty() {
            true => Ok(()),
            false => Err(Skip::NeedsValue(names)),
        }
    }

    fn manner(
        &mut self,
        step: &Step,
        command: &Command,
        is_last: bool,
        inferred: &mut Vec<String>,
    ) -> Result<Manner, Skip> {
        let words = &step.words;
        // The grammar takes `<name>` for redirections.
        let invocations = bash::invocations(&mask(&command.text));
        if let Some(inside) = self.inside(step, command)? {
            let endless = invocations
                .iter()
                .map(interactive::described)
                .find(|it| it.0 == Behavior::Watches);
            let label = match &endless {
                Some((_, label)) => label.clone(),
                None => format!("`{}`", command.text),
            };
            let is_stopped = command.ending == Ending::Interrupted;
            let lasts = match (words.limit, is_stopped || endless.is_some()) {
                (Some(it), _) => Lasts::For(it),
                (None, true) => Lasts::For(watched(&label, command, inferred)),
                (None, false) => Lasts::ToItsEnd,
            };
            if command.text.trim() == "exit" {
                self.terminals.retain(|it| *it != inside);
            }
            return Ok(Manner {
                inside: Some(inside),
                lasts,
                ..Manner::default()
            });
        }
        if let Some(what) = invocations.iter().find_map(out_of_scope) {
            return Err(Skip::OutOfScope(what));
        }
        let typed = words.stdin.as_deref().filter(|_| is_last);
        let mut manner = Manner {
            input: match typed {
                Some(it) if words.tty => Input::Terminal(lines(it)),
                Some(it) => Input::Given(with_newline(it)),
                None if words.tty => Input::Terminal(Vec::new()),
                None => Input::Nothing,
            },
            retry: match words.retry {
                Some(it) => Retry::For(it),
                None if words.fails.is_none() => retry(&invocations),
                None => Retry::Never,
            },
            ..Manner::default()
        };
        if is_last {
            if let Some(ready) = &words.until {
                manner.lasts = Lasts::On(ready.clone());
            }
            if let Some(limit) = words.limit {
                manner.lasts = Lasts::For(limit);
            }
        }
        let is_told = manner.lasts != Lasts::ToItsEnd || manner.input != Input::Nothing;
        let behaviors = invocations
            .iter()
            .map(|it| (it, interactive::described(it)));
        let behavior = behaviors.max_by_key(|it| weight(&it.1.0));
        let Some((invocation, (behavior, label))) = behavior else {
            return Ok(manner);
        };
        match behavior {
            Behavior::Ends => {
                if command.ending == Ending::Interrupted && manner.lasts == Lasts::ToItsEnd {
                    manner.lasts = Lasts::For(watched(&label, command, inferred));
                }
            }
            Behavior::Terminal(opened) => {
                let typed = typed.map_or_else(|| command.answers.clone(), lines);
                manner.input = Input::Terminal(typed);
                let is_endless =
                    matches!(opened, Opened::Endless(_)) || command.ending == Ending::Interrupted;
                if manner.lasts != Lasts::ToItsEnd {
                    // Its author has said so.
                } else if is_endless {
                    manner.lasts = Lasts::For(watched(&label, command, inferred));
                } else if !words.tty && self.stays_open(step, command, &opened) {
                    manner.lasts = Lasts::Opens(self.open_terminal(step));
                }
            }
            Behavior::Watches => {
                if manner.lasts == Lasts::ToItsEnd {
                    manner.lasts = Lasts::For(watched(&label, command, inferred));
                }
                let redraws = ["stats", "top", "htop", "watch"];
                if invocation
                    .words
                    .iter()
                    .take(3)
                    .any(|it| redraws.contains(&it.as_str()))
                {
                    manner.input = Input::Terminal(Vec::new());
                }
            }
            Behavior::Serves { .. } if manner.lasts != Lasts::ToItsEnd => {}
            Behavior::Serves { ports } => {
                let (ready, what) = match ports.first() {
                    Some(port) => (Ready::Port(*port), format!("port {port} answers")),
                    None => (Ready::Quiet, "it prints nothing more".to_string()),
                };
                inferred.push(format!(
                    "line {}: {label} holds the terminal, so it goes on in the background once {what}",
                    command.line
                ));
                manner.lasts = Lasts::On(ready);
            }
            Behavior::Asks if is_told => {}
            Behavior::Asks => {
                let answers = match command.answers.is_empty() {
                    true => vec!["y".to_string()],
                    false => command.answers.clone(),
                };
                inferred.push(format!(
                    "line {}: {label} asks, and `{}` is typed",
                    command.line,
                    answers.join("`, `")
                ));
                manner.input = Input::Terminal(answers);
            }
            Behavior::LogsIn { .. } if is_told => {
                if let Some(typed) = typed {
                    manner.input = Input::Terminal(lines(typed));
                }
            }
            Behavior::LogsIn { host, user } => {
                let answers = self.login(step, command, host.as_deref(), user.as_deref())?;
                inferred.push(format!(
                    "line {}: the stand-in registry's user name and password are typed",
                    command.line
                ));
                manner.input = Input::Terminal(answers);
            }
            Behavior::Waits(_) if is_told => {}
            Behavior::Waits(wait) => {
                let message = format!(
                    "step is skipped: {}; {}, or write `skip=\"why\"` after the fence's language",
                    wait.what, wait.remedy
                );
                self.warn(step, command.line, message);
                return Err(Skip::Interactive(wait.what));
            }
        }
        Ok(manner)
    }

    /// Which terminal a command is typed in, if not in the exercise's shell.
    fn inside(&mut self, step: &Step, command: &Command) -> Result<Option<String>, Skip> {
        if let Some(name) = &step.words.inside {
            if !self.terminals.contains(name) {
                let message = format!(
                    "no step before this one opens a terminal `{name}`; name it there with `opens={name}`"
                );
                self.problems.push(Problem {
                    origin: step.origin,
                    ..Problem::error(step.line, message)
                });
            }
            return Ok(Some(name.clone()));
        }
        if command.place == Place::Host {
            return Ok(None);
        }
        match self.terminals.last() {
            Some(name) => Ok(Some(name.clone())),
            None if command.place == Place::Root => Ok(None),
            None => {
                let what =
                    "it is typed in a container, and no step that runs opened a terminal there";
                let message = format!(
                    "step is skipped: {what}; open one with `docker run -it …` in a step before it, or write \
                     `skip=\"why\"` after the fence's language"
                );
                self.warn(step, command.line, message);
                Err(Skip::Interactive(what.to_string()))
            }
        }
    }

    /// Whether a command's terminal is one that later commands are typed in. What is typed at one that is not can only be
    /// scripted.
    fn stays_open(&self, step: &Step, command: &Command, opened: &Opened) -> bool {
        let is_shell = matches!(opened, Opened::Shell | Opened::Default);
        step.words.opens.is_some()
            || self.is_typed_in_next(step, command)
            || is_shell && step.words.stdin.is_none()
    }

    /// Gives a terminal its name and notes that it is open.
    fn open_terminal(&mut self, step: &Step) -> String {
        self.n_terminals += 1;
        let name = match &step.words.opens {
            Some(name) => name.clone(),
            None => format!("terminal-{}", self.n_terminals),
        };
        self.terminals.retain(|it| *it != name);
        self.terminals.push(name.clone());
        name
    }

    /// Whether what follows a command is typed at a program or in a container.
    fn is_typed_in_next(&self, step: &Step, command: &Command) -> bool {
        let in_step = step.commands.iter().skip_while(|it| *it != command).nth(1);
        let later = || {
            let mut steps = self.exercise.steps.iter().skip_while(|it| it.id != step.id);
            steps.nth(1).and_then(|it| it.commands.first())
        };
        let next = in_step.or_else(later);
        next.is_some_and(|it| it.place != Place::Host)
    }

    /// What is typed at a login to a stand-in.
    fn login(
        &mut self,
        step: &Step,
        command: &Command,
        host: Option<&str>,
        user: Option<&str>,
    ) -> Result<Vec<String>, Skip> {
        let host = host.map_or("docker.io", |it| match it {
            "index.docker.io" | "https://index.docker.io/v1/" => "docker.io",
            it => it,
        });
        match self.config.registries.get(host) {
            Some(Registry::Local {
                login: Some(login), ..
            }) => {
                let mut typed = vec![login.password.clone()];
                if user.is_none() {
                    typed.insert(0, login.user.clone());
                }
                Ok(typed)
            }
            _ => {
                let what = format!("`docker login` asks for a user name and password of `{host}`");
                let message = format!(
                    "step is skipped: {what}; give the registry a `login` in book.toml, script it with `tty stdin=\"…\"`, or \
                     write `skip=\"why\"` after the fence's language"
                );
                self.warn(step, command.line, message);
                Err(Skip::Interactive(what))
            }
        }
    }

    fn warn(&mut self, step: &Step, line: usize, message: String) {
        self.problems.push(Problem {
            origin: step.origin,
            ..Problem::warning(line, message)
        });
    }
}

fn needs_value(written: &str, name: &str) -> String {
    format!(
        "step is skipped: `{written}` needs a value; give it one with `<!-- rehearse: value {name}=… -->` or \
         `[preprocessor.rehearse.values]`, or write `skip=\"why\"` after the fence's language"
    )
}

fn watched(label: &str, command: &Command, inferred: &mut Vec<String>) -> Duration {
    inferred.push(format!(
        "line {}: {label} never ends by itself, so it is watched for {} s and then gets Ctrl-C",
        command.line,
        WATCHED.as_secs()
    ));
    WATCHED
}

/// How much a command's behavior says about the whole line that it is in.
fn weight(behavior: &Behavior) -> usize {
    match behavior {
        Behavior::Ends => 0,
        Behavior::Asks => 1,
        Behavior::Watches => 2,
        Behavior::Serves { .. } => 3,
        Behavior::LogsIn { .. } => 4,
        Behavior::Terminal(_) => 5,
        Behavior::Waits(_) => 6,
    }
}

/// What no sandbox has, if a command is about that.
fn out_of_scope(invocation: &bash::Invocation) -> Option<String> {
    let words = interactive::real_words(invocation);
    let (name, arguments) = words.split_first()?;
    let what = match *name {
        "kubectl" | "minikube" | "kind" | "k3d" | "k3s" | "helm" | "oc" | "kompose"
        | "microk8s" => "is about Kubernetes",
        "az" | "aws" | "gcloud" | "ibmcloud" | "doctl" | "heroku" | "eksctl" | "terraform" => {
            "is about a cloud"
        }
        "apt" | "apt-get" | "yum" | "dnf" | "apk" | "brew" | "snap" | "choco" | "winget"
        | "zypper" | "pacman" => "installs on the reader's own machine",
        "systemctl" | "service" | "usermod" | "groupadd" | "newgrp" | "adduser" | "reboot" => {
            "changes the reader's own machine"
        }
        "docker-machine" | "vagrant" | "multipass" | "ssh" | "scp" => "is about another machine",
        "open" | "xdg-open" | "start" | "code" | "explorer" => "opens a window",
        "python" | "python3" | "pip" | "pip3" | "node" | "npm" | "npx" | "yarn" | "go" | "java"
        | "mvn" | "gradle" | "php" | "composer" | "ruby" | "gem" | "bundle" | "dotnet"
        | "cargo" | "psql" | "mysql" | "redis-cli" | "mongo" | "mongosh" | "podman" => {
            "is a program of the reader's own machine, which the sandbox has not"
        }
        "docker" => match arguments.first() {
            Some(&"scout" | &"trust" | &"extension" | &"desktop" | &"model" | &"mcp") => {
                let plugin = arguments[0];
                return Some(format!("`docker {plugin}` is not in the sandbox"));
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(format!("`{name}` {what}"))
}

/// Whether a line is tried again since it asks a server that may not be up yet. What it does before it asks must be harmless
/// a second time.
fn retry(invocations: &[bash::Invocation]) -> Retry {
    const BEFORE: [&str; 2] = ["echo", "sleep"];
    // Their status, and not that of what asks, is the line's.
    const FILTERS: [&str; 10] = [
        "awk", "cut", "grep", "head", "jq", "sed", "sort", "tail", "tr", "wc",
    ];
    let is_one_of = |it: &bash::Invocation, names: &[&str]| {
        interactive::real_words(it)
            .first()
            .is_some_and(|it| names.contains(it))
    };
    let mut rest = invocations.iter().skip_while(|it| is_one_of(it, &BEFORE));
    if !rest.next().is_some_and(asks_this_machine) {
        return Retry::Never;
    }
    let mut rest = rest.peekable();
    match rest.peek().is_some() && rest.all(|it| is_one_of(it, &FILTERS)) {
        true => Retry::For(PATIENCE),
        false => Retry::Unanswered(PATIENCE),
    }
}

/// Whether a command asks a server on this machine.
fn asks_this_machine(invocation: &bash::Invocation) -> bool {
    let words = interactive::real_words(invocation);
    let is_local = |it: &&str| {
        let address = it.strip_prefix("http://").unwrap_or(it);
        ["localhost", "127.0.0.1", "0.0.0.0"].iter().any(|host| {
            address
                .strip_prefix(host)
                .is_some_and(|it| it.is_empty() || it.starts_with([':', '/']))
        })
    };
    words
        .first()
        .is_some_and(|it| *it == "curl" || *it == "wget")
        && words[1..].iter().any(is_local)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_string).collect()
}

fn with_newline(text: &str) -> String {
    match text.is_empty() || text.ends_with('\n') {
        true => text.to_string(),
        false => format!("{text}\n"),
    }
}
