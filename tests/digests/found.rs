//! What is asked and what the answers come to, as data and as text. Nobody is asked.

use std::collections::BTreeMap;
use std::path::Path;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::config::{self, Config};
use mdbook_rehearse::digests::{self, Answer, Whom, count, findings, is_digest, questions};
use mdbook_rehearse::images::ImageOrigin;
use mdbook_rehearse::report;
use serde_json::{Value, json};

use crate::{digest, snapshot};

/// The questions about the images of one exercise, all of them with a digest.
#[track_caller]
fn check(references: &[&str], table: Value) -> String {
    let config = config::parse(&table).unwrap();
    let images: Vec<_> = references
        .iter()
        .map(|it| (*it, Some(digest('a'))))
        .collect();
    let snapshot = snapshot("one", &images);
    let questions = questions([&snapshot].into_iter(), &config);
    let lines = questions.iter().map(|it| match &it.whom {
        Whom::Upstream { url } => format!("{} {url}\n", it.reference),
        Whom::Local { host, path } => format!("{} local {host} {path}\n", it.reference),
        Whom::Nobody { reason } => format!("{} nobody: {reason}\n", it.reference),
    });
    lines.collect()
}

#[test]
fn a_registry_is_asked_where_the_book_says() {
    let table = json!({ "registries": {
        "docker.io": { "mode": "proxy" },
        "ghcr.io": { "mode": "proxy", "upstream": "http://127.0.0.1:5001/" },
        "localhost:5000": { "mode": "local" },
        "quay.io": { "mode": "local", "images": ["images"] },
    }});
    let references = [
        "docker.io/library/alpine:latest",
        "docker.io/bitnami/redis:7.2-debian-12",
        &format!("docker.io/library/alpine@{}", digest('b')),
        "ghcr.io/learner/board:4",
        "localhost:5000/nginx:mine",
        "localhost:5001/nginx:mine",
        "mcr.microsoft.com/dotnet/sdk:9.0",
        "quay.io/prometheus/prometheus:latest",
    ];
    assert_snapshot!(check(&references, table), @"
    docker.io/bitnami/redis:7.2-debian-12 https://registry-1.docker.io/v2/bitnami/redis/manifests/7.2-debian-12
    docker.io/library/alpine:latest https://registry-1.docker.io/v2/library/alpine/manifests/latest
    docker.io/library/alpine@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb https://registry-1.docker.io/v2/library/alpine/manifests/sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    ghcr.io/learner/board:4 http://127.0.0.1:5001/v2/learner/board/manifests/4
    localhost:5000/nginx:mine local localhost:5000 nginx/manifests/mine
    localhost:5001/nginx:mine nobody: its registry is one that the exercise runs itself
    mcr.microsoft.com/dotnet/sdk:9.0 nobody: its registry is not one of the book's
    quay.io/prometheus/prometheus:latest local quay.io prometheus/prometheus/manifests/latest
    ");
}

#[test]
fn a_book_without_registries_has_none_to_ask() {
    assert_snapshot!(check(&["docker.io/library/alpine:latest"], json!({ "network": "none" })), @"docker.io/library/alpine:latest nobody: its registry is not one of the book's");
}

#[test]
fn what_is_no_reference_reaches_no_url_and_no_script() {
    let references = [
        "docker.io/library/../../secret:latest",
        "docker.io/library/a;reboot:latest",
        "docker.io/library/$(reboot):latest",
        "docker.io/library/a?b=c:latest",
        "docker.io/library/a:b c",
        "docker.io/library/a:b'c",
        "docker.io/library/a@sha256:short",
        "docker.io/:latest",
        "docker.io/UPPER/case:1",
    ];
    let asked = check(&references, json!({}));
    assert_eq!(asked.lines().count(), references.len());
    for line in asked.lines() {
        assert!(line.contains(" nobody: "), "{line}");
    }
}

#[test]
fn a_reference_is_asked_about_once_for_each_digest() {
    let alpine = "docker.io/library/alpine:latest";
    let nginx = "docker.io/library/nginx:alpine";
    let snapshots = [
        snapshot(
            "zoo",
            &[(alpine, Some(digest('a'))), (nginx, Some(digest('c')))],
        ),
        snapshot(
            "one",
            &[
                (alpine, Some(digest('b'))),
                ("docker.io/library/made:1", None),
            ],
        ),
        snapshot("two", &[(alpine, Some(digest('a')))]),
    ];
    let questions = questions(snapshots.iter(), &Config::default());
    let shown = questions.iter().map(|it| {
        format!(
            "{} {} {}\n",
            it.reference,
            &it.recorded[..9],
            it.exercises.join(" ")
        )
    });
    assert_snapshot!(shown.collect::<String>(), @"
    docker.io/library/alpine:latest sha256:aa zoo two
    docker.io/library/alpine:latest sha256:bb one
    docker.io/library/nginx:alpine sha256:cc zoo
    ");
}

#[test]
fn what_an_exercise_made_is_asked_about_only_if_another_one_pulled_it() {
    let alpine = "docker.io/library/alpine:latest";
    let mine = "docker.io/learner/mine:latest";
    let images = [(alpine, Some(digest('a'))), (mine, Some(digest('b')))];
    let mut made = snapshot("made", &images);
    for entry in &mut made.images {
        entry.origin = ImageOrigin::Exercise;
    }
    let snapshots = [made, snapshot("pulled", &images[..1])];
    let questions = questions(snapshots.iter(), &Config::default());
    let reason = "the exercise made it itself".to_string();
    assert_eq!(questions[0].whom, Whom::Nobody { reason });
    assert_eq!(questions[1].exercises, ["made", "pulled"]);
    assert!(matches!(questions[1].whom, Whom::Upstream { .. }));
}

/// What is said of an exercise with these images, of which registries answered this.
fn found(cases: &[(&str, char, Answer)]) -> digests::Digests {
    let images: Vec<_> = cases.iter().map(|it| (it.0, Some(digest(it.1)))).collect();
    let snapshots = [snapshot("one", &images), snapshot("two", &images[..1])];
    let questions = questions(snapshots.iter(), &Config::default());
    let answers = cases.iter().map(|it| (it.0.to_string(), it.2.clone()));
    findings(questions, &answers.collect(), date(2026, 11, 24))
}

fn every_kind() -> digests::Digests {
    let by_digest = format!("docker.io/library/redis@{}", digest('d'));
    found(&[
        (
            "docker.io/library/alpine:latest",
            'a',
            Answer::Digest(digest('b')),
        ),
        (
            "docker.io/library/nginx:alpine",
            'c',
            Answer::Digest(digest('c')),
        ),
        (&by_digest, 'd', Answer::Digest(digest('e'))),
        ("quay.io/prometheus/prometheus:latest", 'f', Answer::Gone),
        (
            "ghcr.io/a/b:1",
            '1',
            Answer::Nothing("no route\nto host".to_string()),
        ),
        (
            "ghcr.io/a/b:2",
            '2',
            Answer::Nothing("no route\nto host".to_string()),
        ),
        (
            "public.ecr.aws/c/d:1",
            '3',
            Answer::Nothing("it answered 400".to_string()),
        ),
        ("localhost:5000/nginx:mine", '4', Answer::Gone),
    ])
}

#[test]
fn what_is_not_as_recorded_is_told_in_a_line_each() {
    let text = report::digests::digests(&every_kind(), Path::new("book"));
    assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @"
    moved        alpine:latest                         sha256:aaaaaaaaaaaa… → sha256:bbbbbbbbbbbb…  one, two
    not asked    localhost:5000/nginx:mine             its registry is one that the exercise runs itself
    gone         quay.io/prometheus/prometheus:latest  sha256:ffffffffffff… → none                  one
    not reached  ghcr.io (2 images)                    no route; to host
    not reached  public.ecr.aws/c/d:1                  it answered 400
    2 as recorded, 1 moved, 1 gone, 3 not reached, 1 not asked
    to record what moved: mdbook-rehearse run --all book one two
    ");
}

#[test]
fn a_book_that_is_as_recorded_is_told_in_one_line() {
    let found = found(&[(
        "docker.io/library/alpine:latest",
        'a',
        Answer::Digest(digest('a')),
    )]);
    let text = report::digests::digests(&found, Path::new("."));
    assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @"1 as recorded");
}

#[test]
fn nothing_that_a_registry_says_steers_the_terminal() {
    let found = found(&[
        ("docker.io/library/alpine:\u{1b}[2J", 'a', Answer::Gone),
        (
            "ghcr.io/a/b:1",
            '1',
            Answer::Nothing("\u{1b}]0;title\u{7}\u{202e}".to_string()),
        ),
    ]);
    let text = report::digests::digests(&found, Path::new("."));
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}

#[test]
fn what_is_saved_comes_back_as_it_was() {
    let found = every_kind();
    let text = digests::print(&found);
    assert_eq!(digests::parse(&text), Ok(found.clone()));
    assert_eq!(count(&found).not_reached, 3);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["asked"], "2026-11-24");
    assert_eq!(
        value["references"][0],
        json!({
            "reference": "docker.io/library/alpine:latest",
            "recorded": digest('a'),
            "exercises": ["one", "two"],
            "state": "moved",
            "current": digest('b'),
        })
    );
}

