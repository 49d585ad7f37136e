use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::images::{
    HistoryItem, ImageOrigin, familiar_name, full_name, host, layer_sizes, ledger, n_shared,
    repository, same_as,
};
use mdbook_rehearse::transcript::{
    CommandTranscript, Ending, Engine, Image, Inventory, Layer, StepTranscript, Touch, TouchKind,
    Transcript,
};

/// Prints the ledger of steps that each leave these images: reference, digest, ID, first and last step, same as. What has a
/// digest when it first appears was pulled.
#[track_caller]
fn check(inventories: &[&[Image]]) -> String {
    let mut run = transcript(inventories);
    let commands = run.steps.iter_mut().flat_map(|it| &mut it.commands);
    for command in commands {
        let images = command.images.iter().flatten();
        let pulled = images.flat_map(|it| it.tags.iter().chain(&it.digests));
        command.touches = pulled.map(|it| touch(it, TouchKind::Pulled)).collect();
    }
    printed(&run)
}

fn printed(run: &Transcript) -> String {
    let entries = ledger(run);
    let mut res = Vec::new();
    for it in &entries {
        let digest = it.digest.as_deref().unwrap_or("-");
        let same = same_as(it, &entries).join(" ");
        let origin = match it.origin {
            ImageOrigin::Registry => "",
            ImageOrigin::Exercise => " made here",
        };
        res.push(format!(
            "{} {digest} {} {}..{}{origin} ={same}",
            it.reference, it.id, it.first.step, it.last.step
        ));
    }
    res.join("\n")
}

fn touch(name: &str, kind: TouchKind) -> Touch {
    Touch {
        reference: full_name(name),
        kind,
    }
}

/// A run of a step for each of these inventories; an empty one is none.
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
                images: (!images.is_empty()).then(|| images.to_vec()),
                touches: Vec::new(),
            }],
        });
    Transcript {
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: BTreeMap::new(),
        before: Vec::new(),
        blocked: None,
        steps: steps.collect(),
        left: Inventory::default(),
        manifests: Default::default(),
    }
}

fn image(id: &str, tags: &[&str], digests: &[&str]) -> Image {
    Image {
        id: id.to_string(),
        tags: tags.iter().map(|it| it.to_string()).collect(),
        digests: digests.iter().map(|it| it.to_string()).collect(),
        platform: "linux/amd64".to_string(),
        size: 1,
        layers: Vec::new(),
    }
}

