use std::fs;
use std::path::Path;

use mdbook_rehearse::normalize::{Normalizer, rules};
use proptest::prelude::*;

const SEPARATOR: &str = "--------8<-------- normalized\n";
const LONG: &str = "3f4ab5c6d7e80123456789abcdef0123456789abcdef0123456789abcdef0123";

/// Normalizes outputs in one memory; they are parted by `===`.
#[track_caller]
fn check(outputs: &[&str]) -> String {
    let mut normalizer = Normalizer::default();
    let res: Vec<String> = outputs.iter().map(|it| normalizer.normalize(it)).collect();
    for it in &res {
        let again = Normalizer::default().normalize(it);
        assert_eq!(again, *it, "a second time changes something");
    }
    res.join("===\n")
}

/// Names and texts of the case files. A picture of a control character stands for the character.
fn cases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/normalize");
    let mut res = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let text = fs::read_to_string(&path).unwrap();
        res.push((name, text.replace('␍', "\r").replace('␛', "\x1b")));
    }
    res.sort();
    res
}

#[test]
fn every_case_file_becomes_what_it_wants() {
    for (name, text) in cases() {
        let (raw, wanted) = text.split_once(SEPARATOR).unwrap();
        assert_eq!(check(&[raw]), wanted, "{name}");
    }
}

#[test]
fn the_guide_lists_every_rule_in_order() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/guide/snapshots.md");
    let guide = fs::read_to_string(guide).unwrap();
    let rows: Vec<String> = rules()
        .iter()
        .map(|(name, doc)| format!("| `{name}` | {doc} |\n"))
        .collect();
    assert!(guide.contains(&rows.concat()), "{}", rows.concat());
}

#[test]
fn every_rule_has_a_case_file_and_every_file_a_use() {
    let rules: Vec<String> = rules().iter().map(|it| format!("{}.txt", it.0)).collect();
    let cases: Vec<String> = cases().into_iter().map(|it| it.0).collect();
    let (real, ruled): (Vec<String>, Vec<String>) =
        cases.into_iter().partition(|it| it.starts_with("real-"));
    let mut wanted = rules;
    wanted.sort();
    assert_eq!(ruled, wanted);
    assert!(real.iter().all(|it| it.ends_with(".txt")));
}

#[test]
fn keeps_one_id_through_an_exercise_long_or_short() {
    let short = &LONG[..12];
    insta::assert_snapshot!(check(&[LONG, short, "9a8b7c6d5e4f", short]), @"
    [ID-1]===
    [ID-1]===
    [ID-2]===
    [ID-1]
    ");
    insta::assert_snapshot!(check(&[short, &format!("sha256:{LONG}"), LONG]), @"
    [ID-1]===
    [ID-1]===
    [ID-1]
    ");
}

#[test]
fn tells_two_long_ids_with_one_short_form_apart() {
    let other = LONG.replace("cdef", "cdee");
    insta::assert_snapshot!(check(&[LONG, &other, LONG]), @"
    [ID-1]===
    [ID-2]===
    [ID-1]
    ");
}

#[test]
fn does_not_give_out_a_label_that_stands_in_the_output() {
    insta::assert_snapshot!(check(&["[ID-1] 3f4ab5c6d7e8"]), @"[ID-1] [ID-2]");
}

#[test]
fn keeps_a_missing_newline_and_blank_lines() {
    insta::assert_debug_snapshot!(check(&["a", "a\n", "\n", ""]), @r#""a===\na\n===\n\n===\n""#);
}

/// Text made of what the rules look for, glued together in any way.
fn hostile() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        LONG,
        "3f4ab5c6d7e8",
        "9a8b7c6d5e4f",
        "012345678901",
        "sha256:",
        "[ID-1]",
        "[IP-2]",
        "[",
        "]",
        ":",
        ": ",
        "-",
        ".",
        ",",
        " ",
        "  ",
        "    ",
        "\n",
        "\r",
        "\t",
        "\x1b[1m",
        "\x1b[",
        "Waiting",
        "3f4ab5c6d7e8: Waiting\n",
        "9a8b7c6d5e4f: Pull complete\n",
        "3f4ab5c6d7e8: Downloading [=> ]  1MB/2MB\n",
        "NAME  TAG\n",
        "REPOSITORY  012345678901\n",
        "5 minutes ago",
        "Up 3 seconds",
        "Up ",
        "About an hour ago",
        "7.83MB",
        "kB",
        "0B",
        "12",
        "1,234",
        "1.2s",
        "ms",
        "s",
        "2026-11-23T12:00:00Z",
        "2026-11-23 12:00:00",
        " +0000",
        " UTC",
        "Mon Nov 23 12:00:00 UTC 2026",
        "Nov 23 12:00",
        " 2026",
        "23/Nov/2026:12:00:00 +0000",
        "12:00:00",
        "172.17.0.2",
        "0.0.0.0:49153",
        "127.0.0.1",
        "fe80::42:acff:fe11:2",
        "02:42:ac:11:00:02",
        "quirky_tesla",
        "(5%)",
        "0.15%",
        " /",
        "veth1a2b3c4",
        "550e8400-e29b-41d4-a716-446655440000",
        "dxn1zf6l61qsb1josjja83ngz",
        "#5 ",
        "0.312 ",
        "#5 sha256:",
        " 0.4s done\n",
        "\n#7 [two 1/2] RUN x\n",
        "\n#7 0.157 made\n",
        "\n web Pulling \n",
        "\n Container app-web-1  Created\n",
        "\namazon/router  latest  3f4ab5c6d7e8  2 weeks ago  11.1MB\n",
        "\"Pid\": 12",
        "µs",
        "\u{fffd}",
    ]);
    prop::collection::vec(
        prop_oneof![8 => words.prop_map(str::to_string), 1 => ".{0,3}"],
        0..24,
    )
    .prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_time_changes_nothing(outputs in prop::collection::vec(hostile(), 1..4)) {
        let mut normalizer = Normalizer::default();
        let once: Vec<String> = outputs.iter().map(|it| normalizer.normalize(it)).collect();
        let mut normalizer = Normalizer::default();
        let twice: Vec<String> = once.iter().map(|it| normalizer.normalize(it)).collect();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn pieces_cover_the_output(output in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut end = 0;
        for piece in Normalizer::default().pieces(&output) {
            prop_assert_eq!(piece.raw.start, end);
            end = piece.raw.end;
        }
        prop_assert_eq!(end, output.len());
    }

    #[test]
    fn never_equates_another_pattern_of_ids(ids in prop::collection::vec((0_usize..4, any::<bool>()), 1..8), other in prop::collection::vec((0_usize..4, any::<bool>()), 1..8)) {
        let print = |ids: &[(usize, bool)]| -> String {
            let digests = [LONG.to_string(), LONG.replace('3', "4"), LONG.replace('3', "5"), LONG.replace('3', "6")];
            ids.iter().map(|it| format!("{}\n", if it.1 { &digests[it.0][..12] } else { &digests[it.0] })).collect()
        };
        let pattern = |ids: &[(usize, bool)]| -> Vec<usize> {
            ids.iter().map(|id| ids.iter().position(|it| it.0 == id.0).unwrap()).collect()
        };
        let normalized = |ids| Normalizer::default().normalize(&print(ids));
        prop_assert_eq!(normalized(&ids) == normalized(&other), pattern(&ids) == pattern(&other));
    }
}