#[test]
fn a_saved_file_that_cannot_be_read_says_what_to_do() {
    let texts = [
        "{\"format\": 2, \"more\": true}",
        "{\"format\": 1, \"asked\": \"yesterday\"}",
        "<<<<<<< mine",
    ];
    let shown = texts.map(|it| digests::parse(it).unwrap_err() + "\n");
    assert_snapshot!(shown.concat(), @"
    is in format 2, and this mdbook-rehearse knows format 1; update mdbook-rehearse, or delete it and run `mdbook-rehearse digests --save`
    cannot be read: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y at line 1 column 34; delete it and run `mdbook-rehearse digests --save`
    cannot be read: expected value at line 1 column 1; delete it and run `mdbook-rehearse digests --save`
    ");
}

#[test]
fn an_answer_that_did_not_come_is_no_agreement() {
    let snapshot = snapshot(
        "one",
        &[("docker.io/library/alpine:latest", Some(digest('a')))],
    );
    let questions = questions([&snapshot].into_iter(), &Config::default());
    let found = findings(questions, &BTreeMap::new(), date(2026, 11, 24));
    assert_eq!(count(&found).not_reached, 1);
}

#[test]
fn a_digest_is_its_algorithm_and_all_its_digits() {
    assert!(is_digest(&digest('a')));
    for wrong in [
        "",
        "sha256:",
        "sha256:abc",
        "md5:abc",
        &digest('g'),
        &digest('A'),
    ] {
        assert!(!is_digest(wrong), "{wrong}");
    }
    assert!(!is_digest(&format!("{}\n", digest('a'))));
}
