//! The edge to the disk: snapshots beside `book.toml`, read, written whole or not at all, and locked against a second run.

#![expect(clippy::disallowed_methods, reason = "the edge to the disk")]

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::NamedTempFile;

use crate::digests::{self, Digests};
use crate::problem::{Class, Fault, Origin};
use crate::snapshot::{self, Snapshot};

/// Name of the folder of snapshots, beside `book.toml`.
pub const FOLDER: &str = "snapshots";

/// Name of the file of what registries have now, in that folder.
pub const DIGESTS: &str = "digests.json";

/// The snapshots of one book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store of the book at `root`, whose chapters lie in `source`.
    pub fn of_book(root: &Path, source: &Path) -> Result<Store> {
        let folder = inside(root, FOLDER);
        if root.join(FOLDER).starts_with(root.join(source)) {
            let message = format!(
                "`{}` would lie in the book's source folder and be published with it; set `src` in book.toml to a \
                 folder of its own",
                folder.display()
            );
            return Err(Fault::new(Class::Usage, message).into());
        }
        Ok(Store { folder })
    }

    /// Reads the snapshot of an exercise; `None` if there is none.
    pub fn read(&self, exercise: &str) -> Result<Option<Snapshot>> {
        let path = self.path(exercise);
        let Some(text) = self.read_text(&path, "mdbook-rehearse run")? else {
            return Ok(None);
        };
        snapshot::parse(&text).map(Some).map_err(|problems| {
            let lines: Vec<String> = problems
                .iter()
                .map(|it| format!("{}:{}: {}", path.display(), it.line, it.message))
                .collect();
            Fault::new(Class::Store, lines.join("\n")).into()
        })
    }

    /// Reads what registries had when they were last asked; `None` if nobody saved it.
    pub fn read_digests(&self) -> Result<Option<Digests>> {
        let path = self.folder.join(DIGESTS);
        let text = self.read_text(&path, "mdbook-rehearse digests --save")?;
        let parsed = text.map(|it| digests::parse(&it).map_err(|what| trouble(&path, &what)));
        parsed.transpose()
    }

    /// Reads a file that `remedy` makes anew.
    fn read_text(&self, path: &Path, remedy: &str) -> Result<Option<String>> {
        refuse_link(&self.folder)?;
        refuse_link(path)?;
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let what = format!("is no text; delete the file and run `{remedy}`");
                Err(trouble(path, &what))
            }
            Err(error) => Err(trouble(path, &format!("cannot be read: {error}"))),
        }
    }

    /// Writes a snapshot if its bytes differ from what is there; true if it wrote. The file is the former or the new one
    /// at every moment, also if the machine stops.
    pub fn write(&self, snapshot: &Snapshot) -> Result<bool> {
        self.write_text(&self.path(&snapshot.exercise), &snapshot::print(snapshot))
    }

    /// Writes what registries have now, as [`Store::write`] does.
    pub fn write_digests(&self, digests: &Digests) -> Result<bool> {
        self.write_text(&self.folder.join(DIGESTS), &digests::print(digests))
    }

    fn write_text(&self, path: &Path, text: &str) -> Result<bool> {
        refuse_link(&self.folder)?;
        refuse_link(path)?;
        if fs::read(path).is_ok_and(|it| it == text.as_bytes()) {
            return Ok(false);
        }
        let write = || -> Result<()> {
            fs::create_dir_all(&self.folder)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(".rehearse-");
            // As a plain `File::create` would have it; a temporary file is private otherwise.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let mut file = builder.tempfile_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|error| trouble(path, &format!("cannot be written: {error:#}")))?;
        Ok(true)
    }

    /// Names of snapshots that belong to none of these exercises, in order.
    pub fn orphans(&self, exercises: &[&str]) -> Result<Vec<String>> {
        let entries = match self.folder.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(trouble(&self.folder, &format!("cannot be listed: {error}"))),
        };
        let mut orphans = Vec::new();
        for entry in entries {
            let name = entry
                .with_context(|| format!("failed to list `{}`", self.folder.display()))?
                .file_name();
            let name = name.to_string_lossy();
            if let Some(exercise) = name
                .strip_suffix(".snap")
                .filter(|it| !exercises.contains(it))
            {
                orphans.push(exercise.to_owned());
            }
        }
        orphans.sort();
        Ok(orphans)
    }

    /// Waits until no other process of the tool writes here, for at most `patience`, and keeps others out until the value
    /// is dropped.
    pub fn lock(&self, patience: Duration) -> Result<Option<File>> {
        // The folder itself is locked, so that no lock file lies among what is committed.
        refuse_link(&self.folder)?;
        let folder = match File::open(&self.folder) {
            Ok(folder) => folder,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(trouble(&self.folder, &format!("cannot be opened: {error}"))),
        };
        let deadline = Instant::now() + patience;
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(Some(folder)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => {
                    let what = format!(
                        "is held by another process that writes there, for {} s now; end it and try again",
                        patience.as_secs()
                    );
                    return Err(trouble(&self.folder, &what));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(trouble(&self.folder, &format!("cannot be locked: {error}")));
                }
            }
        }
    }

    /// Where the snapshot of an exercise lies.
    pub fn path(&self, exercise: &str) -> PathBuf {
        self.folder.join(format!("{exercise}.snap"))
    }
}

