//! Shares of a book: the same on every machine, whole together, and about equally long.

use std::num::NonZeroUsize;
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::report::forecast::forecast;
use mdbook_rehearse::run::Subject;
use mdbook_rehearse::schedule::{
    Load, Shard, Takes, estimates, jobs, loads, of_shard, order, shards,
};
use proptest::prelude::*;

use crate::{Written, survey};

const RUNS: &str = "```bash\ntrue\n```\n";

/// Each shard of a book with the names of its exercises.
#[track_caller]
fn check(chapters: &[Written<'_>], n_shards: usize) -> String {
    let subjects = survey(chapters).subjects;
    let chosen: Vec<&Subject> = subjects.iter().collect();
    let mut text = String::new();
    for index in 1..=n_shards {
        let shard: Shard = format!("{index}/{n_shards}").parse().unwrap();
        let its = of_shard(&chosen, &subjects, shard);
        let names: Vec<&str> = its.iter().map(|it| it.exercise.id.as_str()).collect();
        text.push_str(&format!("{shard}: {}\n", names.join(" ")));
    }
    text
}

#[test]
fn the_longest_goes_to_the_shard_that_has_the_least() {
    let book = [
        ("a.md", RUNS, Some(10)),
        ("b.md", RUNS, Some(60)),
        ("c.md", RUNS, Some(30)),
        ("d.md", RUNS, Some(20)),
        ("e.md", RUNS, Some(10)),
    ];
    assert_snapshot!(check(&book, 2), @"
    1/2: b e
    2/2: a c d
    ");
}

#[test]
fn one_without_a_record_counts_as_the_median() {
    let book = [
        ("a.md", RUNS, Some(1)),
        ("b.md", RUNS, Some(50)),
        ("c.md", RUNS, Some(100)),
        ("new.md", RUNS, None),
    ];
    assert_snapshot!(check(&book, 2), @"
    1/2: a c
    2/2: b new
    ");
}

#[test]
fn a_book_without_any_record_is_divided_by_number() {
    let book = ["a.md", "b.md", "c.md", "d.md"].map(|it| (it, RUNS, None));
    assert_snapshot!(check(&book, 2), @"
    1/2: a c
    2/2: b d
    ");
}

#[test]
fn what_comes_first_in_the_same_sandbox_counts_too() {
    let requires = format!("<!-- rehearse: requires long -->\n\n{RUNS}");
    let book = [
        ("long.md", RUNS, Some(50)),
        ("after.md", requires.as_str(), Some(1)),
        ("mean.md", RUNS, Some(45)),
        ("short.md", RUNS, Some(1)),
    ];
    assert_snapshot!(check(&book, 2), @"
    1/2: after short
    2/2: long mean
    ");
}

#[test]
fn an_exercise_of_which_nothing_runs_takes_nothing_and_is_in_one_shard() {
    let skipped = "```bash skip\ntrue\n```\n";
    let book = [
        ("a.md", RUNS, Some(9)),
        ("b.md", RUNS, Some(9)),
        ("never.md", skipped, Some(900)),
    ];
    assert_snapshot!(check(&book, 2), @"
    1/2: a never
    2/2: b
    ");
}

#[test]
fn there_may_be_more_shards_than_exercises() {
    let book = [("a.md", RUNS, Some(9)), ("b.md", RUNS, None)];
    assert_snapshot!(check(&book, 3), @"
    1/3: a
    2/3: b
    3/3:
    ");
    let n_most = NonZeroUsize::MAX;
    assert_eq!(shards(&[load("a", 9)], n_most), [1]);
}

#[test]
fn what_is_no_shard_is_refused_with_what_to_write() {
    let refuse = |text: &str| format!("{text:?}: {}\n", text.parse::<Shard>().unwrap_err());
    let texts = [
        "0/3",
        "4/3",
        "1/0",
        "x",
        "",
        "1",
        "1/",
        "/3",
        "1/3/3",
        "-1/3",
        "+1/3",
        "1 / 3",
        "1.0/3",
        "99999999999999999999/3",
    ];
    assert_snapshot!(texts.map(refuse).concat(), @r#"
    "0/3": of 3 shards the first is `1/3` and the last `3/3`
    "4/3": of 3 shards the first is `1/3` and the last `3/3`
    "1/0": there must be at least one shard, `1/1`
    "x": write which one of how many, such as `1/3`
    "": write which one of how many, such as `1/3`
    "1": write which one of how many, such as `1/3`
    "1/": write which one of how many, such as `1/3`
    "/3": write which one of how many, such as `1/3`
    "1/3/3": write which one of how many, such as `1/3`
    "-1/3": write which one of how many, such as `1/3`
    "+1/3": write which one of how many, such as `1/3`
    "1 / 3": write which one of how many, such as `1/3`
    "1.0/3": write which one of how many, such as `1/3`
    "99999999999999999999/3": write which one of how many, such as `1/3`
    "#);
    for text in ["1/1", "2/3", "3/3"] {
        assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
    }
}

#[test]
fn a_forecast_tells_the_exercises_of_a_shard_and_how_long_they_take() {
    let skipped = "```bash skip\ntrue\n```\n";
    let book = survey(&[
        ("labs/images.md", RUNS, Some(41)),
        ("new.md", RUNS, None),
        ("never.md", skipped, Some(900)),
        ("long.md", RUNS, Some(400)),
    ]);
    let tell = |subjects: &[&Subject], shard: Option<&str>| {
        let loads = loads(subjects, &book.subjects);
        let text = forecast(subjects, &loads, shard.map(|it| it.parse().unwrap()));
        anstream::adapter::strip_str(&text).to_string()
    };
    let all: Vec<&Subject> = book.subjects.iter().collect();
    assert_snapshot!(tell(&all, None), @"
    labs/images.md (labs-images): about 46 s
    new.md (new): not recorded
    never.md (never): no step of it runs
    long.md (long): about 7 min
    4 exercises, one after the other about 8 min
    ");
    assert_snapshot!(tell(&all[..1], Some("1/3")), @"
    labs/images.md (labs-images): about 46 s
    1 exercise in shard 1/3, one after the other about 46 s
    ");
    assert_snapshot!(tell(&[], Some("3/3")), @"no exercise in shard 3/3");
}

#[test]
fn as_many_run_at_once_as_cores_and_memory_allow() {
    let gib = |n: u64| n << 30;
    for (n_cores, memory, n_jobs) in [
        (2, gib(16), 2),
        (8, gib(4), 4),
        (4, gib(4) - 1, 3),
        (64, gib(1) / 2, 1),
        (1, gib(64), 1),
        // An engine that does not tell.
        (0, 0, 1),
    ] {
        assert_eq!(jobs(n_cores, memory).get(), n_jobs, "{n_cores} {memory}");
    }
}

#[test]
fn side_by_side_the_longest_begins_first_and_otherwise_the_first() {
    let loads = [load("b", 5), load("c", 60), load("a", 5)];
    let order = |n| order(&loads, NonZeroUsize::new(n).unwrap());
    assert_eq!(order(2), [1, 2, 0]);
    assert_eq!(order(1), [0, 1, 2]);
}

fn load(name: &str, seconds: u64) -> Load {
    Load {
        name: name.to_string(),
        takes: Takes::Recorded(Duration::from_secs(seconds)),
    }
}

/// How long the longest shard takes.
fn longest(estimates: &[Duration], shards: &[usize], n_shards: usize) -> Duration {
    let of = |shard: usize| {
        let its = estimates
            .iter()
            .zip(shards)
            .filter(move |it| *it.1 == shard);
        its.map(|it| *it.0).sum::<Duration>()
    };
    (1..=n_shards).map(of).max().unwrap()
}

/// How long the longest shard takes in the best of all divisions.
fn best(estimates: &[Duration], n_shards: usize) -> Duration {
    let n_divisions = n_shards.pow(estimates.len() as u32);
    let divisions = (0..n_divisions).map(|division| {
        let shard = |idx| division / n_shards.pow(idx) % n_shards + 1;
        let shards: Vec<usize> = (0..estimates.len() as u32).map(shard).collect();
        longest(estimates, &shards, n_shards)
    });
    divisions.min().unwrap()
}

fn takes() -> impl Strategy<Value = Takes> {
    prop_oneof![
        6 => (0u64..200_000).prop_map(|it| Takes::Recorded(Duration::from_millis(it))),
        2 => Just(Takes::Unknown),
        1 => Just(Takes::Nothing),
    ]
}

fn some_loads(n_most: usize) -> impl Strategy<Value = Vec<Load>> {
    prop::collection::vec(takes(), 0..=n_most).prop_map(|takes| {
        let load = |(idx, takes)| Load {
            name: format!("exercise-{idx}"),
            takes,
        };
        takes.into_iter().enumerate().map(load).collect()
    })
}

fn n_shards(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

proptest! {
    #[test]
    fn every_exercise_is_in_just_one_of_the_shards(loads in some_loads(40), n in 1usize..12) {
        let shards = shards(&loads, n_shards(n));
        prop_assert_eq!(shards.len(), loads.len());
        prop_assert!(shards.iter().all(|it| (1..=n).contains(it)));
    }

    #[test]
    fn the_order_of_chapters_does_not_matter(
        (loads, mixed) in some_loads(20).prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        n in 1usize..6,
    ) {
        let by_name = |loads: &[Load]| {
            let names = loads.iter().map(|it| it.name.clone());
            let mut shards: Vec<_> = names.zip(shards(loads, n_shards(n))).collect();
            shards.sort();
            shards
        };
        prop_assert_eq!(by_name(&loads), by_name(&mixed));
    }

    /// Graham 1969: 4/3 - 1/3n of the best.
    #[test]
    fn no_shard_is_longer_than_the_bound_allows(loads in some_loads(7), n in 1usize..=3) {
        let estimates = estimates(&loads);
        let longest = longest(&estimates, &shards(&loads, n_shards(n)), n);
        let best = best(&estimates, n);
        let n = n as u32;
        prop_assert!(longest * 3 * n <= best * (4 * n - 1), "{longest:?} {best:?}");
    }
}
