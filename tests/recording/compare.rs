use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::{Date, date};
use mdbook_rehearse::compare::{Standing, Verdict, as_expected, compare, merge, standings};
use mdbook_rehearse::config::Source;
use mdbook_rehearse::exercise::{Capture, Claim, Failure, Pattern, Role};
use mdbook_rehearse::images::full_name;
use mdbook_rehearse::plan::{Decision, Expect, Lasts, Plan, PlannedCommand, PlannedStep, Skip};
use mdbook_rehearse::problem::Origin;
use mdbook_rehearse::run::is_broken;
use mdbook_rehearse::snapshot::{Snapshot, print};
use mdbook_rehearse::transcript::{
    Blocked, CommandTranscript, Ending, Engine, Image, Inventory, Layer, StepTranscript, Touch,
    TouchKind, Transcript,
};
use proptest::prelude::*;

const DAY: Date = date(2026, 11, 23);
const NEXT_DAY: Date = date(2026, 11, 24);
const A: &str = "aaaaaaaaaaa1";
const B: &str = "bbbbbbbbbbb2";
const C: &str = "ccccccccccc3";
const D: &str = "ddddddddddd4";

/// Records a run, compares another one with it and prints what became of the steps, then what a merge leaves if all went well.
#[track_caller]
fn check(recorded: &[(&str, &str)], fresh: &[(&str, &str)]) -> String {
    let plan = plan_of(fresh);
    let recorded = merge(&plan_of(recorded), None, &run(recorded), DAY);
    let fresh = run(fresh);
    let comparison = compare(&plan, Some(&recorded), &fresh);
    let mut res = String::new();
    for step in &comparison.steps {
        res += &format!("{} {}: {:?}\n", step.line, step.id, step.verdict);
        for it in &step.drifts {
            res += &format!(
                "  {} {:?} {:?} {:?}\n",
                it.line, it.status, it.recorded, it.fresh
            );
        }
    }
    for id in &comparison.gone {
        res += &format!("gone {id}\n");
    }
    let merged = merge(&plan, Some(&recorded), &fresh, NEXT_DAY);
    assert_eq!(
        merge(&plan, Some(&merged), &fresh, date(2026, 12, 1)),
        merged
    );
    res += &format!("-> {}\n", merged.recorded);
    for it in merged.steps.iter().flat_map(|it| &it.commands) {
        res += &format!(
            "   {:?} {:?}\n",
            it.text,
            String::from_utf8_lossy(&it.output)
        );
    }
    res
}

/// A plan of steps with a command each: the command's text is the step's name.
fn plan_of(outputs: &[(&str, &str)]) -> Plan {
    let steps = outputs.iter().enumerate();
    plan(
        steps
            .map(|(idx, it)| planned(it.0, 10 * idx + 1, &[it.0]))
            .collect(),
    )
}

fn plan(steps: Vec<PlannedStep>) -> Plan {
    Plan {
        exercise: "names".to_string(),
        chapter: "names.md".to_string(),
        timeout: Duration::from_secs(60),
        steps,
        ..Plan::default()
    }
}

fn planned(id: &str, line: usize, commands: &[&str]) -> PlannedStep {
    let command = |(idx, it): (usize, &&str)| PlannedCommand::plain(line + 1 + idx, *it);
    PlannedStep {
        id: id.to_string(),
        line,
        role: Role::Task,
        commands: commands.iter().enumerate().map(command).collect(),
        decision: Decision::Run,
        expect: Expect::Success,
        timeout: Duration::from_secs(60),
        ..PlannedStep::default()
    }
}

fn run(outputs: &[(&str, &str)]) -> Transcript {
    let step = |it: &(&str, &str)| StepTranscript {
        id: it.0.to_string(),
        commands: vec![ran(it.0, it.1, Ending::Exited(0))],
    };
    transcript(outputs.iter().map(step).collect())
}

fn transcript(steps: Vec<StepTranscript>) -> Transcript {
    Transcript {
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: BTreeMap::from([("docker.io".to_string(), Source::Local)]),
        before: Vec::new(),
        blocked: None,
        steps,
        left: Inventory::default(),
        manifests: Default::default(),
    }
}

