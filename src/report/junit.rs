//! A check as JUnit has it: a suite for each exercise, a test for each of its steps, one for what is about no step, and a
//! suite for what a strict check objects to.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::images::short_name;
use crate::record::{Attempt, ExerciseRecord, ExerciseVerdict, Record, StepRecord, StepVerdict};
use crate::report::annotations::{again, from_root, plain};
use crate::report::exercise::{BLOCKED, DRIFTED, GONE, broken, drift, moved};
use crate::report::visible;

/// The XML.
pub(super) fn junit(record: &Record) -> String {
    let mut report = Report::new("mdbook-rehearse");
    for exercise in &record.exercises {
        report.add_test_suite(suite(exercise, record));
    }
    if !record.objections.is_empty() {
        report.add_test_suite(strict(record));
    }
    let text = report.to_string();
    text.expect("a String takes all text")
}

/// What a strict check objects to; it may be in no exercise that ran.
fn strict(record: &Record) -> TestSuite {
    let mut suite = TestSuite::new("strict");
    for objection in &record.objections {
        let exercise = objection.exercise.as_deref();
        let again = again(record, exercise, " --strict");
        let details = format!("again: {again}\n");
        let message = &objection.message;
        let status = wrong(NonSuccessKind::Failure, "strict", message, &details);
        let mut case = TestCase::new(xml(message), status);
        case.set_classname(xml(exercise.unwrap_or(&objection.file)));
        let file = xml(&from_root(record, &objection.file));
        case.extra.insert("file".into(), file.into());
        let line = objection.line.unwrap_or(1).to_string();
        case.extra.insert("line".into(), line.into());
        suite.add_test_case(case);
    }
    suite
}

fn suite(exercise: &ExerciseRecord, record: &Record) -> TestSuite {
    let mut suite = TestSuite::new(xml(&exercise.name));
    suite.set_time(Duration::from_millis(exercise.took_ms));
    let mut add = |name: &str, place: (&str, usize), status: TestCaseStatus| {
        let mut case = TestCase::new(xml(name), status);
        case.set_classname(xml(&exercise.name));
        let file = xml(&from_root(record, place.0));
        case.extra.insert("file".into(), file.into());
        case.extra.insert("line".into(), place.1.to_string().into());
        suite.add_test_case(case);
    };
    let top = (exercise.chapter.as_str(), 1);
    let findings = &exercise.findings;
    let again = again(record, Some(&exercise.name), "");
    let failure = |word: &str, message: &str, details: &str| {
        let details = format!("{details}again: {again}\n");
        wrong(NonSuccessKind::Failure, word, message, &details)
    };
    if let Some(trouble) = &exercise.trouble {
        add(
            "sandbox",
            top,
            wrong(NonSuccessKind::Error, "not-run", trouble, ""),
        );
    }
    if let Some(blocked) = &findings.blocked {
        let details = plain(&broken(&blocked.command, &blocked.output));
        let status = failure("failed", BLOCKED, &details);
        add("requires", (&blocked.file, blocked.line), status);
    }
    for step in &findings.steps {
        let status = match step.verdict {
            StepVerdict::AsRecorded => well(step, exercise),
            StepVerdict::Skipped | StepVerdict::NotRun => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(xml(&message(step)));
                status
            }
            StepVerdict::New
            | StepVerdict::Drifted
            | StepVerdict::Failed
            | StepVerdict::TimedOut => {
                failure(word(step.verdict), &message(step), &details(step, exercise))
            }
        };
        add(&step.id, (&step.file, step.line), status);
    }
    for moved in &findings.moved {
        let name = short_name(&moved.reference);
        add(&name, top, failure("moved", &self::moved(moved), ""));
    }
    for id in &findings.gone {
        add(id, top, failure("gone", GONE, ""));
    }
    suite
}

/// A step that is as recorded, with what it was in earlier attempts.
fn well(step: &StepRecord, exercise: &ExerciseRecord) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    if exercise.verdict != ExerciseVerdict::Flaky {
        return status;
    }
    for Attempt { findings, .. } in &exercise.earlier {
        let earlier = findings.steps.iter().find(|it| it.id == step.id);
        let is_wrong = |it: &&StepRecord| {
            !matches!(
                it.verdict,
                StepVerdict::AsRecorded | StepVerdict::Skipped | StepVerdict::NotRun
            )
        };
        if let Some(earlier) = earlier.filter(is_wrong) {
            let mut rerun = TestRerun::new(NonSuccessKind::Failure);
            rerun.set_type(word(earlier.verdict));
            rerun.set_message(xml(&message(earlier)));
            rerun.set_description(xml(&details(earlier, exercise)));
            status.add_rerun(rerun);
        }
    }
    status
}

fn wrong(kind: NonSuccessKind, word: &str, message: &str, details: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(word);
    status.set_message(xml(message));
    if !details.is_empty() {
        status.set_description(xml(details));
    }
    status
}

fn message(step: &StepRecord) -> String {
    let message = match step.message.as_deref() {
        Some("") => "its author says so",
        Some(message) => message,
        None => DRIFTED,
    };
    message.to_owned()
}

fn details(step: &StepRecord, exercise: &ExerciseRecord) -> String {
    let mut text = String::new();
    if let (Some(command), Some(output)) = (&step.command, &step.output) {
        text.push_str(&broken(command, output));
    }
    for drift in &step.drifts {
        text.push_str(&format!("{}:{}\n", step.file, drift.line));
        text.push_str(&self::drift(drift, &exercise.findings.moved));
    }
    plain(&text)
}

fn word(verdict: StepVerdict) -> &'static str {
    match verdict {
        StepVerdict::AsRecorded => "as-recorded",
        StepVerdict::New => "new",
        StepVerdict::Drifted => "drifted",
        StepVerdict::Failed => "failed",
        StepVerdict::TimedOut => "timed-out",
        StepVerdict::Skipped => "skipped",
        StepVerdict::NotRun => "not-run",
    }
}

/// Text of characters that XML 1.0 can hold and a person can see. The crate leaves out control characters, but not these two.
fn xml(text: &str) -> String {
    let is_no_xml = |it: char| matches!(it, '\u{fffe}' | '\u{ffff}');
    visible(text).replace(is_no_xml, "\u{fffd}")
}
