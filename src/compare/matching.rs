//! A run laid beside what is recorded, command by command and line by line.
//!
//! Numbered labels are matched by what they stand for and not by their number: `[ID-2]` here may be `[ID-3]` there, as long
//! as that holds all through the exercise. So one more layer in a pull does not make a drift of every ID that follows.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use regex::Captures;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::compare::{Drift, StepComparison, Verdict, is_own, recorded_step};
use crate::exercise::Role;
use crate::images::{ImageOrigin, LedgerEntry, repository};
use crate::normalize::{LABEL, Normalizer, Piece};
use crate::plan::{Expect, Lasts, Plan, PlannedStep};
use crate::snapshot::{RecordedCommand, RecordedStep, Snapshot};
use crate::transcript::{CommandTranscript, Ending, StepTranscript, Transcript};

/// What becomes of the recorded ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Images {
    Kept,
    Fresh,
}

/// A run laid beside what is recorded, command by command and line by line.
pub(super) struct Matching<'a> {
    recorded: Option<&'a Snapshot>,
    fresh: &'a Transcript,
    steps: Vec<MatchedStep<'a>>,
    pairing: Pairing,
}

struct MatchedStep<'a> {
    recorded: Option<&'a RecordedStep>,
    fresh: &'a StepTranscript,
    commands: Vec<MatchedCommand<'a>>,
}

struct MatchedCommand<'a> {
    recorded: Option<&'a RecordedCommand>,
    fresh: &'a CommandTranscript,
    recorded_pieces: Vec<Piece>,
    fresh_pieces: Vec<Piece>,
    /// For each fresh piece the recorded one that equals it.
    equals: Vec<Option<usize>>,
    compares: Compares,
}

/// What of a command is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compares {
    Everything,
    /// Not what it printed: of what is watched for a while one sees more or less each time.
    StatusOnly,
}

