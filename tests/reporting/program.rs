//! Reports from the outside: where they go, and how the program ends. No engine is in reach, so that no exercise can be run;
//! what is said of those that ran is tested elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use insta::assert_snapshot;
use mdbook_rehearse::record::{self, Record};
use mdbook_rehearse::report::formats::{Format, written};

use crate::check::course;
use crate::scratch::{REHEARSE, Said, Scratch, run};

const TEXT: &str = "# Images\n\n```bash\ndocker image ls\n```\n";

/// A book of two exercises, in a folder of a repository.
fn book() -> Scratch {
    let book = Scratch::new("", &[]);
    book.write(
        "course/book.toml",
        "[book]\ntitle = \"Scratch\"\nsrc = \"text\"\n\n[preprocessor.rehearse]\n",
    );
    book.write("course/text/SUMMARY.md", "- [A](a.md)\n- [B](b/c.md)\n");
    book.write("course/text/a.md", TEXT);
    book.write("course/text/b/c.md", TEXT);
    fs::create_dir(book.path(".git")).unwrap();
    book
}

fn rehearse(book: &Scratch, arguments: &[&str]) -> Command {
    let mut command = book.command(REHEARSE, arguments);
    command.env("DOCKER_HOST", "unix:///nonexistent");
    command.env_remove("GITHUB_STEP_SUMMARY");
    command
}

#[track_caller]
fn said(book: &Scratch, arguments: &[&str]) -> Said {
    run(&mut rehearse(book, arguments), b"")
}

/// The errors that it ends with, before anything is run.
#[track_caller]
fn refused(book: &Scratch, arguments: &[&str]) -> String {
    let said = said(book, arguments);
    assert_eq!((said.status, said.out.as_str()), (2, ""), "{}", said.err);
    said.err
}

#[test]
fn several_go_to_files_in_folders_that_are_made_also_when_no_exercise_could_run() {
    let book = book();
    let arguments = [
        "check",
        "course",
        "--report",
        "json=out/new/check.json",
        "--report",
        "junit=out/junit.xml",
        "--report",
        "gitlab=quality.json",
    ];
    let said = said(&book, &arguments);
    assert_eq!(said.status, 5, "{}", said.err);
    assert!(
        said.out
            .ends_with("0 as recorded, 0 drifted, 0 broken, 2 not run\n"),
        "{}",
        said.out
    );
    let record = record::parse(&book.read("out/new/check.json")).unwrap();
    assert_eq!(
        (record.place.book.as_str(), record.place.source.as_str()),
        ("course", "course/text")
    );
    assert_eq!(record.chosen, ["a", "b-c"]);
    let troubled = record.exercises.iter().map(|it| it.trouble.is_some());
    assert_eq!(Vec::from_iter(troubled), [true, false]);
    assert!(
        book.read("out/junit.xml")
            .contains(" file=\"course/text/b/c.md\" ")
    );
    assert!(
        book.read("quality.json")
            .contains("\"path\": \"course/text/a.md\"")
    );
    let left = fs::read_dir(book.path("out")).unwrap().count();
    assert_eq!(left, 2, "nothing else is left there");
}

#[test]
fn what_is_for_programs_has_standard_output_alone() {
    let book = book();
    let said = said(&book, &["check", "course", "--report", "json=-"]);
    assert_eq!(said.status, 5);
    let record = record::parse(&said.out).unwrap();
    assert_eq!(record.exercises.len(), 2);
    assert!(said.err.contains("2 not run\n"), "{}", said.err);
}

#[test]
fn githubs_commands_are_among_what_people_read_and_its_summary_goes_where_it_says() {
    let book = book();
    book.write("summary.md", "# Before\n");
    let mut command = rehearse(&book, &["check", "course", "--report", "github=-"]);
    let said = run(
        command.env("GITHUB_STEP_SUMMARY", book.path("summary.md")),
        b"",
    );
    assert_eq!(said.status, 5);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("a.md: not run; "), "{}", said.out);
    let command = lines.last().unwrap();
    assert!(
        command.starts_with("::error file=course/text/a.md,line=1,title=a not run::"),
        "{command}"
    );
    let summary = book.read("summary.md");
    assert!(
        summary.starts_with("# Before\n## Rehearsal of <code>course</code>\n"),
        "{summary}"
    );
}

