//! Which exercises names and filters mean.

use insta::assert_snapshot;
use mdbook_rehearse::schedule::{choose, is_meant};

use crate::survey;

/// The names of the exercises that are chosen of a small course, or what is amiss.
#[track_caller]
fn check(names: &[&str], filters: &[&str]) -> String {
    let text = "```bash\ntrue\n```\n";
    let paths = ["course/images.md", "course/Volumes.md", "intro.md"];
    let subjects = survey(&paths.map(|it| (it, text, None))).subjects;
    match choose(&subjects, names, filters) {
        Ok(chosen) => {
            let names: Vec<&str> = chosen.iter().map(|it| it.exercise.id.as_str()).collect();
            names.join("\n")
        }
        Err(messages) => messages
            .iter()
            .map(|it| format!("error: {it}\n"))
            .collect::<String>(),
    }
}

#[test]
fn without_a_word_all_are_chosen() {
    assert_snapshot!(check(&[], &[]), @"
    course-images
    course-volumes-464a6b6b
    intro
    ");
}

#[test]
fn a_filter_is_a_part_of_name_or_path_in_small_or_capital_letters() {
    assert_snapshot!(check(&[], &["VOL"]), @"course-volumes-464a6b6b");
    assert_snapshot!(check(&[], &["course/"]), @"
    course-images
    course-volumes-464a6b6b
    ");
    assert_snapshot!(check(&[], &["intro", "images"]), @"
    course-images
    intro
    ");
}

#[test]
fn a_filter_with_stars_is_all_of_name_or_path() {
    assert_snapshot!(check(&[], &["course/*"]), @"
    course-images
    course-volumes-464a6b6b
    ");
    assert_snapshot!(check(&[], &["*s.md"]), @"
    course-images
    course-volumes-464a6b6b
    ");
    assert_snapshot!(check(&[], &["intr?"]), @"intro");
    assert_snapshot!(check(&[], &["cours?"]), @"error: no exercise is like `cours?`; there are `course-images`, `course-volumes-464a6b6b`, `intro`");
}

#[test]
fn a_filter_chooses_among_those_that_are_named() {
    assert_snapshot!(check(&["images", "intro"], &["course"]), @"course-images");
    assert_snapshot!(check(&["intro"], &["course", "labs"]), @"error: no exercise is like `course`, `labs`; there are `intro`");
}

#[test]
fn a_name_that_is_none_is_told_whatever_the_filters_say() {
    assert_snapshot!(check(&["imges", "volums"], &["intro"]), @"
    error: no exercise is named `imges`; `mdbook-rehearse list` names them all
    error: no exercise is named `volums`; `mdbook-rehearse list` names them all
    ");
}

#[test]
fn a_choice_of_nothing_tells_what_there_is() {
    assert_snapshot!(check(&[], &["zzz"]), @"error: no exercise is like `zzz`; there are `course-images`, `course-volumes-464a6b6b`, `intro`");
    assert_eq!(
        choose(&[], &[], &["zzz"]).unwrap_err(),
        ["no exercise is like `zzz`; the book has none"]
    );
}

#[test]
fn stars_and_question_marks_are_as_in_a_shell() {
    let cases = [
        ("a*", "a", true),
        ("a*", "abc", true),
        ("*a", "cba", true),
        ("a*c", "abbbc", true),
        ("a*c", "abcd", false),
        ("*b*", "abc", true),
        ("**", "", true),
        ("?", "", false),
        ("?", "🐳", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*.md", "labs/web.md", true),
        ("labs/*", "labs/one/two.md", true),
        // Nothing else is special.
        ("[ab]*", "a", false),
        ("a.*", "abc", false),
    ];
    for (filter, name, is_match) in cases {
        assert_eq!(is_meant(filter, name, name), is_match, "{filter} {name}");
    }
}
