//! The program from the outside, on a machine without an engine: what it reads, says and writes, and how it ends.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::snapshot::{self, RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::store::Store;
use mdbook_rehearse::transcript::Engine;
use serde_json::{Value, json};

#[path = "scratch/book.rs"]
mod scratch;

use scratch::{REHEARSE, Said, Scratch, run};

/// The tool in a book's folder, with no engine in reach.
fn rehearse(book: &Scratch, arguments: &[&str]) -> Command {
    let mut command = book.command(REHEARSE, arguments);
    command.env("DOCKER_HOST", "unix:///nonexistent");
    command
}

/// Runs the tool and shows exit status and both outputs.
#[track_caller]
fn check(book: &Scratch, arguments: &[&str]) -> String {
    show(&run(&mut rehearse(book, arguments), b""))
}

fn show(said: &Said) -> String {
    // What docker says differs from version to version.
    let ours = |line: &str| match line.split_once(" (`docker") {
        Some((ours, _)) => format!("{ours} (…)"),
        None => line.to_string(),
    };
    let out: String = said
        .out
        .lines()
        .map(|it| format!("{}\n", ours(it)))
        .collect();
    let err: String = said
        .err
        .lines()
        .map(|it| format!("! {}\n", ours(it)))
        .collect();
    format!("{out}{err}exit {}", said.status)
}