fn ran(text: &str, output: &str, ending: Ending) -> CommandTranscript {
    CommandTranscript {
        text: text.to_string(),
        output: output.as_bytes().to_vec(),
        ending,
        took: Duration::from_micros(1_234_567),
        images: None,
        touches: Vec::new(),
    }
}

fn layer(of: &str) -> Layer {
    Layer {
        digest: format!("layer of {of}"),
        size: None,
    }
}

fn pulled_now(name: &str) -> Touch {
    Touch {
        reference: full_name(name),
        kind: TouchKind::Pulled,
    }
}

/// A run of one step whose command leaves these images: reference, digest (`-`: none), ID, size.
fn run_with_images(output: &str, images: &[(&str, &str, &str, u64)]) -> Transcript {
    let image = |it: &(&str, &str, &str, u64)| Image {
        id: it.2.to_string(),
        tags: vec![it.0.to_string()],
        digests: match it.1 {
            "-" => Vec::new(),
            digest => vec![format!("{}@{digest}", it.0.rsplit_once(':').unwrap().0)],
        },
        platform: "linux/amd64".to_string(),
        size: it.3,
        layers: vec![layer(it.2)],
    };
    let mut res = run(&[("pull", output)]);
    let command = &mut res.steps[0].commands[0];
    command.images = Some(images.iter().map(image).collect());
    let pulled = images.iter().filter(|it| it.1 != "-");
    command.touches = pulled.map(|it| pulled_now(it.0)).collect();
    res
}

/// What moved between two runs, and the date that a merge leaves.
#[track_caller]
fn check_moved(recorded: Transcript, fresh: Transcript) -> String {
    let plan = plan_of(&[("pull", "")]);
    let recorded = merge(&plan, None, &recorded, DAY);
    let comparison = compare(&plan, Some(&recorded), &fresh);
    assert_eq!(comparison.steps[0].verdict, Verdict::Ran);
    let merged = merge(&plan, Some(&recorded), &fresh, NEXT_DAY);
    assert_eq!(merge(&plan, Some(&merged), &fresh, DAY), merged);
    let moved = comparison.moved.iter().map(|it| {
        let digest = |it: &Option<String>| it.clone().unwrap_or("-".to_string());
        format!(
            "{} {} {}\n",
            it.reference,
            digest(&it.recorded),
            digest(&it.fresh)
        )
    });
    let output = String::from_utf8_lossy(&merged.steps[0].commands[0].output);
    format!("{}{} {output}", moved.collect::<String>(), merged.recorded)
}

