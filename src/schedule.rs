//! What runs when and where: how many exercises at once, in which order, and which of them belong to which share of a book
//! that several machines check. It knows only names and durations, so that every machine comes to the same answer.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::run::{self, Subject};

/// Memory for one sandbox with its registries. Those of this project's book took 390 MB at most, without the page cache: the
/// engine with all that runs in it 75 to 340 MB, each of four registries 7 to 40 MB. The rest is for courses that start more
/// than small stand-ins, and for the machine itself.
const MEMORY: u64 = 1 << 30;

/// Time for making and removing a sandbox with its registries, on top of what its commands take: about what most exercises of
/// this project's book needed on two busy cores.
const OVERHEAD: Duration = Duration::from_secs(5);

/// How many sandboxes a machine takes at once: one for each core, as far as memory lasts.
pub fn jobs(n_cores: usize, memory: u64) -> NonZeroUsize {
    let by_memory = usize::try_from(memory / MEMORY).unwrap_or(usize::MAX);
    NonZeroUsize::new(n_cores.min(by_memory)).unwrap_or(NonZeroUsize::MIN)
}

/// An exercise, as far as dividing work needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Its name, which no other one has.
    pub name: String,
    /// How long it should take.
    pub takes: Takes,
}

/// How long an exercise should take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// As long as its commands took when they were recorded, and those of the exercises that run first in its sandbox.
    Recorded(Duration),
    /// Nobody knows; taken to be as long as the median of the others.
    Unknown,
    /// No time: nothing of it runs.
    Nothing,
}

/// How long exercises should take, by what is recorded of them. `all` are the book's, for what is required of others.
pub fn loads(chosen: &[&Subject], all: &[Subject]) -> Vec<Load> {
    let recorded = |name: &str| {
        let subject = all.iter().find(|it| it.exercise.id == name)?;
        let steps = &subject.recorded.as_ref()?.steps;
        let commands = steps.iter().flat_map(|it| &it.commands);
        Some(commands.map(|it| it.took).sum::<Duration>())
    };
    let load = |subject: &&Subject| {
        let required = subject.plan.requires.iter().map(|it| &it.exercise);
        let required: Duration = required.filter_map(|it| recorded(it)).sum();
        Load {
            name: subject.exercise.id.clone(),
            takes: match recorded(&subject.exercise.id) {
                _ if !subject.plan.runs() => Takes::Nothing,
                Some(own) => Takes::Recorded(own + required),
                None => Takes::Unknown,
            },
        }
    };
    chosen.iter().map(load).collect()
}

/// How long each exercise should take, sandbox and all.
pub fn estimates(loads: &[Load]) -> Vec<Duration> {
    let recorded = loads.iter().filter_map(|it| match it.takes {
        Takes::Recorded(it) => Some(it),
        Takes::Unknown | Takes::Nothing => None,
    });
    let mut recorded: Vec<Duration> = recorded.collect();
    recorded.sort_unstable();
    let median = match recorded.len() {
        0 => Duration::ZERO,
        n => recorded[(n - 1) / 2],
    };
    let estimate = |load: &Load| match load.takes {
        Takes::Recorded(it) => it + OVERHEAD,
        Takes::Unknown => median + OVERHEAD,
        Takes::Nothing => Duration::ZERO,
    };
    loads.iter().map(estimate).collect()
}

/// Indexes of exercises in the order in which they begin: the longest first, so that none is left over when the others are
/// done. One after the other they keep the book's order.
pub fn order(loads: &[Load], jobs: NonZeroUsize) -> Vec<usize> {
    match jobs.get() {
        1 => (0..loads.len()).collect(),
        _ => longest_first(loads, &estimates(loads)),
    }
}

fn longest_first(loads: &[Load], estimates: &[Duration]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..loads.len()).collect();
    order.sort_by_key(|it| (Reverse(estimates[*it]), &loads[*it].name));
    order
}

/// One of several shares of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shard {
    index: NonZeroUsize,
    of: NonZeroUsize,
}

impl Shard {
    /// Its number, from 1.
    pub fn index(self) -> usize {
        self.index.get()
    }

    /// How many there are.
    pub fn of(self) -> usize {
        self.of.get()
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let number = |it: &str| match it.bytes().all(|it| it.is_ascii_digit()) {
            true => it.parse::<usize>().ok(),
            false => None,
        };
        let numbers = text.split_once('/').map(|it| (number(it.0), number(it.1)));
        let Some((Some(nth), Some(of))) = numbers else {
            return Err("write which one of how many, such as `1/3`".to_owned());
        };
        match (NonZeroUsize::new(nth), NonZeroUsize::new(of)) {
            (_, None) => Err("there must be at least one shard, `1/1`".to_owned()),
            (Some(index), Some(of)) if index <= of => Ok(Shard { index, of }),
            (_, Some(of)) => Err(format!(
                "of {of} shards the first is `1/{of}` and the last `{of}/{of}`"
            )),
        }
    }
}

