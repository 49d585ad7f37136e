//! A book with a real mdBook and a real engine: what runs, when, and what readers get.
//!
//! Needs an engine, the stand-ins and mdBook; `make engine stand-ins tools` provides them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use insta::assert_snapshot;

#[path = "scratch/book.rs"]
mod scratch;

use scratch::{REHEARSE, Said, Scratch, run};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The mdBook that the tests are made for.
#[track_caller]
fn mdbook() -> PathBuf {
    needed("target/tools/bin/mdbook", "tools")
}

#[track_caller]
fn needed(path: &str, target: &str) -> PathBuf {
    let path = Path::new(ROOT).join(path);
    assert!(
        path.exists(),
        "no `{}`; make it: make {target}",
        path.display()
    );
    path
}

/// The tables of a book whose images come from stand-ins.
#[track_caller]
fn tables(more: &str) -> String {
    let engine = Command::new("docker").args(["version"]).output();
    assert!(
        engine.is_ok_and(|it| it.status.success()),
        "no Docker engine answers; start one: make engine"
    );
    let alpine = needed("target/stand-ins/docker.io/alpine.tar", "stand-ins");
    format!(
        "[preprocessor.rehearse]\ncommand = '{REHEARSE}'\n{more}\n\
         [preprocessor.rehearse.registries.\"docker.io\"]\nmode = \"local\"\nimages = ['{}']\n",
        alpine.display()
    )
}

/// In the manner of a course: pulls, a tag that is nowhere, a login, a placeholder, blocks in a list and a quote.
const PULLING: &str = r#"# Getting images

Fetch the small one, and greet from it:

```bash
docker pull alpine
docker run --rm alpine echo 'hello <b>reader</b>'
```

Tags that nobody pushed are nowhere:

```bash fails
docker pull alpine:never-was
```

1. Text may hold anything:

   ```bash
   printf '%s\n' '{''{#include ../secret.txt}}' '{''{#title pwned}}'
   ```

> And in a quote:
>
> ```bash
> docker image ls --format '{{.Repository}}'
> ```

## Sharing

```bash
docker login
```

```bash
docker tag alpine <user>/alpine
docker push <user>/alpine
```
"#;

const QUIET: &str = "# Nothing to run\n\nText.\n";

/// A new book, not built yet.
#[track_caller]
fn new_book() -> Scratch {
    let tables = tables("");
    let book = Scratch::new(
        &format!("{tables}\n[output.html]\n[output.markdown]\n"),
        &[("pulling.md", PULLING), ("quiet.md", QUIET)],
    );
    book.write("secret.txt", "SECRET");
    book
}

/// A small book of one chapter, for tests that change it.
#[track_caller]
fn small_book(more: &str, chapter: &str) -> Scratch {
    Scratch::new(&tables(more), &[("small.md", chapter)])
}

/// The new book after its first build, for tests that leave it as it is; what that build said comes with it.
#[track_caller]
fn built_book() -> &'static (Scratch, Said) {
    static BUILT: OnceLock<(Scratch, Said)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let book = new_book();
        let said = run(&mut book.command(mdbook(), &["build"]), b"");
        assert_eq!(said.status, 0, "{}", said.err);
        (book, said)
    })
}

#[track_caller]
fn rehearse(book: &Scratch, arguments: &[&str]) -> Said {
    run(&mut book.command(REHEARSE, arguments), b"")
}

#[track_caller]
fn build(book: &Scratch) -> Said {
    run(&mut book.command(mdbook(), &["build"]), b"")
}

/// Lines of the tool about exercises that ran.
fn n_runs(said: &Said) -> usize {
    said.err.matches("in a sandbox").count()
}

/// All files below a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut folders = vec![folder.to_owned()];
    let mut files = BTreeMap::new();
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_owned();
                    files.insert(name, fs::read(&path).unwrap());
                }
            }
        }
    }
    files
}

/// Holds two built books against each other, file by file.
#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (files(one), files(other));
    let names = one.keys().chain(other.keys());
    let differing: Vec<_> = names.filter(|it| one.get(*it) != other.get(*it)).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