impl<'a> Matching<'a> {
    pub(super) fn new(
        plan: &Plan,
        recorded: Option<&'a Snapshot>,
        fresh: &'a Transcript,
    ) -> Matching<'a> {
        let mut pairing = Pairing::default();
        let recorded_steps = recorded.iter().flat_map(|it| &it.steps);
        for command in recorded_steps.flat_map(|it| &it.commands) {
            pairing.recorded_names.reserve(&command.output);
        }
        for command in fresh.steps.iter().flat_map(|it| &it.commands) {
            pairing.fresh_names.reserve(&command.output);
        }
        let mut recorded_pieces: HashMap<(&str, usize), Vec<Piece>> = HashMap::new();
        for step in recorded.map_or(Vec::new(), |it| in_run_order(plan, it)) {
            for (idx, command) in step.commands.iter().enumerate() {
                let pieces = pairing.recorded_names.pieces(&command.output);
                recorded_pieces.insert((&step.id, idx), pieces);
            }
        }
        let mut steps = Vec::new();
        for fresh in &fresh.steps {
            let recorded = recorded.and_then(|it| recorded_step(it, &fresh.id));
            let partners = partners(recorded, fresh);
            let mut commands = Vec::new();
            let planned = plan.steps.iter().find(|it| it.id == fresh.id);
            for (idx, (fresh, partner)) in fresh.commands.iter().zip(partners).enumerate() {
                let manner = planned.and_then(|it| Some(&it.commands.get(idx)?.manner));
                let compares = match manner.map(|it| &it.lasts) {
                    Some(Lasts::For(_)) => Compares::StatusOnly,
                    _ => Compares::Everything,
                };
                let fresh_pieces = pairing.fresh_names.pieces(&fresh.output);
                let matched = match (recorded, partner) {
                    (Some(step), Some(idx)) => {
                        let pieces = recorded_pieces.remove(&(step.id.as_str(), idx));
                        let pieces = pieces.unwrap_or_default();
                        MatchedCommand {
                            recorded: Some(&step.commands[idx]),
                            fresh,
                            equals: pairing.align(&pieces, &fresh_pieces),
                            recorded_pieces: pieces,
                            fresh_pieces,
                            compares,
                        }
                    }
                    _ => MatchedCommand {
                        recorded: None,
                        fresh,
                        equals: vec![None; fresh_pieces.len()],
                        recorded_pieces: Vec::new(),
                        fresh_pieces,
                        compares,
                    },
                };
                commands.push(matched);
            }
            steps.push(MatchedStep {
                recorded,
                fresh,
                commands,
            });
        }
        Matching {
            recorded,
            fresh,
            steps,
            pairing,
        }
    }

    /// The verdict on a step that ran as it should.
    pub(super) fn compare_step(&self, planned: &PlannedStep) -> StepComparison {
        let matched = self.steps.iter().find(|it| it.fresh.id == planned.id);
        let (verdict, drifts) = match matched {
            Some(matched) if matched.is_same_text() => {
                let drifts = self.drifts(planned, matched);
                match (drifts.is_empty(), planned.expect) {
                    (false, _) => (Verdict::Drifted, drifts),
                    (true, Expect::Success) => (Verdict::Ran, drifts),
                    (true, Expect::Failure(_)) => (Verdict::FailedAsItShould, drifts),
                }
            }
            _ => (Verdict::New, Vec::new()),
        };
        StepComparison {
            id: planned.id.clone(),
            origin: planned.origin,
            line: drifts.first().map_or(planned.line, |it| it.line),
            verdict,
            drifts,
        }
    }

    fn drifts(&self, planned: &PlannedStep, matched: &MatchedStep<'_>) -> Vec<Drift> {
        let mut res = Vec::new();
        for (idx, command) in matched.commands.iter().enumerate() {
            let Some(recorded) = command.recorded.filter(|_| !command.is_same()) else {
                continue;
            };
            let text = |it: &[Piece]| it.iter().map(|it| it.text.as_str()).collect::<String>();
            res.push(Drift {
                line: planned.commands.get(idx).map_or(planned.line, |it| it.line),
                command: command.fresh.text.clone(),
                status: (recorded.status, status(command.fresh.ending)),
                recorded: self.pairing.rename(&text(&command.recorded_pieces)),
                fresh: text(&command.fresh_pieces),
                because: Vec::new(),
            });
        }
        res
    }

    /// Gives up recorded lines, and the ledger, as long as something in them has another name in what is fresh.
    pub(super) fn settle(&mut self, fresh_images: &[LedgerEntry]) -> Images {
        let recorded_images = self.recorded.map_or(&[][..], |it| &it.images);
        let mut images = match self.recorded {
            Some(recorded)
                if recorded.engine.store == self.fresh.engine.store
                    && shape(recorded_images, self.fresh) == shape(fresh_images, self.fresh) =>
            {
                Images::Kept
            }
            _ => Images::Fresh,
        };
        loop {
            // Names that the new snapshot says because of something fresh in it.
            let mut said: BTreeSet<&str> = BTreeSet::new();
            for command in self.steps.iter().flat_map(|it| &it.commands) {
                for (piece, _) in command.pieces().filter(|it| it.1.is_none()) {
                    let names = &self.pairing.fresh_names;
                    let names = labels(&piece.text, names).filter_map(|it| names.value(it));
                    said.extend(names);
                }
            }
            let recorded_values = recorded_images.iter().flat_map(values);
            let fresh_values = fresh_images.iter().flat_map(values);
            if images == Images::Fresh {
                let known: BTreeSet<&str> = recorded_values.clone().collect();
                said.extend(fresh_values.clone().filter(|it| !known.contains(it)));
            }

            let mut given_up = Vec::new();
            for (step_idx, step) in self.steps.iter().enumerate() {
                for (command_idx, command) in step.commands.iter().enumerate() {
                    for (piece_idx, (piece, recorded)) in command.pieces().enumerate() {
                        let Some(recorded) = recorded else { continue };
                        if self.is_contradicted(&recorded.text, &piece.text, &said) {
                            given_up.push((step_idx, command_idx, piece_idx));
                        }
                    }
                }
            }
            let ledger_contradicted = images == Images::Kept
                && recorded_values.zip(fresh_values).any(|(recorded, fresh)| {
                    recorded != fresh && (said.contains(recorded) || said.contains(fresh))
                });
            if given_up.is_empty() && !ledger_contradicted {
                return images;
            }
            for (step, command, piece) in given_up {
                self.steps[step].commands[command].equals[piece] = None;
            }
            if ledger_contradicted {
                images = Images::Fresh;
            }
        }
    }

    /// Whether two equal lines have different names for one thing, and one of the names is said elsewhere.
    fn is_contradicted(&self, recorded: &str, fresh: &str, said: &BTreeSet<&str>) -> bool {
        let recorded_names = &self.pairing.recorded_names;
        let fresh_names = &self.pairing.fresh_names;
        let recorded = labels(recorded, recorded_names).map(|it| recorded_names.value(it));
        let fresh = labels(fresh, fresh_names).map(|it| fresh_names.value(it));
        recorded.zip(fresh).any(|(recorded, fresh)| {
            let mut both = [recorded, fresh].into_iter().flatten();
            recorded != fresh && both.any(|it| said.contains(it))
        })
    }

    pub(super) fn merge_step(&self, id: &str) -> Option<RecordedStep> {
        let step = self.steps.iter().find(|it| it.fresh.id == id)?;
        Some(RecordedStep {
            id: id.to_string(),
            commands: step.commands.iter().map(MatchedCommand::merge).collect(),
        })
    }
}

