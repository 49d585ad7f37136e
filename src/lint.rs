//! What an author should look at, before a reader stumbles over it: challenges without a solution, commands that the prose asks
//! for, pulls that do nothing, a cleanup that leaves things behind. Nothing of it keeps an exercise from running.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::bash;
use crate::claim;
use crate::config::Config;
use crate::exercise::{AsideKind, Exercise, Pattern, Role, Step};
use crate::images;
use crate::plan::{Decision, Plan, PlannedStep, Skip, in_run_order};
use crate::problem::Origin;
use crate::regexes::known;
use crate::run::Subject;
use crate::transcript::Inventory;

/// Something that an author should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Which file it is in.
    pub origin: Origin,
    /// Line, from 1.
    pub line: usize,
    /// What it is about.
    pub topic: Topic,
    /// What, and what to do about it.
    pub message: String,
}

/// What a hint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// A placeholder has no value.
    UnboundPlaceholder,
    /// A step waits for a person.
    InteractiveStep,
    /// A task is set, and no step does it.
    UnsolvedChallenge,
    /// The prose asks for a command that is no step.
    AskedInProse,
    /// A block looks like a file and is not saved.
    UnsavedFile,
    /// A build has nothing to build from.
    MissingContext,
    /// A variable is used that nothing has set.
    UnsetVariable,
    /// The prose says what an output has, and nothing checks it.
    UncheckedClaim,
    /// The prose says what an output has, and what is recorded has not.
    FalseClaim,
    /// A pull of what is there already.
    NoOpPull,
    /// The cleanup leaves things behind.
    IncompleteCleanup,
}

/// Looks at an exercise and what is recorded of it; in the order of its lines.
pub fn hints(subject: &Subject, config: &Config) -> Vec<Hint> {
    let (exercise, plan) = (&subject.exercise, &subject.plan);
    let mut hints = Vec::new();
    skipped(plan, &mut hints);
    challenges(exercise, plan, &mut hints);
    asides(exercise, &mut hints);
    contexts(plan, config, &mut hints);
    variables(plan, &mut hints);
    promises(subject, &mut hints);
    pulls(subject, &mut hints);
    leavings(subject, &mut hints);
    hints.sort_by_key(|it| (it.origin, it.line, it.topic));
    hints
}

/// `1 container and 5 images`; `None` if there is nothing.
pub fn remains(left: &Inventory) -> Option<String> {
    let counted = |n: usize, one: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {one}s")),
    };
    let parts = [
        counted(left.containers, "container"),
        counted(left.images, "image"),
        counted(left.volumes, "volume"),
        counted(left.networks, "network"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [head @ .., last] => Some(format!("{} and {last}", head.join(", "))),
    }
}

fn skipped(plan: &Plan, hints: &mut Vec<Hint>) {
    for step in &plan.steps {
        let (topic, remedy) = match &step.decision {
            Decision::Skip(Skip::NeedsValue(names)) => {
                let name = names.first().map_or("name", String::as_str);
                let remedy = format!("`<!-- rehearse: value {name}=… -->` gives it one");
                (Topic::UnboundPlaceholder, remedy)
            }
            Decision::Skip(Skip::Interactive(_)) => {
                let remedy = "`stdin=\"…\"`, `tty` or `for=5s` can script it".to_string();
                (Topic::InteractiveStep, remedy)
            }
            _ => continue,
        };
        let Decision::Skip(skip) = &step.decision else {
            continue;
        };
        hints.push(Hint {
            origin: step.origin,
            line: step.line,
            topic,
            message: format!("not run: {}; {remedy}", skip.reason()),
        });
    }
}

fn challenges(exercise: &Exercise, plan: &Plan, hints: &mut Vec<Hint>) {
    for (idx, section) in exercise.sections.iter().enumerate() {
        let steps = exercise.steps.iter().zip(&plan.steps);
        let solves = |step: &PlannedStep| {
            matches!(step.role, Role::Solution | Role::Check) && step.decision == Decision::Run
        };
        let is_solved = steps
            .filter(|it| it.0.section == idx)
            .any(|it| solves(it.1));
        if section.challenge && !is_solved {
            let copy = Origin::Copy.path(&exercise.chapter);
            hints.push(Hint {
                origin: Origin::Chapter,
                line: section.line,
                topic: Topic::UnsolvedChallenge,
                message: format!(
                    "a challenge without a solution that runs; write one in `{copy}` under the heading `{}`",
                    section.title
                ),
            });
        }
    }
}

