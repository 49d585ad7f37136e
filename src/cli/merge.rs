//! `report merge`: the records of all shards of a check as those of one.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use mdbook_rehearse::problem::{Class, Fault};
use mdbook_rehearse::record;

use crate::cli::check::end;
use crate::cli::reports::{self, Reports};

pub(crate) fn merge(files: &[PathBuf], reports: Reports) -> Result<ExitCode> {
    let reports = reports::prepare(reports)?;
    let mut parts = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|it| format!("cannot be read: {it}"));
        match text.and_then(|it| record::parse(&it)) {
            Ok(part) => parts.push((name, part)),
            Err(problem) => problems.push(format!("`{name}` {problem}")),
        }
    }
    if problems.is_empty() {
        match record::join(parts) {
            Ok(whole) => return Ok(end(&whole, &whole.place.book, reports)),
            Err(found) => problems = found,
        }
    }
    bail!(Fault::new(Class::Usage, problems.join("\n")))
}