/// Reads the author's copy of a chapter, `NAME.rehearse.md` beside `NAME.md`; `None` if there is none.
pub fn read_copy(source: &Path, chapter: &str) -> Result<Option<String>> {
    let path = source.join(Origin::Copy.path(chapter));
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", path.display());
            Err(Fault::new(Class::Input, message).into())
        }
    }
}

/// A file of the book at `root`, as a person would write its path.
pub fn inside(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    path.strip_prefix(".").unwrap_or(&path).to_owned()
}

/// Writes a file whole or not at all, with the permissions of the one that it replaces.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    Draft::new(path)?.publish(text)
}

/// A file that will be written whole or not at all, at a place that is known to take it. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: NamedTempFile,
}

impl Draft {
    /// Begins one, with the folders that it needs. A link stays, and what it leads to is written.
    pub fn new(path: &Path) -> Result<Draft> {
        let target = match path.is_symlink() {
            true => path.canonicalize().unwrap_or(path.to_owned()),
            false => path.to_owned(),
        };
        let begin = || -> Result<NamedTempFile> {
            let folder = target
                .parent()
                .filter(|it| !it.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            fs::create_dir_all(folder).context("its folder cannot be made")?;
            let file = tempfile::Builder::new()
                .prefix(".rehearse-")
                .tempfile_in(folder)?;
            match target.metadata() {
                // A device would be gone for good.
                Ok(metadata) if !metadata.is_file() => bail!("it is no plain file"),
                Ok(metadata) => file.as_file().set_permissions(metadata.permissions())?,
                Err(_) => {
                    #[cfg(unix)]
                    file.as_file()
                        .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
                }
            }
            Ok(file)
        };
        let file = begin().with_context(|| format!("failed to write `{}`", path.display()))?;
        Ok(Draft { path: target, file })
    }

    /// Puts the text there.
    pub fn publish(mut self, text: &str) -> Result<()> {
        let written = self.file.write_all(text.as_bytes());
        written
            .and_then(|()| Ok(self.file.persist(&self.path).map(|_| ())?))
            .with_context(|| format!("failed to write `{}`", self.path.display()))
    }
}

/// A committed link could point anywhere on the machine that builds the book.
fn refuse_link(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Err(trouble(
            path,
            "is a symbolic link; put the file or folder itself in its place",
        )),
        _ => Ok(()),
    }
}

fn trouble(path: &Path, what: &str) -> anyhow::Error {
    anyhow!(Fault::new(
        Class::Store,
        format!("snapshot `{}` {what}", path.display())
    ))
}
