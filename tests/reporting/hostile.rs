//! What a run prints steers nobody who reads a report, whatever it is.

use insta::assert_snapshot;
use mdbook_rehearse::character::is_unseen;
use mdbook_rehearse::record;
use mdbook_rehearse::report::exercise::checked;
use mdbook_rehearse::report::formats::{Format, written};
use mdbook_rehearse::report::{github, visible};
use proptest::prelude::*;

use crate::check::course;

/// All that could steer somebody.
const OUTPUT: &str = "::error file=x::y\n##[add-mask]z ##vso[task.complete]\n%0A::set-output name=a::b\r\n]]> <b>&amp; \u{1b}]8;;http://x\u{7}link\u{1b}[2J \u{202e}\u{0}\u{9b}\u{fffe}\n\
                      | `a` | [b](javascript:c) $d$ <script>alert(1)</script> @somebody\n";

fn is_xml(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What holds of each format, whatever a command printed.
fn check(output: &str) {
    let record = course(output);
    let junit = written(&record, Format::Junit);
    assert!(junit.chars().all(is_xml), "{junit:?}");
    let report = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!(report.test_suites.len(), record.exercises.len());
    let commands = written(&record, Format::Github);
    let n_plain = written(&course("\n"), Format::Github).lines().count();
    assert_eq!(commands.lines().count(), n_plain, "{commands}");
    for line in commands.lines() {
        let is_ours = line.starts_with("::error file=") || line.starts_with("::warning file=");
        assert!(is_ours, "{line}");
    }
    let json = written(&record, Format::Json);
    assert_eq!(record::parse(&json).as_ref(), Ok(&record));
    let said = anstream::adapter::strip_str(&checked(&record, "course")).to_string();
    for text in [
        &junit,
        &commands,
        &json,
        &said,
        &written(&record, Format::Gitlab),
    ] {
        assert!(
            !text
                .chars()
                .any(|it| it != '\n' && it != '\t' && is_unseen(it)),
            "{text:?}"
        );
    }
    for line in said.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##["), "{line}");
    }
}

#[test]
fn no_output_gets_out_of_its_place() {
    check(OUTPUT);
    let commands = written(&course(OUTPUT), Format::Github);
    assert_snapshot!(commands.lines().next().unwrap());
}

#[test]
fn names_and_messages_do_not_either() {
    let mut record = course("");
    for exercise in &mut record.exercises {
        exercise.chapter = format!("{OUTPUT}.md");
        exercise.trouble = exercise.trouble.as_ref().map(|_| OUTPUT.to_string());
        exercise.findings.gone.push(OUTPUT.to_string());
        for step in &mut exercise.findings.steps {
            step.file = OUTPUT.to_string();
            step.message = step.message.as_ref().map(|_| OUTPUT.to_string());
        }
        for moved in &mut exercise.findings.moved {
            moved.reference = OUTPUT.to_string();
            moved.fresh = Some(OUTPUT.to_string());
        }
    }
    let junit = written(&record, Format::Junit);
    assert!(junit.chars().all(is_xml));
    quick_junit::Report::deserialize_from_str(&junit).unwrap();
    for line in written(&record, Format::Github).lines() {
        assert!(line.starts_with("::error file=") || line.starts_with("::warning file="));
    }
    let summary = github::summary(&record);
    for line in summary.lines() {
        let is_ours = line.is_empty()
            || ["| ", "|-", "#", "- ", "To", "1 "]
                .iter()
                .any(|it| line.starts_with(it));
        assert!(is_ours, "{line}");
        assert!(
            !line.contains("<b>") && !line.contains("<script>") && !line.contains("@"),
            "{line}"
        );
        assert!(!line.contains("]("), "{line}");
    }
}

#[test]
fn what_makes_a_line_a_command_to_a_runner_is_broken_up() {
    assert_snapshot!(visible("a ##[error] ##vso[x] ## [ok] ###[y]"), @r"a #\u{23}[error] #\u{23}vso[x] ## [ok] ##\u{23}[y]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_printed(output in "(?s).{0,200}") {
        check(&output);
    }
}
