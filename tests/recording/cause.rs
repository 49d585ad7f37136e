use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::compare::{compare, merge};
use mdbook_rehearse::images::full_name;
use mdbook_rehearse::plan::{Decision, Plan, PlannedCommand, PlannedStep};
use mdbook_rehearse::transcript::{
    CommandTranscript, Ending, Engine, Image, Inventory, Layer, StepTranscript, Touch, TouchKind,
    Transcript,
};

/// What each command of an exercise printed when it was recorded, and prints now. The first one pulls `nginx:alpine`, which has
/// moved since.
type Outputs<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Tells for each command that drifted what explains it, after what moved.
#[track_caller]
fn check(outputs: Outputs<'_>) -> String {
    let plan = plan(outputs);
    let recorded = run(outputs, |it| it.1, "aa", &["base", "one"]);
    let recorded = merge(&plan, None, &recorded, date(2026, 11, 20));
    let fresh = run(outputs, |it| it.2, "bb", &["base", "two", "three"]);
    let comparison = compare(&plan, Some(&recorded), &fresh);
    let mut res = String::new();
    for it in &comparison.moved {
        let (n_recorded, n_fresh) = it.n_layers;
        let kept = it.n_kept;
        res += &format!(
            "{}: {kept} of {n_recorded} layers in {n_fresh}\n",
            it.reference
        );
    }
    for drift in comparison.steps.iter().flat_map(|it| &it.drifts) {
        res += &format!("{} <- {:?}\n", drift.command, drift.because);
    }
    let merged = merge(&plan, Some(&recorded), &fresh, date(2026, 11, 24));
    for it in merged.images.iter().filter(|it| it.moved.is_some()) {
        let moved = it.moved.as_ref().unwrap();
        res += &format!("{} moved {} from {}\n", it.reference, moved.on, moved.from);
    }
    // The day of a move stays until the next one.
    let again = merge(&plan, Some(&merged), &fresh, date(2026, 12, 1));
    assert_eq!(again, merged);
    res
}

fn plan(outputs: Outputs<'_>) -> Plan {
    let commands = outputs.iter().enumerate();
    let commands = commands.map(|(idx, it)| PlannedCommand::plain(idx + 2, it.0));
    Plan {
        exercise: "names".to_string(),
        chapter: "names.md".to_string(),
        steps: vec![PlannedStep {
            id: "names-1".to_string(),
            line: 1,
            decision: Decision::Run,
            commands: commands.collect(),
            ..PlannedStep::default()
        }],
        ..Plan::default()
    }
}

fn run(
    outputs: Outputs<'_>,
    pick: for<'a> fn(&'a (&str, &'a str, &'a str)) -> &'a str,
    digest: &str,
    layers: &[&str],
) -> Transcript {
    let mut commands: Vec<CommandTranscript> = outputs
        .iter()
        .map(|it| CommandTranscript {
            text: it.0.to_string(),
            output: pick(it).as_bytes().to_vec(),
            ending: Ending::Exited(0),
            took: Duration::ZERO,
            images: None,
            touches: Vec::new(),
        })
        .collect();
    let layer = |it: &&str| Layer {
        digest: it.to_string(),
        size: Some(1),
    };
    commands[0].touches = vec![Touch {
        reference: full_name("nginx:alpine"),
        kind: TouchKind::Pulled,
    }];
    commands[0].images = Some(vec![Image {
        id: format!("id of {digest}"),
        tags: vec!["nginx:alpine".to_string()],
        digests: vec![format!("nginx@sha256:{digest}")],
        platform: "linux/amd64".to_string(),
        size: 3,
        layers: layers.iter().map(layer).collect(),
    }]);
    Transcript {
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        before: Vec::new(),
        blocked: None,
        steps: vec![StepTranscript {
            id: "names-1".to_string(),
            commands,
        }],
        left: Inventory::default(),
        manifests: Default::default(),
    }
}

const PULL: (&str, &str, &str) = ("docker pull -q nginx:alpine", "", "");

#[test]
fn e06_a_tag_that_moved_is_told_with_the_layers_that_stayed_and_kept_with_its_day() {
    assert_snapshot!(check(&[PULL]), @"
    docker.io/library/nginx:alpine: 1 of 2 layers in 3
    docker.io/library/nginx:alpine moved 2026-11-24 from sha256:aa
    ");
}

#[test]
fn a_command_that_names_the_image_or_what_was_made_of_it_drifts_because_it_moved() {
    assert_snapshot!(check(&[
        PULL,
        ("docker run -d --name web nginx:alpine", "x", "x"),
        ("docker logs web", "one\n", "two\n"),
        ("docker tag nginx:alpine me/app:1", "", ""),
        ("docker run --rm me/app:1 nginx -v", "nginx 1.26\n", "nginx 1.27\n"),
        ("printf 'FROM nginx:alpine\\n' > site/Dockerfile", "", ""),
        ("docker build -q -t site:1 site", "size a\n", "size b\n"),
        ("docker exec other uname", "Linux\n", "Darwin\n"),
        ("echo 'services: {a: {image: \"nginx:alpine\"}}' > compose.yml", "", ""),
        ("docker compose ps", "up\n", "down\n"),
    ]), @r#"
    docker.io/library/nginx:alpine: 1 of 2 layers in 3
    docker logs web <- ["docker.io/library/nginx:alpine"]
    docker run --rm me/app:1 nginx -v <- ["docker.io/library/nginx:alpine"]
    docker build -q -t site:1 site <- ["docker.io/library/nginx:alpine"]
    docker exec other uname <- []
    docker compose ps <- ["docker.io/library/nginx:alpine"]
    docker.io/library/nginx:alpine moved 2026-11-24 from sha256:aa
    "#);
}

#[test]
fn a_table_of_images_drifts_because_one_moved_if_only_its_lines_differ() {
    let table = |nginx: &str, redis: &str| {
        format!("REPOSITORY  TAG\nnginx  alpine  {nginx}\nredis  7  {redis}\n")
    };
    let recorded = table("one", "one");
    assert_snapshot!(check(&[
        PULL,
        ("docker images", &recorded, &table("two", "one")),
        ("docker image ls", &recorded, &table("two", "two")),
        ("docker system df", "Images 2 2 one\n", "Images 2 2 two\n"),
        ("date", "one\n", "two\n"),
    ]), @r#"
    docker.io/library/nginx:alpine: 1 of 2 layers in 3
    docker images <- ["docker.io/library/nginx:alpine"]
    docker image ls <- []
    docker system df <- ["docker.io/library/nginx:alpine"]
    date <- []
    docker.io/library/nginx:alpine moved 2026-11-24 from sha256:aa
    "#);
}
