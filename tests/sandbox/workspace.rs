//! The workspace: which of the author's files an exercise finds, and in which folder it starts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use insta::assert_snapshot;
use mdbook_rehearse::config::Config;
use mdbook_rehearse::plan::PlannedStep;
use mdbook_rehearse::sandbox::workspace::start_folder;
use mdbook_rehearse::sandbox::{self, Surroundings};
use mdbook_rehearse::transcript::Transcript;
use serde_json::json;
use tempfile::TempDir;

use crate::{check, plan, runtime, step};

/// A folder with these files, each with its name as its text.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

#[track_caller]
fn git(folder: &TempDir, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder.path())
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// What an exercise of a book in `book` sees of a workspace: its files with their rights, owners and what links lead to.
#[track_caller]
fn see(workspace: &Path) -> String {
    let look = "find . -mindepth 1 ! -type d -printf '%M %u:%g %P %l\n' | sed 's/ $//' | sort -k3";
    let table = json!({ "network": "none", "workspace": workspace });
    check(vec![step("look", &[look])], table).replace(&format!("$ {look}"), "$ LOOK")
}

/// Runs one step for a book in `root` that is built into a folder of it.
fn rehearse(
    root: &Path,
    build_folder: &str,
    config: &Config,
    step: PlannedStep,
) -> Result<Transcript> {
    let surroundings = Surroundings {
        root,
        build_folder: &root.join(build_folder),
    };
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let plan = plan(vec![step]);
    runtime().block_on(sandbox::rehearse(
        &plan,
        config,
        surroundings,
        &|_| {},
        stop,
    ))
}

/// Why a workspace is refused.
#[track_caller]
fn refuse(workspace: &TempDir, inner: &str) -> String {
    let config = Config {
        workspace: Some(workspace.path().join(inner)),
        ..Config::default()
    };
    let res = rehearse(workspace.path(), "book", &config, step("never", &["true"]));
    let real = workspace.path().canonicalize().unwrap();
    format!("{:#}", res.unwrap_err()).replace(&*real.to_string_lossy(), "FOLDER")
}

