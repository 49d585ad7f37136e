//! What a strict check objects to, in every format and in the exit status of the whole.

use insta::assert_snapshot;
use mdbook_rehearse::problem::Class;
use mdbook_rehearse::record::{self, Record};
use mdbook_rehearse::report::exercise::checked;
use mdbook_rehearse::report::formats::{Format, written};
use mdbook_rehearse::strict::Objection;

use crate::check::course;

/// A course of which only this is told: a warning in a page without an exercise, and what an exercise left.
pub(crate) fn strict() -> Record {
    let warning = Objection {
        class: Class::Input,
        exercise: None,
        file: "about.md".to_string(),
        line: Some(7),
        message: "a comment `needs` without\u{1b} a need".to_string(),
    };
    let left = Objection {
        class: Class::Leftovers,
        exercise: Some("first".to_string()),
        file: "first.md".to_string(),
        line: None,
        message: "left after its cleanup: 1 volume".to_string(),
    };
    let mut record = course("");
    record.exercises.clear();
    record.chosen.clear();
    record.objections = vec![warning, left];
    record
}

#[test]
fn every_format_tells_them_as_errors() {
    let text = checked(&strict(), "course");
    assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
    strict: about.md:7: a comment `needs` without\u{1b} a need
    strict: first.md: left after its cleanup: 1 volume
    0 as recorded, 0 drifted, 0 broken
    ");
    assert_snapshot!(written(&strict(), Format::Github), @r"
    ::error file=course/src/about.md,line=7,title=about.md strict::a comment `needs` without\u{1b} a need%0Aagain: mdbook-rehearse check --strict course
    ::error file=course/src/first.md,line=1,title=first strict::left after its cleanup: 1 volume%0Aagain: mdbook-rehearse check --strict course first
    ");
    assert_snapshot!(written(&strict(), Format::Junit), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="mdbook-rehearse" tests="2" skipped="0" failures="2" errors="0">
        <testsuite name="strict" tests="2" skipped="0" errors="0" failures="2">
            <testcase name="a comment `needs` without\u{1b} a need" classname="about.md" file="course/src/about.md" line="7">
                <failure message="a comment `needs` without\u{1b} a need" type="strict">again: mdbook-rehearse check --strict course
    </failure>
            </testcase>
            <testcase name="left after its cleanup: 1 volume" classname="first" file="course/src/first.md" line="1">
                <failure message="left after its cleanup: 1 volume" type="strict">again: mdbook-rehearse check --strict course first
    </failure>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
    assert_snapshot!(written(&strict(), Format::Gitlab), @r#"
    [
      {
        "description": "about.md strict: a comment `needs` without\\u{1b} a need (mdbook-rehearse check --strict course)",
        "check_name": "strict",
        "fingerprint": "4077025dd5453b8e6131964d07cfd464f99fc9d952f8d3b37f91a9a4ca21fc11",
        "severity": "critical",
        "location": {
          "path": "course/src/about.md",
          "lines": {
            "begin": 7
          }
        }
      },
      {
        "description": "first strict: left after its cleanup: 1 volume (mdbook-rehearse check --strict course first)",
        "check_name": "strict",
        "fingerprint": "9fe1d41927b5f34bfb6bc754803826d9a51f909cab44ae50464d30d6be615b11",
        "severity": "critical",
        "location": {
          "path": "course/src/first.md",
          "lines": {
            "begin": 1
          }
        }
      }
    ]
    "#);
}

#[test]
fn they_decide_the_exit_status_of_the_whole_and_are_there_once() {
    let whole = strict();
    assert_eq!(record::fault(&whole), Some(Class::Input));
    let shard = |index: usize, n_objections: usize| {
        let record = Record {
            shard: Some(format!("{index}/2").parse().unwrap()),
            objections: whole.objections[..n_objections].to_vec(),
            ..whole.clone()
        };
        (format!("{index}.json"), record)
    };
    // Both shards know of the page without an exercise.
    let joined = record::join(vec![shard(1, 1), shard(2, 2)]);
    assert_eq!(joined, Ok(whole));
}
