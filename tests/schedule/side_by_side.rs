//! Exercises in a real engine: several at once, one after the other, again, and none any more. What an exercise waits for, the
//! test gives it from outside; no clock decides.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use mdbook_rehearse::config::Config;
use mdbook_rehearse::sandbox::image_tag;
use mdbook_rehearse::snapshot::{self, RecordedCommand, RecordedStep, Snapshot};
use sha2::{Digest, Sha256};

use crate::book::{REHEARSE, Said, Scratch, run};
use crate::machine::{OWNER, Upstream, docker, need, stand_ins, things_of};

/// A bound for what must happen at last, not a measure of how fast.
const PATIENCE: Duration = Duration::from_secs(120);

const ALONE: &str = "[preprocessor.rehearse]\nnetwork = \"none\"\n";

/// Ends once the test says how: well or ill.
const WAITS: &str = "until [ -e /tmp/verdict ]; do sleep 0.1; done; grep well /tmp/verdict";

/// A book without a registry whose chapters have one command each; all printed this when they were recorded.
#[track_caller]
fn recorded(chapters: &[(&str, &str, &str)]) -> Scratch {
    need(&Config::default());
    let texts: Vec<(String, String)> = chapters
        .iter()
        .map(|(name, command, _)| {
            (
                format!("{name}.md"),
                format!("# {name}\n\n```bash\n{command}\n```\n"),
            )
        })
        .collect();
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|it| (it.0.as_str(), it.1.as_str()))
        .collect();
    let book = Scratch::new(ALONE, &texts);
    for (name, command, output) in chapters {
        let command = RecordedCommand {
            text: command.to_string(),
            output: output.as_bytes().to_vec(),
            status: 0,
            took: Duration::from_secs(1),
        };
        let snapshot = Snapshot {
            steps: vec![RecordedStep {
                id: format!("{name}-1"),
                commands: vec![command],
            }],
            ..crate::snapshot(name, 1)
        };
        book.write(
            &format!("snapshots/{name}.snap"),
            &snapshot::print(&snapshot),
        );
    }
    book
}

/// What a check says, without the engine's name and log, which are no matter here.
#[track_caller]
fn check(book: &Scratch, arguments: &[&str]) -> String {
    let mut command = book.command(REHEARSE, &["check"]);
    show(&run(command.args(arguments), b""))
}

fn show(said: &Said) -> String {
    let is_of_engine = |it: &&str| it.starts_with("  engine ") || it.starts_with("      | time=");
    let lines = said.out.lines().filter(|it| !is_of_engine(it));
    let lines: String = lines.map(|it| format!("{it}\n")).collect();
    format!("{lines}exit {}", said.status)
}

