//! The ledger of a run, as the engine's API tells it, in both kinds of image store.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use mdbook_rehearse::images::{ImageOrigin, LedgerEntry, ledger};
use serde_json::{Value, json};

use crate::{hub, plan, rehearse, step};

fn stored_in(store: &str) -> Value {
    let mut table = hub();
    table["image-store"] = json!(store);
    table
}

/// What the engine did with images: pulled, twice under one name; tagged, built, pushed, pulled back, used, removed.
fn ledger_of(store: &str) -> Vec<LedgerEntry> {
    let steps = vec![
        step(
            "pull",
            &[
                "docker pull -q alpine",
                "docker pull -q docker.io/library/alpine:latest",
                "docker pull -q registry",
            ],
        ),
        step(
            "make",
            &[
                "docker tag alpine me/copy:1",
                "printf 'FROM alpine\\nWORKDIR /x\\nENV A=1\\nRUN echo hi >file\\n' | docker build -q -t app:1 -",
            ],
        ),
        step(
            "push",
            &[
                "docker run -d -p 5000:5000 --name store registry; until curl -sf localhost:5000/v2/; do sleep 0.1; done",
                "docker tag app:1 localhost:5000/app:1 && docker push -q localhost:5000/app:1",
                "docker run --rm alpine true",
                "docker rmi me/copy:1",
            ],
        ),
    ];
    ledger(&rehearse(&plan(steps), stored_in(store)))
}

/// A line for each reference, with letters for digests in the order in which they are met.
fn show(ledger: &[LedgerEntry]) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let mut letter = |digest: &str| {
        let next = char::from(b'A' + u8::try_from(letters.len()).unwrap());
        *letters.entry(digest.to_string()).or_insert(next)
    };
    let mut res = String::new();
    for entry in ledger {
        let origin = match entry.origin {
            ImageOrigin::Registry => "pulled",
            ImageOrigin::Exercise => "made here",
        };
        let digest = entry.digest.as_deref().map_or('-', &mut letter);
        let config = entry.config.as_deref().map_or('-', &mut letter);
        let id = letter(&entry.id);
        let layers: String = entry.layers.iter().map(|it| letter(&it.digest)).collect();
        let LedgerEntry {
            reference,
            platform,
            first,
            last,
            ..
        } = entry;
        res += &format!(
            "{reference}, {origin}: digest {digest}, config {config}, id {id}, layers {layers}, {platform}, {} {}..{} {}\n",
            first.step, first.number, last.step, last.number
        );
    }
    res
}

#[test]
fn a_graph_driver_calls_an_image_by_its_configuration() {
    let ledger = ledger_of("graph-driver");
    assert_snapshot!(show(&ledger), @"
    docker.io/library/alpine:latest, pulled: digest A, config B, id B, layers C, linux/amd64, pull 1..push 3
    docker.io/library/registry:latest, pulled: digest D, config E, id E, layers CF, linux/amd64, pull 3..push 1
    docker.io/me/copy:1, made here: digest -, config -, id B, layers C, linux/amd64, make 1..push 4
    docker.io/library/app:1, made here: digest -, config -, id G, layers CHI, linux/amd64, make 2..make 2
    localhost:5000/app:1, made here: digest J, config -, id G, layers CHI, linux/amd64, push 2..push 2
    ");
    // There the size of an image is that of its layers, to the byte.
    for entry in &ledger {
        let sum: Option<u64> = entry.layers.iter().map(|it| it.size).sum();
        assert_eq!(sum, Some(entry.size), "{}", entry.reference);
    }
}

#[test]
fn e07_containerd_calls_an_image_by_its_manifest_and_only_what_a_registry_has_gets_a_digest() {
    let ledger = ledger_of("containerd");
    assert_snapshot!(show(&ledger), @"
    docker.io/library/alpine:latest, pulled: digest A, config B, id A, layers C, linux/amd64, pull 1..push 3
    docker.io/library/registry:latest, pulled: digest D, config E, id D, layers CF, linux/amd64, pull 3..push 1
    docker.io/me/copy:1, made here: digest -, config -, id A, layers C, linux/amd64, make 1..push 4
    docker.io/library/app:1, made here: digest -, config -, id G, layers CHI, linux/amd64, make 2..make 2
    localhost:5000/app:1, made here: digest G, config -, id G, layers CHI, linux/amd64, push 2..push 2
    ");
    for entry in &ledger {
        let sum: Option<u64> = entry.layers.iter().map(|it| it.size).sum();
        assert!(sum.is_some_and(|it| it < entry.size), "{}", entry.reference);
    }
}

#[test]
fn the_digest_of_an_index_is_told_with_that_of_its_platform() {
    let make = [
        "docker pull -q alpine && docker tag alpine me/plain:1 && docker push -q me/plain:1",
        "docker buildx imagetools create -t me/many:1 me/plain:1 2>&1 | tail -1",
        "docker pull -q me/many:1",
    ];
    for store in ["graph-driver", "containerd"] {
        let run = rehearse(&plan(vec![step("make", &make)]), stored_in(store));
        let ledger = ledger(&run);
        let entry = |name: &str| {
            let name = format!("docker.io/{name}");
            ledger.iter().find(|it| it.reference == name).unwrap()
        };
        let (alpine, many) = (entry("library/alpine:latest"), entry("me/many:1"));
        assert_eq!(alpine.manifest, None);
        assert_eq!(many.manifest, entry("me/plain:1").digest, "{store}");
        assert_ne!(many.digest, many.manifest);
        assert_eq!(many.config, alpine.config);
        assert!(many.config.is_some());
    }
}
