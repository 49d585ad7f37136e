//! What the terminal says of a run: a chapter and what its commands printed go in, lines come out. No run takes place.

use std::collections::BTreeSet;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::compare::{Comparison, Drift, Moved, StepComparison, Verdict};
use mdbook_rehearse::config::Config;
use mdbook_rehearse::coverage::Coverage;
use mdbook_rehearse::exercise::Chapter;
use mdbook_rehearse::plan::{Circumstances, Plan, in_run_order};
use mdbook_rehearse::problem::Origin;
use mdbook_rehearse::record;
use mdbook_rehearse::report::exercise::{Purpose, exercise};
use mdbook_rehearse::run::{self, Rehearsal, Subject};
use mdbook_rehearse::transcript::{
    Blocked, CommandTranscript, Ending, Engine, Inventory, StepTranscript, Transcript,
};

#[path = "reporting/check.rs"]
mod check;
#[path = "reporting/formats.rs"]
mod formats;
#[path = "reporting/hostile.rs"]
mod hostile;
#[path = "reporting/join.rs"]
mod join;
#[path = "reporting/objections.rs"]
mod objections;
#[path = "reporting/program.rs"]
mod program;
#[path = "scratch/book.rs"]
mod scratch;

/// A chapter `a.md`, with what became of its commands.
struct Case<'a> {
    text: &'a str,
    copy: Option<&'a str>,
    /// Commands that did not end well, with what they printed; nothing runs after them but cleanup. The others printed `fine`.
    ended: &'a [(&'a str, &'a str, Ending)],
    blocked: Option<Blocked>,
    left: Inventory,
}

fn case(text: &str) -> Case<'_> {
    Case {
        text,
        copy: None,
        ended: &[],
        blocked: None,
        left: Inventory::default(),
    }
}

/// What is said of a first run and, if that was recorded, of another one like it.
#[track_caller]
fn said(case: &Case<'_>) -> String {
    let mut subject = subject(case);
    let (recording, snapshot) = rehearse(&subject, case, Purpose::Recording);
    let Some(snapshot) = snapshot else {
        return recording;
    };
    subject.recorded = Some(snapshot);
    format!(
        "{recording}-- again\n{}",
        rehearse(&subject, case, Purpose::Checking).0
    )
}

#[track_caller]
fn subject(case: &Case<'_>) -> Subject {
    subject_of("a.md", case)
}

#[track_caller]
fn subject_of(path: &str, case: &Case<'_>) -> Subject {
    let none = BTreeSet::new();
    let chapter = Chapter {
        path,
        text: case.text,
        copy: case.copy,
        workspace: &none,
    };
    let config = Config::default();
    let around = Circumstances::bare(&config);
    let survey = run::survey([chapter].into_iter(), around, |_| Ok(None)).unwrap();
    survey.subjects.into_iter().next().unwrap()
}

fn rehearse(
    subject: &Subject,
    case: &Case<'_>,
    purpose: Purpose,
) -> (String, Option<mdbook_rehearse::snapshot::Snapshot>) {
    let rehearsal = rehearsal(subject, case);
    let text = exercise(&record::exercise(&rehearsal), purpose, "course");
    let text = anstream::adapter::strip_str(&text).to_string();
    (text, rehearsal.snapshot)
}

fn rehearsal(subject: &Subject, case: &Case<'_>) -> Rehearsal {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let how = async |plan: &Plan| Ok(transcript(plan, case));
    let rehearsal = run::rehearse(subject, date(2026, 11, 23), how);
    runtime.block_on(rehearsal).unwrap()
}

fn transcript(plan: &Plan, case: &Case<'_>) -> Transcript {
    let mut steps = Vec::new();
    let mut is_broken = case.blocked.is_some();
    for step in in_run_order(plan) {
        use mdbook_rehearse::exercise::Role;
        if case.blocked.is_some() || is_broken && step.role != Role::Cleanup {
            continue;
        }
        let mut commands = Vec::new();
        for command in &step.commands {
            let ended = case.ended.iter().find(|it| it.0 == command.text);
            let (_, output, ending) = ended.copied().unwrap_or(("", "fine\n", Ending::Exited(0)));
            commands.push(CommandTranscript {
                text: command.text.clone(),
                output: output.as_bytes().to_vec(),
                ending,
                took: Duration::from_millis(1200),
                images: None,
                touches: Vec::new(),
            });
            if ended.is_some() {
                is_broken = true;
                break;
            }
        }
        steps.push(StepTranscript {
            id: step.id.clone(),
            commands,
        });
    }
    Transcript {
        engine: engine(),
        registries: Default::default(),
        before: Vec::new(),
        blocked: case.blocked.clone(),
        steps,
        left: case.left,
        manifests: Default::default(),
    }
}

fn engine() -> Engine {
    Engine {
        version: "26.1.5".to_string(),
        store: "overlay2".to_string(),
        platform: "linux/amd64".to_string(),
    }
}