#[test]
fn what_is_built_or_tagged_is_made_here_also_when_it_is_pushed() {
    let digest = format!("alpine@sha256:{}", "1".repeat(64));
    let pushed = format!("me/app@sha256:{}", "2".repeat(64));
    let mut run = transcript(&[
        &[image("a", &["alpine:latest"], &[&digest])],
        &[image("a", &["alpine:latest", "me/app:1"], &[&digest])],
        &[image(
            "a",
            &["alpine:latest", "me/app:1"],
            &[&digest, &pushed],
        )],
    ]);
    for (step, kind) in [TouchKind::Pulled, TouchKind::Tagged, TouchKind::Pushed]
        .into_iter()
        .enumerate()
    {
        let name = ["alpine", "me/app:1", "me/app:1"][step];
        run.steps[step].commands[0].touches = vec![touch(name, kind)];
    }
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let seen = printed(&run).replace(&one, "ONE").replace(&two, "TWO");
    assert_snapshot!(seen, @"
    docker.io/library/alpine:latest sha256:ONE a step-0..step-0 =docker.io/me/app:1
    docker.io/me/app:1 sha256:TWO a step-1..step-2 made here =docker.io/library/alpine:latest
    ");
}

/// In containerd's store the engine tells a digest of every image, and under one of its repositories only.
#[test]
fn e07_what_the_containerd_store_calls_a_digest_is_one_only_if_a_registry_has_it() {
    let mut run = transcript(&[
        &[image(
            "sha256:aa",
            &["alpine:latest"],
            &["alpine@sha256:aa"],
        )],
        &[
            image(
                "sha256:aa",
                &["alpine:latest", "me/copy:1"],
                &["me/copy@sha256:aa"],
            ),
            image("sha256:bb", &["app:1"], &["app@sha256:bb"]),
            image("sha256:cc", &["<none>:<none>"], &["app@sha256:cc"]),
        ],
        &[],
    ]);
    run.engine.store = "overlayfs".to_string();
    run.steps[0].commands[0].touches = vec![touch("alpine", TouchKind::Pulled)];
    run.steps[1].commands[0].touches = vec![touch("me/copy:1", TouchKind::Tagged)];
    run.steps[2].commands[0].touches = vec![touch("alpine", TouchKind::Used)];
    assert_snapshot!(printed(&run), @"
    docker.io/library/alpine:latest sha256:aa sha256:aa step-0..step-2 =docker.io/me/copy:1
    docker.io/me/copy:1 - sha256:aa step-1..step-1 made here =docker.io/library/alpine:latest
    docker.io/library/app:1 - sha256:bb step-1..step-1 made here =
    ");
}

#[test]
fn what_an_exercise_that_came_first_pulled_is_not_made_here() {
    let mut run = transcript(&[&[image(
        "a",
        &["alpine:latest", "app:1"],
        &["alpine@sha256:aa"],
    )]]);
    run.before = vec![touch("alpine", TouchKind::Pulled)];
    assert_snapshot!(printed(&run), @"
    docker.io/library/alpine:latest sha256:aa a step-0..step-0 =docker.io/library/app:1
    docker.io/library/app:1 - a step-0..step-0 made here =docker.io/library/alpine:latest
    ");
}

#[test]
fn a_reference_is_touched_last_when_it_is_used_or_removed() {
    let both = [
        image("a", &["alpine:latest"], &[]),
        image("b", &["redis:7"], &[]),
    ];
    let mut run = transcript(&[&both, &[], &both[..1], &[]]);
    run.steps[3].commands[0].touches = vec![touch("alpine", TouchKind::Used)];
    assert_snapshot!(printed(&run), @"
    docker.io/library/alpine:latest - a step-0..step-3 made here =
    docker.io/library/redis:7 - b step-0..step-2 made here =
    ");
}

/// Sizes of the layers in a history that is written bottom first here.
fn sizes(history: &[(&str, u64)], n_layers: usize) -> Option<Vec<u64>> {
    let item = |it: &(&str, u64)| HistoryItem {
        created_by: it.0.to_string(),
        size: it.1,
    };
    let history: Vec<HistoryItem> = history.iter().rev().map(item).collect();
    layer_sizes(&history, n_layers)
}

#[test]
fn finds_the_lines_of_a_history_that_have_a_layer() {
    let base = [
        ("ADD rootfs.tar.xz / # buildkit", 7_800_000),
        ("CMD [\"/bin/sh\"]", 0),
    ];
    assert_eq!(sizes(&base, 1), Some(vec![7_800_000]));
    // An empty layer tells of itself by its instruction alone.
    let built = [
        base[0],
        base[1],
        ("WORKDIR /x", 0),
        ("ENV A=1", 0),
        ("RUN /bin/sh -c true # buildkit", 0),
        ("COPY a b", 12),
    ];
    assert_eq!(sizes(&built, 4), Some(vec![7_800_000, 0, 0, 12]));
    let legacy = [
        ("/bin/sh -c #(nop) ADD file:1 in / ", 5),
        ("/bin/sh -c #(nop)  CMD [\"sh\"]", 0),
        ("/bin/sh -c #(nop) WORKDIR /x", 0),
        ("/bin/sh -c touch /x/y", 0),
    ];
    assert_eq!(sizes(&legacy, 3), Some(vec![5, 0, 0]));
    // No history says nothing, nor does one that does not fit.
    assert_eq!(sizes(&[], 2), None);
    assert_eq!(sizes(&built, 2), Some(vec![7_800_000, 12]));
    assert_eq!(sizes(&built, 3), None);
    assert_eq!(sizes(&[], 0), Some(Vec::new()));
}

#[test]
fn counts_shared_layers_as_often_as_both_images_have_them() {
    let layers = |digests: &str| -> Vec<Layer> {
        let layer = |it: char| Layer {
            digest: it.to_string(),
            size: None,
        };
        digests.chars().map(layer).collect()
    };
    assert_eq!(n_shared(&layers("abcc"), &layers("abd")), 2);
    assert_eq!(n_shared(&layers("acbc"), &layers("ccc")), 2);
    assert_eq!(n_shared(&layers(""), &layers("c")), 0);
}

#[test]
fn matches_tags_with_the_digest_of_their_repository() {
    let tags = ["alpine:latest", "quay.io/a/b:1", "localhost:5000/x:1"];
    let digests = ["quay.io/a/b@sha256:bb", "alpine@sha256:aa"];
    assert_snapshot!(check(&[&[image("i", &tags, &digests)]]), @"
    docker.io/library/alpine:latest sha256:aa i step-0..step-0 =quay.io/a/b:1 localhost:5000/x:1
    quay.io/a/b:1 sha256:bb i step-0..step-0 =docker.io/library/alpine:latest localhost:5000/x:1
    localhost:5000/x:1 - i step-0..step-0 =docker.io/library/alpine:latest quay.io/a/b:1
    ");
}

#[test]
fn names_an_image_without_a_tag_by_its_digest() {
    let dangling = image("j", &["<none>:<none>"], &["<none>@<none>"]);
    let pulled = image("i", &["<none>:<none>"], &["alpine@sha256:aa"]);
    assert_snapshot!(check(&[&[dangling, pulled]]), @"docker.io/library/alpine@sha256:aa sha256:aa i step-0..step-0 =");
}

#[test]
fn keeps_what_was_removed_and_takes_the_last_image_of_a_reference() {
    let one = image("i", &["app:1"], &[]);
    let two = image("j", &["app:1"], &["app@sha256:bb"]);
    assert_snapshot!(check(&[&[one, image("k", &["old:1"], &[])], &[two]]), @"
    docker.io/library/app:1 sha256:bb j step-0..step-1 =
    docker.io/library/old:1 - k step-0..step-1 =
    ");
}

#[test]
fn takes_the_digest_that_just_came_if_there_are_two() {
    let before = image("i", &["app:1"], &["app@sha256:bb"]);
    let after = image("i", &["app:1"], &["app@sha256:aa", "app@sha256:bb"]);
    let later = image("i", &["app:1"], &["app@sha256:bb", "app@sha256:aa"]);
    assert_snapshot!(check(&[&[before], &[after], &[later]]), @"docker.io/library/app:1 sha256:aa i step-0..step-2 =");
}

#[test]
fn takes_one_digest_in_two_registries_for_one_image() {
    let hub = image("i", &["alpine:1"], &["alpine@sha256:aa"]);
    let quay = image("j", &["quay.io/alpine:1"], &["quay.io/alpine@sha256:aa"]);
    assert_snapshot!(check(&[&[hub, quay]]), @"
    docker.io/library/alpine:1 sha256:aa i step-0..step-0 =quay.io/alpine:1
    quay.io/alpine:1 sha256:aa j step-0..step-0 =docker.io/library/alpine:1
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