#[test]
fn takes_another_id_for_the_same_and_keeps_the_recorded_bytes() {
    assert_snapshot!(check(
        &[("run", A), ("ps", &format!("{A}  Up 3 seconds\n"))],
        &[("run", B), ("ps", &format!("{B}  Up 9 minutes\n"))],
    ), @r#"
    1 run: Ran
    11 ps: Ran
    -> 2026-11-23
       "run" "aaaaaaaaaaa1"
       "ps" "aaaaaaaaaaa1  Up 3 seconds\n"
    "#);
}

#[test]
fn reports_an_id_that_is_not_the_one_from_before() {
    assert_snapshot!(check(&[("run", A), ("ps", A)], &[("run", A), ("ps", B)]), @r#"
    1 run: Ran
    12 ps: Drifted
      12 (0, 0) "[ID-1]" "[ID-2]"
    -> 2026-11-24
       "run" "aaaaaaaaaaa1"
       "ps" "bbbbbbbbbbb2"
    "#);
}

#[test]
fn does_not_let_one_id_more_make_a_drift_of_those_that_follow() {
    assert_snapshot!(check(
        &[("pull", "x\n"), ("run", A), ("ps", A)],
        &[("pull", &format!("x\n{D}\n")), ("run", B), ("ps", B)],
    ), @r#"
    2 pull: Drifted
      2 (0, 0) "x\n" "x\n[ID-1]\n"
    11 run: Ran
    21 ps: Ran
    -> 2026-11-24
       "pull" "x\nddddddddddd4\n"
       "run" "aaaaaaaaaaa1"
       "ps" "aaaaaaaaaaa1"
    "#);
}

#[test]
fn changes_only_lines_that_differ() {
    assert_snapshot!(check(
        &[("ps", "same, 2 minutes ago\nversion 1\nlast 1.5s\n")],
        &[("ps", "same, 5 minutes ago\nversion 2\nlast 2.5s\n")],
    ), @r#"
    2 ps: Drifted
      2 (0, 0) "same, [AGE]\nversion 1\nlast [DURATION]\n" "same, [AGE]\nversion 2\nlast [DURATION]\n"
    -> 2026-11-24
       "ps" "same, 2 minutes ago\nversion 2\nlast 1.5s\n"
    "#);
}

#[test]
fn gives_one_container_one_id_on_a_page() {
    assert_snapshot!(check(
        &[("run", A), ("other", C), ("ps", &format!("{A} web\n"))],
        &[("run", B), ("other", D), ("ps", &format!("{B} shop\n"))],
    ), @r#"
    1 run: Ran
    11 other: Ran
    22 ps: Drifted
      22 (0, 0) "[ID-1] web\n" "[ID-1] shop\n"
    -> 2026-11-24
       "run" "bbbbbbbbbbb2"
       "other" "ccccccccccc3"
       "ps" "bbbbbbbbbbb2 shop\n"
    "#);
}

#[test]
fn does_not_take_text_that_looks_like_a_label_for_one() {
    assert_snapshot!(check(&[("cat", "[ID-1]\n")], &[("cat", "[ID-2]\n")]), @r#"
    2 cat: Drifted
      2 (0, 0) "[ID-1]\n" "[ID-2]\n"
    -> 2026-11-24
       "cat" "[ID-2]\n"
    "#);
}

#[test]
fn does_not_take_an_id_for_text_that_looks_like_its_label() {
    let recorded = [("run", A), ("cat", "[ID-1]")];
    let recorded = merge(&plan_of(&recorded), None, &run(&recorded), DAY);
    let fresh = [("run", B), ("cat", B)];
    let res = compare(&plan_of(&fresh), Some(&recorded), &run(&fresh));
    assert_eq!(res.steps[1].verdict, Verdict::Drifted);
}

#[test]
fn knows_new_and_gone_steps_and_commands_that_stayed_in_an_edited_one() {
    let recorded = transcript(vec![
        StepTranscript {
            id: "a".to_string(),
            commands: vec![
                ran("one", "1.5s\n", Ending::Exited(0)),
                ran("two", "2\n", Ending::Exited(0)),
            ],
        },
        StepTranscript {
            id: "b".to_string(),
            commands: Vec::new(),
        },
    ]);
    let fresh = transcript(vec![
        StepTranscript {
            id: "a".to_string(),
            commands: vec![
                ran("zero", "0\n", Ending::Exited(0)),
                ran("one", "9.5s\n", Ending::Exited(0)),
            ],
        },
        StepTranscript {
            id: "c".to_string(),
            commands: Vec::new(),
        },
    ]);
    let recorded_plan = plan(vec![planned("a", 1, &["one", "two"]), planned("b", 9, &[])]);
    let plan = plan(vec![
        planned("a", 1, &["zero", "one"]),
        planned("c", 9, &[]),
    ]);
    let recorded = merge(&recorded_plan, None, &recorded, DAY);
    let comparison = compare(&plan, Some(&recorded), &fresh);
    let verdicts: Vec<Verdict> = comparison.steps.into_iter().map(|it| it.verdict).collect();
    assert_eq!(verdicts, [Verdict::New, Verdict::New]);
    assert_eq!(comparison.gone, ["b"]);
    assert_eq!(
        standings(&plan, Some(&recorded)),
        [Standing::Edited, Standing::New]
    );
    assert_eq!(
        standings(&recorded_plan, Some(&recorded)),
        [Standing::Recorded, Standing::Recorded]
    );
    assert_eq!(standings(&plan, None), [Standing::New, Standing::New]);

    let merged = merge(&plan, Some(&recorded), &fresh, NEXT_DAY);
    let (_, body) = print(&merged)
        .split_once("\n\n")
        .map(|it| (it.0.to_string(), it.1.to_string()))
        .unwrap();
    assert_snapshot!(body, @r"
    == a
    $ zero
    | 0
    = 0 in 1.234 s

    $ one
    | 1.5s
    = 0 in 1.234 s

    == c

    # end
    ");
}

/// The verdict on a step of two commands that ended so.
#[track_caller]
fn check_endings(expect: Expect, endings: &[Ending]) -> String {
    let mut step = planned("a", 1, &["one", "two"]);
    step.expect = expect;
    let commands = step.commands.iter().zip(endings);
    let commands = commands.map(|it| ran(&it.0.text, "out\n", *it.1)).collect();
    let fresh = transcript(vec![StepTranscript {
        id: "a".to_string(),
        commands,
    }]);
    let plan = plan(vec![step]);
    let recorded = merge(&plan, None, &fresh, DAY);
    let res = compare(&plan, Some(&recorded), &fresh);
    format!("{} {:?}", res.steps[0].line, res.steps[0].verdict)
}

#[test]
fn what_cannot_run_here_and_now_stays_recorded() {
    let outputs = [("echo <token>", "secret"), ("other", "x")];
    let recorded = merge(&plan_of(&outputs), None, &run(&outputs), DAY);
    let mut plan = plan_of(&outputs);
    plan.steps[0].decision = Decision::Skip(Skip::NeedsValue(vec!["token".to_string()]));
    assert_eq!(
        standings(&plan, Some(&recorded)),
        [Standing::Recorded, Standing::Recorded]
    );
    let fresh = run(&outputs[1..]);
    assert_eq!(merge(&plan, Some(&recorded), &fresh, NEXT_DAY), recorded);
    plan.steps[0].decision = Decision::Skip(Skip::Author(String::new()));
    let merged = merge(&plan, Some(&recorded), &fresh, NEXT_DAY);
    assert_eq!(merged.steps.len(), 1);
}

#[test]
fn says_how_a_step_failed() {
    use Ending::{
        Exited, GoesOn, Interrupted, NeverReady, NotTyped, SandboxLost, ShellExited, ShellKilled,
        TimedOut,
    };
    let any = Expect::Failure(Failure::Any);
    let status = Expect::Failure(Failure::Status(125));
    let cases = [
        check_endings(Expect::Success, &[Exited(0), Exited(0)]),
        check_endings(Expect::Success, &[Exited(1)]),
        check_endings(Expect::Success, &[Exited(0), ShellExited(0)]),
        check_endings(Expect::Success, &[ShellKilled(9)]),
        check_endings(Expect::Success, &[Exited(0), TimedOut]),
        check_endings(Expect::Success, &[SandboxLost]),
        check_endings(Expect::Success, &[Exited(0)]),
        check_endings(any, &[Exited(0), Exited(7)]),
        check_endings(any, &[Exited(0), Exited(0)]),
        check_endings(any, &[Exited(7)]),
        check_endings(status, &[Exited(0), Exited(125)]),
        check_endings(status, &[Exited(0), Exited(1)]),
        check_endings(Expect::Success, &[GoesOn, Interrupted]),
        check_endings(Expect::Success, &[NeverReady]),
        check_endings(Expect::Success, &[NotTyped]),
        check_endings(any, &[Exited(0), GoesOn]),
        check_endings(any, &[Exited(0), Interrupted]),
        check_endings(any, &[Exited(0), NotTyped]),
    ];
    assert_snapshot!(cases.join("\n"), @r#"
    1 Ran
    2 Failed { how: "status 1, should be 0", command: "one", output: "out\n" }
    3 Failed { how: "ended the shell with status 0", command: "two", output: "out\n" }
    2 Failed { how: "the shell was killed by signal 9", command: "one", output: "out\n" }
    3 TimedOut { command: "two", output: "out\n" }
    2 Failed { how: "the sandbox went away", command: "one", output: "out\n" }
    3 NotRun
    1 FailedAsItShould
    3 Failed { how: "status 0, should be a failure", command: "two", output: "out\n" }
    2 Failed { how: "status 7, should be 0", command: "one", output: "out\n" }
    1 FailedAsItShould
    3 Failed { how: "status 1, should be 125", command: "two", output: "out\n" }
    1 Ran
    2 Failed { how: "not ready within its time; `until=…` after the language says when it is, `timeout=…` gives it more", command: "one", output: "out\n" }
    2 Failed { how: "was not typed", command: "one", output: "out\n" }
    3 Failed { how: "goes on, should fail", command: "two", output: "out\n" }
    3 Failed { how: "still running when its time was over, should fail", command: "two", output: "out\n" }
    3 Failed { how: "was not typed", command: "two", output: "out\n" }
    "#);
}

/// What becomes of a step that printed this, of which that is said.
#[track_caller]
fn check_said(output: &str, claims: &[Pattern], captures: &[&str]) -> String {
    let mut step = planned("a", 1, &["a"]);
    for (idx, pattern) in claims.iter().enumerate() {
        step.claims.push(Claim {
            origin: Origin::Chapter,
            line: 10 + idx,
            pattern: pattern.clone(),
        });
    }
    for (idx, regex) in captures.iter().enumerate() {
        step.captures.push(Capture {
            origin: Origin::Copy,
            line: 20 + idx,
            name: "id".to_string(),
            regex: regex.to_string(),
        });
    }
    let step = compare(&plan(vec![step]), None, &run(&[("a", output)]))
        .steps
        .remove(0);
    match step.verdict {
        Verdict::Failed { how, .. } => format!("{:?} {}: {how}", step.origin, step.line),
        it => format!("{it:?}"),
    }
}

#[test]
fn says_where_what_does_not_hold_is_said() {
    let text = |it: &str| Pattern::Text(it.to_string());
    let regex = |it: &str| Pattern::Regex(it.to_string());
    let output = "one \u{1b}[31mtwo\u{1b}[0m\r\nwait\rdone\nID 12\n";
    let cases = [
        check_said(
            output,
            &[text("one two"), regex("^done$"), regex("(?i)id")],
            &["ID (\\d+)"],
        ),
        check_said(output, &[text("one"), text("three"), text("four")], &[]),
        check_said(output, &[text("wait")], &[]),
        check_said(output, &[regex("^two")], &["never (x)"]),
        check_said(output, &[], &["^ID (1)", "^ID (1)$"]),
        check_said("", &[regex("^$")], &["(x)?"]),
    ];
    assert_snapshot!(cases.join("\n"), @r#"
    New
    Chapter 11: the output has no "three"
    Chapter 10: the output has no "wait"
    Chapter 10: the output has no /^two/
    Copy 21: the output has nothing for `id`: no /^ID (1)$/
    Copy 20: the output has nothing for `id`: no /(x)?/
    "#);
}

#[test]
fn does_not_compare_what_was_only_watched() {
    let watch = |plan: &mut Plan| {
        plan.steps[0].commands[0].manner.lasts = Lasts::For(Duration::from_secs(3));
    };
    let watched = |output: &str, ending| {
        transcript(vec![StepTranscript {
            id: "logs".to_string(),
            commands: vec![ran("logs", output, ending)],
        }])
    };
    let mut plan = plan_of(&[("logs", "")]);
    watch(&mut plan);
    let recorded = merge(&plan, None, &watched("one\n", Ending::Interrupted), DAY);
    let fresh = watched("two\nthree\n", Ending::Interrupted);
    let same = compare(&plan, Some(&recorded), &fresh);
    assert_eq!(same.steps[0].verdict, Verdict::Ran);
    assert_eq!(merge(&plan, Some(&recorded), &fresh, NEXT_DAY), recorded);
    // It was to be watched, and ended by itself.
    let ended = watched("one\n", Ending::Exited(0));
    let other = compare(&plan, Some(&recorded), &ended);
    assert_eq!(other.steps[0].drifts[0].status, (130, 0));
}

#[test]
fn runs_nothing_after_what_comes_first_and_failed() {
    let plan = plan_of(&[("a", ""), ("b", "")]);
    let mut fresh = transcript(Vec::new());
    fresh.blocked = Some(Blocked {
        chapter: "first.md".to_string(),
        origin: Origin::Chapter,
        line: 3,
        command: "false".to_string(),
        output: Vec::new(),
        ending: Ending::Exited(1),
    });
    let recorded = merge(&plan, None, &run(&[("a", ""), ("b", "")]), DAY);
    let comparison = compare(&plan, Some(&recorded), &fresh);
    let verdicts: Vec<&Verdict> = comparison.steps.iter().map(|it| &it.verdict).collect();
    assert_eq!(verdicts, [&Verdict::NotRun, &Verdict::NotRun]);
    assert_eq!(comparison.blocked, fresh.blocked);
    // Even an exercise without a step that runs is not well then.
    let nothing = compare(&Plan::default(), None, &fresh);
    assert!(is_broken(&comparison) && is_broken(&nothing));
}

#[test]
fn asks_only_the_last_command_to_fail() {
    let any = Expect::Failure(Failure::Any);
    assert!(as_expected(any, 0, 1, Ending::Exited(1)));
    assert!(!as_expected(any, 0, 2, Ending::Exited(1)));
    assert!(as_expected(any, 0, 2, Ending::Exited(0)));
}

#[test]
fn says_what_did_not_run() {
    let mut skipped = planned("skipped", 5, &["x"]);
    skipped.decision = Decision::Skip(Skip::Author("too long".to_string()));
    let plan = plan(vec![
        planned("a", 1, &["a"]),
        skipped,
        planned("b", 9, &["b"]),
    ]);
    let res = compare(&plan, None, &run(&[("a", "")]));
    let verdicts: Vec<Verdict> = res.steps.into_iter().map(|it| it.verdict).collect();
    let skip = Verdict::Skipped(Skip::Author("too long".to_string()));
    assert_eq!(verdicts, [Verdict::New, skip, Verdict::NotRun]);
}

#[test]
fn reads_what_is_recorded_in_the_order_in_which_it_ran() {
    // The cleanup step stands first and runs last, so its short ID is that of the long one.
    let long = |it: &str| format!("{it}{}", "0".repeat(52));
    let mut plan = plan_of(&[("rm", ""), ("run", "")]);
    plan.steps[0].role = Role::Cleanup;
    let recorded = merge(&plan, None, &run(&[("run", &long(A)), ("rm", A)]), DAY);
    let ids: Vec<&str> = recorded.steps.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["rm", "run"]);
    let res = compare(
        &plan,
        Some(&recorded),
        &run(&[("run", &long(B)), ("rm", B)]),
    );
    assert!(res.steps.iter().all(|it| it.verdict == Verdict::Ran));
    let res = compare(
        &plan,
        Some(&recorded),
        &run(&[("run", &long(B)), ("rm", A)]),
    );
    assert_eq!(res.steps[0].verdict, Verdict::Drifted);
}

#[test]
fn reports_another_status_as_drift() {
    let mut plan = plan_of(&[("a", "")]);
    plan.steps[0].expect = Expect::Failure(Failure::Any);
    let with_status = |it| {
        let commands = vec![ran("a", "", Ending::Exited(it))];
        transcript(vec![StepTranscript {
            id: "a".to_string(),
            commands,
        }])
    };
    let recorded = merge(&plan, None, &with_status(1), DAY);
    let same = compare(&plan, Some(&recorded), &with_status(1));
    assert_eq!(same.steps[0].verdict, Verdict::FailedAsItShould);
    let other = compare(&plan, Some(&recorded), &with_status(2));
    assert_eq!(other.steps[0].drifts[0].status, (1, 2));
}

#[test]
fn reports_a_moved_digest_and_then_shows_it_everywhere() {
    let run = |digit: &str| {
        let digest = format!("sha256:{}", digit.repeat(64));
        run_with_images(&digest, &[("alpine:1", &digest, digit, 1)])
    };
    assert_snapshot!(check_moved(run("1"), run("2")), @r"
    docker.io/library/alpine:1 sha256:1111111111111111111111111111111111111111111111111111111111111111 sha256:2222222222222222222222222222222222222222222222222222222222222222
    2026-11-24 sha256:2222222222222222222222222222222222222222222222222222222222222222
    ");
}

#[test]
fn does_not_mind_another_size_or_an_image_built_anew() {
    let recorded = run_with_images(
        "x",
        &[("alpine:1", "sha256:aa", "i", 1), ("app:1", "-", "j", 1)],
    );
    let fresh = run_with_images(
        "x",
        &[("alpine:1", "sha256:aa", "i", 2), ("app:1", "-", "k", 2)],
    );
    assert_snapshot!(check_moved(recorded, fresh), @"2026-11-23 x");
}

#[test]
fn does_not_call_moved_what_the_exercise_pushed_itself() {
    let recorded = run_with_images("x", &[("localhost:5000/app:1", "sha256:aa", "i", 1)]);
    let fresh = run_with_images("x", &[("localhost:5000/app:1", "sha256:bb", "j", 1)]);
    assert_snapshot!(check_moved(recorded, fresh), @"2026-11-23 x");
}

#[test]
fn does_not_mind_what_a_second_push_left_without_a_tag() {
    let image = |id: &str, tags: &[&str], digests: &[&str]| Image {
        id: id.to_string(),
        tags: tags.iter().map(|it| it.to_string()).collect(),
        digests: digests.iter().map(|it| it.to_string()).collect(),
        platform: "linux/amd64".to_string(),
        size: 1,
        layers: vec![layer(id)],
    };
    let run = |id: &str, digest: &str| {
        let mut res = run(&[("build", "x"), ("push", "y"), ("again", "z")]);
        let pushed = format!("me/app@sha256:{digest}");
        let images = [
            vec![image(id, &["app:1", "me/app:1"], &[])],
            vec![image(id, &["app:1", "me/app:1"], &[&pushed])],
            vec![
                image(id, &["app:1"], &[&pushed]),
                image("other", &["me/app:1"], &[]),
            ],
        ];
        for (step, images) in res.steps.iter_mut().zip(images) {
            step.commands[0].images = Some(images);
        }
        res
    };
    let (recorded, fresh) = (run("i", "aa"), run("j", "bb"));
    let plan = plan_for(&fresh);
    let recorded = merge(&plan, None, &recorded, DAY);
    assert!(recorded.images.iter().any(|it| it.reference.contains('@')));
    assert_eq!(merge(&plan, Some(&recorded), &fresh, NEXT_DAY), recorded);
}

#[test]
fn does_not_compare_what_unlike_stores_say() {
    let recorded = run_with_images(
        "x",
        &[("app:1", "-", "i", 1), ("alpine:1", "sha256:aa", "j", 1)],
    );
    let mut fresh = run_with_images(
        "x",
        &[
            ("app:1", "-", "sha256:bb", 1),
            ("alpine:1", "sha256:cc", "sha256:cc", 1),
        ],
    );
    fresh.engine.store = "overlayfs".to_string();
    assert_snapshot!(check_moved(recorded, fresh), @r"
    docker.io/library/alpine:1 sha256:aa sha256:cc
    2026-11-24 x
    ");
}

#[test]
fn dates_a_snapshot_anew_when_only_the_engine_differs() {
    let recorded = run_with_images("1.5s", &[]);
    let mut fresh = run_with_images("9.5s", &[]);
    fresh.engine.version = "29.0.0".to_string();
    assert_snapshot!(check_moved(recorded, fresh), @"2026-11-24 1.5s");
}

#[test]
fn a_container_and_a_service_may_begin_with_the_same_characters() {
    let swarm = format!("{A}x{A}");
    let recorded = run(&[("a", &format!("{A} is up\n"))]);
    let fresh = run(&[("a", &format!("{A}\n{swarm} is up\n")), ("b", "")]);
    let plan = plan_for(&fresh);
    let recorded = merge(&plan_for(&recorded), None, &recorded, DAY);
    let merged = merge(&plan, Some(&recorded), &fresh, NEXT_DAY);
    assert!(has_no_drift(&plan, &merged, &fresh), "{}", print(&merged));
}

/// Runs whose lines name things and tell measurements.
fn any_run() -> impl Strategy<Value = Transcript> {
    let word = prop::sample::select(vec![
        A,
        B,
        C,
        D,
        "172.17.0.2",
        "172.17.0.3",
        "2 minutes ago",
        "5 minutes ago",
        "1.5s",
        "x",
        "y",
        " ",
        " ",
        "\n",
        "\n",
        "\r\n",
        "[ID-1]",
        "quirky_tesla",
        "happy_curie",
        "aaaaaaaaaaa1: Pull complete\n",
        "bbbbbbbbbbb2: Waiting\n",
        "NAME  TAG\n",
    ]);
    let output = prop::collection::vec(word, 0..8).prop_map(|it| it.concat());
    let image = (
        0..3_usize,
        prop::sample::select(vec!["-", "sha256:aaaaaaaaaaa1", "sha256:bbbbbbbbbbb2"]),
        prop::sample::select(vec![A, B, C]),
        0..2_u64,
    );
    let command = (
        prop::sample::select(vec!["one", "two", "three"]),
        output,
        prop::option::weighted(0.3, prop::collection::vec(image, 0..3)),
    );
    let step = prop::collection::vec(command, 0..4);
    prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c", "d"]), step, 0..5)
        .prop_map(|steps| {
            let steps = steps.into_iter().map(|(id, commands)| StepTranscript {
                id: id.to_string(),
                commands: commands
                    .into_iter()
                    .map(|(text, output, images)| CommandTranscript {
                        images: images.map(|it| {
                            it.into_iter()
                                .flat_map(|(idx, digest, id, size)| {
                                    let name = ["alpine:1", "localhost:5000/x:1", "app:2"][idx];
                                    run_with_images("", &[(name, digest, id, size)]).steps[0]
                                        .commands[0]
                                        .images
                                        .clone()
                                        .unwrap()
                                })
                                .collect()
                        }),
                        ..ran(text, &output, Ending::Exited(0))
                    })
                    .collect(),
            });
            transcript(steps.collect())
        })
}

/// Runs of the same two commands, whose lines name few things in few ways: much is equal, and much contradicts it.
fn any_small_run() -> impl Strategy<Value = Transcript> {
    let names = prop::sample::select(vec![A, B, C]);
    let line =
        (names, prop::sample::select(vec!["x", "y"])).prop_map(|it| format!("{} {}\n", it.0, it.1));
    let output = prop::collection::vec(line, 0..4).prop_map(|it| it.concat());
    [output.clone(), output].prop_map(|it| run(&[("a", &it[0]), ("b", &it[1])]))
}

fn plan_for(run: &Transcript) -> Plan {
    let step = |it: &StepTranscript| {
        let texts: Vec<&str> = it.commands.iter().map(|it| it.text.as_str()).collect();
        planned(&it.id, 1, &texts)
    };
    plan(run.steps.iter().map(step).collect())
}

fn has_no_drift(plan: &Plan, recorded: &Snapshot, fresh: &Transcript) -> bool {
    let res = compare(plan, Some(recorded), fresh);
    res.moved.is_empty() && res.steps.iter().all(|it| it.verdict == Verdict::Ran)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_like_the_recorded_one_changes_no_byte(run in any_run()) {
        let plan = plan_for(&run);
        let recorded = merge(&plan, None, &run, DAY);
        prop_assert!(has_no_drift(&plan, &recorded, &run));
        prop_assert_eq!(merge(&plan, Some(&recorded), &run, NEXT_DAY), recorded);
    }

    #[test]
    fn a_merged_snapshot_has_no_drift_from_its_run_and_stays(runs in prop_oneof![[any_run(), any_run()], [any_small_run(), any_small_run()]]) {
        let [recorded, fresh] = runs;
        let plan = plan_for(&fresh);
        let recorded = merge(&plan_for(&recorded), None, &recorded, DAY);
        let merged = merge(&plan, Some(&recorded), &fresh, NEXT_DAY);
        prop_assert!(has_no_drift(&plan, &merged, &fresh), "{}", print(&merged));
        let again = merge(&plan, Some(&merged), &fresh, date(2026, 12, 1));
        prop_assert_eq!(print(&again), print(&merged));
    }
}
