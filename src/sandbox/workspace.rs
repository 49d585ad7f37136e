//! The workspace: which files of the author's go into a sandbox, and in which of their folders its shell starts. How they
//! cross into the sandbox is `container`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::problem::{Class, Fault};

/// Bytes of all files together.
const MOST_BYTES: u64 = 64 << 20;

/// Number of files.
const MOST_FILES: usize = 20_000;

/// Folders of what is made from other files, where no git tells.
const MADE: [&str; 2] = ["node_modules", "target"];

/// The folder of the copy that corresponds to the chapter's own; empty, which is the top, if the chapter does not lie in
/// the workspace. `root` is absolute; `src` and `workspace` start from it, `chapter` from `src`.
pub fn start_folder(root: &Path, src: &Path, chapter: &Path, workspace: &Path) -> PathBuf {
    let top = without_dots(&root.join(workspace));
    let chapter = without_dots(&root.join(src).join(chapter));
    let folder = chapter.parent().unwrap_or(&chapter);
    folder
        .strip_prefix(&top)
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// A path without `.` and `..`, as far as its text tells; `..` above the root of all is the root.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            it => plain.push(it),
        }
    }
    plain
}

/// Something that goes along.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// From the workspace's folder.
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    File { size: u64, mode: u32 },
    Link { target: PathBuf },
}

/// Packs a workspace as a tar stream: what git tracks there, in the state that it has on the disk. Outside of git it is all
/// that is not hidden, without what is made from other files, such as the book at `build_folder`.
pub(crate) fn pack(folder: &Path, build_folder: &Path) -> Result<Vec<u8>> {
    let shown = folder.display();
    let folder = match folder.canonicalize() {
        Ok(it) if it.is_dir() => it,
        Ok(_) => {
            return Err(fault(format!(
                "`workspace` is `{shown}`, which is no folder"
            )));
        }
        Err(error) => {
            let message = format!("`workspace` is `{shown}`, which cannot be read: {error}");
            return Err(fault(message));
        }
    };
    let paths = match folder.ancestors().any(|it| it.join(".git").exists()) {
        true => tracked(&folder)?,
        false => visible(&folder, build_folder)?,
    };
    let entries = look_at(&folder, paths)?;
    check_size(&folder, &entries)?;
    archive(&folder, &entries)
}

/// Paths of what may go along, without asking git, since a build of what is recorded starts no process. None if the folder
/// cannot be listed: what is wrong with it is told when it is packed.
pub fn paths(folder: &Path, build_folder: &Path) -> BTreeSet<String> {
    let paths = folder
        .canonicalize()
        .map_err(anyhow::Error::from)
        .and_then(|it| visible(&it, build_folder))
        .unwrap_or_default();
    let text = |it: &PathBuf| it.to_string_lossy().into_owned();
    paths.iter().map(text).collect()
}

fn fault(message: String) -> anyhow::Error {
    Fault::new(Class::Usage, message).into()
}

/// What git tracks below a folder, submodules aside.
fn tracked(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let output = Command::new("git")
        // The settings of a repository can name a program for git to start.
        .args(["-c", "core.fsmonitor=false", "-C"])
        .arg(folder)
        .args(["ls-files", "-z", "--stage"])
        // A hook of git's names its own repository.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .context("failed to start `git`, which knows the files of the workspace; install it")?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`git ls-files` failed in `{}`, which is the workspace: {}",
            folder.display(),
            why.trim()
        );
    }
    let mut paths = BTreeSet::new();
    for record in output.stdout.split(|it| *it == 0) {
        let Some(tab) = record.iter().position(|it| *it == b'\t') else {
            continue;
        };
        let (facts, path) = (&record[..tab], &record[tab + 1..]);
        if !facts.starts_with(b"160000 ") {
            paths.insert(PathBuf::from(OsStr::from_bytes(path)));
        }
    }
    match paths.is_empty() {
        true => Err(fault(format!(
            "git tracks no file in `{}`, which is the workspace; `git add` them, or name another folder",
            folder.display()
        ))),
        false => Ok(paths),
    }
}

/// All files and links below a folder that are not hidden and not made from others.
fn visible(folder: &Path, build_folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let build_folder = build_folder.canonicalize().ok();
    let mut folders = vec![folder.to_owned()];
    let mut paths = BTreeSet::new();
    while let Some(inner) = folders.pop() {
        let entries = fs::read_dir(&inner)
            .and_then(|it| it.collect::<Result<Vec<_>, _>>())
            .with_context(|| format!("failed to list `{}`", inner.display()))?;
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry
                .file_type()
                .with_context(|| format!("failed to look at `{}`", path.display()))?;
            let is_made =
                || MADE.iter().any(|it| name == *it) || Some(&path) == build_folder.as_ref();
            if name.as_bytes().starts_with(b".") || kind.is_dir() && is_made() {
                continue;
            }
            match kind.is_dir() {
                true => folders.push(path),
                false => {
                    let path = path.strip_prefix(folder).unwrap_or(&path);
                    paths.insert(path.to_owned());
                }
            }
        }
        // A folder named by mistake can be the whole disk.
        if paths.len() > MOST_FILES {
            return Err(too_many(folder, &paths));
        }
    }
    Ok(paths)
}

