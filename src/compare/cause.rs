//! Which moved images a drift comes from, as far as the commands tell: by the names that they use and the names that they give.
//! It says what explains a drift, not that nothing else does.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use crate::compare::{Comparison, Drift};
use crate::images::{familiar_name, full_name, repository};
use crate::plan::{Decision, Plan, in_run_order};

/// Tells each drift the moved references that explain it.
///
/// One does if the command names it, or names what an earlier command made of it: a container, an image, a file. So it does if
/// the command lists images and each line that differs names it, and where a command adds up all images.
pub(super) fn explain(comparison: &mut Comparison, plan: &Plan) {
    for moved in &comparison.moved {
        let reference = &moved.reference;
        let users = users(reference, plan);
        let drifts = comparison.steps.iter_mut().flat_map(|step| {
            let id = &step.id;
            step.drifts.iter_mut().map(move |it| (&*id, it))
        });
        for (step, drift) in drifts {
            let uses = users.contains(&(step.as_str(), drift.line));
            if uses || adds_up_images(&drift.command) || is_about(drift, reference) {
                drift.because.push(reference.clone());
            }
        }
    }
}

/// The commands that use a reference or what was made of it, by their step and line.
fn users<'a>(reference: &str, plan: &'a Plan) -> BTreeSet<(&'a str, usize)> {
    let mut made: BTreeSet<&str> = BTreeSet::new();
    let mut users = BTreeSet::new();
    let steps = in_run_order(plan).into_iter();
    for step in steps.filter(|it| it.decision == Decision::Run) {
        for command in &step.commands {
            let words: Vec<&str> = words(&command.text).collect();
            let names = |it: &&str| made.contains(it) || full_name(it) == reference;
            if words.iter().any(names) || builds_from(&words, &made) {
                made.extend(given_names(&command.text, &words));
                users.insert((step.id.as_str(), command.line));
            }
        }
    }
    users
}

/// Words as Docker's command line and files have them: names, references, paths, options.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part =
        |it: char| it.is_alphanumeric() || matches!(it, '.' | '_' | '/' | ':' | '@' | '-');
    text.split(move |it| !is_part(it))
        .filter(|it| !it.is_empty())
}

/// What a command calls what it makes: `--name web`, `--tag app`, `docker tag … app`, `> Dockerfile`.
fn given_names<'a>(text: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    let mut res = Vec::new();
    for pair in words.windows(2) {
        if matches!(pair[0], "--name" | "--tag" | "-t") {
            res.push(pair[1]);
        }
    }
    if words.contains(&"tag") {
        res.extend(words.last());
    }
    if let Some((_, after)) = text.split_once('>') {
        res.extend(self::words(after).next().map(file_name));
    }
    res
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a command reads a file that it does not name: a Dockerfile, or one of Compose's.
fn builds_from(words: &[&str], made: &BTreeSet<&str>) -> bool {
    let has = |is_file: fn(&str) -> bool| made.iter().any(|it| is_file(it));
    let is_compose = words.contains(&"compose") || words.contains(&"docker-compose");
    (words.contains(&"build") && has(|it| it.contains("Dockerfile")))
        || (is_compose && has(|it| it.ends_with(".yml") || it.ends_with(".yaml")))
}

/// Whether a command prints sums over all images.
fn adds_up_images(command: &str) -> bool {
    let words: Vec<&str> = words(command).collect();
    words.windows(3).any(|it| {
        it[0] == "docker"
            && matches!(
                (it[1], it[2]),
                ("system", "df" | "prune") | ("image", "prune")
            )
    })
}

/// Whether every line that differs names the reference's repository, as a table of images does.
fn is_about(drift: &Drift, reference: &str) -> bool {
    let name = familiar_name(reference);
    let repository = repository(&name);
    let diff = TextDiff::from_lines(&drift.recorded, &drift.fresh);
    let mut changes = diff
        .iter_all_changes()
        .filter(|it| it.tag() != ChangeTag::Equal)
        .peekable();
    changes.peek().is_some()
        && changes.all(|it| words(it.value()).any(|it| it == repository || it == name))
}
