//! The sandbox, against a real engine and the stand-ins: what runs in it, what it can reach, and that nothing is left.

#[path = "sandbox/engine.rs"]
mod engine;
#[path = "sandbox/ledger.rs"]
mod ledger;
#[path = "sandbox/login.rs"]
mod login;
#[path = "scratch/machine.rs"]
mod machine;
#[path = "sandbox/reach.rs"]
mod reach;
#[path = "sandbox/shims.rs"]
mod shims;
#[path = "sandbox/steps.rs"]
mod steps;
#[path = "sandbox/workspace.rs"]
mod workspace;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use mdbook_driver::MDBook;
use mdbook_preprocessor::PreprocessorContext;
use mdbook_rehearse::config::{self, Config};
use mdbook_rehearse::exercise::{Failure, Role};
use mdbook_rehearse::plan::{Decision, Expect, Plan, PlannedCommand, PlannedStep};
use mdbook_rehearse::sandbox::leftovers::{self, Kind, Role as Standing};
use mdbook_rehearse::sandbox::{self, Event, Stop, Stopped, Surroundings};
use mdbook_rehearse::transcript::{CommandTranscript, Ending, Image, Transcript};
use serde_json::{Value, json};
use tempfile::TempDir;

use machine::{OWNER, RUN, Upstream, docker, need, stand_ins, things_of};

const MANAGED: &str = "io.github.mdbook-rehearse";

/// A bound for what must happen at last, not a measure of how fast.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the steps in a sandbox and writes down what a reader would see.
#[track_caller]
fn check(steps: Vec<PlannedStep>, table: Value) -> String {
    show(&rehearse(&plan(steps), table))
}

#[track_caller]
fn rehearse(plan: &Plan, table: Value) -> Transcript {
    let (_sender, stop) = tokio::sync::watch::channel(false);
    try_rehearse(plan, table, &|_| {}, stop).unwrap()
}

