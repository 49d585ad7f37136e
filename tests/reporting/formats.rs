//! A check in each format.

use insta::assert_snapshot;
use mdbook_rehearse::record;
use mdbook_rehearse::report::formats::{FORMATS, Format, written};
use mdbook_rehearse::report::github;

use crate::check::course;

#[test]
fn json_is_read_back_as_it_was() {
    let record = course("no\u{1b}[2J \u{202e}engine\u{0}\u{9b} \u{e0001}\n");
    let text = written(&record, Format::Json);
    assert_eq!(record::parse(&text), Ok(record));
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = include_str!("../../book/src/guide/check.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let check = |record: &record::Record| {
        let json = serde_json::from_str(&written(record, Format::Json)).unwrap();
        let errors = validator.iter_errors(&json);
        let errors: Vec<String> = errors
            .map(|it| format!("{}: {it}", it.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
    };
    let mut record = course("no engine\n");
    check(&record);
    record.shard = Some("2/3".parse().unwrap());
    check(&record);
    check(&crate::objections::strict());
    // What a verdict is called in another place of the record, the schema refuses here.
    let json = written(&record, Format::Json).replace("\"not-run\"", "\"notrun\"");
    assert!(!validator.is_valid(&serde_json::from_str(&json).unwrap()));
}

#[test]
fn json_says_what_became_of_each_step() {
    let mut record = course("no engine\n");
    record.exercises.drain(1..);
    assert_snapshot!(written(&record, Format::Json));
}

#[test]
fn junit_has_a_test_for_each_step() {
    assert_snapshot!(written(&course("no engine\n"), Format::Junit));
}

#[test]
fn github_gets_a_command_for_each_thing_errors_first() {
    assert_snapshot!(written(&course("no engine, 100%\n"), Format::Github));
}

#[test]
fn github_gets_a_summary_with_coverage_and_digests() {
    assert_snapshot!(github::summary(&course("no engine\n")));
}

#[test]
fn gitlab_gets_an_entry_for_each_thing() {
    assert_snapshot!(written(&course("no engine\n"), Format::Gitlab));
}

#[test]
fn gitlab_knows_an_entry_again_when_its_line_moved_and_it_printed_something_else() {
    let fingerprints = |record: &record::Record| -> Vec<String> {
        let text = written(record, Format::Gitlab);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let entries = json.as_array().unwrap().iter();
        let fingerprints = entries.map(|it| it["fingerprint"].as_str().unwrap().to_string());
        fingerprints.collect()
    };
    let before = fingerprints(&course("no engine\n"));
    let mut record = course("no engine at all\n");
    for exercise in &mut record.exercises {
        for step in &mut exercise.findings.steps {
            step.line += 7;
            for drift in &mut step.drifts {
                drift.line += 7;
                drift.fresh.output.push_str("more\n");
            }
        }
    }
    assert_eq!(fingerprints(&record), before);
    let mut twice = record.clone();
    let findings = &mut twice.exercises[3].findings;
    let same = findings.steps[0].drifts[0].clone();
    findings.steps[0].drifts.push(same);
    let mut all = fingerprints(&twice);
    assert_eq!(all.len(), before.len() + 1);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), before.len() + 1);
}

#[test]
fn a_check_in_which_all_is_well_says_nothing_to_those_who_only_want_trouble() {
    let mut record = course("");
    record.exercises.drain(1..);
    assert_eq!(written(&record, Format::Github), "");
    assert_eq!(written(&record, Format::Gitlab), "[]\n");
}

#[test]
fn paths_are_from_the_root_of_the_repository() {
    let mut record = course("");
    for (source, path) in [
        (".", "\"labs/slow.md\""),
        ("a b/src", "\"a b/src/labs/slow.md\""),
    ] {
        record.place.source = source.to_string();
        assert!(written(&record, Format::Gitlab).contains(path));
        assert!(written(&record, Format::Junit).contains(path));
    }
}

#[test]
fn every_format_has_its_name() {
    let names = FORMATS.map(|it| it.0).join(" ");
    assert_snapshot!(names, @"json junit github gitlab");
}