impl MatchedStep<'_> {
    /// Whether the step is recorded with the commands that ran.
    fn is_same_text(&self) -> bool {
        let fresh = self.fresh.commands.iter().map(|it| &it.text);
        self.recorded
            .is_some_and(|it| fresh.eq(it.commands.iter().map(|it| &it.text)))
    }
}

impl MatchedCommand<'_> {
    /// Whether status and all lines are as recorded.
    fn is_same(&self) -> bool {
        let is_in_place = |(idx, it): (usize, &Option<usize>)| *it == Some(idx);
        let is_same_status = self
            .recorded
            .is_some_and(|it| it.status == status(self.fresh.ending));
        if self.compares == Compares::StatusOnly {
            return is_same_status;
        }
        is_same_status
            && self.recorded_pieces.len() == self.fresh_pieces.len()
            && self.equals.iter().enumerate().all(is_in_place)
    }

    /// Fresh pieces, each with the recorded one that equals it.
    fn pieces(&self) -> impl Iterator<Item = (&Piece, Option<&Piece>)> {
        let recorded = |it: &Option<usize>| it.map(|it| &self.recorded_pieces[it]);
        self.fresh_pieces
            .iter()
            .zip(self.equals.iter().map(recorded))
    }

    fn merge(&self) -> RecordedCommand {
        match self.recorded {
            Some(recorded) if self.is_same() => recorded.clone(),
            recorded => {
                let mut output = Vec::new();
                for (piece, kept) in self.pieces() {
                    match (kept, recorded) {
                        (Some(kept), Some(recorded)) => {
                            output.extend_from_slice(&recorded.output[kept.raw.clone()]);
                        }
                        _ => output.extend_from_slice(&self.fresh.output[piece.raw.clone()]),
                    }
                }
                RecordedCommand {
                    text: self.fresh.text.clone(),
                    output,
                    status: status(self.fresh.ending),
                    took: whole_millis(self.fresh.took),
                }
            }
        }
    }
}

/// A status as a shell's `$?` would say it.
fn status(ending: Ending) -> i32 {
    match ending {
        Ending::Exited(status) | Ending::ShellExited(status) => status,
        Ending::ShellKilled(signal) => 128 + signal,
        Ending::GoesOn => 0,
        // What a shell says of SIGINT.
        Ending::Interrupted => 130,
        Ending::TimedOut | Ending::NeverReady => 124,
        Ending::SandboxLost | Ending::NotTyped => 125,
    }
}

/// As much of a duration as a snapshot's file says.
fn whole_millis(took: Duration) -> Duration {
    Duration::new(took.as_secs(), took.subsec_millis() * 1_000_000)
}