#[test]
fn outside_of_a_repository_paths_are_from_where_it_was_started() {
    let book = book();
    fs::remove_dir(book.path(".git")).unwrap();
    let place = |said: &Said| record::parse(&said.out).unwrap().place;
    let from_above = place(&said(&book, &["check", "course", "--report", "json=-"]));
    assert_eq!(from_above.source, "course/text");
    let mut inside = rehearse(&book, &["check", "--report", "json=-"]);
    let inside = place(&run(inside.current_dir(book.path("course")), b""));
    assert_eq!(
        (inside.book.as_str(), inside.source.as_str()),
        (".", "text")
    );
    let mut beside = rehearse(&book, &["check", "../..", "--report", "json=-"]);
    let beside = place(&run(
        beside.current_dir(book.path("course/text/b")).arg("a"),
        b"",
    ));
    assert_eq!(
        (beside.book.as_str(), beside.source.as_str()),
        (".", "text")
    );
}

#[test]
fn a_place_that_takes_no_report_is_told_before_anything_runs() {
    let book = book();
    book.write("file", "");
    let mut all = String::new();
    for reports in [
        &["junit=file/junit.xml"][..],
        &["json=course"],
        &["json=/dev/null"],
        &["json=a", "junit=a"],
        &["json=-", "github=-"],
    ] {
        let mut arguments = vec!["check", "course"];
        arguments.extend(reports.iter().flat_map(|it| ["--report", it]));
        all.push_str(&refused(&book, &arguments));
    }
    assert_snapshot!(all, @"
    rehearse: error: no place for a report; name a file, or `-` for standard output: failed to write `file/junit.xml`: its folder cannot be made: File exists (os error 17)
    rehearse: error: no place for a report; name a file, or `-` for standard output: failed to write `course`: it is no plain file
    rehearse: error: no place for a report; name a file, or `-` for standard output: failed to write `/dev/null`: it is no plain file
    rehearse: error: two reports would go to `a`; give each its own place
    rehearse: error: two reports would go to standard output; give each its own place
    ");
    assert!(!book.path("a").exists());
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let book = book();
    book.write("out/check.json", "before");
    symlink(book.path("out/check.json"), book.path("link.json")).unwrap();
    let said = said(&book, &["check", "course", "--report", "json=link.json"]);
    assert_eq!(said.status, 5);
    assert!(book.path("link.json").is_symlink());
    assert!(record::parse(&book.read("out/check.json")).is_ok());
}

#[test]
fn what_is_no_report_is_refused() {
    let book = book();
    let said = ["junit", "xml=a", "json="].map(|it| {
        let said = refused(&book, &["check", "--report", it]);
        said.lines().next().unwrap().to_string()
    });
    assert_snapshot!(said.join("\n"), @"
    error: invalid value 'junit' for '--report <FORMAT=FILE>': write FORMAT=FILE; formats: `json`, `junit`, `github`, `gitlab`
    error: invalid value 'xml=a' for '--report <FORMAT=FILE>': unknown format `xml`; known: `json`, `junit`, `github`, `gitlab`
    error: invalid value 'json=' for '--report <FORMAT=FILE>': no file is named after `=`; `-` is standard output
    ");
}

/// Writes the course in two shards.
fn shards(book: &Scratch) {
    let whole = course("no engine\n");
    for (index, exercises) in [(1, 0..4), (2, 4..8)] {
        let shard = Record {
            shard: Some(format!("{index}/2").parse().unwrap()),
            exercises: whole.exercises[exercises].to_vec(),
            ..whole.clone()
        };
        book.write(&format!("{index}.json"), &written(&shard, Format::Json));
    }
}

#[test]
fn shards_are_joined_into_any_format_with_the_status_of_the_whole() {
    let book = Scratch::new("", &[]);
    shards(&book);
    let arguments = [
        "report",
        "merge",
        "2.json",
        "1.json",
        "--report",
        "json=all.json",
        "--report",
        "junit=junit.xml",
    ];
    let said = said(&book, &arguments);
    assert_eq!((said.status, said.err.as_str()), (5, ""));
    assert!(
        said.out
            .ends_with("1 as recorded, 1 drifted, 3 broken, 1 flaky, 2 not run\n")
    );
    let whole = course("no engine\n");
    assert_eq!(book.read("all.json"), written(&whole, Format::Json));
    assert_eq!(book.read("junit.xml"), written(&whole, Format::Junit));
}

#[test]
fn a_set_that_is_not_whole_is_refused_and_nothing_is_written() {
    let book = Scratch::new("", &[]);
    shards(&book);
    book.write("bad.json", "{}");
    let mut all = refused(
        &book,
        &["report", "merge", "1.json", "--report", "junit=junit.xml"],
    );
    all.push_str(&refused(
        &book,
        &["report", "merge", "1.json", "bad.json", "none.json"],
    ));
    assert_snapshot!(all, @"
    rehearse: error: shard 2 of 2 is missing
    rehearse: error: `bad.json` cannot be read: missing field `format` at line 1 column 2; make it with `mdbook-rehearse check --report json=FILE`
    rehearse: error: `none.json` cannot be read: No such file or directory (os error 2)
    ");
    assert!(!book.path("junit.xml").exists());
}