/// Which shard of so many each exercise belongs to, from 1: the longest first, each to the shard that has the least so far.
///
/// The order of exercises does not matter, and the longest shard takes at most 4/3 of what the best division could do (Graham's
/// bound for the longest processing time first).
pub fn shards(loads: &[Load], n_shards: NonZeroUsize) -> Vec<usize> {
    let estimates = estimates(loads);
    // Shards beyond one for each exercise have none.
    let mut sums = vec![Duration::ZERO; n_shards.get().min(loads.len())];
    let mut shards = vec![1; loads.len()];
    for load_idx in longest_first(loads, &estimates) {
        let least = (0..sums.len()).min_by_key(|it| sums[*it]).unwrap_or(0);
        sums[least] += estimates[load_idx];
        shards[load_idx] = least + 1;
    }
    shards
}

/// The exercises of a shard.
pub fn of_shard<'a>(chosen: &[&'a Subject], all: &[Subject], shard: Shard) -> Vec<&'a Subject> {
    let shards = shards(&loads(chosen, all), shard.of);
    let is_its = |it: &(&&Subject, usize)| it.1 == shard.index();
    let subjects = chosen.iter().zip(shards).filter(is_its);
    subjects.map(|it| *it.0).collect()
}

/// The exercises that are named and that one of the filters means, in the book's order; without names all are named, and
/// without filters all are meant. Otherwise messages, each with what is amiss.
pub fn choose<'a>(
    subjects: &'a [Subject],
    names: &[&str],
    filters: &[&str],
) -> Result<Vec<&'a Subject>, Vec<String>> {
    let is_named = |subject: &Subject, name: &str| run::is_named(&subject.exercise, name);
    let unknown = names
        .iter()
        .filter(|name| !subjects.iter().any(|it| is_named(it, name)))
        .map(|name| {
            format!("no exercise is named `{name}`; `mdbook-rehearse list` names them all")
        });
    let unknown: Vec<String> = unknown.collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let named = subjects.iter();
    let named = named.filter(|it| names.is_empty() || names.iter().any(|name| is_named(it, name)));
    let named: Vec<&Subject> = named.collect();
    let is_meant_by =
        |it: &Subject, filter: &str| is_meant(filter, &it.exercise.id, &it.exercise.chapter);
    let chosen = named.iter().copied();
    let chosen = chosen
        .filter(|it| filters.is_empty() || filters.iter().any(|filter| is_meant_by(it, filter)));
    let chosen: Vec<&Subject> = chosen.collect();
    if chosen.is_empty() && !filters.is_empty() {
        let listed = |names: Vec<&str>| format!("`{}`", names.join("`, `"));
        let there = named.iter().map(|it| it.exercise.id.as_str()).collect();
        let filters = listed(filters.to_vec());
        let message = match named.is_empty() {
            true => format!("no exercise is like {filters}; the book has none"),
            false => format!("no exercise is like {filters}; there are {}", listed(there)),
        };
        return Err(vec![message]);
    }
    Ok(chosen)
}

/// Whether a filter means an exercise: it is a part of its name or of its chapter's path, or with `*` or `?` all of one of
/// them. Small and capital letters are the same.
pub fn is_meant(filter: &str, name: &str, chapter: &str) -> bool {
    let filter = filter.to_lowercase();
    let is_pattern = filter.contains(['*', '?']);
    [name, chapter].iter().any(|it| {
        let it = it.to_lowercase();
        match is_pattern {
            true => is_match(&filter, &it),
            false => it.contains(&filter),
        }
    })
}

/// Whether a pattern covers all of a text; `*` is any number of characters, `?` is one.
fn is_match(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Whether the pattern so far covers the first n characters.
    let mut covers = vec![false; text.len() + 1];
    covers[0] = true;
    for char in pattern.chars() {
        covers = match char {
            '*' => {
                let first = covers.iter().position(|it| *it).unwrap_or(covers.len());
                (0..covers.len()).map(|it| it >= first).collect()
            }
            char => {
                let goes = |n: usize| covers[n - 1] && (char == '?' || char == text[n - 1]);
                (0..covers.len()).map(|n| n > 0 && goes(n)).collect()
            }
        };
    }
    covers[text.len()]
}