fn asides(exercise: &Exercise, hints: &mut Vec<Hint>) {
    let is_step = |command: &str| {
        let mut commands = exercise.steps.iter().flat_map(|it| &it.commands);
        commands.any(|it| it.text.trim() == command)
    };
    for aside in &exercise.asides {
        let (topic, message) = match &aside.kind {
            AsideKind::LeftAlone(_) => continue,
            AsideKind::Asked(command) if is_step(command) => continue,
            AsideKind::Asked(command) => (
                Topic::AskedInProse,
                format!(
                    "the text asks for `{command}`; `<!-- rehearse: run {command} -->` after the paragraph runs it"
                ),
            ),
            AsideKind::Unsaved { path, why } => (
                Topic::UnsavedFile,
                format!("looks like `{path}`, but {why}; `save-as={path}` writes it"),
            ),
        };
        hints.push(Hint {
            origin: aside.origin,
            line: aside.line,
            topic,
            message,
        });
    }
}

/// Builds in an empty folder.
fn contexts(plan: &Plan, config: &Config, hints: &mut Vec<Hint>) {
    if config.workspace.is_some() || !plan.requires.is_empty() {
        return;
    }
    let mut has_file = false;
    for step in in_run_order(plan) {
        for command in &step.commands {
            let makes = ["Dockerfile", "compose", "git clone", "curl ", "tar "];
            let builds = bash::simple_commands(&command.text)
                .iter()
                .any(|it| is_build(it));
            if builds && !has_file {
                hints.push(Hint {
                    origin: step.origin,
                    line: command.line,
                    topic: Topic::MissingContext,
                    message: "builds in an empty folder; `workspace` in book.toml brings the course's files, and \
                              `save-as=Dockerfile` on a block writes one"
                        .to_string(),
                });
                return;
            }
            has_file |= makes.iter().any(|it| command.text.contains(it));
        }
    }
}

fn is_build(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words[..],
        ["docker", "build", ..] | ["docker", "image" | "buildx", "build", ..]
    ) && words.last() == Some(&".")
        && !words
            .iter()
            .any(|it| *it == "-f" || it.starts_with("--file"))
}

/// Variables that a learner's shell has anyway.
const ALWAYS_SET: [&str; 14] = [
    "BASH", "EUID", "HOME", "HOSTNAME", "IFS", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD",
    "RANDOM", "SECONDS", "SHELL", "USER",
];

fn variables(plan: &Plan, hints: &mut Vec<Hint>) {
    static USED: LazyLock<Regex> =
        LazyLock::new(|| known(r"(?:^|[^\\])\$\{?([A-Z_][A-Z0-9_]*)(:?[-=?+])?"));
    static SET: LazyLock<Regex> = LazyLock::new(|| {
        known(
            r"(?:^|[\s;&|(])(?:([A-Z_][A-Z0-9_]*)\+?=|(?:read|for|select)\s(?:-\w+\s+)*([A-Z_][A-Z0-9_]*))",
        )
    });
    static SINGLE: LazyLock<Regex> = LazyLock::new(|| known(r"'[^']*'"));
    let mut set: BTreeSet<String> = BTreeSet::new();
    for step in plan.requires.iter().flat_map(in_run_order) {
        for command in &step.commands {
            let found = SET.captures_iter(&command.text);
            set.extend(found.filter_map(|it| Some(it.get(1).or(it.get(2))?.as_str().to_string())));
        }
    }
    for step in in_run_order(plan) {
        for command in &step.commands {
            let found = SET.captures_iter(&command.text);
            set.extend(found.filter_map(|it| Some(it.get(1).or(it.get(2))?.as_str().to_string())));
            // A terminal's own shell has variables of its own, and a heredoc is a file.
            if command.manner.inside.is_some() || command.text.contains("<<") {
                continue;
            }
            let text = SINGLE.replace_all(&command.text, "''");
            for used in USED.captures_iter(&text) {
                let name = &used[1];
                let has_default = used.get(2).is_some();
                if has_default || ALWAYS_SET.contains(&name) || !set.insert(name.to_string()) {
                    continue;
                }
                hints.push(Hint {
                    origin: step.origin,
                    line: command.line,
                    topic: Topic::UnsetVariable,
                    message: format!(
                        "`${name}` is set nowhere before, so the shell sees nothing there; set it in a `setup` block"
                    ),
                });
            }
        }
    }
}