/// Two tasks that can be covered, one that cannot, and a challenge.
const COURSE: &str = "# Course\n\n## One\n\n```bash\ndocker ps\n```\n\n## Two\n\n```bash\ndocker pull <name>\n```\n\n```bash skip=\"by hand\"\ndocker login\n```\n\n\
                      ```bash\nkubectl get pods\n```\n\n## Three\n\nYour challenge: stop it.\n\n## Cleanup\n\n```bash\ndocker rm -f web\n```\n";

#[test]
fn it_ends_with_how_much_was_covered_and_why_steps_were_skipped() {
    let left = Inventory {
        containers: 1,
        images: 2,
        ..Inventory::default()
    };
    assert_snapshot!(said(&Case { left, ..case(COURSE) }), @"
    a.md: recorded anew; 1 of 3 tasks covered, 2 steps run, 3 skipped (1 by the author, 1 for want of a value, 1 out of scope)
      left after its cleanup: 1 container and 2 images
    -- again
    a.md: as recorded; 1 of 3 tasks covered, 2 steps run, 3 skipped (1 by the author, 1 for want of a value, 1 out of scope)
      left after its cleanup: 1 container and 2 images
    ");
    let copy = "## Three\n\n```bash\ndocker stop web\n```\n";
    assert_snapshot!(said(&Case { copy: Some(copy), ..case(COURSE) }), @"
    a.md: recorded anew; 2 of 3 tasks covered, 3 steps run, 3 skipped (1 by the author, 1 for want of a value, 1 out of scope)
    -- again
    a.md: as recorded; 2 of 3 tasks covered, 3 steps run, 3 skipped (1 by the author, 1 for want of a value, 1 out of scope)
    ");
}

#[test]
fn of_a_broken_one_it_says_how_many_steps_ran() {
    let ended = [("docker ps", "no\u{1b}[2J engine\n", Ending::Exited(1))];
    assert_snapshot!(said(&Case { ended: &ended, ..case(COURSE) }), @r"
    a.md: broken; 2 of 2 steps ran
      failed a.md:6: status 1, should be 0
          $ docker ps
          | no\u{1b}[2J engine
      again: mdbook-rehearse check course a
    ");
}

#[test]
fn what_is_wrong_in_the_copy_is_told_there() {
    let copy = "## One\n\n<!-- rehearse: step 1 expect \"web\" -->\n\n## Three\n\n```bash\ndocker stop web\n```\n";
    assert_snapshot!(said(&Case { copy: Some(copy), ..case(COURSE) }), @r#"
    a.md: broken; 3 of 3 steps ran
      failed a.rehearse.md:3: the output has no "web"
          $ docker ps
          | fine
      again: mdbook-rehearse check course a
    "#);
    let ended = [("docker stop web", "", Ending::NeverReady)];
    let copy = "## Three\n\n```bash\ndocker stop web\n```\n";
    assert_snapshot!(said(&Case { copy: Some(copy), ended: &ended, ..case(COURSE) }), @"
    a.md: broken; 3 of 3 steps ran
      failed a.rehearse.md:4: not ready within its time; `until=…` after the language says when it is, `timeout=…` gives it more
          $ docker stop web
      again: mdbook-rehearse check course a
    ");
}

#[test]
fn what_comes_first_and_failed_is_told_with_what_it_printed() {
    let blocked = Blocked {
        chapter: "labs/first.md".to_string(),
        origin: Origin::Copy,
        line: 7,
        command: "docker build \\\n  .".to_string(),
        output: b"no such file\n".to_vec(),
        ending: Ending::Exited(1),
    };
    assert_snapshot!(said(&Case { blocked: Some(blocked), ..case(COURSE) }), @r"
    a.md: broken; 0 of 2 steps ran
      failed labs/first.rehearse.md:7: this exercise comes first, and did not end as it should
          $ docker build \
          $   .
          | no such file
      not run a.md:5: a step before it failed
      not run a.md:29: a step before it failed
      again: mdbook-rehearse check course a
    ");
}

#[test]
fn how_a_command_ended_is_said_as_it_was() {
    let text = "```bash\ndocker run alpine\n```\n\n```bash\ndocker ps\n```\n";
    let endings = [
        Ending::Exited(125),
        Ending::ShellExited(3),
        Ending::ShellKilled(9),
        Ending::NeverReady,
        Ending::TimedOut,
        Ending::NotTyped,
        Ending::SandboxLost,
    ];
    let said = endings.map(|ending| {
        let ended = [("docker run alpine", "", ending)];
        let said = self::said(&Case {
            ended: &ended,
            ..case(text)
        });
        said.lines().nth(1).unwrap().trim().to_string()
    });
    assert_snapshot!(said.join("\n"), @"
    failed a.md:2: status 125, should be 0
    failed a.md:2: ended the shell with status 3
    failed a.md:2: the shell was killed by signal 9
    failed a.md:2: not ready within its time; `until=…` after the language says when it is, `timeout=…` gives it more
    timed out a.md:2: not done within its time; give it more with `timeout=…` after the language
    failed a.md:2: was not typed
    failed a.md:2: the sandbox went away
    ");
}

/// An exercise whose only command drifted.
fn drifted_one(
    because: &[&str],
    moved: &[(&str, usize, (usize, usize))],
    engines: Option<(Engine, Engine)>,
) -> Rehearsal {
    let drift = Drift {
        line: 6,
        command: "docker images".to_string(),
        status: (0, 0),
        recorded: "nginx  one\n".to_string(),
        fresh: "nginx  two\n".to_string(),
        because: because.iter().map(|it| it.to_string()).collect(),
    };
    let moved = moved.iter().map(|(reference, n_kept, n_layers)| Moved {
        reference: reference.to_string(),
        recorded: Some(format!("sha256:{}", "1a".repeat(32))),
        fresh: Some(format!("sha256:{}", "2b".repeat(32))),
        n_kept: *n_kept,
        n_layers: *n_layers,
    });
    let fresh_engine = engines.as_ref().map_or(engine(), |it| it.1.clone());
    Rehearsal {
        comparison: Comparison {
            exercise: "a".to_string(),
            chapter: "a.md".to_string(),
            steps: vec![StepComparison {
                id: "a-1".to_string(),
                origin: Origin::Chapter,
                line: 6,
                verdict: Verdict::Drifted,
                drifts: vec![drift],
            }],
            moved: moved.collect(),
            gone: Vec::new(),
            blocked: None,
            engines,
        },
        snapshot: None,
        coverage: Coverage::default(),
        left_by_cleanup: None,
        engine: fresh_engine,
        took: Duration::ZERO,
        attempts: Vec::new(),
    }
}

/// What a check says of an exercise whose only command drifted.
fn drifted(
    because: &[&str],
    moved: &[(&str, usize, (usize, usize))],
    engines: Option<(Engine, Engine)>,
) -> String {
    let rehearsal = drifted_one(because, moved, engines);
    let text = exercise(&record::exercise(&rehearsal), Purpose::Checking, "course");
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn e06_what_an_image_that_moved_explains_is_told_from_what_it_does_not() {
    const NGINX: &str = "docker.io/library/nginx:alpine";
    assert_snapshot!(drifted(&[NGINX], &[(NGINX, 1, (2, 3)), ("quay.io/a/b:1", 0, (4, 4))], None), @"
    a.md: differs from what is recorded; 0 steps run
      drifted a.md:6
          $ docker images
          - nginx  one
                   ^^^
          + nginx  two
                   ^^^
          because nginx:alpine moved
      moved nginx:alpine: sha256:1a1a1a1a1a1a… → sha256:2b2b2b2b2b2b…; 1 of its 2 layers stayed
      moved quay.io/a/b:1: sha256:1a1a1a1a1a1a… → sha256:2b2b2b2b2b2b…; none of its 4 layers stayed
      again: mdbook-rehearse check course a
    ");
    assert_snapshot!(drifted(&[], &[(NGINX, 2, (2, 3))], None), @"
    a.md: differs from what is recorded; 0 steps run
      drifted a.md:6
          $ docker images
          - nginx  one
                   ^^^
          + nginx  two
                   ^^^
          no image that moved explains it
      moved nginx:alpine: sha256:1a1a1a1a1a1a… → sha256:2b2b2b2b2b2b…; all of its 2 layers stayed
      again: mdbook-rehearse check course a
    ");
    assert_snapshot!(drifted(&[], &[], None), @"
    a.md: differs from what is recorded, and no image moved; 0 steps run
      drifted a.md:6
          $ docker images
          - nginx  one
                   ^^^
          + nginx  two
                   ^^^
      again: mdbook-rehearse check course a
    ");
}

#[test]
fn e07_another_engine_is_told_and_that_its_store_does_not_compare() {
    let engine = |version: &str, store: &str| Engine {
        version: version.to_string(),
        store: store.to_string(),
        platform: "linux/amd64".to_string(),
    };
    let recorded = engine("26.1.5", "overlay2");
    let newer = (recorded.clone(), engine("28.5.2", "overlay2"));
    let other = (recorded, engine("28.5.2", "overlayfs"));
    let said = |it| {
        drifted(&[], &[], Some(it))
            .lines()
            .find(|it| it.starts_with("  engine"))
            .unwrap()
            .to_string()
    };
    assert_snapshot!([newer, other].map(said).join("\n"), @"
    engine Docker 26.1.5 (overlay2, linux/amd64) → 28.5.2 (overlay2, linux/amd64)
    engine Docker 26.1.5 (overlay2, linux/amd64) → 28.5.2 (overlayfs, linux/amd64); image IDs and sizes of the two stores mean different things
    ");
}
