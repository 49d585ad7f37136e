use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::{Date, date};
use mdbook_rehearse::config::Source;
use mdbook_rehearse::images::{CommandName, ImageOrigin, LedgerEntry, Move};
use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot, parse, print};
use mdbook_rehearse::transcript::{Engine, Inventory, Layer};
use proptest::prelude::*;

/// Prints the snapshot of one command, without header and end, after looking whether it comes back.
#[track_caller]
fn check(text: &str, output: &[u8]) -> String {
    let snapshot = snapshot(vec![step("a-1", vec![command(text, output)])]);
    let printed = print(&snapshot);
    assert_eq!(parse(&printed), Ok(snapshot));
    let (_, body) = printed.split_once("== a-1\n").unwrap();
    body.strip_suffix("\n# end\n").unwrap().to_string()
}

/// Lists what is wrong with the file of a snapshot in which `from` became `to`.
#[track_caller]
fn check_broken(from: &str, to: &str) -> String {
    let good = print(&snapshot(vec![step("a-1", vec![command("ls", b"x\n")])]));
    assert!(good.contains(from), "nothing to replace");
    let problems = parse(&good.replacen(from, to, 1)).unwrap_err();
    let lines = problems
        .iter()
        .map(|it| format!("{}: {}", it.line, it.message));
    lines.collect::<Vec<_>>().join("\n")
}