/// The text of a snapshot in which each command printed this.
fn recorded(exercise: &str, steps: &[(&str, &[(&str, &str)])]) -> String {
    let command = |(text, output): &(&str, &str)| RecordedCommand {
        text: text.to_string(),
        output: output.as_bytes().to_vec(),
        status: 0,
        took: Duration::from_millis(1200),
    };
    let steps = steps.iter().map(|(id, commands)| RecordedStep {
        id: id.to_string(),
        commands: commands.iter().map(command).collect(),
    });
    snapshot::print(&Snapshot {
        exercise: exercise.to_string(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "28.5.2".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        left: None,
        steps: steps.collect(),
        images: Vec::new(),
    })
}

const LISTING: &str = "# Images\n\n```bash\ndocker image ls\n```\n";

/// A book with one chapter, which is recorded.
fn recorded_book() -> Scratch {
    let book = Scratch::new("[preprocessor.rehearse]\n", &[("images.md", LISTING)]);
    book.write(
        "snapshots/images.snap",
        &recorded(
            "images",
            &[("images-1", &[("docker image ls", "one image\n")])],
        ),
    );
    book
}

mod arguments {
    use super::*;

    #[test]
    fn help_names_every_command_and_exit_status() {
        let book = Scratch::new("", &[]);
        let said = run(rehearse(&book, &["--help"]).env("COLUMNS", "100"), b"");
        assert_eq!(said.status, 0);
        assert_snapshot!(said.out);
    }

    #[test]
    fn a_person_who_gives_no_command_gets_help() {
        let book = Scratch::new("", &[]);
        let mut on_terminal = book.command("script", &["-qec", REHEARSE, "/dev/null"]);
        let said = run(on_terminal.env("TERM", "dumb"), b"");
        assert_eq!(said.status, 0);
        assert!(said.out.contains("Usage: mdbook-rehearse"), "{}", said.out);
    }

    #[test]
    fn renderers_get_outputs_and_tests_do_not() {
        let book = Scratch::new("", &[]);
        for (renderer, status) in [("html", 0), ("markdown", 0), ("pdf", 0), ("test", 1)] {
            let said = run(&mut rehearse(&book, &["supports", renderer]), b"");
            assert_eq!((said.status, said.out.as_str()), (status, ""), "{renderer}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        let book = recorded_book();
        assert_snapshot!(check(&book, &["bild"]));
        assert_snapshot!(check(&book, &["check", ".", "imges", "volumes"]), @"
        ! rehearse: error: no exercise is named `imges`; `mdbook-rehearse list` names them all
        ! rehearse: error: no exercise is named `volumes`; `mdbook-rehearse list` names them all
        exit 2
        ");
    }

    #[test]
    fn help_of_check_says_what_strict_makes_an_error() {
        let book = Scratch::new("", &[]);
        let said = run(
            rehearse(&book, &["check", "--help"]).env("COLUMNS", "100"),
            b"",
        );
        assert_eq!(said.status, 0);
        assert_snapshot!(said.out);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let book = recorded_book();
        assert_snapshot!(check(&book, &["check", "--shard", "4/3"]), @"
        ! error: invalid value '4/3' for '--shard <I/N>': of 3 shards the first is `1/3` and the last `3/3`
        ! 
        ! For more information, try '--help'.
        exit 2
        ");
        assert_snapshot!(check(&book, &["run", "--jobs", "0"]), @"
        ! error: invalid value '0' for '--jobs <N>': write a number, at least 1
        ! 
        ! For more information, try '--help'.
        exit 2
        ");
    }

    #[test]
    fn a_filter_that_means_nothing_is_refused() {
        assert_snapshot!(check(&recorded_book(), &["check", "--filter", "volumes"]), @"
        ! rehearse: error: no exercise is like `volumes`; there are `images`
        exit 2
        ");
    }

    #[test]
    fn a_dry_run_needs_no_engine() {
        let book = recorded_book();
        assert_snapshot!(check(&book, &["check", "--dry-run", "--filter", "images"]), @"
        images.md (images): about 6 s
        1 exercise, one after the other about 6 s
        exit 0
        ");
        assert_snapshot!(check(&book, &["check", "--dry-run", "--shard", "2/2"]), @"
        no exercise in shard 2/2
        exit 0
        ");
        // A share may be empty.
        assert_snapshot!(check(&book, &["check", "--shard", "2/2"]), @"
        shard 2/2: 0 as recorded, 0 drifted, 0 broken
        exit 0
        ");
    }

    #[test]
    fn a_folder_without_a_book_is_refused() {
        let book = Scratch::new("", &[]);
        fs::create_dir(book.path("empty")).unwrap();
        assert_snapshot!(check(&book, &["list", "empty"]), @"
        ! rehearse: error: failed to load the book in `empty`; name the folder that has its book.toml: failed to read `empty/src/SUMMARY.md`: No such file or directory (os error 2)
        exit 2
        ");
    }

    #[test]
    fn a_reader_who_leaves_early_is_no_trouble() {
        let text: String = (0..2000).map(|_| "```bash\ntrue\n```\n\n").collect();
        let book = Scratch::new("[preprocessor.rehearse]\n", &[("long.md", &text)]);
        let mut child = rehearse(&book, &["list"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

/// What mdBook says and hears.
mod protocol {
    use super::*;

    /// What mdBook 0.5.4 sends for a book with these chapters.
    fn input(book: &Scratch, chapters: &[(&str, &str)]) -> Value {
        let items = chapters.iter().enumerate().map(|(idx, (path, content))| {
            json!({"Chapter": {
                "name": "Chapter", "content": content, "number": [idx + 1], "sub_items": [],
                "path": path, "source_path": path, "parent_names": [],
            }})
        });
        json!([
            {
                "root": book.path(""),
                "config": {
                    "book": {"title": "Scratch", "authors": [], "description": null, "language": "en", "text-direction": null},
                    "preprocessor": {"rehearse": {}},
                },
                "renderer": "html",
                "mdbook_version": "0.5.4",
            },
            {"items": items.collect::<Vec<_>>()},
        ])
    }

    /// Sends a book and gives what comes back, which must be one JSON value and a good end.
    #[track_caller]
    fn check(book: &Scratch, input: &Value) -> (Value, String) {
        let said = run(&mut rehearse(book, &[]), input.to_string().as_bytes());
        assert_eq!(said.status, 0, "{}", said.err);
        let out = serde_json::from_str(&said.out);
        (out.expect("one JSON value comes back"), said.err)
    }

    /// Sends what cannot be read and gives what is said about it.
    #[track_caller]
    fn check_refused(input: &[u8]) -> String {
        let book = Scratch::new("", &[]);
        let said = run(&mut rehearse(&book, &[]), input);
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{}", said.err);
        said.err
    }

    #[test]
    fn a_recorded_chapter_comes_back_with_its_outputs() {
        let book = recorded_book();
        let (out, err) = check(&book, &input(&book, &[("images.md", LISTING)]));
        let content = out["items"][0]["Chapter"]["content"].as_str().unwrap();
        assert!(content.starts_with(LISTING), "{content}");
        assert!(content.contains("one image"), "{content}");
        assert_eq!(err, "");
    }

    #[test]
    fn what_is_no_exercise_comes_back_byte_for_byte() {
        let book = Scratch::new("", &[]);
        let texts = [
            "",
            "no newline at the end",
            "windows\r\nlines\r\n",
            "\u{feff}# mark\n",
            "```rust\nfn main() {}\n```\n\n    indented\n",
            "```text\n$ docker ps\n```\n",
            "trailing   \n\n\n\n",
        ];
        let paths: Vec<String> = (0..texts.len()).map(|it| format!("{it}.md")).collect();
        let chapters: Vec<(&str, &str)> = paths
            .iter()
            .zip(texts)
            .map(|it| (it.0.as_str(), it.1))
            .collect();
        let mut input = input(&book, &chapters);
        let draft = json!({"Chapter": {
            "name": "Draft", "content": "", "number": [9], "sub_items": [],
            "path": null, "source_path": null, "parent_names": [],
        }});
        let items = input[1]["items"].as_array_mut().unwrap();
        items.extend([json!({"PartTitle": "Part"}), json!("Separator"), draft]);
        let (out, err) = check(&book, &input);
        assert_eq!(out, input[1]);
        assert_eq!(err, "");
    }

    #[test]
    fn chapters_in_chapters_and_the_index_get_outputs() {
        let book = recorded_book();
        book.write(
            "snapshots/readme.snap",
            &recorded("readme", &[("images-1", &[("docker image ls", "index\n")])]),
        );
        let mut input = input(&book, &[("README.md", LISTING), ("images.md", LISTING)]);
        // As the preprocessor `index` leaves it.
        input[1]["items"][0]["Chapter"]["path"] = json!("index.md");
        let child = input[1]["items"].as_array_mut().unwrap().remove(1);
        input[1]["items"][0]["Chapter"]["sub_items"] = json!([child]);
        let (out, _) = check(&book, &input);
        let index = &out["items"][0]["Chapter"];
        assert!(index["content"].as_str().unwrap().contains(">index<"));
        let child = &index["sub_items"][0]["Chapter"];
        assert!(child["content"].as_str().unwrap().contains(">one image<"));
    }

    #[test]
    fn a_file_that_is_listed_twice_is_one_exercise() {
        let book = recorded_book();
        let chapters = [("images.md", LISTING), ("images.md", LISTING)];
        let (out, _) = check(&book, &input(&book, &chapters));
        assert_eq!(
            out["items"][0]["Chapter"]["content"],
            out["items"][1]["Chapter"]["content"]
        );
    }

    #[test]
    fn no_log_level_puts_anything_beside_the_book() {
        let book = recorded_book();
        let input = input(&book, &[("images.md", LISTING)]).to_string();
        for name in ["MDBOOK_LOG", "RUST_LOG"] {
            let said = run(rehearse(&book, &[]).env(name, "trace"), input.as_bytes());
            assert!(serde_json::from_str::<Value>(&said.out).is_ok(), "{said:?}");
        }
    }

    #[test]
    fn fields_of_a_later_mdbook_are_no_trouble() {
        let book = recorded_book();
        let mut input = input(&book, &[("images.md", LISTING)]);
        input[0]["mdbook_version"] = json!("0.6.0");
        input[0]["later"] = json!({"a": 1});
        input[1]["later"] = json!(true);
        input[1]["items"][0]["Chapter"]["later"] = json!(null);
        let (_, err) = check(&book, &input);
        assert_snapshot!(err, @"rehearse: warning: this book is built by mdBook 0.6.0, and mdbook-rehearse 0.1.0 is made for 0.5.4");
    }

    #[test]
    fn a_patch_release_of_mdbook_is_no_news() {
        let book = recorded_book();
        let mut input = input(&book, &[("images.md", LISTING)]);
        for version in ["0.5.0", "0.5.99"] {
            input[0]["mdbook_version"] = json!(version);
            assert_eq!(check(&book, &input).1, "");
        }
    }

    #[test]
    fn a_book_of_mdbook_0_4_is_refused_by_its_version() {
        let input = json!([
            {
                "root": "/book",
                "config": {"book": {"authors": [], "language": "en", "multilingual": false, "src": "src"}},
                "renderer": "html",
                "mdbook_version": "0.4.52",
            },
            {"sections": [], "__non_exhaustive": null},
        ]);
        assert_snapshot!(check_refused(input.to_string().as_bytes()), @"rehearse: error: this book is built by mdBook 0.4.52, and mdbook-rehearse 0.1.0 is made for mdBook 0.5.4; update mdBook to 0.5");
    }

    #[test]
    fn what_is_no_book_is_refused() {
        let book = Scratch::new("", &[]);
        let whole = input(&book, &[("images.md", LISTING)]).to_string();
        assert_snapshot!(check_refused(b""), @"rehearse: error: mdBook should send `[context, book]` as JSON on standard input: EOF while parsing a value at line 1 column 0");
        assert_snapshot!(check_refused(b"not JSON"), @"rehearse: error: mdBook should send `[context, book]` as JSON on standard input: expected ident at line 1 column 2");
        assert_snapshot!(check_refused(b"{}"), @"rehearse: error: mdBook should send `[context, book]` on standard input, and its version in the context; what came is something else");
        assert_snapshot!(check_refused(b"[1, 2]"), @"rehearse: error: mdBook should send `[context, book]` on standard input, and its version in the context; what came is something else");
        assert_snapshot!(check_refused(b"\xff\xfe"), @"rehearse: error: mdBook should send `[context, book]` as JSON on standard input: expected value at line 1 column 1");
        assert_snapshot!(check_refused(&whole.as_bytes()[..300]), @"rehearse: error: mdBook should send `[context, book]` as JSON on standard input: EOF while parsing a string at line 1 column 300");
    }

    #[test]
    fn fifty_megabytes_of_nonsense_are_refused_too() {
        let mut input = b"[{\"root\": \"".to_vec();
        input.resize(50 << 20, b'x');
        check_refused(&input);
    }

    #[test]
    fn names_of_chapters_cannot_do_anything() {
        let long = format!("{}.md", "long/".repeat(60));
        let names = [
            "with space.md",
            "$(touch pwned).md",
            "`touch pwned`.md",
            "-rf.md",
            "'\"\\.md",
            "line\nfeed.md",
            "🐳.md",
            "con.md",
            "../outside.md",
            &long,
        ];
        let book = Scratch::new("", &[]);
        let chapters: Vec<(&str, &str)> = names.iter().map(|it| (*it, LISTING)).collect();
        let mut input = input(&book, &chapters);
        input[0]["config"]["preprocessor"]["rehearse"]["run"] = json!("never");
        let (out, _) = check(&book, &input);
        assert_eq!(out["items"].as_array().unwrap().len(), names.len());
        let left: Vec<PathBuf> = fs::read_dir(book.path(""))
            .unwrap()
            .map(|it| it.unwrap().path())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn chapters_that_differ_in_case_alone_have_snapshots_of_their_own() {
        let book = recorded_book();
        let chapters = [("images.md", LISTING), ("Images.md", LISTING)];
        let (out, _) = check(&book, &input(&book, &chapters));
        let content = |idx: usize| out["items"][idx]["Chapter"]["content"].as_str().unwrap();
        assert!(content(0).contains("one image"));
        assert!(!content(1).contains("one image"));
    }

    #[test]
    fn errors_of_all_chapters_are_listed_at_once_and_nothing_runs() {
        let book = Scratch::new("", &[]);
        let chapters = [
            ("one.md", "# One\n\n```bash skp\nls\n```\n"),
            (
                "two.md",
                "# Two\n\n```bash fails=999\nls\n```\n\n```bash\nls\n",
            ),
        ];
        let said = run(
            &mut rehearse(&book, &[]),
            input(&book, &chapters).to_string().as_bytes(),
        );
        assert_snapshot!(show(&said), @r#"
        ! rehearse: error: one.md:3: unknown word `skp`; did you mean `skip`?
        ! rehearse: error: two.md:3: `fails` is `999`, which is no status; write 1 to 255, or `fails` alone
        ! rehearse: error: two.md:7: the block is never closed; put a line "```" after it
        ! rehearse: error: 3 errors in the chapters; nothing was run
        exit 3
        "#);
    }

    #[test]
    fn a_key_that_it_does_not_know_is_refused_with_the_nearest() {
        let book = Scratch::new("", &[]);
        let mut input = input(&book, &[("images.md", LISTING)]);
        input[0]["config"]["preprocessor"]["rehearse"] =
            json!({"rnu": "never", "fold-lines": "many"});
        let said = run(&mut rehearse(&book, &[]), input.to_string().as_bytes());
        assert_snapshot!(show(&said), @r#"
        ! rehearse: error: book.toml: [preprocessor.rehearse]: `fold-lines` is "many"; write a number of lines
        ! rehearse: error: book.toml: [preprocessor.rehearse]: unknown key `rnu`; did you mean `run`?
        exit 2
        "#);
    }
}

mod books {
    use super::*;

    #[test]
    fn list_tells_what_would_happen_to_each_step() {
        let chapter = "# Images\n\n```bash\ndocker image ls\n```\n\n```bash\ndocker image ls -a\n```\n\n\
            ```bash skip=\"takes an hour\"\ndocker build .\n```\n\n```bash\ndocker run -it alpine\n```\n\n\
            ```bash\ndocker pull <name>\n```\n";
        let book = Scratch::new(
            "[preprocessor.rehearse]\n",
            &[
                ("images.md", chapter),
                ("new.md", "```bash\ntrue\n```\n"),
                ("text.md", "text\n"),
            ],
        );
        let steps: [(&str, &[(&str, &str)]); 2] = [
            ("images-1", &[("docker image ls", "")]),
            ("images-2", &[("docker image ls", "")]),
        ];
        book.write("snapshots/images.snap", &recorded("images", &steps));
        book.write("snapshots/gone.snap", &recorded("gone", &steps));
        assert_snapshot!(check(&book, &["list"]));
    }

    #[test]
    fn list_says_where_nothing_is() {
        let book = Scratch::new("", &[("text.md", "text\n")]);
        assert_snapshot!(check(&book, &["list"]), @"
        no chapter has a step: no fence is in a language that `languages` names
        exit 0
        ");
    }

    /// A course of two chapters with about all that can be told of one.
    fn course() -> Scratch {
        let chapter = "# Web\n\n<!-- rehearse: requires images -->\n<!-- rehearse: needs open-network -->\n\nRun `docker ps -a` now.\n\n\
            ```bash\ndocker run -it alpine\n```\n\n```bash\ndocker logs -f web\n```\n\n```bash\nCONTAINER ID   IMAGE\n0123456789ab   alpine\n```\n\n\
            Like a `compose.yaml`:\n\n```yaml\nservices:\n  web:\n    image: nginx\n```\n\n## More\n\nYour challenge: stop it.\n\n\
            ## Again\n\n```bash skip=\"it is late\"\ndocker stop web\n```\n\n## Clean up\n\n```bash\ndocker rm -f web\n```\n";
        let book = Scratch::new(
            "[preprocessor.rehearse]\n",
            &[("images.md", LISTING), ("labs/web.md", chapter)],
        );
        let copy = "## More\n\n```bash\ndocker stop web\n```\n\n```bash check=\"it is gone\"\n! docker top web\n```\n";
        book.write("src/labs/web.rehearse.md", copy);
        book.write(
            "snapshots/images.snap",
            &recorded(
                "images",
                &[("images-1", &[("docker image ls", "one image\n")])],
            ),
        );
        book.write("snapshots/gone.snap", &recorded("gone", &[]));
        book
    }

    #[test]
    fn list_tells_of_the_copy_what_is_taken_for_granted_and_what_to_look_at() {
        assert_snapshot!(check(&course(), &["list", "--allow", "open-network"]));
        let said = check(&course(), &["list"]);
        assert!(said.contains("5 for want of a grant"), "{said}");
    }

    #[test]
    fn list_tells_the_same_to_programs() {
        let book = course();
        let said = run(
            &mut rehearse(
                &book,
                &["list", "--format", "json", "--allow", "open-network"],
            ),
            b"",
        );
        assert_eq!(said.status, 0, "{}", said.err);
        let listing: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(listing["orphans"], json!(["gone"]));
        assert_snapshot!(said.out);
    }

    #[test]
    fn what_the_user_grants_can_come_by_the_environment() {
        let book = course();
        let mut command = rehearse(&book, &["list"]);
        let said = run(command.env("MDBOOK_REHEARSE_ALLOW", "open-network"), b"");
        assert_eq!(
            show(&said),
            check(&book, &["list", "--allow", "open-network"])
        );
    }

    #[test]
    fn what_nobody_can_grant_is_refused() {
        assert_snapshot!(check(&course(), &["list", "--allow", "everything"]), @"
        ! error: invalid value 'everything' for '--allow <NEED>'
        !   [possible values: open-network]
        ! 
        ! For more information, try '--help'.
        exit 2
        ");
    }

    #[test]
    fn what_is_wrong_in_the_copy_is_located_there() {
        let book = course();
        book.write(
            "src/labs/web.rehearse.md",
            "## Web\n\n```bash skp\ndocker ps\n```\n\n## Nowhere\n\n```bash\ndocker ps\n```\n",
        );
        assert_snapshot!(check(&book, &["list"]), @"
        ! rehearse: error: labs/web.rehearse.md:3: unknown word `skp`; did you mean `skip`?
        ! rehearse: error: labs/web.rehearse.md:7: no heading `Nowhere` in `labs/web.md`; write it as the chapter has it
        ! rehearse: error: 2 errors in the chapters; nothing was run
        exit 3
        ");
        assert_snapshot!(check(&book, &["run"]), @"
        ! rehearse: error: labs/web.rehearse.md:3: unknown word `skp`; did you mean `skip`?
        ! rehearse: error: labs/web.rehearse.md:7: no heading `Nowhere` in `labs/web.md`; write it as the chapter has it
        ! rehearse: error: 2 errors in the chapters; nothing was run
        exit 3
        ");
    }

    #[test]
    fn what_needs_an_engine_ends_with_status_5_and_likely_causes() {
        let book = recorded_book();
        assert_snapshot!(check(&book, &["check"]), @"
        images.md: not run; no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one? (…)
        0 as recorded, 0 drifted, 0 broken, 1 not run
        ! rehearse: error: no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one? (…)
        exit 5
        ");
        assert_snapshot!(check(&book, &["run", "--all"]), @"
        ! rehearse: error: no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one? (…)
        exit 5
        ");
        assert_snapshot!(check(&book, &["clean", "--dry-run"]), @"
        ! rehearse: error: no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one? (…)
        exit 5
        ");
        assert_snapshot!(check(&book, &["doctor"]), @"
        replay      works everywhere: pages are made from snapshots and nothing runs
        engine      none: no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one? (…)
        ! rehearse: error: exercises cannot run here
        exit 5
        ");
    }

    #[test]
    fn without_a_docker_command_it_says_so() {
        let book = recorded_book();
        let said = run(rehearse(&book, &["check"]).env("PATH", book.path("")), b"");
        assert_snapshot!(show(&said), @"
        images.md: not run; failed to start `docker`; is the docker command line installed?: No such file or directory (os error 2)
        0 as recorded, 0 drifted, 0 broken, 1 not run
        ! rehearse: error: failed to start `docker`; is the docker command line installed?: No such file or directory (os error 2)
        exit 5
        ");
    }

    #[test]
    fn nothing_new_needs_no_engine() {
        let book = recorded_book();
        assert_snapshot!(check(&book, &["run"]), @"
        everything is recorded; `--all` runs it again
        exit 0
        ");
    }

    #[test]
    fn what_is_recorded_is_built_without_an_engine() {
        let book = recorded_book();
        let said = run(&mut rehearse(&book, &["build"]), b"");
        assert_eq!(said.status, 0, "{}", said.err);
        assert!(
            book.read("book/images.html").contains("<samp"),
            "{}",
            book.read("book/images.html")
        );
        assert!(book.read("book/images.html").contains("one image"));
        assert!(!said.err.contains("warning"), "{}", said.err);
        assert!(said.out.ends_with("nothing was run\n"), "{}", said.out);
    }

    #[test]
    fn a_new_step_gets_a_badge_and_a_warning() {
        let book = recorded_book();
        book.write(
            "src/images.md",
            &format!("{LISTING}\n```bash\ndocker ps\n```\n"),
        );
        let said = run(&mut rehearse(&book, &["build"]), b"");
        let page = book.read("book/images.html");
        assert!(page.contains("one image"), "what is recorded is shown");
        assert!(page.contains("not recorded yet"), "what is not is marked");
        assert_eq!(said.status, 0);
        assert_snapshot!(said.err.lines().find(|it| it.contains("no Docker")).unwrap().split(" (").next().unwrap(), @"rehearse: warning: could not run images.md: no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one?");
        assert!(
            said.err
                .contains("the pages show what is recorded and mark the rest")
        );
    }

    #[test]
    fn an_output_of_other_commands_is_never_shown() {
        let book = recorded_book();
        book.write("src/images.md", &LISTING.replace("ls", "ls --all"));
        let said = run(&mut rehearse(&book, &["build"]), b"");
        assert_eq!(said.status, 0);
        let page = book.read("book/images.html");
        assert!(page.contains("changed since it was recorded"));
        assert!(!page.contains("one image"));
    }

    #[test]
    fn the_table_of_the_course_leads_to_each_exercise() {
        let step = |id: &str| format!("# Part\n\n```bash id={id}\ndocker image ls\n```\n");
        let table = "# Status\n\n<!-- rehearse: status -->\n\nEnd";
        let book = Scratch::new(
            "[preprocessor.rehearse]\nrun = \"never\"\n[output.html]\n[output.markdown]\n",
            &[
                ("a.md", &step("b-c")),
                ("a-b.md", &step("c")),
                ("part/README.md", &step("d")),
                ("part/status.md", table),
            ],
        );
        let printed: &[(&str, &str)] = &[("docker image ls", "one image\n")];
        book.write("snapshots/a.snap", &recorded("a", &[("b-c", printed)]));
        book.write("snapshots/a-b.snap", &recorded("a-b", &[("c", printed)]));
        let said = run(&mut rehearse(&book, &["build"]), b"");
        assert_eq!(said.status, 0, "{}", said.err);
        let page = book.read("book/html/part/status.html");
        let links = ["../a.html", "../a-b.html", "index.html"].map(|it| format!("href=\"{it}\""));
        assert!(links.iter().all(|it| page.contains(it)), "{page}");
        let page = book.read("book/markdown/part/status.md");
        let ends = (page.split("3 exercises").next(), page.rsplit("|\n").next());
        assert_eq!(ends, (Some("# Status\n\n"), Some("\nEnd")));
        // All chapters are on this page; mdBook would rename ids that are there twice.
        let page = book.read("book/html/print.html");
        let ids = page.split("id=\"rehearse.").skip(1);
        let ids: Vec<&str> = ids.map(|it| it.split('"').next().unwrap()).collect();
        assert_eq!(ids, ["a.b-c", "a-b.c", "part-readme.d"]);
        assert!(page.contains("href=\"#rehearse.a.b-c\""));
    }

    #[test]
    fn a_policy_of_never_asks_for_no_engine() {
        let book = Scratch::new(
            "[preprocessor.rehearse]\nrun = \"never\"\n",
            &[("images.md", LISTING)],
        );
        let said = run(&mut rehearse(&book, &["build"]), b"");
        assert_eq!(said.status, 0);
        assert!(!said.err.contains("warning"), "{}", said.err);
        assert!(book.read("book/images.html").contains("not recorded yet"));
    }

    #[test]
    fn a_policy_of_always_needs_an_engine() {
        let book = Scratch::new(
            "[preprocessor.rehearse]\nrun = \"always\"\n",
            &[("images.md", LISTING)],
        );
        assert_eq!(run(&mut rehearse(&book, &["build"]), b"").status, 5);
    }

    /// The build of a fresh clone must not even ask for the engine's version.
    #[test]
    fn a_build_of_what_is_recorded_calls_no_docker() {
        let book = recorded_book();
        book.write(
            "bin/docker",
            "#!/bin/sh\necho \"$@\" >>\"$CALLS\"\nexit 1\n",
        );
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(book.path("bin/docker"), executable).unwrap();
        let path = format!(
            "{}:{}",
            book.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let build = || {
            let mut command = rehearse(&book, &["build"]);
            run(
                command.env("PATH", &path).env("CALLS", book.path("calls")),
                b"",
            )
        };
        assert_eq!(build().status, 0);
        assert!(!book.path("calls").exists(), "{}", book.read("calls"));
        // The trap works: what is not recorded does call it.
        book.write("src/images.md", "```bash\ndocker ps\n```\n");
        assert_eq!(build().status, 0);
        assert!(book.path("calls").exists());
    }

    #[test]
    fn the_guide_is_recorded_as_a_whole() {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
        let said = check(&Scratch::new("", &[]), &["list", guide.to_str().unwrap()]);
        assert!(
            said.contains(" recorded\n") && said.ends_with("exit 0"),
            "{said}"
        );
        assert!(!said.contains("would run"), "run `make book`: {said}");
        assert!(!said.contains("no chapter has this exercise"), "{said}");
    }

    #[test]
    fn snapshots_never_lie_among_what_is_published() {
        let book = Scratch::new("src = \".\"\n[preprocessor.rehearse]\n", &[]);
        book.write("SUMMARY.md", "- [Chapter](images.md)\n");
        book.write("images.md", LISTING);
        assert_snapshot!(check(&book, &["list"]), @"
        ! rehearse: error: `snapshots` would lie in the book's source folder and be published with it; set `src` in book.toml to a folder of its own
        exit 2
        ");
    }
}

/// What is committed may be broken, or hostile.
mod snapshots {
    use super::*;

    /// Builds the recorded book after its snapshot was changed; shows what is said without mdBook's own lines.
    #[track_caller]
    fn check(change: impl Fn(String) -> Vec<u8>) -> String {
        let book = recorded_book();
        let changed = change(book.read("snapshots/images.snap"));
        fs::write(book.path("snapshots/images.snap"), &changed).unwrap();
        let said = run(&mut rehearse(&book, &["build"]), b"");
        assert_eq!(
            fs::read(book.path("snapshots/images.snap")).unwrap(),
            changed
        );
        let err = said.err.lines().filter(|it| !it.contains(" INFO "));
        format!(
            "{}\nexit {}",
            err.collect::<Vec<_>>().join("\n"),
            said.status
        )
    }

    #[test]
    fn a_broken_one_is_refused_by_file_and_line() {
        assert_snapshot!(check(|it| it.replace("= 0 in", "= zero in").into()), @"
        rehearse: error: snapshots/images.snap:7: command without its line `= STATUS in SECONDS s`; delete the file and run `mdbook-rehearse run`
        rehearse: error: snapshots/images.snap:9: `= zero in 1.2 s` is not like `= 0 in 1.2 s`; mend it or delete the file and run `mdbook-rehearse run`
        exit 7
        ");
        assert_snapshot!(check(|it| it.replace("# end\n", "").into()), @"
        rehearse: error: snapshots/images.snap:10: the file is cut off: its last line is not `# end`; delete the file and run `mdbook-rehearse run`
        exit 7
        ");
        assert_snapshot!(check(|it| it.replace("format 2", "format 99").into()), @"
        rehearse: error: snapshots/images.snap:1: snapshot in format 99, of a newer mdbook-rehearse than this one, which knows format 2; update mdbook-rehearse
        exit 7
        ");
        assert_snapshot!(check(|it| it.replace("$ docker", "<<<<<<< ours\n$ docker").into()), @"
        rehearse: error: snapshots/images.snap:7: merge conflict; take one side as a whole, or delete the file and run `mdbook-rehearse run`
        exit 7
        ");
        assert_snapshot!(check(|_| b"\xff\xfe\x00".to_vec()), @"
        rehearse: error: snapshot `snapshots/images.snap` is no text; delete the file and run `mdbook-rehearse run`
        exit 7
        ");
        assert_snapshot!(check(|_| Vec::new()), @"
        rehearse: error: snapshots/images.snap:1: not a snapshot: it begins with `# mdbook-rehearse snapshot, format 2`; delete the file and run `mdbook-rehearse run`
        exit 7
        ");
    }

    #[test]
    fn windows_line_ends_are_read_as_ours() {
        assert_snapshot!(check(|it| it.replace('\n', "\r\n").into()), @"

        exit 0
        ");
    }

    #[test]
    fn seventeen_megabytes_are_refused() {
        assert_snapshot!(check(|it| it.replace("# end", &"\n".repeat(17 << 20)).into()), @"
        rehearse: error: snapshots/images.snap:1: snapshot of 17826016 bytes, more than 16777216; delete the file and run `mdbook-rehearse run`
        exit 7
        ");
    }

    #[test]
    fn a_link_is_not_followed() {
        let book = recorded_book();
        let path = book.path("snapshots/images.snap");
        fs::rename(&path, book.path("elsewhere")).unwrap();
        symlink(book.path("elsewhere"), &path).unwrap();
        assert_snapshot!(super::check(&book, &["list"]), @"
        ! rehearse: error: snapshot `snapshots/images.snap` is a symbolic link; put the file or folder itself in its place
        exit 7
        ");
    }

    #[test]
    fn a_folder_that_is_a_link_is_not_followed() {
        let book = recorded_book();
        fs::rename(book.path("snapshots"), book.path("elsewhere")).unwrap();
        symlink(book.path("elsewhere"), book.path("snapshots")).unwrap();
        assert_snapshot!(super::check(&book, &["list"]), @"
        ! rehearse: error: snapshot `snapshots` is a symbolic link; put the file or folder itself in its place
        exit 7
        ");
    }

    #[test]
    fn another_process_is_waited_for_but_not_for_ever() {
        let book = recorded_book();
        let store = Store::of_book(&book.path(""), Path::new("src")).unwrap();
        let lock = store.lock(Duration::ZERO).unwrap();
        let error = store.lock(Duration::from_millis(60)).unwrap_err();
        let error = error
            .to_string()
            .replace(book.path("").to_str().unwrap(), "");
        assert_snapshot!(error, @"snapshot `snapshots` is held by another process that writes there, for 0 s now; end it and try again");
        drop(lock);
        assert!(store.lock(Duration::ZERO).is_ok());
    }

    #[test]
    fn a_folder_in_the_place_of_one_is_refused() {
        let book = recorded_book();
        fs::remove_file(book.path("snapshots/images.snap")).unwrap();
        fs::create_dir(book.path("snapshots/images.snap")).unwrap();
        assert_snapshot!(super::check(&book, &["list"]), @"
        ! rehearse: error: snapshot `snapshots/images.snap` cannot be read: Is a directory (os error 21)
        exit 7
        ");
    }
}

mod install {
    use super::*;

    /// Installs twice; gives `book.toml` after the first time, which the second one must leave alone.
    #[track_caller]
    fn check(book_toml: &str) -> String {
        let book = Scratch::new("", &[]);
        book.write("book.toml", book_toml);
        let first = run(&mut rehearse(&book, &["install"]), b"");
        assert_eq!(first.status, 0, "{}", first.err);
        let installed = book.read("book.toml");
        assert!(book.read("mdbook-rehearse.css").contains(".rehearse"));
        let second = run(&mut rehearse(&book, &["install"]), b"");
        assert_eq!(second.status, 0, "{}", second.err);
        assert_eq!(book.read("book.toml"), installed);
        let build = run(&mut rehearse(&book, &["build"]), b"");
        assert_eq!(build.status, 0, "{}", build.err);
        installed
    }

    #[test]
    fn an_empty_file_gets_both_tables() {
        assert_snapshot!(check(""), @r#"
        [preprocessor.rehearse]
        after = ["links"]
        assets-version = "2" # written by `mdbook-rehearse install`

        [output.html]
        additional-css = ["mdbook-rehearse.css"]
        "#);
    }

    #[test]
    fn comments_and_order_stay() {
        assert_snapshot!(check("# My book.\n[book] # here\ntitle   =  \"T\"\n\n# Look.\n[output.html]\nno-section-label = true # why\n\n[build]\ncreate-missing = true\n"), @r#"
        # My book.
        [book] # here
        title   =  "T"

        # Look.
        [output.html]
        no-section-label = true # why
        additional-css = ["mdbook-rehearse.css"]

        [build]
        create-missing = true

        [preprocessor.rehearse]
        after = ["links"]
        assets-version = "2" # written by `mdbook-rehearse install`
        "#);
    }

    #[test]
    fn other_style_files_and_preprocessors_stay() {
        assert_snapshot!(check("[book]\ntitle = \"T\"\n\n[preprocessor.links]\n\n[output.html]\nadditional-css = [\n    \"mdbook-rehearse.css\", # ours\n]\n"), @r#"
        [book]
        title = "T"

        [preprocessor.links]

        [preprocessor.rehearse]
        after = ["links"]
        assets-version = "2" # written by `mdbook-rehearse install`

        [output.html]
        additional-css = [
            "mdbook-rehearse.css", # ours
        ]
        "#);
    }

    #[test]
    fn what_is_set_already_stays() {
        assert_snapshot!(check("[preprocessor.rehearse]\nbefore = [\"links\"]\nafter = [\"index\"]\nrun = \"never\"\nassets-version = \"0\"\n"), @r#"
        [preprocessor.rehearse]
        before = ["links"]
        after = ["index"]
        run = "never"
        assets-version = "2" # written by `mdbook-rehearse install`

        [output.html]
        additional-css = ["mdbook-rehearse.css"]
        "#);
    }

    #[test]
    fn a_style_file_that_was_changed_stays() {
        let book = Scratch::new("", &[]);
        assert_snapshot!(super::check(&book, &["install"]), @"
        `book.toml` names the preprocessor and its style file
        `mdbook-rehearse.css` is yours to restyle
        exit 0
        ");
        assert_snapshot!(super::check(&book, &["install"]), @"
        `book.toml` has everything
        `mdbook-rehearse.css` is of this version
        exit 0
        ");
        book.write("mdbook-rehearse.css", "mine");
        assert_snapshot!(super::check(&book, &["install"]), @"
        `book.toml` has everything
        `mdbook-rehearse.css` is not ours of version 2 and was kept; to compare, rename it, run `mdbook-rehearse install` again and look at both with `diff`
        exit 0
        ");
        assert_eq!(book.read("mdbook-rehearse.css"), "mine");
    }

    #[test]
    fn a_style_file_of_another_version_is_told_until_it_is_gone() {
        let book = Scratch::new(
            "[preprocessor.rehearse]\nassets-version = \"1\"\n",
            &[("a.md", "# A\n")],
        );
        book.write("mdbook-rehearse.css", "/* of that time */");
        assert_snapshot!(super::check(&book, &["build"]), @"
        nothing was run
        !  INFO Book building has started
        ! rehearse: warning: the book's style file is of version 1, and the pages are made for version 2; bring it up to date: mdbook-rehearse install
        !  INFO Running the html backend
        !  INFO HTML book written to `./book`
        exit 0
        ");
        assert_snapshot!(super::check(&book, &["install"]), @"
        `book.toml` names the preprocessor and its style file
        `mdbook-rehearse.css` is not ours of version 2 and was kept; to compare, rename it, run `mdbook-rehearse install` again and look at both with `diff`
        exit 0
        ");
        assert!(book.read("book.toml").contains("assets-version = \"1\""));
        assert!(super::check(&book, &["build"]).contains("version 1"));
        fs::rename(book.path("mdbook-rehearse.css"), book.path("mine.css")).unwrap();
        assert_snapshot!(super::check(&book, &["install"]), @"
        `book.toml` names the preprocessor and its style file
        `mdbook-rehearse.css` is yours to restyle
        exit 0
        ");
        assert!(!super::check(&book, &["build"]).contains("version"));
    }

    #[test]
    fn what_it_cannot_edit_is_refused() {
        let book = Scratch::new("", &[]);
        let mut said = String::new();
        for text in [
            "title = ",
            "output = { html = {} }",
            "[output.html]\nadditional-css = \"x.css\"",
        ] {
            book.write("book.toml", text);
            said.push_str(&super::check(&book, &["install"]));
            said.push('\n');
            assert_eq!(book.read("book.toml"), text);
        }
        fs::remove_file(book.path("book.toml")).unwrap();
        said.push_str(&super::check(&book, &["install"]));
        assert_snapshot!(said);
    }
}
