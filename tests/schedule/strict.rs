//! What a strict check objects to, and what that counts as.

use insta::assert_snapshot;
use mdbook_rehearse::compare::Verdict;
use mdbook_rehearse::problem::{Class, gravest};
use mdbook_rehearse::report::strict::objections;
use mdbook_rehearse::run::{Rehearsal, Subject};
use mdbook_rehearse::strict::{Objection, after, before};
use mdbook_rehearse::transcript::Inventory;

use crate::flaky::{comparison, failed, rehearsal};
use crate::survey;

fn show(found: &[Objection]) -> String {
    let text = objections(found);
    let text = anstream::adapter::strip_str(&text).to_string();
    let lines = text.lines().zip(found);
    lines
        .map(|(line, it)| format!("{line} [{}]\n", it.class as u8))
        .collect()
}

/// What there is to object to in a chapter `a.md` beside a chapter without an exercise, before it runs.
#[track_caller]
fn check(text: &str) -> String {
    let survey = survey(&[("a.md", text, None)]);
    let chosen: Vec<&Subject> = survey.subjects.iter().collect();
    show(&before(&chosen, &survey.subjects, &survey.problems))
}

#[test]
fn nothing_is_said_of_a_chapter_that_runs() {
    assert_snapshot!(check("```bash\ndocker ps\n```\n"), @"");
}

#[test]
fn a04_a_step_that_needs_a_value_is_wrong() {
    assert_snapshot!(check("```bash\ndocker pull <image>\n```\n"), @r#"strict: a.md:2: step is skipped: `<image>` needs a value; give it one with `<!-- rehearse: value image=… -->` or `[preprocessor.rehearse.values]`, or write `skip="why"` after the fence's language [3]"#);
}

#[test]
fn a07_a_step_that_needs_a_person_is_wrong() {
    assert_snapshot!(check("```bash\ndocker run -it alpine\n```\n\n```bash\ndocker login\n```\n"), @r#"strict: a.md:6: step is skipped: `docker login` asks for a user name and password of `docker.io`; give the registry a `login` in book.toml, script it with `tty stdin="…"`, or write `skip="why"` after the fence's language [3]"#);
}

#[test]
fn a_step_that_needs_a_grant_is_against_the_policy() {
    assert_snapshot!(check("<!-- rehearse: needs open-network -->\n\n```bash\ncurl example.org\n```\n"), @"strict: a.md:3: step is skipped: needs `open-network`, which was not granted [8]");
}

#[test]
fn what_the_author_skips_is_well() {
    assert_snapshot!(check("```bash skip=\"takes an hour\"\ndocker build .\n```\n"), @"");
}

#[test]
fn a_chapter_answers_for_its_own_warnings_and_no_exercise_for_those_of_other_pages() {
    let wants = "```bash\ndocker pull <image>\n```\n";
    let survey = survey(&[("a.md", wants, None), ("b.md", wants, None)]);
    let of_b = &survey.subjects[1..];
    // As if `a.md` were a page without an exercise.
    let found = before(&[&survey.subjects[1]], of_b, &survey.problems);
    let places: Vec<_> = found.iter().map(|it| (it.file.as_str(), it.line)).collect();
    assert_eq!(places, [("a.md", Some(2)), ("b.md", Some(2))]);
    let found = before(&[&survey.subjects[1]], &survey.subjects, &survey.problems);
    let places: Vec<_> = found.iter().map(|it| (it.file.as_str(), it.line)).collect();
    assert_eq!(places, [("b.md", Some(2))]);
}

#[test]
fn a_flaky_exercise_counts_as_what_it_was_at_first() {
    let attempts = |verdicts: [Verdict; 2]| rehearsal(verdicts.map(comparison).to_vec());
    assert_snapshot!(show(&after(&attempts([failed(), Verdict::Ran]))), @"strict: a.md: flaky: well only in attempt 2 [4]");
    assert_snapshot!(show(&after(&attempts([Verdict::Drifted, Verdict::Ran]))), @"strict: a.md: flaky: well only in attempt 2 [1]");
    // What is broken is told without being strict.
    assert_snapshot!(show(&after(&attempts([Verdict::Ran, failed()]))), @"");
}

#[test]
fn what_a_cleanup_leaves_is_wrong() {
    let left = Rehearsal {
        left_by_cleanup: Some(Inventory {
            images: 2,
            volumes: 1,
            ..Inventory::default()
        }),
        ..rehearsal(vec![comparison(Verdict::Ran)])
    };
    assert_snapshot!(show(&after(&left)), @"strict: a.md: left after its cleanup: 2 images and 1 volume [10]");
}

#[test]
fn the_gravest_class_is_the_exit_status() {
    let order = [8, 7, 5, 6, 4, 3, 2, 1, 10];
    let classes = [
        Class::Policy,
        Class::Store,
        Class::Engine,
        Class::Registry,
        Class::Broke,
        Class::Input,
        Class::Usage,
        Class::Drift,
        Class::Leftovers,
    ];
    assert_eq!(classes.map(|it| it as i32), order);
    for (idx, grave) in classes.iter().enumerate() {
        for other in &classes[idx..] {
            assert_eq!(gravest([*grave, *other].into_iter()), Some(*grave));
            assert_eq!(gravest([*other, *grave].into_iter()), Some(*grave));
        }
    }
    assert_eq!(gravest([].into_iter()), None);
}