fn snapshot(steps: Vec<RecordedStep>) -> Snapshot {
    Snapshot {
        exercise: "05-registries".to_string(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: BTreeMap::from([
            ("docker.io".to_string(), Source::Local),
            ("quay.io".to_string(), Source::Proxy),
        ]),
        left: None,
        steps,
        images: Vec::new(),
    }
}

fn step(id: &str, commands: Vec<RecordedCommand>) -> RecordedStep {
    RecordedStep {
        id: id.to_string(),
        commands,
    }
}

fn layer(digest: &str, size: Option<u64>) -> Layer {
    Layer {
        digest: digest.to_string(),
        size,
    }
}

fn name(step: &str, number: usize) -> CommandName {
    CommandName {
        step: step.to_string(),
        number,
    }
}

fn command(text: &str, output: &[u8]) -> RecordedCommand {
    RecordedCommand {
        text: text.to_string(),
        output: output.to_vec(),
        status: 0,
        took: Duration::from_millis(1200),
    }
}

#[test]
fn prints_what_a_reviewer_reads() {
    let mut snapshot = snapshot(vec![
        step(
            "names-1",
            vec![
                command("docker pull alpine", b"done\n"),
                command("true", b""),
            ],
        ),
        step("names-2", Vec::new()),
    ]);
    snapshot.images.push(LedgerEntry {
        reference: "docker.io/library/alpine:latest".to_string(),
        digest: Some("sha256:1c4e".to_string()),
        id: "sha256:08d0".to_string(),
        size: 7_800_000,
        origin: ImageOrigin::Exercise,
        manifest: Some("sha256:77ab".to_string()),
        config: Some("sha256:08d0".to_string()),
        platform: "linux/arm/v7".to_string(),
        layers: vec![
            layer("sha256:1111", Some(7_700_000)),
            layer("sha256:2222", None),
        ],
        first: name("names-1", 1),
        last: name("names-1", 2),
        moved: Some(Move {
            on: date(2026, 11, 20),
            from: "sha256:0b3d".to_string(),
        }),
    });
    assert_eq!(parse(&print(&snapshot)), Ok(snapshot.clone()));
    assert_snapshot!(print(&snapshot), @"
    # mdbook-rehearse snapshot, format 2. Review it like code; `mdbook-rehearse run` writes it.
    exercise: 05-registries
    recorded: 2026-11-23
    engine: 26.1.5 overlay2 linux/amd64
    registry: docker.io local
    registry: quay.io proxy

    == names-1
    $ docker pull alpine
    | done
    = 0 in 1.2 s

    $ true
    = 0 in 1.2 s

    == names-2

    @ docker.io/library/alpine:latest
      made here
      digest sha256:1c4e
      moved 2026-11-20 from sha256:0b3d
      manifest sha256:77ab
      config sha256:08d0
      id sha256:08d0
      platform linux/arm/v7
      size 7800000
      layer sha256:1111 7700000
      layer sha256:2222
      first names-1 1
      last names-1 2

    # end
    ");
}

#[test]
fn tells_no_output_from_blank_lines_and_from_a_missing_newline() {
    assert_snapshot!(check("a", b""), @"
    $ a
    = 0 in 1.2 s
    ");
    assert_snapshot!(check("a", b"\n"), @"
    $ a
    |
    = 0 in 1.2 s
    ");
    assert_snapshot!(check("a", b"\nx"), @r"
    $ a
    |
    | x
    \ no newline at end
    = 0 in 1.2 s
    ");
}

#[test]
fn escapes_what_a_reviewer_or_an_editor_would_miss() {
    assert_snapshot!(check("a\n\n\u{1b}b ", b"\x1b[32mok\x1b[0m\n\xff\\\ntab\tstays\nblank \ncr\r\n\xe2\x80\xaegnp\n"), @r"
    $ a
    >
    >! \x1bb\x20
    ! \x1b[32mok\x1b[0m
    ! \xff\\
    | tab	stays
    ! blank\x20
    ! cr\x0d
    ! \u{202e}gnp
    = 0 in 1.2 s
    ");
}

#[test]
fn takes_no_output_for_syntax() {
    let output = b"=======\n<<<<<<< HEAD\n>>>>>>> x\n---\n# end\n== a-1\n= 0 in 1 s\n```\n! x\n| x\n\\ no newline at end\n";
    assert_snapshot!(check("a", output), @r"
    $ a
    | =======
    | <<<<<<< HEAD
    | >>>>>>> x
    | ---
    | # end
    | == a-1
    | = 0 in 1 s
    | ```
    | ! x
    | | x
    | \ no newline at end
    = 0 in 1.2 s
    ");
}

#[test]
fn reads_a_file_that_was_checked_out_with_crlf() {
    let snapshot = snapshot(vec![step("a-1", vec![command("ls\nls", b"x\r\n\ny")])]);
    let printed = print(&snapshot).replace('\n', "\r\n");
    assert_eq!(parse(&printed), Ok(snapshot));
}

#[test]
fn reports_a_merge_conflict_and_nothing_else() {
    let conflict = "<<<<<<< HEAD\n| x\n=======\n| y\n>>>>>>> theirs\n";
    assert_snapshot!(check_broken("| x\n", conflict), @"10: merge conflict; take one side as a whole, or delete the file and run `mdbook-rehearse run`");
}

#[test]
fn names_the_format_of_another_writer() {
    assert_snapshot!(check_broken("format 2", "format 1"), @"1: snapshot in format 1, of an older mdbook-rehearse than this one, which knows format 2; delete the file and run `mdbook-rehearse run`");
    assert_snapshot!(check_broken("format 2", "format 7"), @"1: snapshot in format 7, of a newer mdbook-rehearse than this one, which knows format 2; update mdbook-rehearse");
}

#[test]
fn reports_what_is_no_snapshot() {
    assert_snapshot!(check_broken("# mdbook", "# book"), @"1: not a snapshot: it begins with `# mdbook-rehearse snapshot, format 2`; delete the file and run `mdbook-rehearse run`");
}

#[test]
fn reports_a_file_that_was_cut_off() {
    assert_snapshot!(check_broken("\n# end\n", ""), @"11: the file is cut off: its last line is not `# end`; delete the file and run `mdbook-rehearse run`");
    assert_snapshot!(check_broken("# end\n", "# end"), @"13: the file is cut off: its last line is not `# end`; delete the file and run `mdbook-rehearse run`");
    assert_snapshot!(check_broken("= 0 in 1.2 s\n", ""), @"9: command without its line `= STATUS in SECONDS s`; delete the file and run `mdbook-rehearse run`");
}

#[test]
fn reports_every_line_that_is_wrong() {
    let lines = "| x\nhello\n! \\q\n| \u{202e}\n\\ no newline\n= 0\n  id x\n";
    assert_snapshot!(check_broken("| x\n", lines), @r"
    11: unknown line `hello`; mend it or delete the file and run `mdbook-rehearse run`
    12: unknown escape `\q`; known: `\xNN`, `\u{NNNN}`, `\\`; mend it or delete the file and run `mdbook-rehearse run`
    13: hidden character `\u{202e}` in the file; mend it or delete the file and run `mdbook-rehearse run`
    14: unknown line `\\ no newline`; mend it or delete the file and run `mdbook-rehearse run`
    15: `= 0` is not like `= 0 in 1.2 s`; mend it or delete the file and run `mdbook-rehearse run`
    16: indented line without an image; mend it or delete the file and run `mdbook-rehearse run`
    ");
}

#[test]
fn reports_steps_of_one_name_and_names_that_are_none() {
    assert_snapshot!(check_broken("\n# end", "\n== a-1\n== B\n# end"), @"
    13: second step `a-1`; mend it or delete the file and run `mdbook-rehearse run`
    14: `B` is not a name: at most 64 of `a-z`, `0-9` and `-`; mend it or delete the file and run `mdbook-rehearse run`
    ");
}

#[test]
fn reports_a_header_that_is_missing_or_twice() {
    assert_snapshot!(check_broken("recorded: 2026-11-23\n", ""), @"1: no line `recorded:` in the header; delete the file and run `mdbook-rehearse run`");
    assert_snapshot!(check_broken("recorded: ", "exercise: x\nrecorded: "), @"3: second line `exercise:`; mend it or delete the file and run `mdbook-rehearse run`");
    assert_snapshot!(check_broken("2026-11-23", "23.11.2026"), @"3: `23.11.2026` is not a date; mend it or delete the file and run `mdbook-rehearse run`");
}

#[test]
fn refuses_a_file_that_is_too_large() {
    let text = "x".repeat(16 * 1024 * 1024 + 1);
    assert_snapshot!(parse(&text).unwrap_err()[0].message, @"snapshot of 16777217 bytes, more than 16777216; delete the file and run `mdbook-rehearse run`");
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\\n\\r\\t\u{a0}\u{202e}\u{200b}\u{fe0f}\u{85}\\\\]{0,12}",
        Just("-".to_string()),
    ]
}

fn any_output() -> impl Strategy<Value = Vec<u8>> {
    let lines = prop::sample::select(vec![
        "\n",
        "\r\n",
        "=======\n",
        "<<<<<<< x\n",
        "# end\n",
        "| \n",
        "! \\x\n",
        "\\",
        "\\u{41}",
        " ",
        "\u{2028}",
        "= 0 in 1 s\n",
        "\0",
        "a",
    ]);
    let word = prop_oneof![
        2 => lines.prop_map(|it| it.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => any::<String>().prop_map(String::into_bytes),
    ];
    prop::collection::vec(word, 0..8).prop_map(|it| it.concat())
}

prop_compose! {
    fn any_command()(text in any_text(), output in any_output(), status in any::<i32>(), millis in any::<u64>()) -> RecordedCommand {
        RecordedCommand { text, output, status, took: Duration::from_millis(millis) }
    }
}

prop_compose! {
    fn any_entry()(
        digests in prop::array::uniform3(prop::option::of(any_text())),
        id in any_text(),
        platform in any_text(),
        size in any::<u64>(),
        layers in prop::collection::vec((any_text(), prop::option::of(any::<u64>())), 0..3),
        first in (any_text(), 1..usize::MAX),
        last in (any_text(), 1..usize::MAX),
        moved in prop::option::of((any_day(), any_text())),
        origin in prop::sample::select(vec![ImageOrigin::Registry, ImageOrigin::Exercise]),
    ) -> LedgerEntry {
        let [digest, manifest, config] = digests;
        LedgerEntry {
            reference: String::new(),
            origin,
            digest,
            manifest,
            config,
            id,
            platform,
            size,
            layers: layers.iter().map(|it| layer(&it.0, it.1)).collect(),
            first: name(&first.0, first.1),
            last: name(&last.0, last.1),
            moved: moved.map(|(on, from)| Move { on, from }),
        }
    }
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..3_000_000_i64).prop_map(|it| Date::ZERO.saturating_add(jiff::Span::new().days(it)))
}

prop_compose! {
    fn any_snapshot()(
        exercise in "[a-z0-9-]{1,64}",
        day in 0..3_000_000_i64,
        engine in [any_text(), any_text(), any_text()],
        registries in prop::collection::btree_map(any_text(), prop::sample::select(vec![Source::Local, Source::Proxy]), 0..3),
        steps in prop::collection::btree_map("[a-z0-9-]{1,64}", prop::collection::vec(any_command(), 0..3), 0..3),
        images in prop::collection::btree_map(any_text(), any_entry(), 0..3),
    ) -> Snapshot {
        let [version, store, platform] = engine;
        Snapshot {
            exercise,
            recorded: Date::ZERO.saturating_add(jiff::Span::new().days(day)),
            engine: Engine { version, store, platform },
            registries,
            left: (day % 2 == 0).then(|| Inventory {
                containers: day as usize,
                images: 1,
                ..Inventory::default()
            }),
            steps: steps.into_iter().map(|it| RecordedStep { id: it.0, commands: it.1 }).collect(),
            images: images.into_iter().map(|it| LedgerEntry { reference: it.0, ..it.1 }).collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_comes_back(snapshot in any_snapshot()) {
        let printed = print(&snapshot);
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&snapshot));
        prop_assert_eq!(print(&parsed.unwrap()), printed.as_str());
        prop_assert_eq!(parse(&printed.replace('\n', "\r\n")), Ok(snapshot));
        prop_assert!(!printed.lines().any(|it| it.ends_with([' ', '\t'])));
    }

    #[test]
    fn a_file_that_is_cut_off_is_never_taken(snapshot in any_snapshot(), at in any::<prop::sample::Index>()) {
        let printed = print(&snapshot);
        let at = (0..=at.index(printed.len())).rev().find(|it| printed.is_char_boundary(*it)).unwrap();
        prop_assert!(parse(&printed[..at]).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in any_text(), lines in prop::collection::vec("[|!$>=@#\\\\ ]{0,3}[ -~\u{e9}]{0,6}", 0..6)) {
        let head = "# mdbook-rehearse snapshot, format 2.\n";
        let _ = parse(&format!("{head}{text}{}", lines.join("\n")));
    }
}
