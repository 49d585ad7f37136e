//! Reports for programs: which formats there are. What a run printed goes through one escaping door in each.

use crate::record::Record;
use crate::report::{github, gitlab, json, junit};

/// A form of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The record itself.
    Json,
    /// A test for each step.
    Junit,
    /// Commands for the log of a GitHub Actions job, which become annotations.
    Github,
    /// What GitLab shows as code quality.
    Gitlab,
}

/// All formats, with their names.
pub const FORMATS: [(&str, Format); 4] = [
    ("json", Format::Json),
    ("junit", Format::Junit),
    ("github", Format::Github),
    ("gitlab", Format::Gitlab),
];

/// A check in this format.
pub fn written(record: &Record, format: Format) -> String {
    match format {
        Format::Json => json::print(record),
        Format::Junit => junit::junit(record),
        Format::Github => github::commands(record),
        Format::Gitlab => gitlab::code_quality(record),
    }
}