mod a_built_book {
    use super::*;

    #[test]
    fn ran_its_exercise_once_for_two_renderers() {
        let (book, said) = built_book();
        assert_eq!(n_runs(said), 1, "{}", said.err);
        let snapshots = files(&book.path("snapshots"));
        assert_eq!(
            snapshots.keys().collect::<Vec<_>>(),
            [Path::new("pulling.snap")]
        );
    }

    #[test]
    fn shows_what_was_printed() {
        let page = built_book().0.read("book/html/pulling.html");
        for text in [
            "hello &lt;b&gt;reader&lt;/b&gt;",
            "Status: Downloaded newer image for alpine:latest",
            "manifest unknown",
            "fails as it should (status 1)",
            ">not run<",
            "`docker login` asks for a user name and password",
            "needs a value for &lt;user&gt;",
            "Images of this chapter",
        ] {
            let page = page.replace("<code>", "`").replace("</code>", "`");
            assert!(page.contains(text), "{text}");
        }
        let quiet = built_book().0.read("book/html/quiet.html");
        assert!(
            !quiet.contains("rehearse"),
            "a page without steps carries nothing of ours"
        );
    }

    #[test]
    fn takes_no_orders_from_what_was_printed() {
        for (name, page) in files(&built_book().0.path("book")) {
            let page = String::from_utf8_lossy(&page);
            assert!(!page.contains("SECRET"), "{}", name.display());
            assert!(!page.contains("<title>pwned"), "{}", name.display());
        }
        let page = built_book().0.read("book/html/pulling.html");
        assert!(
            page.contains("#include ../secret.txt}}"),
            "it is shown as text"
        );
    }

    #[test]
    fn is_plain_markdown_for_other_renderers() {
        let page = built_book().0.read("book/markdown/pulling.md");
        assert!(page.contains("```text\n"), "{page}");
        assert!(page.contains("   ```text\n   {\\{#include"), "{page}");
        assert!(page.contains("> ```text\n> alpine\n> ```"), "{page}");
        for tag in ["<div", "<style", "<pre", "<span", "<details"] {
            assert!(!page.contains(tag), "{tag} in {page}");
        }
    }

    #[test]
    fn is_built_again_without_a_run_or_a_write() {
        let (book, _) = built_book();
        let path = book.path("snapshots/pulling.snap");
        let modified = || fs::metadata(&path).unwrap().modified().unwrap();
        let before = modified();
        // Into a folder of its own: other tests read the first one.
        let said = run(
            &mut book.command(mdbook(), &["build", "--dest-dir", "again"]),
            b"",
        );
        assert_eq!((said.status, n_runs(&said)), (0, 0), "{}", said.err);
        assert_eq!(modified(), before);
        assert_same(&book.path("again"), &book.path("book"));
    }

    #[test]
    fn is_the_same_from_our_own_build() {
        let (book, _) = built_book();
        let twin = new_book();
        for name in ["book.toml", "snapshots/pulling.snap"] {
            twin.write(name, &book.read(name));
        }
        let said = rehearse(&twin, &["build"]);
        assert_eq!(said.status, 0, "{}", said.err);
        assert!(said.out.ends_with("nothing was run\n"), "{}", said.out);
        assert_same(&twin.path("book"), &book.path("book"));
    }

    #[test]
    fn is_passed_over_by_mdbook_test() {
        let (book, _) = built_book();
        let said = run(&mut book.command(mdbook(), &["test"]), b"");
        assert_eq!((said.status, n_runs(&said)), (0, 0), "{}", said.err);
    }

    #[test]
    fn checks_as_recorded() {
        let (book, _) = built_book();
        let said = rehearse(book, &["check"]);
        assert_eq!(said.status, 0, "{}{}", said.out, said.err);
        assert_snapshot!(said.out, @"
        pulling.md: as recorded; 1 of 2 tasks covered, 4 steps run, 2 skipped (1 for want of a person, 1 for want of a value)
        1 as recorded, 0 drifted, 0 broken
        ");
    }
}

mod a_changed_book {
    use super::*;

