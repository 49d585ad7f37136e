//! A book in a folder of its own, and what programs say there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The tool as cargo built it.
pub(crate) const REHEARSE: &str = env!("CARGO_BIN_EXE_mdbook-rehearse");

/// A book; its folder goes with it.
pub(crate) struct Scratch {
    folder: TempDir,
}

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scratch {
    /// Makes a book of these chapters, with `table` added to its `book.toml`.
    pub(crate) fn new(table: &str, chapters: &[(&str, &str)]) -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        let book = Scratch { folder };
        book.write(
            "book.toml",
            &format!("[book]\ntitle = \"Scratch\"\n{table}"),
        );
        let lines = chapters
            .iter()
            .map(|(path, _)| format!("- [Chapter]({path})\n"));
        book.write("src/SUMMARY.md", &lines.collect::<String>());
        for (path, text) in chapters {
            book.write(&format!("src/{path}"), text);
        }
        book
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A program that is to be run in the book's folder, as a person would and not a CI job.
    pub(crate) fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(self.folder.path());
        for name in ["CI", "MDBOOK_LOG", "RUST_LOG", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Said {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that refuses its arguments does not read.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    });
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
