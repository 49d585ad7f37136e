//! What is said of all exercises of a check: in which order, of what first, and what the exit status is.

use insta::assert_snapshot;
use mdbook_rehearse::compare::Comparison;
use mdbook_rehearse::problem::{Class, Fault, gravest};
use mdbook_rehearse::record::{self, Outcome, Place, Record};
use mdbook_rehearse::report::exercise::checked;
use mdbook_rehearse::run::{Rehearsal, Subject};
use mdbook_rehearse::transcript::{Blocked, Ending};

use crate::{COURSE, Case, Origin, case, drifted_one, rehearsal, subject_of};

pub(crate) const NGINX: &str = "docker.io/library/nginx:alpine";

pub(crate) fn place() -> Place {
    Place {
        book: "course".to_string(),
        source: "course/src".to_string(),
    }
}

/// An exercise that is as recorded.
fn well(path: &str, text: &str) -> (Subject, Rehearsal) {
    let case = case(text);
    let mut subject = subject_of(path, &case);
    subject.recorded = rehearsal(&subject, &case).snapshot;
    let rehearsal = rehearsal(&subject, &case);
    (subject, rehearsal)
}

/// An exercise whose command `docker ps` ended so.
fn ended(path: &str, output: &str, ending: Ending) -> (Subject, Rehearsal) {
    let ended = [("docker ps", output, ending)];
    let case = Case {
        ended: &ended,
        ..case(COURSE)
    };
    let subject = subject_of(path, &case);
    let rehearsal = rehearsal(&subject, &case);
    (subject, rehearsal)
}

/// What became of an exercise of another one's name.
fn named(comparison: Comparison, subject: &Subject) -> Comparison {
    Comparison {
        exercise: subject.exercise.id.clone(),
        chapter: subject.exercise.chapter.clone(),
        ..comparison
    }
}

