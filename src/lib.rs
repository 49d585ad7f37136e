//! Rehearses every command of a course before its students do.
//!
//! A chapter goes in as text and comes out as text; between the two its commands may run in a Docker engine of their own.
//! This page is the map of the house. The guide in `book/` is for those who use the tool.
//!
//! # The stages
//!
//! ```text
//!               (pure: text and values in, values out)                               (edges: disk, engine, terminal)
//!  chapter text ─parse─▶ Exercise{Step{Command}} ─plan─▶ Plan ─────────────▶ sandbox::rehearse ──▶ Transcript
//!                              │                                                                        │
//!                              │      recorded Snapshot ◀─read─ store ◀─write─ merge ◀──────────────────┤
//!                              │              │                                                         │
//!                              │              └───────compare (both sides normalized)───────────────────┘
//!                              │                        │
//!                              └────────render ◀── Standing       Comparison ─▶ Record ─▶ report ─▶ terminal, CI
//!                                         └─▶ chapter text with outputs, tables and pictures
//! ```
//!
//! # Words
//!
//! *exercise*: a chapter with steps. *step*: a fenced block. *command*: one complete shell command of a step. *plan*: every
//! decision made before running. *transcript*: what the sandbox saw. *snapshot*: what is committed. *recorded* and *fresh*:
//! of the snapshot and of this run. *drift*: they differ. *standing*: how a step stands to its snapshot before a run.
//! *verdict*: what became of it in a run.
//!
//! # Who answers for what
//!
//! | module | answers for |
//! |---|---|
//! | [`problem`] | what is wrong, where, and which exit status that is |
//! | [`character`] | which characters nobody sees |
//! | [`config`] | the `[preprocessor.rehearse]` table |
//! | [`placeholder`], [`bash`], [`interactive`] | what a command's text says: values to supply, complete commands, what they do with a terminal |
//! | [`console`] | what a block is: which lines are typed, where, and which are the author's sample of output |
//! | [`exercise`] | Markdown → exercise: spans, words, comments, files, the author's copy |
//! | [`mod@plan`] | run or skip and why, order, limits, and how each command is run |
//! | [`transcript`] | the plain record of a run |
//! | [`claim`] | what a text says of an output: whether it holds, and values from it |
//! | [`images`] | references, digests, layers: the ledger |
//! | [`snapshot`] | the committed form; printing and parsing round-trip exactly |
//! | [`normalize`] | the ordered, named list of rules for volatile text |
//! | [`mod@compare`] | recorded against fresh, and what of both a new snapshot says |
//! | [`mod@coverage`] | how much of a chapter is rehearsed |
//! | [`digests`] | what is recorded against what registries have now: whom to ask, and what the answers come to |
//! | [`run`] | the loop over a book's exercises; how a plan is run is its caller's |
//! | [`mod@status`] | how a course's exercises stand, as data |
//! | [`mod@render`] | what a chapter looks like with its outputs |
//! | [`sandbox`] **edge** | engine image, container, wire, registries, teardown; the only one that starts processes |
//! | [`upstream`] **edge** | the network: asks the real registries for digests, and only by HEAD |
//! | [`store`] **edge** | the disk: snapshots, written whole or not at all |
//! | [`schedule`] | how many exercises at once, in which order, and on which machine |
//! | [`lint`] | what an author should look at |
//! | [`strict`] | what a strict check objects to and another one lets pass |
//! | [`mod@record`] | what a check found, as data; how the records of shards are joined |
//! | [`mod@listing`] | what `list` tells of a book, as data |
//! | [`report`] | what the terminal says, and reports for programs |
//! | [`session`] | one use of the tool: what it may do, whom it tells, when it has to stop |
//! | [`preprocess`] | book in, book out |
//! | [`mod@install`] | what becomes of a `book.toml` |
//! | [`progress`] **edge** | bars and lines on standard error |
//!
//! The binary's `main.rs` is arguments, signals, printing and exit status.
//!
//! # Invariants
//!
//! - A module imports only modules above it in this file.
//! - A pure stage touches no disk, process, clock, environment or terminal.
//! - Standard output of the preprocessor is one JSON value and nothing else.
//! - Markdown is edited by source span, never written anew; a chapter without an exercise leaves byte for byte as it came.
//! - A span never outlives the text that it was cut from: snapshots hold commands and outputs, no offsets.
//! - What is shown is what was seen; what is compared is normalized on both sides. Where a fresh output equals the recorded
//!   one after normalizing, the recorded bytes stay.
//! - Normalizing keeps identity: one container has one label all through an exercise, in its long and its short form.
//! - A snapshot holds no host name, path, user name or secret, and of the clock only the day.
//! - One engine belongs to one exercise, and is thrown away with it.
//! - What a run prints, every image and every snapshot is untrusted. It reaches a page only through `render::escape`, the
//!   terminal and a CI job's log only through [`report::visible`], and each format of [`report::formats`] through one door there.
//! - The tool itself asks a registry only for `digests`, as anybody may, and by HEAD.
//! - With `CI` set nothing is written unless told to.
//!
//! # Where does it go?
//!
//! A new word on a fence or comment: [`exercise`]. A new look of prompts or outputs in courses: [`console`]. A command that
//! does something else with its terminal: [`interactive`]. A new volatile output: a rule and a case in [`normalize`]. Other
//! limits, order or skips: [`mod@plan`]. Waiting for an engine: [`sandbox`]. What a registry
//! says: [`upstream`]. Another look: [`mod@render`] or `theme/`. Wording of the terminal:
//! [`report`]. If two places seem right, the type that changes decides.

#![warn(clippy::disallowed_methods)]

pub mod problem;
pub mod character;
mod nearest;
mod regexes;
mod versioned;
pub mod config;
pub mod placeholder;
pub mod bash;
pub mod interactive;
pub mod console;
pub mod exercise;
pub mod plan;
pub mod transcript;
pub mod claim;
pub mod images;
pub mod snapshot;
pub mod normalize;
pub mod compare;
pub mod coverage;
pub mod digests;
pub mod run;
pub mod status;
pub mod render;
pub mod sandbox;
pub mod upstream;
pub mod store;
pub mod schedule;
pub mod lint;
pub mod strict;
pub mod record;
pub mod listing;
pub mod report;
pub mod session;
pub mod preprocess;
pub mod install;
pub mod progress;