#[test]
fn what_git_tracks_goes_along_as_it_is_on_the_disk() {
    let repository = folder(&[
        "app/run.sh",
        "app/app.py",
        "app/.dockerignore",
        "app/a name\twith more",
        "app/deleted",
        "app/moved/file",
        "other/file",
    ]);
    let app = repository.path().join("app");
    fs::set_permissions(app.join("run.sh"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("app.py", app.join("latest")).unwrap();
    git(&repository, &["init", "-q"]);
    git(&repository, &["add", "."]);
    let submodule = format!("160000,{:040},app/submodule", 1);
    git(
        &repository,
        &["update-index", "--add", "--cacheinfo", &submodule],
    );
    fs::write(app.join("untracked"), "").unwrap();
    fs::write(app.join("app.py"), "edited").unwrap();
    fs::remove_file(app.join("deleted")).unwrap();
    fs::remove_dir_all(app.join("moved")).unwrap();
    symlink("../other", app.join("moved")).unwrap();
    fs::create_dir(app.join("submodule")).unwrap();
    assert_snapshot!(see(&app), @"
    -- look
    $ LOOK
    -rw-r--r-- learner:learner .dockerignore
    -rw-r--r-- learner:learner a name	with more
    -rw-r--r-- learner:learner app.py
    lrwxrwxrwx learner:learner latest app.py
    -rwxr-xr-x learner:learner run.sh
    ");
    let table = json!({ "network": "none", "workspace": app });
    let steps = vec![step(
        "use",
        &[
            "cat latest",
            "echo >>app.py",
            "mkdir new",
            "git status 2>&1 | head -1",
        ],
    )];
    assert_snapshot!(check(steps, table), @"
    -- use
    $ cat latest
    edited
    $ echo >>app.py
    $ mkdir new
    $ git status 2>&1 | head -1
    fatal: not a git repository (or any of the parent directories): .git
    ");
    assert_eq!(fs::read_to_string(app.join("app.py")).unwrap(), "edited");
}

#[test]
fn without_git_all_goes_along_that_is_neither_hidden_nor_made() {
    let folder = folder(&[
        "Dockerfile",
        "src/main.rs",
        "src/target",
        ".env",
        ".cache/file",
        "target/file",
        "app/node_modules/file",
        "app/index.js",
    ]);
    assert_snapshot!(see(folder.path()), @"
    -- look
    $ LOOK
    -rw-r--r-- learner:learner Dockerfile
    -rw-r--r-- learner:learner app/index.js
    -rw-r--r-- learner:learner src/main.rs
    -rw-r--r-- learner:learner src/target
    ");
}

#[test]
fn the_built_book_does_not_go_along() {
    let book = folder(&["src/one.md", "public/index.html"]);
    let config = Config {
        workspace: Some(PathBuf::from(".")),
        network: mdbook_rehearse::config::Network::None,
        ..Config::default()
    };
    let look = step("look", &["find . -type f"]);
    let res = rehearse(book.path(), "public", &config, look);
    assert_snapshot!(crate::show(&res.unwrap()), @"
    -- look
    $ find . -type f
    ./src/one.md
    ");
}

#[test]
fn all_that_cannot_go_along_is_named_at_once() {
    let folder = folder(&["file", "sub/file"]);
    for (link, target) in [
        ("sub/fine", "../file"),
        ("dangling", "missing"),
        ("absolute", "/etc/hostname"),
        ("sub/up", "../../x"),
        ("top", "."),
        ("through", "top/.."),
    ] {
        symlink(target, folder.path().join(link)).unwrap();
    }
    let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status()
        .unwrap();
    assert_snapshot!(refuse(&folder, ""), @"
    the workspace `FOLDER` has what cannot go into a sandbox; remove it, or name another folder:
      `absolute` is a link that leads out of it, to `/etc/hostname`
      `pipe` is neither a file nor a link
      `socket` is neither a file nor a link
      `sub/up` is a link that leads out of it, to `../../x`
      `through` is a link that leads out of it, to `top/..`
    ");
}

#[test]
fn a_folder_without_files_of_use_is_told() {
    let repository = folder(&["file", "sub/ignored"]);
    git(&repository, &["init", "-q"]);
    git(&repository, &["add", "file"]);
    assert_snapshot!(refuse(&repository, "sub"), @"git tracks no file in `FOLDER/sub`, which is the workspace; `git add` them, or name another folder");
    assert_snapshot!(refuse(&repository, "file"), @"`workspace` is `FOLDER/file`, which is no folder");
    assert_snapshot!(refuse(&repository, "missing"), @"`workspace` is `FOLDER/missing`, which cannot be read: No such file or directory (os error 2)");
}

#[test]
fn too_much_is_told_with_what_is_the_most_of_it() {
    let big = folder(&["small"]);
    let sizes = [("dump.sql", 40 << 20), ("data.bin", 25 << 20)];
    for (name, size) in sizes {
        fs::File::create(big.path().join(name))
            .unwrap()
            .set_len(size)
            .unwrap();
    }
    assert_snapshot!(refuse(&big, ""), @"the workspace `FOLDER` has 66 MiB, and 64 is the most; the biggest file is `dump.sql` with 40 MiB; name a smaller folder");
    let many = folder(&["top", "many/0"]);
    for n in 1..20_000 {
        fs::hard_link(
            many.path().join("many/0"),
            many.path().join(format!("many/{n}")),
        )
        .unwrap();
    }
    assert_snapshot!(refuse(&many, ""), @"the workspace `FOLDER` has more than 20000 files, 20000 of them in `many`; name a smaller folder");
}

#[test]
fn the_shell_starts_where_the_chapter_lies() {
    let check = |chapter: &str, workspace: &str| {
        let root = Path::new("/course/book");
        let folder = start_folder(
            root,
            Path::new("src"),
            Path::new(chapter),
            Path::new(workspace),
        );
        folder.display().to_string()
    };
    assert_eq!(check("one.md", ".."), "book/src");
    assert_eq!(check("labs/two.md", ".."), "book/src/labs");
    assert_eq!(check("labs/two.md", "src/labs"), "");
    assert_eq!(check("labs/two.md", "./src"), "labs");
    assert_eq!(check("../labs/two.md", ".."), "book/labs");
    assert_eq!(check("two.md", "../app"), "");
    assert_eq!(check("two.md", "sr"), "");
}