/// Recorded steps as they ran: cleanup last.
fn in_run_order<'a>(plan: &Plan, recorded: &'a Snapshot) -> Vec<&'a RecordedStep> {
    let is_cleanup = |id: &str| {
        let step = plan.steps.iter().find(|it| it.id == id);
        step.is_some_and(|it| it.role == Role::Cleanup)
    };
    let (last, mut res): (Vec<_>, Vec<_>) =
        recorded.steps.iter().partition(|it| is_cleanup(&it.id));
    res.extend(last);
    res
}

/// For each fresh command of a step the recorded one with the same text.
fn partners(recorded: Option<&RecordedStep>, fresh: &StepTranscript) -> Vec<Option<usize>> {
    let recorded = recorded.map_or(&[][..], |it| &it.commands);
    let recorded: Vec<&str> = recorded.iter().map(|it| it.text.as_str()).collect();
    let fresh: Vec<&str> = fresh.commands.iter().map(|it| it.text.as_str()).collect();
    let mut res = vec![None; fresh.len()];
    for (recorded_idx, fresh_idx) in common(&recorded, &fresh) {
        res[fresh_idx] = Some(recorded_idx);
    }
    res
}

/// Index pairs of a longest common subsequence. Of two long lists that differ much only the common ends are found, since
/// looking for more would take too long.
fn common(recorded: &[&str], fresh: &[&str]) -> Vec<(usize, usize)> {
    const MAX_LINES: usize = 5_000;
    let n_head = recorded
        .iter()
        .zip(fresh)
        .take_while(|it| it.0 == it.1)
        .count();
    let (recorded_rest, fresh_rest) = (&recorded[n_head..], &fresh[n_head..]);
    let tails = recorded_rest.iter().rev().zip(fresh_rest.iter().rev());
    let n_tail = tails.take_while(|it| it.0 == it.1).count();
    let recorded_rest = &recorded_rest[..recorded_rest.len() - n_tail];
    let fresh_rest = &fresh_rest[..fresh_rest.len() - n_tail];

    let mut res: Vec<(usize, usize)> = (0..n_head).map(|it| (it, it)).collect();
    if recorded_rest.len().max(fresh_rest.len()) <= MAX_LINES {
        for op in capture_diff_slices(Algorithm::Myers, recorded_rest, fresh_rest) {
            if let DiffOp::Equal {
                old_index,
                new_index,
                len,
            } = op
            {
                res.extend((0..len).map(|it| (n_head + old_index + it, n_head + new_index + it)));
            }
        }
    }
    res.extend(
        (1..=n_tail)
            .rev()
            .map(|it| (recorded.len() - it, fresh.len() - it)),
    );
    res
}

/// Numbered labels of a text that was normalized with these names. What only looks like one is text.
fn labels<'a>(text: &'a str, names: &'a Normalizer) -> impl Iterator<Item = &'a str> {
    let found = LABEL.find_iter(text).map(|it| it.as_str());
    found.filter(|it| names.value(it).is_some())
}

/// Replaces each numbered label of a text that was normalized with these names.
fn replace_labels(text: &str, names: &Normalizer, with: impl Fn(&str) -> String) -> String {
    let replace = |it: &Captures<'_>| match names.value(&it[0]) {
        Some(_) => with(&it[0]),
        None => it[0].to_string(),
    };
    LABEL.replace_all(text, replace).into_owned()
}

/// Takes the numbers out of the labels of normalized lines.
fn without_numbers(pieces: &[Piece], names: &Normalizer) -> Vec<String> {
    let bare = |it: &str| format!("{}]", it.trim_end_matches(|it| it != '-'));
    let replaced = |it: &Piece| replace_labels(&it.text, names, bare);
    pieces.iter().map(replaced).collect()
}

/// Which label of the recording stands for the same as which label of the run, one to one.
#[derive(Debug, Default)]
struct Pairing {
    recorded_names: Normalizer,
    fresh_names: Normalizer,
    to_fresh: HashMap<String, String>,
    to_recorded: HashMap<String, String>,
}