    const SMALL: &str = "# Small\n\n```bash\necho one\necho two\n```\n\n```bash\necho three\n```\n";

    /// A small book that is recorded.
    #[track_caller]
    fn recorded(more: &str) -> Scratch {
        let book = small_book(&format!("network = \"none\"\n{more}"), SMALL);
        let said = build(&book);
        assert_eq!((said.status, n_runs(&said)), (0, 1), "{}", said.err);
        book
    }

    #[test]
    fn is_run_again_where_a_command_was_edited() {
        let book = recorded("");
        book.write("src/small.md", &SMALL.replace("three", "four"));
        assert_snapshot!(rehearse(&book, &["list"]).out, @"
        small.md (small): 1 of 1 task covered, 2 steps run
             3  small-1  recorded
             8  small-2  would run: changed since it was recorded
        ");
        let said = build(&book);
        assert_eq!((said.status, n_runs(&said)), (0, 1), "{}", said.err);
        assert!(book.read("snapshots/small.snap").contains("| four\n"));
        assert!(book.read("book/small.html").contains(">four<"));
    }

    #[test]
    fn is_reported_at_the_line_of_what_drifted_and_of_what_broke() {
        let book = recorded("");
        let tampered = book.read("snapshots/small.snap").replace("| two", "| 2");
        book.write("snapshots/small.snap", &tampered);
        let commands = |expected: i32| {
            let said = rehearse(&book, &["check", "--report", "github=commands"]);
            assert_eq!(said.status, expected, "{}", said.err);
            book.read("commands")
        };
        assert_snapshot!(commands(1), @"::warning file=src/small.md,line=5,title=small drifted::what this prints is not what is recorded%0A$ echo two%0A- 2%0A+ two%0Aagain: mdbook-rehearse check . small");
        book.write(
            "src/small.md",
            &SMALL.replace("echo three", "echo three; false"),
        );
        assert_snapshot!(commands(4), @"
        ::error file=src/small.md,line=9,title=small failed::status 1, should be 0%0A$ echo three; false%0A| three%0Aagain: mdbook-rehearse check . small
        ::warning file=src/small.md,line=5,title=small drifted::what this prints is not what is recorded%0A$ echo two%0A- 2%0A+ two%0Aagain: mdbook-rehearse check . small
        ");
    }

    #[test]
    fn drifts_where_a_recorded_line_was_another() {
        let book = recorded("");
        let tampered = book.read("snapshots/small.snap").replace("| two", "| 2");
        book.write("snapshots/small.snap", &tampered);
        // Recorded is what the file says; only a check runs it.
        assert!(n_runs(&build(&book)) == 0 && book.read("book/small.html").contains(">2<"));
        let said = rehearse(&book, &["check"]);
        assert_eq!(said.status, 1);
        assert_snapshot!(said.out, @"
        small.md: differs from what is recorded, and no image moved; 1 of 1 task covered, 2 steps run
          drifted small.md:5
              $ echo two
              - 2
              + two
          again: mdbook-rehearse check . small
        to take the fresh outputs: mdbook-rehearse run --all .
        0 as recorded, 1 drifted, 0 broken
        ");
        assert_eq!(
            book.read("snapshots/small.snap"),
            tampered,
            "a check writes nothing"
        );
        let said = rehearse(&book, &["run", "--all"]);
        assert_eq!(said.status, 0);
        assert!(book.read("snapshots/small.snap").contains("| two\n"));
    }

    #[test]
    fn keeps_what_was_recorded_before_an_engine_broke() {
        let book = recorded("");
        book.write(
            "src/SUMMARY.md",
            "- [Small](small.md)\n- [Other](other.md)\n",
        );
        book.write("src/small.md", &SMALL.replace("three", "four"));
        book.write(
            "src/other.md",
            "# Other\n\n```bash\npkill dockerd; sleep 5\n```\n",
        );
        let said = build(&book);
        assert_eq!(said.status, 0, "{}", said.err);
        let warning = "could not run other.md: other.md:4: the sandbox broke during this command: the engine stopped";
        assert!(said.err.contains(warning), "{}", said.err);
        assert!(book.read("snapshots/small.snap").contains("| four\n"));
        assert!(book.read("book/small.html").contains(">four<"));
        assert!(book.read("book/other.html").contains("not recorded yet"));
    }

    #[test]
    fn is_not_built_with_a_broken_step_but_its_other_exercises_are_kept() {
        let book = recorded("");
        let before = book.read("snapshots/small.snap");
        let page = book.read("book/small.html");
        book.write(
            "src/SUMMARY.md",
            "- [Small](small.md)\n- [Other](other.md)\n",
        );
        book.write("src/small.md", &SMALL.replace("echo three", "ls /nowhere"));
        book.write("src/other.md", "# Other\n\n```bash\necho other\n```\n");
        let said = build(&book);
        assert_eq!(said.status, 101);
        let err = said
            .err
            .lines()
            .filter(|it| it.contains("small.md:") || it.starts_with("      "));
        assert_snapshot!(err.filter(|it| !it.contains("done in")).collect::<Vec<_>>().join("\n"), @"
        rehearse: small.md: running 3 commands in a sandbox
        small.md: broken; 2 of 2 steps ran
          failed small.md:9: status 2, should be 0
              $ ls /nowhere
              | ls: cannot access '/nowhere': No such file or directory
        ");
        assert_eq!(
            book.read("snapshots/small.snap"),
            before,
            "all of an exercise is recorded or nothing"
        );
        assert_eq!(
            book.read("book/small.html"),
            page,
            "the last good page stays"
        );
        assert!(book.read("snapshots/other.snap").contains("| other\n"));
        let said = rehearse(&book, &["build"]);
        assert_eq!((said.status, n_runs(&said)), (4, 1), "{}", said.err);
        assert_eq!(rehearse(&book, &["check", "--exercise", "small"]).status, 4);
    }

    #[test]
    fn is_rendered_and_not_recorded_in_a_ci_job() {
        let book = small_book("network = \"none\"\n", SMALL);
        let said = run(book.command(mdbook(), &["build"]).env("CI", "true"), b"");
        assert_eq!((said.status, n_runs(&said)), (0, 1), "{}", said.err);
        assert!(
            said.err.contains("the new recordings are not written"),
            "{}",
            said.err
        );
        assert!(book.read("book/small.html").contains(">three<"));
        assert!(!book.path("snapshots").exists());
        let said = run(book.command(REHEARSE, &["run"]).env("CI", "true"), b"");
        assert!(said.out.contains("nothing was written"), "{}", said.out);
        assert!(!book.path("snapshots").exists());
        let said = run(
            book.command(REHEARSE, &["run", "--accept"])
                .env("CI", "true"),
            b"",
        );
        assert_eq!(said.status, 0, "{}", said.err);
        assert!(book.path("snapshots/small.snap").exists());
    }

    #[test]
    fn runs_what_an_include_brings_if_links_come_first() {
        let chapter = "# Small\n\n```bash\n{{#include ../commands.sh}}\n```\n";
        for (order, is_included) in [("after", true), ("before", false)] {
            let book = small_book(
                &format!("network = \"none\"\n{order} = [\"links\"]\n"),
                chapter,
            );
            book.write("commands.sh", "echo from a file\n");
            let said = build(&book);
            let ran = book.path("snapshots/small.snap").exists()
                && book
                    .read("snapshots/small.snap")
                    .contains("| from a file\n");
            assert_eq!(ran, is_included, "{order}: {}", said.err);
        }
    }

    #[test]
    fn leaves_nothing_with_the_engine() {
        let book = small_book(
            "network = \"none\"\n",
            "# Small\n\n```bash\necho one\n```\n",
        );
        let said = run(&mut book.command(REHEARSE, &["run"]), b"");
        assert_eq!(said.status, 0, "{}", said.err);
        let left = rehearse(&book, &["clean", "--dry-run"]).out;
        assert!(!left.contains("would remove"), "{left}");
    }
}
