//! The command line's commands that are more than a few lines, a file each, and what several of them are told.

pub(crate) mod check;
pub(crate) mod choice;
pub(crate) mod merge;
pub(crate) mod pace;
pub(crate) mod place;
pub(crate) mod reports;
pub(crate) mod run;