/// Finds out what there is under these names; all that cannot go along is refused at once.
fn look_at(folder: &Path, paths: BTreeSet<PathBuf>) -> Result<Vec<Entry>> {
    if paths.len() > MOST_FILES {
        return Err(too_many(folder, &paths));
    }
    let mut entries = Vec::new();
    let mut refused = Vec::new();
    let mut real_folders = BTreeMap::new();
    for path in paths {
        let full = folder.join(&path);
        let metadata = match full.symlink_metadata() {
            Ok(it) => it,
            // Tracked, and deleted since.
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) =>
            {
                continue;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("failed to look at `{}`", full.display()));
            }
        };
        // Tracked in a folder that a link has taken the place of, which git counts as deleted too.
        let parent = path.parent().unwrap_or(Path::new(""));
        let is_real = real_folders
            .entry(parent.to_owned())
            .or_insert_with(|| !parent.ancestors().any(|it| folder.join(it).is_symlink()));
        let kind = metadata.file_type();
        if !*is_real || kind.is_dir() {
            continue;
        }
        let kind = if kind.is_file() {
            let mode = match metadata.permissions().mode() & 0o100 {
                0 => 0o644,
                _ => 0o755,
            };
            Kind::File {
                size: metadata.len(),
                mode,
            }
        } else if kind.is_symlink() {
            let target = full
                .read_link()
                .with_context(|| format!("failed to read the link `{}`", full.display()))?;
            if leads_out(folder, parent, &full, &target) {
                let (path, target) = (path.display(), target.display());
                refused.push(format!(
                    "`{path}` is a link that leads out of it, to `{target}`"
                ));
                continue;
            }
            Kind::Link { target }
        } else {
            refused.push(format!("`{}` is neither a file nor a link", path.display()));
            continue;
        };
        entries.push(Entry { path, kind });
    }
    match refused.is_empty() {
        true => Ok(entries),
        false => Err(fault(format!(
            "the workspace `{}` has what cannot go into a sandbox; remove it, or name another folder:\n  {}",
            folder.display(),
            refused.join("\n  ")
        ))),
    }
}

/// Whether a link leads out of the workspace: by its text, or on the disk, where other links may be on its way.
fn leads_out(folder: &Path, parent: &Path, link: &Path, target: &Path) -> bool {
    if target.is_absolute() {
        return true;
    }
    let mut depth = parent.components().count();
    for component in target.components() {
        match component {
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            _ => depth += 1,
        }
    }
    link.canonicalize().is_ok_and(|it| !it.starts_with(folder))
}

fn too_many(folder: &Path, paths: &BTreeSet<PathBuf>) -> anyhow::Error {
    let mut counts: BTreeMap<&OsStr, usize> = BTreeMap::new();
    for path in paths.iter().filter(|it| it.components().count() > 1) {
        *counts
            .entry(path.iter().next().unwrap_or_default())
            .or_default() += 1;
    }
    let most = match counts.iter().max_by_key(|it| *it.1) {
        Some((name, n)) => format!("{n} of them in `{}`; ", Path::new(name).display()),
        None => String::new(),
    };
    fault(format!(
        "the workspace `{}` has more than {MOST_FILES} files, {most}name a smaller folder",
        folder.display()
    ))
}

fn check_size(folder: &Path, entries: &[Entry]) -> Result<()> {
    let sizes = entries.iter().filter_map(|it| match it.kind {
        Kind::File { size, .. } => Some((size, &it.path)),
        Kind::Link { .. } => None,
    });
    let total: u64 = sizes.clone().map(|it| it.0).sum();
    match sizes.max() {
        Some((size, path)) if total > MOST_BYTES => Err(fault(format!(
            "the workspace `{}` has {} MiB, and {} is the most; the biggest file is `{}` with {} MiB; name a smaller folder",
            folder.display(),
            total.div_ceil(1 << 20),
            MOST_BYTES >> 20,
            path.display(),
            size.div_ceil(1 << 20)
        ))),
        _ => Ok(()),
    }
}

fn archive(folder: &Path, entries: &[Entry]) -> Result<Vec<u8>> {
    // As after a clone: everything is of this moment.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut archive = tar::Builder::new(Vec::new());
    for Entry { path, kind } in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(now);
        let res = match kind {
            Kind::File { mode, .. } => fs::read(folder.join(path)).and_then(|bytes| {
                // A file may have grown since it was looked at.
                header.set_size(bytes.len() as u64);
                header.set_mode(*mode);
                archive.append_data(&mut header, path, bytes.as_slice())
            }),
            Kind::Link { target } => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                header.set_mode(0o777);
                archive.append_link(&mut header, path, target)
            }
        };
        res.with_context(|| format!("failed to pack `{}`", folder.join(path).display()))?;
    }
    archive.into_inner().context("failed to pack the workspace")
}