/// A check that is under way.
#[track_caller]
fn start(book: &Scratch, arguments: &[&str]) -> Child {
    let mut command = book.command(REHEARSE, &["check"]);
    let command = command.args(arguments).stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for its end and gives what it said. It says less than a pipe holds.
#[track_caller]
fn end(mut child: Child) -> Said {
    let status = child.wait().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.unwrap().read_to_string(&mut out).unwrap();
    child.stderr.unwrap().read_to_string(&mut err).unwrap();
    Said {
        status: status.code().unwrap_or(-1),
        out,
        err,
    }
}

/// The sandboxes of a process that run.
fn sandboxes(pid: u32) -> BTreeSet<String> {
    let format = format!("{{{{.ID}}}} {{{{.Label \"{OWNER}\"}}}}");
    let filter = "label=io.github.mdbook-rehearse=sandbox";
    let lines = docker(&["ps", "--filter", filter, "--format", &format]);
    let its = lines
        .lines()
        .filter(|it| it.contains(&format!("/{pid}/")))
        .filter_map(|it| it.split_once(' '));
    its.map(|it| it.0.to_string()).collect()
}

/// Waits until so many sandboxes of a process run that are none of these.
#[track_caller]
fn await_sandboxes(child: &mut Child, n: usize, other_than: &BTreeSet<String>) -> BTreeSet<String> {
    let begin = Instant::now();
    loop {
        let there = sandboxes(child.id());
        let fresh: BTreeSet<String> = there.difference(other_than).cloned().collect();
        if fresh.len() >= n {
            return fresh;
        }
        let ended = child.try_wait().unwrap();
        assert_eq!(ended, None, "it ended with {fresh:?}");
        assert!(begin.elapsed() < PATIENCE, "only {fresh:?} run");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Tells what waits in these sandboxes how to end.
fn tell(sandboxes: &BTreeSet<String>, verdict: &str) {
    let script = format!("echo {verdict} >/tmp/v && mv /tmp/v /tmp/verdict");
    for sandbox in sandboxes {
        docker(&["exec", sandbox, "sh", "-c", &script]);
    }
}

#[test]
fn several_run_at_once() {
    let book = recorded(&[("one", WAITS, "well\n"), ("two", WAITS, "well\n")]);
    let mut child = start(&book, &["--jobs", "2"]);
    // Neither of them ends before both are there.
    let both = await_sandboxes(&mut child, 2, &BTreeSet::new());
    tell(&both, "well");
    let said = end(child);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    let mut lines: Vec<&str> = said.out.lines().collect();
    lines.retain(|it| !it.starts_with("  engine "));
    lines.sort_unstable();
    assert_snapshot!(lines.join("\n"), @"
    2 as recorded, 0 drifted, 0 broken
    one.md: as recorded; 1 of 1 task covered, 1 step runs
    two.md: as recorded; 1 of 1 task covered, 1 step runs
    ");
}

#[test]
fn an_interrupt_ends_all_of_them_and_leaves_nothing() {
    let book = recorded(&[("one", WAITS, ""), ("two", WAITS, ""), ("three", WAITS, "")]);
    let mut child = start(&book, &["--jobs", "2"]);
    let pid = child.id();
    await_sandboxes(&mut child, 2, &BTreeSet::new());
    let process = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let said = end(child);
    assert_eq!(said.status, 130, "{}", said.err);
    assert_eq!(things_of(pid), BTreeSet::new());
    assert!(!said.err.contains("two.md: running"), "{}", said.err);
}

#[test]
fn with_one_job_one_ends_before_the_next_begins() {
    let book = recorded(&[
        ("one", "echo 1", "1\n"),
        ("two", "echo 2", "2\n"),
        ("three", "echo 3", "3\n"),
    ]);
    let said = run(&mut book.command(REHEARSE, &["check", "--jobs", "1"]), b"");
    assert_eq!(said.status, 0, "{}", said.out);
    let lines = said.err.lines().map(|it| match it.split_once(": done in") {
        Some((begin, _)) => format!("{begin}: done"),
        None => it.to_string(),
    });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    rehearse: one.md: running 1 command in a sandbox
    rehearse: one.md: done
    rehearse: two.md: running 1 command in a sandbox
    rehearse: two.md: done
    rehearse: three.md: running 1 command in a sandbox
    rehearse: three.md: done
    ");
}

#[test]
fn one_that_goes_wrong_takes_nothing_from_the_others_unless_it_shall() {
    let book = recorded(&[
        ("one", "exit 3", ""),
        ("two", "echo 2", "2\n"),
        ("three", "echo 4", "3\n"),
    ]);
    assert_snapshot!(check(&book, &["--jobs", "1"]), @"
    one.md: broken; 1 of 1 steps ran
      failed one.md:4: ended the shell with status 3
          $ exit 3
      again: mdbook-rehearse check . one
    three.md: differs from what is recorded, and no image moved; 1 of 1 task covered, 1 step runs
      drifted three.md:4
          $ echo 4
          - 3
          + 4
      again: mdbook-rehearse check . three
    two.md: as recorded; 1 of 1 task covered, 1 step runs
    1 as recorded, 1 drifted, 1 broken
    exit 4
    ");
    assert_snapshot!(check(&book, &["--jobs", "1", "--fail-fast"]), @"
    one.md: broken; 1 of 1 steps ran
      failed one.md:4: ended the shell with status 3
          $ exit 3
      again: mdbook-rehearse check . one
    two.md: not run; another exercise went wrong before
    three.md: not run; another exercise went wrong before
    0 as recorded, 0 drifted, 1 broken, 2 not run
    exit 4
    ");
}

#[test]
fn trouble_with_one_engine_takes_nothing_from_the_others() {
    let book = recorded(&[
        ("one", "pkill dockerd; sleep 60", ""),
        ("two", "echo 2", "2\n"),
    ]);
    assert_snapshot!(check(&book, &["--jobs", "1"]), @"
    one.md: not run; one.md:4: the sandbox broke during this command: the engine stopped
    two.md: as recorded; 1 of 1 task covered, 1 step runs
    1 as recorded, 0 drifted, 0 broken, 1 not run
    exit 5
    ");
    assert_snapshot!(check(&book, &["--jobs", "1", "--fail-fast"]), @"
    one.md: not run; one.md:4: the sandbox broke during this command: the engine stopped
    two.md: not run; another exercise went wrong before
    0 as recorded, 0 drifted, 0 broken, 2 not run
    exit 5
    ");
}

#[test]
fn one_that_is_well_in_another_engine_is_flaky_and_no_error_unless_strict() {
    let book = recorded(&[("one", WAITS, "well\n")]);
    for (arguments, status) in [
        (vec!["--retry", "2"], 0),
        (vec!["--retry", "1", "--strict"], 4),
    ] {
        let mut child = start(&book, &arguments);
        let first = await_sandboxes(&mut child, 1, &BTreeSet::new());
        tell(&first, "ill");
        let second = await_sandboxes(&mut child, 1, &first);
        tell(&second, "well");
        let said = end(child);
        assert_eq!(said.status, status, "{}", said.err);
        let attempt = format!(
            "one.md: attempt 2 of {}, from an empty engine",
            arguments[1].parse::<u8>().unwrap() + 1
        );
        assert!(said.err.contains(&attempt), "{}", said.err);
        match status {
            0 => assert_snapshot!(show(&said), @"
            one.md: flaky; 1 of 1 task covered, 1 step runs
              attempt 1 broke
              failed one.md:4: status 1, should be 0
                  $ until [ -e /tmp/verdict ]; do sleep 0.1; done; grep well /tmp/verdict
              again: mdbook-rehearse check . one
            0 as recorded, 0 drifted, 0 broken, 1 flaky
            exit 0
            "),
            _ => assert_snapshot!(show(&said), @"
            one.md: flaky; 1 of 1 task covered, 1 step runs
              attempt 1 broke
              failed one.md:4: status 1, should be 0
                  $ until [ -e /tmp/verdict ]; do sleep 0.1; done; grep well /tmp/verdict
              again: mdbook-rehearse check . one
            strict: one.md: flaky: well only in attempt 2
            0 as recorded, 0 drifted, 0 broken, 1 flaky
            exit 4
            "),
        }
    }
}

#[test]
fn one_that_breaks_each_time_is_broken() {
    // What one attempt leaves, the next one does not find.
    let command = "test -e /tmp/was || { touch /tmp/was; false; }";
    let book = recorded(&[("one", command, "")]);
    assert_snapshot!(check(&book, &["--retry", "1"]), @"
    one.md: broken; 1 of 1 steps ran
      attempt 1 broke
      failed one.md:4: status 1, should be 0
          $ test -e /tmp/was || { touch /tmp/was; false; }
      again: mdbook-rehearse check . one
    0 as recorded, 0 drifted, 1 broken
    exit 4
    ");
}

#[test]
fn a_registry_is_filled_once_for_all_that_want_it() {
    const HOST: &str = "filled-once.example";
    need(&Config::default());
    let archive = stand_ins().join("docker.io/alpine.tar");
    let table = format!(
        "[preprocessor.rehearse]\n[preprocessor.rehearse.registries.\"{HOST}\"]\nmode = \"local\"\nimages = ['{}']\n",
        archive.display()
    );
    let text = "```bash\ntrue\n```\n";
    let book = Scratch::new(&table, &[("one.md", text), ("two.md", text)]);
    // Of the sandbox image and the host: the archive has no image of this host.
    let mut hash = Sha256::new();
    for part in [&image_tag(&Config::default().base_image), HOST] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|it| format!("{it:02x}"))
        .collect();
    let image = format!("mdbook-rehearse/registry:{hash}");
    docker(&["image", "rm", &image]);
    let said = run(&mut book.command(REHEARSE, &["run", "--jobs", "2"]), b"");
    let removed = docker(&["image", "rm", &image]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert_eq!(
        said.err.matches("filling registry").count(),
        1,
        "{}",
        said.err
    );
    assert!(removed.contains(&image), "{removed}");
}

#[test]
fn two_pull_at_once_through_one_cache() {
    need(&Config::default());
    let upstream = Upstream::start();
    let url = &upstream.url;
    let table = format!(
        "[preprocessor.rehearse]\n[preprocessor.rehearse.registries.\"docker.io\"]\nmode = \"proxy\"\nupstream = \"{url}\"\n"
    );
    let text = "```bash\ndocker pull -q alpine\n```\n";
    let book = Scratch::new(&table, &[("one.md", text), ("two.md", text)]);
    let said = run(&mut book.command(REHEARSE, &["run", "--jobs", "2"]), b"");
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    let [one, two] = ["one", "two"].map(|it| book.read(&format!("snapshots/{it}.snap")));
    let digest = |it: &str| {
        let line = it.lines().find(|it| it.starts_with("  digest sha256:"));
        line.map(str::to_string)
    };
    assert!(digest(&one).is_some(), "{one}");
    assert_eq!(digest(&one), digest(&two));
}
