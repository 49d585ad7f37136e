//! Rehearses every command of a course before its students do.

#![warn(clippy::disallowed_methods)]

pub mod problem;
mod nearest;
pub mod config;
pub mod placeholder;
pub mod bash;
pub mod interactive;
pub mod exercise;
pub mod plan;
pub mod transcript;
pub mod images;
pub mod snapshot;
pub mod normalize;
pub mod compare;
pub mod render;
pub mod sandbox;
pub mod store;
pub mod run;
pub mod report;
pub mod session;
pub mod preprocess;
pub mod install;
pub mod progress;
