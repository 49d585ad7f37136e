//! Where a book lies in its repository: the paths that CI systems know files by.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_rehearse::record::Place;
use mdbook_rehearse::session::Shelf;

/// Where a book lies from the root of its repository; outside of one, from the folder that the tool was started in; outside of
/// that, from its own.
pub(crate) fn place(shelf: &Shelf) -> Result<Place> {
    let absolute = |path: &Path| {
        let absolute = path.canonicalize();
        absolute.with_context(|| format!("failed to find `{}`", path.display()))
    };
    let (book, source) = (absolute(&shelf.root)?, absolute(&shelf.source)?);
    let here = std::env::current_dir().and_then(|it| it.canonicalize());
    let base = repository(&book)
        .or_else(|| here.ok().filter(|it| book.starts_with(it)))
        .unwrap_or_else(|| book.clone());
    Ok(Place {
        book: inside(&base, &book),
        source: inside(&base, &source),
    })
}

/// The folder that git would call the top of the work tree. Git itself is not asked: in a container it may be missing, or refuse
/// since somebody else owns the files.
fn repository(folder: &Path) -> Option<PathBuf> {
    let mut folders = folder.ancestors();
    folders
        .find(|it| it.join(".git").exists())
        .map(Path::to_owned)
}

fn inside(base: &Path, path: &Path) -> String {
    let rest = path.strip_prefix(base).unwrap_or(path);
    let names: Vec<_> = rest
        .components()
        .filter_map(|it| match it {
            Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        })
        .collect();
    match names.is_empty() {
        true => ".".to_owned(),
        false => names.join("/"),
    }
}