/// A check in which each exercise came to something else; a command of the second one printed `output`.
pub(crate) fn course(output: &str) -> Record {
    let first = well("first.md", COURSE);
    let broken = ended("labs/broken.md", output, Ending::Exited(1));
    let slow = ended("labs/slow.md", "", Ending::TimedOut);
    let (subject, drifted) = (
        well("labs/moved.md", COURSE).0,
        drifted_one(&[NGINX], &[(NGINX, 1, (2, 3))], None),
    );
    let drifted = Rehearsal {
        comparison: Comparison {
            gone: vec!["four-1".to_string()],
            ..named(drifted.comparison, &subject)
        },
        ..drifted
    };
    let drifted = (subject, drifted);
    let (subject, steady) = well("labs/flaky.md", COURSE);
    let attempts = vec![named(broken.1.comparison.clone(), &subject)];
    let flaky = (subject, Rehearsal { attempts, ..steady });
    let blocked = Case {
        blocked: Some(Blocked {
            chapter: "labs/broken.md".to_string(),
            origin: Origin::Chapter,
            line: 6,
            command: "docker ps".to_string(),
            output: b"no engine\n".to_vec(),
            ending: Ending::Exited(1),
        }),
        ..case(COURSE)
    };
    let subject = subject_of("labs/second.md", &blocked);
    let rehearsed = rehearsal(&subject, &blocked);
    let blocked = (subject, rehearsed);
    let (troubled, left_out) = (well("labs/eighth.md", COURSE).0, well("last.md", COURSE).0);
    let fault = Fault::new(Class::Engine, "the engine went away\nand did not come back");
    let mut outcomes: Vec<(&Subject, Outcome<'_>)> = Vec::new();
    for (subject, rehearsal) in [&first, &broken, &slow, &drifted, &flaky, &blocked] {
        outcomes.push((subject, Outcome::Ran(rehearsal)));
    }
    outcomes.push((&troubled, Outcome::Troubled(&fault)));
    outcomes.push((&left_out, Outcome::LeftOut));
    let names = outcomes.iter().map(|it| it.0.exercise.id.clone());
    record::record(&place(), None, names.collect(), &outcomes, Vec::new())
}

fn said(record: &Record) -> String {
    anstream::adapter::strip_str(&checked(record, "course")).to_string()
}

#[test]
fn what_is_broken_is_said_first_and_a_line_counts_all_at_the_end() {
    assert_snapshot!(said(&course("no engine\n")), @"
    labs/broken.md: broken; 2 of 2 steps ran
      failed labs/broken.md:6: status 1, should be 0
          $ docker ps
          | no engine
      new labs/broken.md:29: not recorded with these commands
      again: mdbook-rehearse check course labs-broken
    labs/slow.md: broken; 2 of 2 steps ran
      timed out labs/slow.md:6: not done within its time; give it more with `timeout=…` after the language
          $ docker ps
      new labs/slow.md:29: not recorded with these commands
      again: mdbook-rehearse check course labs-slow
    labs/second.md: broken; 0 of 2 steps ran
      failed labs/broken.md:6: this exercise comes first, and did not end as it should
          $ docker ps
          | no engine
      not run labs/second.md:5: a step before it failed
      not run labs/second.md:29: a step before it failed
      again: mdbook-rehearse check course labs-second
    labs/eighth.md: not run; the engine went away
          | and did not come back
    last.md: not run; another exercise went wrong before
    labs/moved.md: differs from what is recorded; 0 steps run
      drifted labs/moved.md:6
          $ docker images
          - nginx  one
                   ^^^
          + nginx  two
                   ^^^
          because nginx:alpine moved
      moved nginx:alpine: sha256:1a1a1a1a1a1a… → sha256:2b2b2b2b2b2b…; 1 of its 2 layers stayed
      gone four-1: recorded, but not in the chapter
      again: mdbook-rehearse check course labs-moved
    labs/flaky.md: flaky; 1 of 3 tasks covered, 2 steps run, 3 skipped (1 by the author, 1 for want of a value, 1 out of scope)
      attempt 1 broke
      failed labs/flaky.md:6: status 1, should be 0
          $ docker ps
          | no engine
      new labs/flaky.md:29: not recorded with these commands
      again: mdbook-rehearse check course labs-flaky
    first.md: as recorded; 1 of 3 tasks covered, 2 steps run, 3 skipped (1 by the author, 1 for want of a value, 1 out of scope)
    1 as recorded, 1 drifted, 3 broken, 1 flaky, 2 not run
    ");
}

/// What is said of one command whose output differs so.
fn difference(recorded: &str, fresh: &str) -> String {
    let mut rehearsal = drifted_one(&[], &[], None);
    let drift = &mut rehearsal.comparison.steps[0].drifts[0];
    drift.recorded = recorded.to_string();
    drift.fresh = fresh.to_string();
    let subject = subject_of("a.md", &case(COURSE));
    let outcomes = [(&subject, Outcome::Ran(&rehearsal))];
    let said = said(&record::record(
        &place(),
        None,
        vec!["a".to_string()],
        &outcomes,
        Vec::new(),
    ));
    let lines = said.lines().skip(3);
    let lines = lines.take_while(|it| it.starts_with("      "));
    lines.map(|it| format!("{}\n", &it[6..])).collect()
}

#[test]
fn what_changed_inside_a_line_is_marked_below_it() {
    assert_snapshot!(difference("web  nginx:1.25  Up\n", "web  nginx:1.27  Up\n"), @"
    - web  nginx:1.25  Up
           ^^^^^^^^^^
    + web  nginx:1.27  Up
           ^^^^^^^^^^
    ");
    // Wide and unseen characters, and tabs, keep the marks in place.
    assert_snapshot!(difference("鲸\t一 old\n", "鲸\t一 new\n"), @"
    - 鲸	一 old
        	   ^^^
    + 鲸	一 new
        	   ^^^
    ");
    assert_snapshot!(difference("a\u{1b}[2Jb old\n", "a\u{1b}[2Jb new\n"), @r"
    - a\u{1b}[2Jb old
                  ^^^
    + a\u{1b}[2Jb new
                  ^^^
    ");
    // Of lines that have nothing in common there is nothing to mark.
    assert_snapshot!(difference("one\n", "two\n"), @"
    - one
    + two
    ");
    assert_snapshot!(difference("one two three\n", "one three\n"), @"
    - one two three
          ^^^^
    + one three
    ");
}

#[test]
fn lines_that_are_the_same_have_a_mark_too() {
    assert_snapshot!(difference("::error::same\n1\n", "::error::same\n2\n"), @"
    | ::error::same
    - 1
    + 2
    ");
}

#[test]
fn the_exit_status_is_that_of_the_gravest() {
    // From the least grave; the numbers are exit statuses.
    let order = [
        Class::Drift,
        Class::Usage,
        Class::Input,
        Class::Broke,
        Class::Registry,
        Class::Engine,
        Class::Store,
    ];
    assert_eq!(order.map(|it| it as u8), [1, 2, 3, 4, 6, 5, 7]);
    for (idx, one) in order.into_iter().enumerate() {
        for other in &order[..=idx] {
            for pair in [[one, *other], [*other, one]] {
                assert_eq!(gravest(pair.into_iter()), Some(one), "{pair:?}");
            }
        }
    }
    assert_eq!(gravest([].into_iter()), None);
}

#[test]
fn the_exit_status_of_a_check_is_that_of_its_gravest_exercise() {
    let mut record = course("");
    let mut statuses = Vec::new();
    loop {
        let fault = record::fault(&record);
        statuses.push(fault.map_or(0, |it| it as u8));
        if fault.is_none() {
            break;
        }
        record.exercises.retain(|it| it.fault != fault);
    }
    // Those that are left are well, flaky, or left out since another one went wrong.
    assert_eq!(statuses, [5, 4, 1, 0]);
    assert_eq!(record.exercises.len(), 3);
}
