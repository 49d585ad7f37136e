//! The records of shards as one: what comes out, and what keeps them from being joined.

use insta::assert_snapshot;
use mdbook_rehearse::record::{self, Record};
use mdbook_rehearse::report::formats::{Format, written};

use crate::check::course;

/// The course in three shards, as files have them.
fn shards() -> Vec<(String, Record)> {
    let whole = course("no engine\n");
    let shard = |index: usize| {
        let exercises = whole.exercises.iter().enumerate();
        let exercises = exercises.filter(|(idx, _)| idx % 3 + 1 == index);
        let record = Record {
            shard: Some(format!("{index}/3").parse().unwrap()),
            exercises: exercises.map(|it| it.1.clone()).collect(),
            ..whole.clone()
        };
        (format!("{index}.json"), record)
    };
    (1..=3).map(shard).collect()
}

/// What keeps them from being joined.
#[track_caller]
fn refused(parts: Vec<(String, Record)>) -> String {
    record::join(parts).unwrap_err().join("\n")
}

#[test]
fn shards_in_any_order_are_the_whole_check() {
    let whole = course("no engine\n");
    let mut parts = shards();
    for _ in 0..3 {
        parts.rotate_left(1);
        assert_eq!(record::join(parts.clone()), Ok(whole.clone()));
    }
    parts.reverse();
    assert_eq!(record::join(parts).unwrap(), whole);
}

#[test]
fn a_whole_check_is_a_set_by_itself() {
    let whole = course("");
    let parts = vec![("a.json".to_string(), whole.clone())];
    assert_eq!(record::join(parts), Ok(whole.clone()));
    let twice = ["a.json", "b.json"].map(|it| (it.to_string(), whole.clone()));
    assert_snapshot!(refused(twice.to_vec()), @"shard 1 of 1 is there more than once: in `a.json` and `b.json`; leave out all but one");
    let mut mixed = shards();
    mixed[1].1 = whole;
    assert_snapshot!(refused(mixed), @"`2.json` is of a whole check, and `1.json` is of one in 3 shards; join shards of one check");
    assert_snapshot!(refused(Vec::new()), @"there is nothing to join; name a file for each shard");
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    let mut parts = shards();
    parts.remove(1);
    assert_snapshot!(refused(parts.clone()), @"shard 2 of 3 is missing");
    parts.remove(0);
    assert_snapshot!(refused(parts), @"
    shard 1 of 3 is missing
    shard 2 of 3 is missing
    ");
    let mut parts = shards();
    parts[2] = ("again/1.json".to_string(), parts[0].1.clone());
    assert_snapshot!(refused(parts), @"
    shard 1 of 3 is there more than once: in `1.json` and `again/1.json`; leave out all but one
    shard 3 of 3 is missing
    ");
    let mut parts = shards();
    parts[0].1.exercises.remove(0);
    let double = parts[2].1.exercises[0].clone();
    parts[1].1.exercises.push(double);
    assert_snapshot!(refused(parts), @"
    no shard has the exercise `first`
    the exercise `labs-slow` is there more than once: in `2.json` and `3.json`
    ");
    let mut parts = shards();
    parts[0].1.exercises[0].name = "strange".to_string();
    assert_snapshot!(refused(parts), @"
    `1.json` has the exercise `strange`, which it did not choose
    no shard has the exercise `first`
    ");
}

#[test]
fn what_is_of_another_check_is_named() {
    let change = |change: &dyn Fn(&mut Record)| {
        let mut parts = shards();
        change(&mut parts[1].1);
        refused(parts)
    };
    let said = [
        change(&|it| it.version = "0.2.0".to_string()),
        change(&|it| it.place.book = "other".to_string()),
        change(&|it| it.shard = Some("2/4".parse().unwrap())),
        change(&|it| it.chosen.retain(|it| it != "last")),
        change(&|it| it.chosen.push("more".to_string())),
        change(&|it| it.chosen[0] = "more".to_string()),
        change(&|it| it.chosen.reverse()),
    ];
    let said = said
        .join("\n")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    assert_snapshot!(said, @"
    `2.json` is of version 0.2.0, and `1.json` is of version VERSION; join shards of one check
    `2.json` is of the book in `other`, and `1.json` is of the book in `course`; join shards of one check
    `2.json` is of one in 4 shards, and `1.json` is of one in 3 shards; join shards of one check
    `2.json` did not choose `last`, and `1.json` did; join shards of one check
    `2.json` chose `more`, and `1.json` did not; join shards of one check
    `2.json` chose `more` and not `first`, and `1.json` chose `first` and not `more`; join shards of one check
    `2.json` chose in the order `last`, `labs-eighth`, `labs-second`, `labs-flaky`, `labs-moved`, `labs-slow`, `labs-broken`, `first`, and `1.json` chose in the order `first`, `labs-broken`, `labs-slow`, `labs-moved`, `labs-flaky`, `labs-second`, `labs-eighth`, `last`; join shards of one check
    ");
}

#[test]
fn what_is_no_record_is_refused() {
    let whole = written(&course(""), Format::Json);
    let said = [
        "".to_string(),
        "{}".to_string(),
        whole.replacen("\"format\": 1", "\"format\": 2", 1),
        whole.replacen("\"verdict\": \"broken\"", "\"verdict\": \"bad\"", 1),
        whole[..200].to_string(),
    ]
    .map(|it| record::parse(&it).unwrap_err());
    assert_snapshot!(said.join("\n"), @"
    cannot be read: EOF while parsing a value at line 1 column 0; make it with `mdbook-rehearse check --report json=FILE`
    cannot be read: missing field `format` at line 1 column 2; make it with `mdbook-rehearse check --report json=FILE`
    is in format 2, and this mdbook-rehearse knows format 1; join it with the version that wrote it
    cannot be read: unknown variant `bad`, expected one of `as-recorded`, `flaky`, `drifted`, `broken`, `not-run` at line 119 column 22; make it with `mdbook-rehearse check --report json=FILE`
    cannot be read: EOF while parsing a value at line 12 column 17; make it with `mdbook-rehearse check --report json=FILE`
    ");
}
