//! Local registries that ask for login, asked by the real clients.

use insta::assert_snapshot;
use mdbook_rehearse::exercise::Failure;
use mdbook_rehearse::plan::{Expect, PlannedStep};
use serde_json::{Value, json};

use crate::{check, step};

fn registries() -> Value {
    let login = json!({ "user": "learner", "password": "rehearsal" });
    json!({ "registries": {
        "docker.io": { "mode": "local", "images": ["docker.io/alpine.tar"], "login": login },
        "ghcr.io": { "mode": "local", "login": login },
        "registry.test:80": { "mode": "local", "login": login },
    }})
}

fn fails(id: &str, command: &str) -> PlannedStep {
    let mut step = step(id, &[command]);
    step.expect = Expect::Failure(Failure::Any);
    step
}

#[test]
fn anybody_pulls_and_only_the_login_pushes() {
    let steps = vec![
        step(
            "anybody",
            &[
                "docker pull -q alpine",
                "docker tag alpine learner/mine; docker tag alpine ghcr.io/learner/mine",
            ],
        ),
        fails("push", "docker push learner/mine"),
        fails("push elsewhere", "docker push ghcr.io/learner/mine"),
        fails(
            "wrong password",
            "echo wrong | docker login -u learner --password-stdin",
        ),
        fails(
            "wrong user",
            "echo rehearsal | docker login -u somebody --password-stdin ghcr.io",
        ),
        fails("still", "docker push -q learner/mine"),
        step(
            "login",
            &[
                "echo rehearsal | docker login -u learner --password-stdin",
                "docker push learner/mine",
                "docker rmi learner/mine; docker pull -q learner/mine",
            ],
        ),
        fails(
            "one login is not the other",
            "docker push -q ghcr.io/learner/mine",
        ),
        step(
            "second login",
            &[
                "docker login ghcr.io -u learner -p rehearsal",
                "docker push -q ghcr.io/learner/mine && docker push -q learner/mine",
            ],
        ),
        step(
            "logout",
            &[
                "docker logout",
                "docker pull -q learner/mine",
                "docker push -q ghcr.io/learner/mine",
            ],
        ),
        fails("pushes no more", "docker push -q learner/mine"),
    ];
    assert_snapshot!(check(steps, registries()), @r#"
    -- anybody
    $ docker pull -q alpine
    docker.io/library/alpine:latest
    $ docker tag alpine learner/mine; docker tag alpine ghcr.io/learner/mine
    -- push
    $ docker push learner/mine
    Using default tag: latest
    The push refers to repository [docker.io/learner/mine]
    2030c46cb8af: Preparing
    denied: requested access to the resource is denied
    [Exited(1)]
    -- push elsewhere
    $ docker push ghcr.io/learner/mine
    Using default tag: latest
    The push refers to repository [ghcr.io/learner/mine]
    2030c46cb8af: Preparing
    denied: requested access to the resource is denied
    [Exited(1)]
    -- wrong password
    $ echo wrong | docker login -u learner --password-stdin
    Error response from daemon: Get "https://registry-1.docker.io/v2/": unauthorized: incorrect username or password
    [Exited(1)]
    -- wrong user
    $ echo rehearsal | docker login -u somebody --password-stdin ghcr.io
    Error response from daemon: Get "https://ghcr.io/v2/": unauthorized: incorrect username or password
    [Exited(1)]
    -- still
    $ docker push -q learner/mine
    denied: requested access to the resource is denied
    [Exited(1)]
    -- login
    $ echo rehearsal | docker login -u learner --password-stdin
    WARNING! Your password will be stored unencrypted in /home/learner/.docker/config.json.
    Configure a credential helper to remove this warning. See
    https://docs.docker.com/engine/reference/commandline/login/#credentials-store

    Login Succeeded
    $ docker push learner/mine
    Using default tag: latest
    The push refers to repository [docker.io/learner/mine]
    2030c46cb8af: Preparing
    2030c46cb8af: Mounted from library/alpine
    latest: digest: sha256:9d00b3520abea537c513abccc903419a7f8095776620f955e0175c193d55af0f size: 527
    $ docker rmi learner/mine; docker pull -q learner/mine
    Untagged: learner/mine:latest
    Untagged: learner/mine@sha256:9d00b3520abea537c513abccc903419a7f8095776620f955e0175c193d55af0f
    docker.io/learner/mine:latest
    -- one login is not the other
    $ docker push -q ghcr.io/learner/mine
    denied: requested access to the resource is denied
    [Exited(1)]
    -- second login
    $ docker login ghcr.io -u learner -p rehearsal
    WARNING! Using --password via the CLI is insecure. Use --password-stdin.
    WARNING! Your password will be stored unencrypted in /home/learner/.docker/config.json.
    Configure a credential helper to remove this warning. See
    https://docs.docker.com/engine/reference/commandline/login/#credentials-store

    Login Succeeded
    $ docker push -q ghcr.io/learner/mine && docker push -q learner/mine
    ghcr.io/learner/mine:latest
    docker.io/learner/mine:latest
    -- logout
    $ docker logout
    Removing login credentials for https://index.docker.io/v1/
    $ docker pull -q learner/mine
    docker.io/learner/mine:latest
    $ docker push -q ghcr.io/learner/mine
    ghcr.io/learner/mine:latest
    -- pushes no more
    $ docker push -q learner/mine
    errors:
    denied: requested access to the resource is denied
    unauthorized: authentication required

    [Exited(1)]
    "#);
}

#[test]
fn other_clients_know_the_login_too() {
    let steps = vec![
        step(
            "build",
            &[
                "printf 'FROM alpine\nRUN echo built >/built\n' >Dockerfile",
                "docker build -q -t registry.test:80/a/b . | cut -c-7",
            ],
        ),
        fails(
            "build and push",
            "docker buildx build -q --push -t learner/built . 2>&1 | tail -1; (exit ${PIPESTATUS[0]})",
        ),
    ];
    assert_snapshot!(check(steps, registries()), @"
    -- build
    $ printf 'FROM alpine
    RUN echo built >/built
    ' >Dockerfile
    $ docker build -q -t registry.test:80/a/b . | cut -c-7
    sha256:
    -- build and push
    $ docker buildx build -q --push -t learner/built . 2>&1 | tail -1; (exit ${PIPESTATUS[0]})
    ERROR: denied: requested access to the resource is denied
    [Exited(1)]
    ");
    let steps = vec![
        step(
            "login",
            &[
                "for it in '' registry.test:80; do docker login -u learner -p rehearsal $it 2>/dev/null; done",
            ],
        ),
        step(
            "build",
            &[
                "printf 'FROM alpine\nRUN echo built >/built\n' >Dockerfile",
                "docker build -q -t registry.test:80/a/b . | cut -c-7",
                "docker push -q registry.test:80/a/b",
            ],
        ),
        step(
            "build and push",
            &[
                "docker buildx build -q --push -t learner/built . | cut -c-7",
                "docker pull -q learner/built",
            ],
        ),
        step(
            "compose",
            &[
                "printf 'services:\n  a:\n    build: .\n    image: learner/composed\n' >compose.yaml",
                "docker compose build -q 2>/dev/null; docker compose push -q && docker pull -q learner/composed",
            ],
        ),
        step(
            "manifest",
            &["docker manifest inspect learner/built | jq -r .schemaVersion"],
        ),
        step(
            "skopeo",
            &[
                "skopeo inspect docker://learner/built --format '{{.Name}}'; skopeo delete docker://docker.io/learner/built",
            ],
        ),
        fails("deleted", "docker pull -q learner/built"),
    ];
    assert_snapshot!(check(steps, registries()), @"
    -- login
    $ for it in '' registry.test:80; do docker login -u learner -p rehearsal $it 2>/dev/null; done
    Login Succeeded
    Login Succeeded
    -- build
    $ printf 'FROM alpine
    RUN echo built >/built
    ' >Dockerfile
    $ docker build -q -t registry.test:80/a/b . | cut -c-7
    sha256:
    $ docker push -q registry.test:80/a/b
    registry.test:80/a/b:latest
    -- build and push
    $ docker buildx build -q --push -t learner/built . | cut -c-7
    sha256:
    $ docker pull -q learner/built
    docker.io/learner/built:latest
    -- compose
    $ printf 'services:
      a:
        build: .
        image: learner/composed
    ' >compose.yaml
    $ docker compose build -q 2>/dev/null; docker compose push -q && docker pull -q learner/composed
    docker.io/learner/composed:latest
    -- manifest
    $ docker manifest inspect learner/built | jq -r .schemaVersion
    2
    -- skopeo
    $ skopeo inspect docker://learner/built --format '{{.Name}}'; skopeo delete docker://docker.io/learner/built
    docker.io/learner/built
    -- deleted
    $ docker pull -q learner/built
    Error response from daemon: manifest for learner/built:latest not found: manifest unknown: manifest unknown
    [Exited(1)]
    ");
}

#[test]
fn the_token_service_takes_what_it_can_read() {
    let ask = "ask() { curl -s -w '%{http_code}\n' \"$@\"; }";
    let claims = "claims() { curl -s \"$@\" | jq -c '.token | split(\".\")[1] | gsub(\"-\"; \"+\") | gsub(\"_\"; \"/\") | @base64d | fromjson | {iss, aud, sub, access}'; }";
    let steps = vec![step(
        "ask",
        &[
            ask,
            claims,
            "claims 'http://auth.docker.io/token?service=registry.docker.io&scope=repository:a/b:pull,push'",
            "claims 'http://ghcr.io/token?scope=repository%3Aa%2Fb%3Apull+registry:catalog:*&scope=repository:c:push&scope=what'",
            "claims -u learner:rehearsal 'http://registry.test:81/token?scope=repository:%22%5c%0a:pull,push&scope=registry:catalog:*'",
            "ask -u learner:wrong http://ghcr.io/token; ask -H 'Authorization: Bearer x' http://ghcr.io/token; ask -H 'Authorization: Basic ?' http://ghcr.io/token",
            "ask -d grant_type=password http://ghcr.io/token",
            "printf 'nonsense\n\n' | timeout 5 curl -s telnet://ghcr.io:80 | head -1",
        ],
    )];
    assert_snapshot!(check(steps, registries()), @r#"
    -- ask
    $ ask() { curl -s -w '%{http_code}
    ' "$@"; }
    $ claims() { curl -s "$@" | jq -c '.token | split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson | {iss, aud, sub, access}'; }
    $ claims 'http://auth.docker.io/token?service=registry.docker.io&scope=repository:a/b:pull,push'
    {"iss":"auth.docker.io","aud":"registry.docker.io","sub":"","access":[{"type":"repository","name":"a/b","actions":["pull"]}]}
    $ claims 'http://ghcr.io/token?scope=repository%3Aa%2Fb%3Apull+registry:catalog:*&scope=repository:c:push&scope=what'
    {"iss":"ghcr.io","aud":"ghcr.io","sub":"","access":[{"type":"repository","name":"a/b","actions":["pull"]}]}
    $ claims -u learner:rehearsal 'http://registry.test:81/token?scope=repository:%22%5c%0a:pull,push&scope=registry:catalog:*'
    {"iss":"registry.test","aud":"registry.test","sub":"learner","access":[{"type":"repository","name":"\"\\\n","actions":["pull","push"]},{"type":"registry","name":"catalog","actions":["*"]}]}
    $ ask -u learner:wrong http://ghcr.io/token; ask -H 'Authorization: Bearer x' http://ghcr.io/token; ask -H 'Authorization: Basic ?' http://ghcr.io/token
    {"details":"incorrect username or password"}401
    {"details":"incorrect username or password"}401
    {"details":"incorrect username or password"}401
    $ ask -d grant_type=password http://ghcr.io/token
    {"details":"ask with GET"}405
    $ printf 'nonsense

    ' | timeout 5 curl -s telnet://ghcr.io:80 | head -1
    HTTP/1.1 400 Bad Request
    "#);
}
