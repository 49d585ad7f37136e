use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::images::{
    familiar_name, full_name, host, ledger, made_here, repository, same_as,
};
use mdbook_rehearse::transcript::{
    CommandTranscript, Ending, Engine, Image, Inventory, StepTranscript, Transcript,
};

/// Prints the ledger of steps that each leave these images: reference, digest, ID, first step, same as.
#[track_caller]
fn check(inventories: &[&[Image]]) -> String {
    let entries = ledger(&transcript(inventories));
    let mut res = Vec::new();
    for it in &entries {
        let digest = it.digest.as_deref().unwrap_or("-");
        let same = same_as(it, &entries).join(" ");
        res.push(format!(
            "{} {digest} {} {} ={same}",
            it.reference, it.id, it.first
        ));
    }
    res.join("\n")
}

fn transcript(inventories: &[&[Image]]) -> Transcript {
    let steps = inventories
        .iter()
        .enumerate()
        .map(|(idx, images)| StepTranscript {
            id: format!("step-{idx}"),
            commands: vec![CommandTranscript {
                text: "docker pull".to_string(),
                output: Vec::new(),
                ending: Ending::Exited(0),
                took: Duration::ZERO,
                images: Some(images.to_vec()),
            }],
        });
    Transcript {
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: BTreeMap::new(),
        blocked: None,
        steps: steps.collect(),
        left: Inventory::default(),
    }
}

fn image(id: &str, tags: &[&str], digests: &[&str]) -> Image {
    Image {
        id: id.to_string(),
        tags: tags.iter().map(|it| it.to_string()).collect(),
        digests: digests.iter().map(|it| it.to_string()).collect(),
        size: 1,
        layers: Vec::new(),
    }
}

#[test]
fn what_is_built_or_tagged_is_made_here_also_when_it_is_pushed() {
    let digest = format!("alpine@sha256:{}", "1".repeat(64));
    let pushed = format!("me/app@sha256:{}", "2".repeat(64));
    let run = transcript(&[
        &[image("a", &["alpine:latest"], &[&digest])],
        &[image("a", &["alpine:latest", "me/app:1"], &[&digest])],
        &[image(
            "a",
            &["alpine:latest", "me/app:1"],
            &[&digest, &pushed],
        )],
    ]);
    let made: Vec<String> = made_here(&run).into_iter().collect();
    assert_eq!(made, ["docker.io/me/app:1"]);
}

#[test]
fn matches_tags_with_the_digest_of_their_repository() {
    let tags = ["alpine:latest", "quay.io/a/b:1", "localhost:5000/x:1"];
    let digests = ["quay.io/a/b@sha256:bb", "alpine@sha256:aa"];
    assert_snapshot!(check(&[&[image("i", &tags, &digests)]]), @"
    docker.io/library/alpine:latest sha256:aa i step-0 =quay.io/a/b:1 localhost:5000/x:1
    quay.io/a/b:1 sha256:bb i step-0 =docker.io/library/alpine:latest localhost:5000/x:1
    localhost:5000/x:1 - i step-0 =docker.io/library/alpine:latest quay.io/a/b:1
    ");
}

#[test]
fn names_an_image_without_a_tag_by_its_digest() {
    let dangling = image("j", &["<none>:<none>"], &["<none>@<none>"]);
    let pulled = image("i", &["<none>:<none>"], &["alpine@sha256:aa"]);
    assert_snapshot!(check(&[&[dangling, pulled]]), @"docker.io/library/alpine@sha256:aa sha256:aa i step-0 =");
}

#[test]
fn keeps_what_was_removed_and_takes_the_last_image_of_a_reference() {
    let one = image("i", &["app:1"], &[]);
    let two = image("j", &["app:1"], &["app@sha256:bb"]);
    assert_snapshot!(check(&[&[one, image("k", &["old:1"], &[])], &[two]]), @"
    docker.io/library/app:1 sha256:bb j step-0 =
    docker.io/library/old:1 - k step-0 =
    ");
}

#[test]
fn takes_the_digest_that_just_came_if_there_are_two() {
    let before = image("i", &["app:1"], &["app@sha256:bb"]);
    let after = image("i", &["app:1"], &["app@sha256:aa", "app@sha256:bb"]);
    let later = image("i", &["app:1"], &["app@sha256:bb", "app@sha256:aa"]);
    assert_snapshot!(check(&[&[before], &[after], &[later]]), @"docker.io/library/app:1 sha256:aa i step-0 =");
}

#[test]
fn takes_one_digest_in_two_registries_for_one_image() {
    let hub = image("i", &["alpine:1"], &["alpine@sha256:aa"]);
    let quay = image("j", &["quay.io/alpine:1"], &["quay.io/alpine@sha256:aa"]);
    assert_snapshot!(check(&[&[hub, quay]]), @"
    docker.io/library/alpine:1 sha256:aa i step-0 =quay.io/alpine:1
    quay.io/alpine:1 sha256:aa j step-0 =docker.io/library/alpine:1
    ");
}

#[test]
fn spells_references_in_full_and_short() {
    let references = [
        "alpine",
        "alpine:3.20",
        "user/app",
        "index.docker.io/alpine",
        "docker.io/library/alpine:latest",
        "localhost/x",
        "localhost:5000/x:1",
        "quay.io/a/b",
        "Host/x",
        "alpine@sha256:aa",
        "alpine:3@sha256:aa",
        "sha256:aa",
        "",
    ];
    let line = |it: &&str| {
        let full = full_name(it);
        assert_eq!(full_name(&full), full);
        assert_eq!(full_name(&familiar_name(it)), full);
        let short = familiar_name(it);
        format!("{full} | {short} | {} | {}", repository(&full), host(it))
    };
    assert_snapshot!(references.iter().map(line).collect::<Vec<_>>().join("\n"), @r"
    docker.io/library/alpine:latest | alpine:latest | docker.io/library/alpine | docker.io
    docker.io/library/alpine:3.20 | alpine:3.20 | docker.io/library/alpine | docker.io
    docker.io/user/app:latest | user/app:latest | docker.io/user/app | docker.io
    docker.io/library/alpine:latest | alpine:latest | docker.io/library/alpine | docker.io
    docker.io/library/alpine:latest | alpine:latest | docker.io/library/alpine | docker.io
    localhost/x:latest | localhost/x:latest | localhost/x | localhost
    localhost:5000/x:1 | localhost:5000/x:1 | localhost:5000/x | localhost:5000
    quay.io/a/b:latest | quay.io/a/b:latest | quay.io/a/b | quay.io
    Host/x:latest | Host/x:latest | Host/x | Host
    docker.io/library/alpine@sha256:aa | alpine@sha256:aa | docker.io/library/alpine | docker.io
    docker.io/library/alpine:3@sha256:aa | alpine:3@sha256:aa | docker.io/library/alpine | docker.io
    sha256:aa | sha256:aa | sha256 | sha256:aa
     |  |  |
    ");
}
