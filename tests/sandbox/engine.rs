//! What the engine of a sandbox can do, and what an exercise leaves in it.

use mdbook_rehearse::transcript::Inventory;

use crate::{hub, plan, rehearse, show, step};

#[test]
fn what_an_exercise_leaves_is_counted() {
    let tidy = rehearse(&plan(vec![step("tidy", &["docker network ls -q"])]), hub());
    assert_eq!(tidy.left, Inventory::default());
    let untidy = step(
        "untidy",
        &[
            "docker swarm init >/dev/null; docker network create -d overlay far >/dev/null",
            "docker network create near >/dev/null; docker volume create data",
            "docker run -d alpine sleep 600 >/dev/null 2>&1; docker run -v /data alpine true",
            "docker tag alpine mine; docker pull -q busybox",
        ],
    );
    let untidy = rehearse(&plan(vec![untidy]), hub());
    let left = Inventory {
        containers: 2,
        images: 2,
        volumes: 2,
        networks: 2,
    };
    assert_eq!(untidy.left, left, "{}", show(&untidy));
}
