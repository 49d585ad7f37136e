//! How long a sandbox takes to come and to go, and what it adds to a step; beside the floor, one bash asked by a pipe.
//!
//! `cargo bench --bench sandbox` needs an engine (`make engine`). Only the ratios travel from machine to machine.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mdbook_rehearse::config::{self, Config};
use mdbook_rehearse::plan::{Plan, PlannedCommand, PlannedStep};
use mdbook_rehearse::sandbox::{self, Event, Surroundings};
use serde_json::json;

const N_RUNS: usize = 10;
const N_STEPS: usize = 1000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let measure = |n_steps, config: &Config| runtime.block_on(measure(n_steps, config));
    let alone = config::parse(&json!({ "network": "none" })).expect("a known configuration");
    let local = json!({ "mode": "local", "images": [] });
    let hosts = json!({ "docker.io": local, "quay.io": local, "public.ecr.aws": local });
    let registries = config::parse(&json!({ "registries": hosts })).expect("a known configuration");

    // The first run may build the image.
    measure(1, &alone);
    for (name, config) in [
        ("engine alone", &alone),
        ("with three registries", &registries),
    ] {
        let runs: Vec<Run> = (0..N_RUNS).map(|_| measure(1, config)).collect();
        println!("{name}, median of {N_RUNS}:");
        println!(
            "  ready after               {:>8.1} ms",
            median(&runs, |it| it.ready)
        );
        println!(
            "  of which inside           {:>8.1} ms",
            median(&runs, |it| it.boot)
        );
        println!(
            "  removed and verified in   {:>8.1} ms",
            median(&runs, |it| it.removal)
        );
    }
    let runs = |n_steps| -> Vec<Run> { (0..5).map(|_| measure(n_steps, &alone)).collect() };
    let (one, many) = (
        median(&runs(1), |it| it.steps),
        median(&runs(N_STEPS), |it| it.steps),
    );
    println!("`echo`, median of 5:");
    println!("  1 step                    {one:>8.1} ms");
    println!("  {N_STEPS} steps                {many:>8.1} ms");
    println!(
        "  added by each step        {:>8.3} ms",
        (many - one) / (N_STEPS - 1) as f64
    );
    println!(
        "  floor: bash by a pipe     {:>8.3} ms",
        floor().as_secs_f64() * 1e3 / N_STEPS as f64
    );
}

/// What one run took.
struct Run {
    ready: Duration,
    boot: Duration,
    steps: Duration,
    removal: Duration,
}

async fn measure(n_steps: usize, config: &Config) -> Run {
    let events = Mutex::new(Vec::new());
    let watch = |event| {
        events
            .lock()
            .expect("no thread panics")
            .push((Instant::now(), event))
    };
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let surroundings = Surroundings {
        root: Path::new("."),
        build_folder: Path::new("book"),
    };
    let transcript = sandbox::rehearse(&plan(n_steps), config, surroundings, &watch, stop).await;
    let end = Instant::now();
    let transcript = transcript.expect("a sandbox runs; `make engine` starts an engine");
    assert_eq!(transcript.steps.len(), n_steps);
    let events = events.into_inner().expect("no thread panics");
    let at = |matches: fn(&Event) -> bool| {
        events
            .iter()
            .find(|it| matches(&it.1))
            .expect("it happens")
            .0
    };
    let starting = at(|it| matches!(it, Event::Starting));
    let ready = at(|it| matches!(it, Event::Ready { .. }));
    let first = at(|it| matches!(it, Event::Command { .. }));
    let removing = at(|it| matches!(it, Event::Removing));
    let boot = events.iter().find_map(|it| match it.1 {
        Event::Ready { boot } => Some(boot),
        _ => None,
    });
    Run {
        ready: ready - starting,
        boot: boot.expect("it is ready"),
        steps: removing - first,
        removal: end - removing,
    }
}

fn plan(n_steps: usize) -> Plan {
    let step = |idx| PlannedStep {
        id: format!("step-{idx}"),
        line: 1,
        commands: vec![PlannedCommand::plain(1, format!("echo {idx}"))],
        timeout: Duration::from_secs(60),
        ..PlannedStep::default()
    };
    Plan {
        exercise: "bench".to_owned(),
        chapter: "bench.md".to_owned(),
        timeout: Duration::from_secs(600),
        steps: (0..n_steps).map(step).collect(),
        ..Plan::default()
    }
}

/// The same commands given to one bash through a pipe, each answer read before the next.
fn floor() -> Duration {
    let mut bash = Process::new("bash")
        .args(["--noprofile", "--norc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash starts");
    let mut stdin = bash.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(bash.stdout.take().expect("a pipe")).lines();
    let began = Instant::now();
    for idx in 0..N_STEPS {
        writeln!(stdin, "echo {idx}").expect("bash reads");
        let answer = answers.next().expect("bash answers").expect("bash answers");
        assert_eq!(answer, idx.to_string());
    }
    let took = began.elapsed();
    drop(stdin);
    bash.wait().expect("bash ends");
    took
}

/// Median in milliseconds.
fn median(runs: &[Run], figure: fn(&Run) -> Duration) -> f64 {
    let mut figures: Vec<Duration> = runs.iter().map(figure).collect();
    figures.sort();
    figures[figures.len() / 2].as_secs_f64() * 1e3
}
