//! Rehearses every command of a course before its students do.

#![warn(clippy::disallowed_methods)]
