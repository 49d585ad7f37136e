//! What went wrong once and then did not: told from what is broken, and listed with what it was.

use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::compare::{Comparison, Drift, Moved, StepComparison, Verdict};
use mdbook_rehearse::coverage::Coverage;
use mdbook_rehearse::problem::Origin;
use mdbook_rehearse::record;
use mdbook_rehearse::report::exercise::{Purpose, exercise};
use mdbook_rehearse::run::{Rehearsal, could_be_flaky, is_flaky};
use mdbook_rehearse::transcript::Engine;

/// What an exercise of one step came to.
pub(crate) fn comparison(verdict: Verdict) -> Comparison {
    let drifts = match verdict {
        Verdict::Drifted => vec![Drift {
            line: 4,
            command: "date".to_string(),
            status: (0, 0),
            recorded: "early\n".to_string(),
            fresh: "late\n".to_string(),
            because: Vec::new(),
        }],
        _ => Vec::new(),
    };
    Comparison {
        exercise: "a".to_string(),
        chapter: "a.md".to_string(),
        steps: vec![StepComparison {
            id: "a-1".to_string(),
            origin: Origin::Chapter,
            line: 4,
            verdict,
            drifts,
        }],
        moved: Vec::new(),
        gone: Vec::new(),
        blocked: None,
        engines: None,
    }
}

pub(crate) fn failed() -> Verdict {
    Verdict::Failed {
        how: "status 7, should be 0".to_string(),
        command: "curl localhost".to_string(),
        output: "nobody answers\n".to_string(),
    }
}

/// What an exercise came to in one attempt after the other.
pub(crate) fn rehearsal(mut attempts: Vec<Comparison>) -> Rehearsal {
    Rehearsal {
        comparison: attempts.pop().unwrap(),
        snapshot: None,
        coverage: Coverage::default(),
        left_by_cleanup: None,
        engine: Engine {
            version: "29.8.1".to_string(),
            store: "overlayfs".to_string(),
            platform: "linux/amd64".to_string(),
        },
        took: Duration::ZERO,
        attempts,
    }
}

/// What is said of an exercise with these verdicts, one an attempt.
#[track_caller]
fn check(verdicts: &[Verdict]) -> String {
    let attempts = verdicts.iter().cloned().map(comparison).collect();
    let rehearsal = rehearsal(attempts);
    let text = exercise(&record::exercise(&rehearsal), Purpose::Checking, "course");
    let text = anstream::adapter::strip_str(&text).to_string();
    let word = match is_flaky(&rehearsal) {
        true => "flaky",
        false => "not flaky",
    };
    format!("{text}-- {word}\n")
}

#[test]
fn an_exercise_that_is_well_at_a_later_attempt_is_flaky() {
    assert_snapshot!(check(&[failed(), Verdict::Ran]), @"
    a.md: flaky; 0 steps run
      attempt 1 broke
      failed a.md:4: status 7, should be 0
          $ curl localhost
          | nobody answers
      again: mdbook-rehearse check course a
    -- flaky
    ");
    assert_snapshot!(check(&[Verdict::Drifted, failed(), Verdict::Ran]), @"
    a.md: flaky; 0 steps run
      attempt 1 differed from what is recorded
      drifted a.md:4
          $ date
          - early
          + late
      attempt 2 broke
      failed a.md:4: status 7, should be 0
          $ curl localhost
          | nobody answers
      again: mdbook-rehearse check course a
    -- flaky
    ");
}

#[test]
fn one_that_never_is_well_is_what_it_is_at_last() {
    assert_snapshot!(check(&[Verdict::Drifted, failed()]), @"
    a.md: broken; 1 of 0 steps ran
      attempt 1 differed from what is recorded
      failed a.md:4: status 7, should be 0
          $ curl localhost
          | nobody answers
      again: mdbook-rehearse check course a
    -- not flaky
    ");
    assert_snapshot!(check(&[failed(), Verdict::Drifted]), @"
    a.md: differs from what is recorded, and no image moved; 0 steps run
      attempt 1 broke
      drifted a.md:4
          $ date
          - early
          + late
      again: mdbook-rehearse check course a
    -- not flaky
    ");
}

#[test]
fn one_that_is_well_at_once_is_well() {
    assert_snapshot!(check(&[Verdict::Ran]), @"
    a.md: as recorded; 0 steps run
    -- not flaky
    ");
}

#[test]
fn only_what_can_end_otherwise_is_tried_again() {
    let time_out = Verdict::TimedOut {
        command: "sleep 9".to_string(),
        output: String::new(),
    };
    for verdict in [failed(), time_out, Verdict::Drifted] {
        assert!(could_be_flaky(&comparison(verdict)));
    }
    // Nobody has recorded it, and no attempt does.
    for verdict in [Verdict::Ran, Verdict::FailedAsItShould, Verdict::New] {
        assert!(!could_be_flaky(&comparison(verdict)));
    }
    let gone = Comparison {
        gone: vec!["a-2".to_string()],
        ..comparison(Verdict::Ran)
    };
    assert!(!could_be_flaky(&gone));
    let moved = Comparison {
        moved: vec![Moved {
            reference: "docker.io/library/alpine:latest".to_string(),
            recorded: None,
            fresh: None,
            n_kept: 0,
            n_layers: (1, 1),
        }],
        ..comparison(Verdict::Ran)
    };
    assert!(could_be_flaky(&moved));
}