impl Pairing {
    /// Finds for each fresh piece the recorded one that equals it, and learns from them which labels belong together.
    fn align(&mut self, recorded: &[Piece], fresh: &[Piece]) -> Vec<Option<usize>> {
        let recorded_shapes = without_numbers(recorded, &self.recorded_names);
        let fresh_shapes = without_numbers(fresh, &self.fresh_names);
        let mut res = vec![None; fresh.len()];
        for (recorded_idx, fresh_idx) in common(&as_strs(&recorded_shapes), &as_strs(&fresh_shapes))
        {
            if self.learn(&recorded[recorded_idx].text, &fresh[fresh_idx].text) {
                res[fresh_idx] = Some(recorded_idx);
            }
        }
        res
    }

    /// Learns from two texts that are equal but for the numbers; tells whether that goes with what is known.
    fn learn(&mut self, recorded: &str, fresh: &str) -> bool {
        let mut to_fresh: HashMap<&str, &str> = HashMap::new();
        let mut to_recorded: HashMap<&str, &str> = HashMap::new();
        let pairs = labels(recorded, &self.recorded_names).zip(labels(fresh, &self.fresh_names));
        for (recorded, fresh) in pairs {
            let known_fresh = self.to_fresh.get(recorded).map(String::as_str);
            let known_recorded = self.to_recorded.get(fresh).map(String::as_str);
            let known_fresh = known_fresh.or(to_fresh.insert(recorded, fresh));
            let known_recorded = known_recorded.or(to_recorded.insert(fresh, recorded));
            if known_fresh.is_some_and(|it| it != fresh)
                || known_recorded.is_some_and(|it| it != recorded)
            {
                return false;
            }
        }
        for (recorded, fresh) in to_fresh {
            let (recorded, fresh) = (recorded.to_string(), fresh.to_string());
            self.to_fresh.insert(recorded.clone(), fresh.clone());
            self.to_recorded.insert(fresh, recorded);
        }
        true
    }

    /// Gives a recorded text the labels of the run. One that would be taken for another thing of the run gets a `?`.
    fn rename(&self, recorded: &str) -> String {
        replace_labels(recorded, &self.recorded_names, |label| {
            match self.to_fresh.get(label) {
                Some(fresh) => fresh.clone(),
                None if self.to_recorded.contains_key(label) => label.replace(']', "?]"),
                None => label.to_string(),
            }
        })
    }
}

fn as_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The ledger without what differs from run to run: an image that is built anew has other IDs and digests each time, but
/// shares its layers with the same images.
fn shape(images: &[LedgerEntry], fresh: &Transcript) -> Vec<(String, String, Vec<usize>)> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let made: Vec<&LedgerEntry> = images
        .iter()
        .filter(|it| it.origin == ImageOrigin::Exercise)
        .collect();
    let mut res = Vec::new();
    for entry in images {
        // An image that was pushed and has lost its tag to the next one is left with a reference by digest.
        let was_pushed = || {
            let has_repository =
                |it: &&LedgerEntry| repository(&it.reference) == repository(&entry.reference);
            made.iter().any(has_repository) && made.iter().any(|it| it.id == entry.id)
        };
        let by_digest = entry.reference.contains('@');
        let is_own = is_own(entry, fresh) || (by_digest && was_pushed());
        let name = match is_own && by_digest {
            true => repository(&entry.reference),
            false => &entry.reference,
        };
        let digest = match &entry.digest {
            Some(_) if is_own => "own",
            Some(digest) => digest,
            None => "",
        };
        let mut shared = Vec::new();
        for name in values(entry) {
            let n_numbers = numbers.len();
            shared.push(*numbers.entry(name).or_insert(n_numbers));
        }
        let LedgerEntry { first, last, .. } = entry;
        let head = format!(
            "{name} {} {} {} {}",
            first.step, first.number, last.step, last.number
        );
        res.push((head, digest.to_string(), shared));
    }
    res
}

/// ID, digest and layers of an entry, as a [`Normalizer`] knows them.
fn values(entry: &LedgerEntry) -> impl Iterator<Item = &str> + Clone {
    let all = std::iter::once(&entry.id)
        .chain(&entry.digest)
        .chain(entry.layers.iter().map(|it| &it.digest));
    all.map(|it| {
        let hex = it.strip_prefix("sha256:").unwrap_or(it);
        hex.get(..12).unwrap_or(hex)
    })
}