/// What the prose says of outputs, against what is recorded of the step above it and the next one.
fn promises(subject: &Subject, hints: &mut Vec<Hint>) {
    let steps = &subject.exercise.steps;
    for (idx, step) in steps.iter().enumerate() {
        if step.promises.is_empty() {
            continue;
        }
        let next = steps.get(idx + 1).filter(|it| it.section == step.section);
        let Some(above) = recorded_output(subject, step) else {
            continue;
        };
        let claims = std::iter::once(step).chain(next);
        let claims = claims.flat_map(|it| &it.claims).map(|it| &it.pattern);
        let claims: Vec<&Pattern> = claims.collect();
        let next = next.and_then(|it| recorded_output(subject, it));
        for promise in &step.promises {
            let pattern = claim::written(&promise.pattern);
            let (topic, message) = match next
                .as_deref()
                .is_some_and(|it| claim::holds(&promise.pattern, it))
            {
                _ if claims.contains(&&promise.pattern) => continue,
                _ if claim::holds(&promise.pattern, &above) => (
                    Topic::UncheckedClaim,
                    format!(
                        "the text says what the reader will see; `<!-- rehearse: expect {pattern} -->` below it has that checked"
                    ),
                ),
                // It is said of what follows, and is true.
                true => continue,
                false if !is_surely_of_an_output(&promise.pattern) => continue,
                false => (
                    Topic::FalseClaim,
                    format!(
                        "the text seems to say that the output has {pattern}, and what is recorded has not"
                    ),
                ),
            };
            hints.push(Hint {
                origin: promise.origin,
                line: promise.line,
                topic,
                message,
            });
        }
    }
}

/// Whether nothing else than an output can be meant: by what is left open, or by the head of a column.
fn is_surely_of_an_output(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Regex(_) => true,
        Pattern::Text(it) => it.chars().all(|it| it.is_ascii_uppercase() || it == ' '),
    }
}

/// What the commands of a step printed, if it is recorded.
fn recorded_output(subject: &Subject, step: &Step) -> Option<String> {
    let recorded = subject.recorded.iter().flat_map(|it| &it.steps);
    let recorded = recorded.into_iter().find(|it| it.id == step.id)?;
    let outputs = recorded.commands.iter().map(|it| claim::plain(&it.output));
    Some(outputs.collect())
}

fn pulls(subject: &Subject, hints: &mut Vec<Hint>) {
    let mut pulled: BTreeSet<String> = BTreeSet::new();
    for step in in_run_order(&subject.plan) {
        let recorded = subject.recorded.iter().flat_map(|it| &it.steps);
        let recorded = recorded.into_iter().find(|it| it.id == step.id);
        for command in &step.commands {
            for words in bash::simple_commands(&command.text) {
                let Some(reference) = pulled_reference(&words) else {
                    continue;
                };
                let recorded =
                    recorded.and_then(|it| it.commands.iter().find(|it| it.text == command.text));
                let is_there = match recorded {
                    Some(it) => String::from_utf8_lossy(&it.output).contains("Image is up to date"),
                    None => pulled.contains(&images::full_name(reference)),
                };
                pulled.insert(images::full_name(reference));
                if is_there {
                    hints.push(Hint {
                        origin: step.origin,
                        line: command.line,
                        topic: Topic::NoOpPull,
                        message: format!(
                            "pulls `{reference}`, which is there already: nothing is downloaded, whatever the text says"
                        ),
                    });
                }
            }
        }
    }
}

/// The reference that a command pulls, if it is a pull of one.
fn pulled_reference(words: &[String]) -> Option<&str> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let arguments = match words[..] {
        ["docker", "pull", ref arguments @ ..]
        | ["docker", "image", "pull", ref arguments @ ..] => arguments,
        _ => return None,
    };
    let is_plain = |it: &&&str| !it.starts_with('-') && !it.contains(['$', '<', '[', '{']);
    match arguments {
        [reference] => Some(reference).filter(is_plain).copied(),
        ["-q" | "--quiet", reference] => Some(reference).filter(is_plain).copied(),
        _ => None,
    }
}

fn leavings(subject: &Subject, hints: &mut Vec<Hint>) {
    let cleanup = subject.plan.steps.iter();
    let mut cleanup = cleanup.filter(|it| it.role == Role::Cleanup);
    let (Some(first), Some(left)) = (
        cleanup.next(),
        subject.recorded.as_ref().and_then(|it| it.left),
    ) else {
        return;
    };
    if let Some(remains) = remains(&left) {
        hints.push(Hint {
            origin: first.origin,
            line: first.line,
            topic: Topic::IncompleteCleanup,
            message: format!(
                "after the cleanup {remains} {} left",
                match remains.starts_with("1 ") && !remains.contains(" and ") {
                    true => "is",
                    false => "are",
                }
            ),
        });
    }
}