fn try_rehearse(
    plan: &Plan,
    table: Value,
    watch: sandbox::Watch<'_>,
    stop: Stop,
) -> anyhow::Result<Transcript> {
    let config = config::parse(&table).unwrap();
    need(&config);
    let surroundings = Surroundings {
        root: &stand_ins(),
        build_folder: &stand_ins().join("book"),
    };
    runtime().block_on(sandbox::rehearse(plan, &config, surroundings, watch, stop))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Without any registry; the quickest sandbox.
fn alone() -> Value {
    json!({ "network": "none" })
}

/// With the small stand-ins of Docker Hub.
fn hub() -> Value {
    let images = [
        "alpine",
        "busybox",
        "hello-world",
        "nginx",
        "redis",
        "registry",
    ];
    let images = images.map(|it| format!("docker.io/{it}.tar"));
    json!({ "registries": { "docker.io": { "mode": "local", "images": images } } })
}

fn plan(steps: Vec<PlannedStep>) -> Plan {
    Plan {
        exercise: "exercise".to_string(),
        chapter: "exercise.md".to_string(),
        timeout: Duration::from_secs(120),
        steps,
        ..Plan::default()
    }
}

fn step(id: &str, commands: &[&str]) -> PlannedStep {
    let commands = commands
        .iter()
        .enumerate()
        .map(|(idx, text)| PlannedCommand::plain(idx + 1, *text));
    PlannedStep {
        id: id.to_string(),
        line: 1,
        role: Role::Task,
        commands: commands.collect(),
        decision: Decision::Run,
        expect: Expect::Success,
        timeout: Duration::from_secs(60),
        ..PlannedStep::default()
    }
}

/// Each command with its output and its end, unless that is status 0.
fn show(transcript: &Transcript) -> String {
    let mut shown = String::new();
    for step in &transcript.steps {
        shown.push_str(&format!("-- {}\n", step.id));
        for command in &step.commands {
            let output = String::from_utf8_lossy(&command.output);
            shown.push_str(&format!("$ {}\n{output}", command.text));
            if !output.is_empty() && !output.ends_with('\n') {
                shown.push('\n');
            }
            if command.ending != Ending::Exited(0) {
                shown.push_str(&format!("[{:?}]\n", command.ending));
            }
        }
    }
    shown
}

fn commands(transcript: &Transcript) -> Vec<&CommandTranscript> {
    transcript
        .steps
        .iter()
        .flat_map(|it| &it.commands)
        .collect()
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_exercise_has_an_engine_a_shell_and_a_workspace_of_its_own() {
    let mut cleanup = step("cleanup", &["docker rm -f web", "ls"]);
    cleanup.role = Role::Cleanup;
    let mut fails = step("fails", &["cd sub", "cat missing"]);
    fails.expect = Expect::Failure(Failure::Status(1));
    let mut skipped = step("skipped", &["echo never"]);
    skipped.decision = Decision::Skip(mdbook_rehearse::plan::Skip::Author(String::new()));
    let steps = vec![
        cleanup,
        step(
            "state",
            &["mkdir sub; name=web", "docker ps -aq; docker images -q"],
        ),
        fails,
        skipped,
        step(
            "run",
            &[
                "docker run -dq --name $name alpine sleep 600 >id; docker ps --format '{{.Names}} {{.Image}}'",
                "docker exec web cat /etc/hostname | cmp - <(cut -c1-12 id) && pwd",
                "cd ..",
            ],
        ),
        step(
            "breaks",
            &[
                "docker inspect --format '{{.Name}}' web nothing",
                "echo never",
            ],
        ),
        step("after", &["echo never"]),
    ];
    let transcript = rehearse(&plan(steps), hub());
    assert_snapshot!(show(&transcript), @r#"
    -- state
    $ mkdir sub; name=web
    $ docker ps -aq; docker images -q
    -- fails
    $ cd sub
    $ cat missing
    cat: missing: No such file or directory
    [Exited(1)]
    -- run
    $ docker run -dq --name $name alpine sleep 600 >id; docker ps --format '{{.Names}} {{.Image}}'
    web alpine
    $ docker exec web cat /etc/hostname | cmp - <(cut -c1-12 id) && pwd
    /home/learner/work/sub
    $ cd ..
    -- breaks
    $ docker inspect --format '{{.Name}}' web nothing
    /web
    Error: No such object: nothing
    [Exited(1)]
    -- cleanup
    $ docker rm -f web
    web
    $ ls
    sub
    "#);
    let engine = &transcript.engine;
    assert_eq!(engine.store, "overlay2");
    assert!(engine.platform.starts_with("linux/"), "{engine:?}");
    let major = engine.version.split('.').next().unwrap();
    assert!(major.parse::<u32>().unwrap() >= 20, "{engine:?}");
}

#[test]
fn images_are_told_after_each_command_that_changed_them() {
    let transcript = rehearse(
        &plan(vec![step(
            "images",
            &[
                "docker pull -q alpine",
                "docker images",
                "docker tag alpine mine:1",
                "docker pull -q nginx:alpine",
                "docker rmi alpine",
                "docker rmi -f $(docker images -q)",
            ],
        )]),
        hub(),
    );
    let tags = |images: &Option<Vec<Image>>| {
        let images = images.as_ref()?;
        Some(
            images
                .iter()
                .map(|it| it.tags.join(" "))
                .collect::<Vec<_>>(),
        )
    };
    let seen: Vec<_> = commands(&transcript)
        .iter()
        .map(|it| tags(&it.images))
        .collect();
    assert_snapshot!(format!("{seen:#?}"), @r#"
    [
        Some(
            [
                "alpine:latest",
            ],
        ),
        None,
        Some(
            [
                "alpine:latest mine:1",
            ],
        ),
        Some(
            [
                "alpine:latest mine:1",
                "nginx:alpine",
            ],
        ),
        Some(
            [
                "mine:1",
                "nginx:alpine",
            ],
        ),
        Some(
            [],
        ),
    ]
    "#);
    let images = commands(&transcript)[3].images.as_ref().unwrap();
    for image in images {
        assert!(
            image.id.starts_with("sha256:") && image.id.len() == 71,
            "{image:?}"
        );
        let digest = image.digests[0].split_once("@sha256:").unwrap().1;
        assert!(digest.len() == 64 && image.size > 0, "{image:?}");
    }
    let (alpine, nginx) = (&images[0], &images[1]);
    assert_eq!((alpine.layers.len(), nginx.layers.len()), (1, 2));
    assert_eq!(alpine.layers[0], nginx.layers[0]);
}

#[test]
fn registries_serve_the_stand_ins_under_their_real_names() {
    let table = json!({ "registries": {
        "docker.io": { "mode": "local", "images": ["docker.io"] },
        "public.ecr.aws": { "mode": "local", "images": ["public.ecr.aws"] },
        "quay.io": { "mode": "local", "images": ["quay.io"] },
    }});
    let digests =
        "docker images --digests --format '{{.Digest}}' | sort | uniq -c | awk '{ print $1 }'";
    let steps = vec![
        step(
            "alpine",
            &[
                "for it in alpine docker.io/library/alpine:latest; do docker pull -q $it; done",
                digests,
            ],
        ),
        step(
            "alpine-based",
            &[
                "for it in nginx:alpine redis postgres node registry; do docker pull -q $it; done",
                "docker inspect --format '{{index .RootFS.Layers 0}}' alpine nginx:alpine redis postgres node registry | sort -u | wc -l",
            ],
        ),
        step(
            "fluent-bit",
            &[
                "docker pull -q public.ecr.aws/aws-observability/aws-for-fluent-bit",
                "docker pull -q amazon/aws-for-fluent-bit",
                "docker images --digests --format '{{.Repository}} {{.Digest}}' | grep fluent | cut -d' ' -f2 | uniq -c | awk '{ print $1 }'",
            ],
        ),
        step("quay", &["docker pull -q quay.io/prometheus/prometheus"]),
    ];
    assert_snapshot!(check(steps, table), @"
    -- alpine
    $ for it in alpine docker.io/library/alpine:latest; do docker pull -q $it; done
    docker.io/library/alpine:latest
    docker.io/library/alpine:latest
    $ docker images --digests --format '{{.Digest}}' | sort | uniq -c | awk '{ print $1 }'
    1
    -- alpine-based
    $ for it in nginx:alpine redis postgres node registry; do docker pull -q $it; done
    docker.io/library/nginx:alpine
    docker.io/library/redis:latest
    docker.io/library/postgres:latest
    docker.io/library/node:latest
    docker.io/library/registry:latest
    $ docker inspect --format '{{index .RootFS.Layers 0}}' alpine nginx:alpine redis postgres node registry | sort -u | wc -l
    1
    -- fluent-bit
    $ docker pull -q public.ecr.aws/aws-observability/aws-for-fluent-bit
    public.ecr.aws/aws-observability/aws-for-fluent-bit:latest
    $ docker pull -q amazon/aws-for-fluent-bit
    docker.io/amazon/aws-for-fluent-bit:latest
    $ docker images --digests --format '{{.Repository}} {{.Digest}}' | grep fluent | cut -d' ' -f2 | uniq -c | awk '{ print $1 }'
    2
    -- quay
    $ docker pull -q quay.io/prometheus/prometheus
    quay.io/prometheus/prometheus:latest
    ");
}

#[test]
fn what_is_pushed_goes_with_its_exercise() {
    let mut missing = step("next exercise", &["docker pull me/mine"]);
    missing.expect = Expect::Failure(Failure::Any);
    let steps = vec![
        step(
            "local registry",
            &[
                "docker run -dqp 5000:5000 registry >/dev/null; until curl -sf localhost:5000/v2/ >/dev/null; do sleep 0.1; done",
                "docker pull -q alpine; docker tag alpine localhost:5000/mine; docker push -q localhost:5000/mine",
                "curl -s localhost:5000/v2/_catalog",
                "docker rmi localhost:5000/mine | head -1; docker pull -q localhost:5000/mine",
            ],
        ),
        step(
            "hub",
            &[
                "docker tag alpine me/mine; docker push -q me/mine",
                "docker rmi me/mine | head -1; docker pull -q me/mine",
            ],
        ),
    ];
    assert_snapshot!(check(steps, hub()), @r#"
    -- local registry
    $ docker run -dqp 5000:5000 registry >/dev/null; until curl -sf localhost:5000/v2/ >/dev/null; do sleep 0.1; done
    $ docker pull -q alpine; docker tag alpine localhost:5000/mine; docker push -q localhost:5000/mine
    docker.io/library/alpine:latest
    localhost:5000/mine:latest
    $ curl -s localhost:5000/v2/_catalog
    {"repositories":["mine"]}
    $ docker rmi localhost:5000/mine | head -1; docker pull -q localhost:5000/mine
    Untagged: localhost:5000/mine:latest
    localhost:5000/mine:latest
    -- hub
    $ docker tag alpine me/mine; docker push -q me/mine
    docker.io/me/mine:latest
    $ docker rmi me/mine | head -1; docker pull -q me/mine
    Untagged: me/mine:latest
    docker.io/me/mine:latest
    "#);
    let transcript = rehearse(&plan(vec![missing]), hub());
    let output = String::from_utf8_lossy(&commands(&transcript)[0].output);
    assert!(
        output.contains("not found") || output.contains("unknown"),
        "{output}"
    );
}

#[test]
fn images_are_built_and_ports_published() {
    let steps = vec![
        step(
            "build",
            &[
                "cat > Dockerfile <<'END'\nFROM nginx:alpine\nRUN echo '<p>built</p>' > /usr/share/nginx/html/index.html\nEND",
                "docker build -q -t site . | cut -c1-7",
            ],
        ),
        step(
            "publish",
            &[
                "docker run -d -p 80:80 site >/dev/null; docker run -d -p 8080:80 site >/dev/null",
                "for port in 80 8080; do curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:$port; done",
            ],
        ),
        step(
            "compose",
            &[
                "cat > compose.yaml <<'END'\nservices:\n  web:\n    image: site\n    ports: ['8081:80']\nEND",
                "docker compose up -d >/dev/null 2>&1; docker compose ps --format '{{.Service}} {{.State}}'",
                "curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8081",
            ],
        ),
    ];
    assert_snapshot!(check(steps, hub()), @r#"
    -- build
    $ cat > Dockerfile <<'END'
    FROM nginx:alpine
    RUN echo '<p>built</p>' > /usr/share/nginx/html/index.html
    END
    $ docker build -q -t site . | cut -c1-7
    sha256:
    -- publish
    $ docker run -d -p 80:80 site >/dev/null; docker run -d -p 8080:80 site >/dev/null
    $ for port in 80 8080; do curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:$port; done
    <p>built</p>
    <p>built</p>
    -- compose
    $ cat > compose.yaml <<'END'
    services:
      web:
        image: site
        ports: ['8081:80']
    END
    $ docker compose up -d >/dev/null 2>&1; docker compose ps --format '{{.Service}} {{.State}}'
    web running
    $ curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8081
    <p>built</p>
    "#);
}

#[test]
fn a_step_over_its_time_ends_the_exercise() {
    let mut slow = step(
        "slow",
        &["echo begun; (trap '' TERM; sleep 600)", "echo never"],
    );
    slow.timeout = Duration::from_secs(1);
    let mut cleanup = step("cleanup", &["echo never"]);
    cleanup.role = Role::Cleanup;
    let steps = vec![slow, step("after", &["echo never"]), cleanup];
    assert_snapshot!(check(steps, alone()), @r#"
    -- slow
    $ echo begun; (trap '' TERM; sleep 600)
    begun
    [TimedOut]
    "#);
}

#[test]
fn an_exit_ends_the_exercise() {
    assert_snapshot!(check(vec![step("exits", &["echo before; exit 3", "echo never"])], alone()), @r#"
    -- exits
    $ echo before; exit 3
    before
    [ShellExited(3)]
    "#);
}

#[test]
fn d05_an_engine_that_stops_is_told_with_the_command() {
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let plan = plan(vec![step("kills", &["true", "pkill dockerd; sleep 5"])]);
    let error = try_rehearse(&plan, alone(), &|_| {}, stop).unwrap_err();
    let error = format!("{error:#}");
    let prefix = "exercise.md:2: the sandbox broke during this command: the engine stopped";
    assert!(error.starts_with(prefix), "{error}");
}

#[test]
fn d11_j01_many_containers_leave_no_zombies_and_processes_are_limited() {
    let steps = vec![step(
        "run",
        &[
            "docker pull -q alpine; for _ in {1..5}; do docker run --rm alpine true; done",
            "ps -eo stat= | grep -c Z || true",
            "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max",
        ],
    )];
    assert_snapshot!(check(steps, hub()), @r#"
    -- run
    $ docker pull -q alpine; for _ in {1..5}; do docker run --rm alpine true; done
    docker.io/library/alpine:latest
    $ ps -eo stat= | grep -c Z || true
    0
    $ cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max
    8192
    "#);
}

#[test]
fn i02_i03_the_sandbox_reaches_neither_host_nor_world() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            CONNECTIONS.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nreached");
        }
    });
    // The positive: whoever can reach this machine reaches the listener.
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    eventually("the listener works", || {
        CONNECTIONS.load(Ordering::SeqCst) == 1
    });

    let own = Process::new("hostname").arg("-I").output().unwrap();
    let mut hosts: Vec<String> = String::from_utf8_lossy(&own.stdout)
        .split_whitespace()
        .map(|it| match it.contains(':') {
            true => format!("[{it}]"),
            false => it.to_owned(),
        })
        .collect();
    let bridge = docker(&[
        "network",
        "inspect",
        "bridge",
        "--format",
        "{{(index .IPAM.Config 0).Gateway}}",
    ]);
    hosts.extend([
        bridge,
        "10.0.2.2".to_owned(),
        "172.17.0.1".to_owned(),
        "host.docker.internal".to_owned(),
    ]);
    let hosts = hosts.join(" ");
    let dial = format!(
        "gateway=$(ip -4 -o addr show scope global | awk '{{ print $4 }}' | sed 's/[0-9]*\\/.*/1/'); \
         for host in $gateway {hosts}; do (curl -gsm 2 http://$host:{port} && echo to $host) & done; \
         curl -sm 2 http://169.254.169.254/ && echo metadata; wait"
    );
    let dial_inside = format!(
        "docker run --rm -e gateway=$gateway alpine sh -c 'for host in $gateway {hosts}; do (wget -T 2 -qO- http://$host:{port} 2>/dev/null && echo to $host) & done; wait'"
    );
    let privileges = Mutex::new(Vec::new());
    let watch = |event: Event| {
        if !matches!(event, Event::Command { line: 1, .. }) {
            return;
        }
        let ids = docker(&[
            "ps",
            "-q",
            "--no-trunc",
            "--filter",
            &format!("label={MANAGED}=sandbox"),
        ]);
        for id in ids.lines() {
            let inspected: Value =
                serde_json::from_str(&docker(&["inspect", id])).unwrap_or_default();
            let owner = &inspected[0]["Config"]["Labels"][OWNER];
            if owner
                .as_str()
                .is_some_and(|it| it.contains(&format!("/{}/", std::process::id())))
            {
                privileges.lock().unwrap().push(inspected[0].clone());
            }
        }
    };
    let plan = plan(vec![step(
        "probe",
        &[
            "env | cut -d= -f1 | sort | xargs",
            "id -un; id -Gn; sudo -n id -un; cat /proc/1/environ 2>&1 | tail -1",
            "grep Cap /proc/self/status | awk '{ print $2 }' | head -3 | xargs",
            "ls -A /root 2>&1; ls -A ~ | xargs; ls -A ~/.docker ~/work",
            "awk '$9 == \"ext4\" || $9 == \"xfs\" || $9 == \"btrfs\" { print $5 }' /proc/self/mountinfo | grep -vE '^/(etc/(hosts|hostname|resolv.conf)|home/learner/.local/share/docker)$'; true",
            "find / -xdev -type s 2>/dev/null | grep -v '^/run/user/1000/' | sed 's/[0-9]\\{5,\\}/N/' | sort; ls -l /var/run/docker.sock | awk '{ print $NF }'",
            &dial,
            "curl -s http://example.com; echo $?; getent hosts example.com; echo $?",
            "docker pull -q quay.io/x/y 2>&1 | grep -o 'no such host'",
            "curl -so /dev/null -w '%{http_code}' https://registry-1.docker.io/v2/",
            "docker pull -q alpine",
            &dial_inside,
            "docker run --rm alpine wget -T 2 -qO- http://example.com 2>&1 | tail -1",
            "docker -H tcp://127.0.0.1:2375 ps 2>&1 | grep -o 'Cannot connect'",
        ],
    )]);
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let transcript = try_rehearse(&plan, hub(), &watch, stop).unwrap();
    let shown = show(&transcript)
        .replace(&dial, "DIAL")
        .replace(&dial_inside, "DIAL INSIDE");
    assert_snapshot!(shown, @r#"
    -- probe
    $ env | cut -d= -f1 | sort | xargs
    HOME LANG LOGNAME PATH PWD SHELL SHLVL TERM TZ USER XDG_RUNTIME_DIR _
    $ id -un; id -Gn; sudo -n id -un; cat /proc/1/environ 2>&1 | tail -1
    learner
    learner
    learner
    cat: /proc/1/environ: Permission denied
    $ grep Cap /proc/self/status | awk '{ print $2 }' | head -3 | xargs
    0000000000000000 0000000000000000 0000000000000000
    $ ls -A /root 2>&1; ls -A ~ | xargs; ls -A ~/.docker ~/work
    ls: cannot open directory '/root': Permission denied
    .bash_logout .bashrc .docker .local .profile work
    /home/learner/.docker:

    /home/learner/work:
    $ awk '$9 == "ext4" || $9 == "xfs" || $9 == "btrfs" { print $5 }' /proc/self/mountinfo | grep -vE '^/(etc/(hosts|hostname|resolv.conf)|home/learner/.local/share/docker)$'; true
    $ find / -xdev -type s 2>/dev/null | grep -v '^/run/user/1000/' | sed 's/[0-9]\{5,\}/N/' | sort; ls -l /var/run/docker.sock | awk '{ print $NF }'
    /tmp/rootlesskitN/.bp.sock
    /tmp/rootlesskitN/api.sock
    /run/user/1000/docker.sock
    $ DIAL
    $ curl -s http://example.com; echo $?; getent hosts example.com; echo $?
    6
    2
    $ docker pull -q quay.io/x/y 2>&1 | grep -o 'no such host'
    no such host
    $ curl -so /dev/null -w '%{http_code}' https://registry-1.docker.io/v2/
    200
    $ docker pull -q alpine
    docker.io/library/alpine:latest
    $ DIAL INSIDE
    $ docker run --rm alpine wget -T 2 -qO- http://example.com 2>&1 | tail -1
    wget: bad address 'example.com'
    $ docker -H tcp://127.0.0.1:2375 ps 2>&1 | grep -o 'Cannot connect'
    Cannot connect
    "#);
    assert_eq!(
        CONNECTIONS.load(Ordering::SeqCst),
        1,
        "somebody reached the host"
    );

    let privileges = privileges.into_inner().unwrap();
    assert!(!privileges.is_empty());
    for container in privileges {
        let host = &container["HostConfig"];
        assert_eq!(host["Privileged"], json!(false));
        assert!(host["CapAdd"].is_null(), "{host}");
        assert!(host["Binds"].is_null(), "{host}");
        assert_eq!(host["PortBindings"], json!({}));
        assert_ne!(host["NetworkMode"], json!("host"));
        assert_ne!(host["PidMode"], json!("host"));
        assert_eq!(host["Devices"].as_array().unwrap().len(), 1);
        let mounts = container["Mounts"].as_array().unwrap();
        assert!(
            mounts.len() == 1 && mounts[0]["Type"] == json!("volume"),
            "{mounts:?}"
        );
    }
}

#[test]
fn a_proxy_keeps_what_it_pulled_and_refuses_pushes() {
    need(&config::parse(&hub()).unwrap());
    // Builds the image that the upstream is made of.
    rehearse(&plan(vec![step("nothing", &["true"])]), alone());
    let upstream = Upstream::start();
    let table =
        json!({ "registries": { "docker.io": { "mode": "proxy", "upstream": upstream.url } } });
    // As `docker push` asks, which asks again for more than a minute.
    let push = step(
        "push",
        &[
            "curl -so /dev/null -w '%{http_code}' -X POST https://registry-1.docker.io/v2/me/mine/blobs/uploads/",
        ],
    );
    let transcript = rehearse(
        &plan(vec![step("pull", &["docker pull -q alpine"]), push.clone()]),
        table.clone(),
    );
    let seen = commands(&transcript);
    assert_eq!(
        (seen.len(), seen[0].ending),
        (2, Ending::Exited(0)),
        "{}",
        show(&transcript)
    );
    assert_eq!(seen[1].output, b"405");

    upstream.stop();
    let labels = docker(&[
        "volume",
        "inspect",
        &upstream.cache(),
        "--format",
        "{{json .Labels}}",
    ]);
    assert_eq!(labels, format!("{{\"{MANAGED}\":\"cache\"}}"));
    let offline = Mutex::new(Vec::new());
    let watch = |event: Event| {
        if let Event::Offline { host, why } = event {
            offline.lock().unwrap().push((host, why));
        }
    };
    let mut other = step("other", &["docker pull -q busybox"]);
    other.expect = Expect::Failure(Failure::Any);
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let steps = vec![step("pull", &["docker pull -q alpine"]), push, other];
    let transcript = try_rehearse(&plan(steps), table, &watch, stop).unwrap();
    let seen = commands(&transcript);
    assert_eq!(
        (seen.len(), seen[0].ending),
        (3, Ending::Exited(0)),
        "{}",
        show(&transcript)
    );
    assert_eq!(seen[1].output, b"405");
    assert_ne!(seen[2].ending, Ending::Exited(0), "{}", show(&transcript));
    let offline = offline.into_inner().unwrap();
    assert!(
        offline.len() == 1 && offline[0].0 == "docker.io",
        "{offline:?}"
    );
}

#[test]
fn a_proxy_asks_the_world_for_its_upstream_and_not_itself() {
    let offline = Mutex::new(String::new());
    let watch = |event: Event| {
        if let Event::Offline { why, .. } = event {
            *offline.lock().unwrap() = why;
        }
    };
    // A name that is certain not to exist (RFC 2606) but for its alias on the inner network.
    let table = json!({ "registries": { "registry.invalid": { "mode": "proxy" } } });
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let res = try_rehearse(&plan(vec![step("nothing", &["true"])]), table, &watch, stop);
    docker(&[
        "volume",
        "rm",
        "-f",
        &docker(&[
            "volume",
            "ls",
            "-q",
            "--filter",
            "name=mdbook-rehearse-cache-registry.invalid",
        ]),
    ]);
    res.unwrap();
    let why = offline.into_inner().unwrap();
    assert!(
        why.contains("lookup registry.invalid") && !why.contains("127.0.0.11"),
        "{why}"
    );
}

#[test]
fn a_run_that_is_told_to_stop_ends_as_stopped() {
    let (sender, stop) = tokio::sync::watch::channel(false);
    let watch = |event: Event| {
        if matches!(event, Event::Command { .. }) {
            sender.send_replace(true);
        }
    };
    let plan = plan(vec![step("slow", &["sleep 600"])]);
    let error = try_rehearse(&plan, alone(), &watch, stop).unwrap_err();
    assert!(error.is::<Stopped>(), "{error:#}");
}

/// A scratch book of one chapter.
fn book(commands: &str, table: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let images = stand_ins().join("docker.io/alpine.tar");
    let config = format!(
        "[book]\ntitle = \"Scratch\"\n[preprocessor.rehearse]\n{table}\n\
         [preprocessor.rehearse.registries.\"docker.io\"]\nmode = \"local\"\nimages = [{:?}]\n",
        images.display().to_string()
    );
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("book.toml"), config).unwrap();
    fs::write(folder.path().join("src/SUMMARY.md"), "- [One](one.md)\n").unwrap();
    fs::write(
        folder.path().join("src/one.md"),
        format!("# One\n\n```bash\n{commands}\n```\n"),
    )
    .unwrap();
    folder
}

/// Starts the real program on a book.
fn start(book: &TempDir) -> Child {
    need(&config::parse(&hub()).unwrap());
    Process::new(env!("CARGO_BIN_EXE_mdbook-rehearse"))
        .arg("run")
        .arg(book.path())
        .env_remove("CI")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the real program on a book, does something to it as soon as it has a sandbox with its network and registry, and
/// waits until nothing that it made is left.
#[track_caller]
fn nothing_is_left(mut child: Child, trouble: impl FnOnce(&mut Child)) -> ExitStatus {
    let pid = child.id();
    let mut seen = 0;
    eventually("a sandbox is there", || {
        seen = seen.max(things_of(pid).len());
        // Sandbox, registry, network, volume; or it was quicker than we are.
        seen >= 4 || child.try_wait().unwrap().is_some()
    });
    trouble(&mut child);
    let status = child.wait().unwrap();
    // And stays so: an order to the engine may have been under way.
    let mut n_quiet = 0;
    eventually("nothing is left", || {
        n_quiet = if things_of(pid).is_empty() {
            n_quiet + 1
        } else {
            0
        };
        n_quiet == 20
    });
    status
}

fn signal(child: &mut Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

const SLOW: &str = "docker pull -q alpine\nsleep 60";

#[test]
fn nothing_is_left_after_any_end_of_its_own() {
    for (commands, table, code) in [
        ("docker run -d alpine sleep 600", "", 0),
        ("docker run -d alpine sleep 600\nfalse", "", 4),
        (
            "docker run -d alpine sleep 600\nsleep 600",
            "timeout = \"2s\"",
            4,
        ),
        (
            "true",
            "registries.\"quay.io\" = { mode = \"local\", images = [\"missing.tar\"] }",
            5,
        ),
    ] {
        let book = book(commands, table);
        let mut child = start(&book);
        let status = child.wait().unwrap();
        let pid = child.id();
        // At once: a run removes what is its own before it ends.
        assert_eq!(things_of(pid), BTreeSet::new(), "{commands}");
        assert_eq!(status.code(), Some(code), "{commands}");
    }
}

#[test]
fn g01_an_interrupt_removes_everything_and_is_told_by_the_status() {
    let book = book(SLOW, "");
    let child = start(&book);
    let interrupt = |child: &mut Child| signal(child, rustix::process::Signal::INT);
    assert_eq!(nothing_is_left(child, interrupt).code(), Some(130));
}

#[test]
fn g03_a_request_to_end_removes_everything_and_is_told_by_the_status() {
    let book = book(SLOW, "");
    let child = start(&book);
    let terminate = |child: &mut Child| signal(child, rustix::process::Signal::TERM);
    assert_eq!(nothing_is_left(child, terminate).code(), Some(143));
}

#[test]
fn g04_nothing_is_left_of_a_run_that_was_killed() {
    let book = book(SLOW, "");
    let child = start(&book);
    nothing_is_left(child, |child| child.kill().unwrap());
}

#[test]
fn g05_an_end_of_mdbook_ends_the_run() {
    need(&config::parse(&hub()).unwrap());
    let book = book(SLOW, "");
    let loaded = MDBook::load(book.path()).unwrap();
    let context = PreprocessorContext::new(
        book.path().to_owned(),
        loaded.config.clone(),
        "html".to_owned(),
    );
    let input = serde_json::to_vec(&(context, &loaded.book)).unwrap();
    let mut child = Process::new(env!("CARGO_BIN_EXE_mdbook-rehearse"))
        .env_remove("CI")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    // What the death of mdBook does: the other end of our standard output closes.
    let status = nothing_is_left(child, |child| drop(child.stdout.take()));
    assert_eq!(status.code(), Some(143));
}

#[test]
fn g09_only_what_lost_its_process_is_swept() {
    need(&config::parse(&alone()).unwrap());
    let label = |pid: u32, started: &str, expires: u64| {
        let host = docker(&["info", "--format", "{{.Name}}"]);
        let host =
            fs::read_to_string("/proc/sys/kernel/hostname").map_or(host, |it| it.trim().to_owned());
        [
            format!("{MANAGED}=network"),
            format!("{RUN}=test"),
            format!("{OWNER}={host}/{pid}/{started}"),
            format!("io.github.mdbook-rehearse.expires={expires}"),
        ]
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let started = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(19)
        .unwrap();
    let pid = std::process::id();
    let far = 99_999_999_999;
    let volume = |labels: &[String]| {
        let mut arguments = vec!["volume", "create"];
        labels
            .iter()
            .for_each(|it| arguments.extend(["--label", it]));
        docker(&arguments)
    };
    let alive = volume(&label(pid, started, far));
    let foreign = volume(&["mdbook-rehearse-test=foreign".to_owned()]);
    let cache = volume(&[format!("{MANAGED}=cache")]);
    let elsewhere = volume(&[
        format!("{MANAGED}=sandbox"),
        format!("{OWNER}=another-host/1/1"),
    ]);
    let expired = volume(&label(pid, started, 1));
    // Its number is taken by another process now: ours.
    let dead = volume(&label(pid, "1", far));
    let labels = label(pid, "1", far);
    let mut arguments = vec!["network", "create", "--internal"];
    labels
        .iter()
        .for_each(|it| arguments.extend(["--label", it]));
    let name = format!("mdbook-rehearse-test-{pid}");
    arguments.push(&name);
    let network = docker(&arguments);
    let image = sandbox::image_tag(&Config::default().base_image);
    let mut arguments = vec!["create"];
    labels
        .iter()
        .for_each(|it| arguments.extend(["--label", it]));
    arguments.push(&image);
    runtime().block_on(async {
        let config = config::parse(&alone()).unwrap();
        let (_sender, stop) = tokio::sync::watch::channel(false);
        sandbox::probe(&config, Path::new("."), &|_| {}, stop)
            .await
            .unwrap();
    });
    let container = docker(&arguments);
    let standings = || {
        let things = runtime().block_on(leftovers::list()).unwrap();
        let names = [
            &alive, &foreign, &cache, &elsewhere, &expired, &dead, &network, &container,
        ];
        names.map(|name| {
            things
                .iter()
                .find(|it| it.name == *name)
                .map(|it| (it.kind, it.role))
        })
    };
    let before = standings();
    // Other runs of this engine may sweep too, which is the same.
    runtime().block_on(leftovers::sweep()).unwrap();
    let after = standings();
    for name in [&alive, &foreign, &cache, &elsewhere, &expired, &dead] {
        docker(&["volume", "rm", "-f", name]);
    }
    docker(&["network", "rm", &network]);
    docker(&["rm", "-fv", &container]);
    let kept = [
        Some((Kind::Volume, Standing::InUse)),
        None,
        Some((Kind::Volume, Standing::Kept)),
        Some((Kind::Volume, Standing::InUse)),
    ];
    assert_eq!(before[..4], kept);
    assert_eq!(after[..4], kept);
    assert_eq!(after[4..], [None; 4]);
    // Listed before, unless another run swept them in between.
    let gone = [Kind::Volume, Kind::Volume, Kind::Network, Kind::Container];
    for (standing, kind) in before[4..].iter().zip(gone) {
        assert!(
            standing.is_none_or(|it| it == (kind, Standing::LeftOver)),
            "{standing:?}"
        );
    }
}
