//! What is recorded of a run: the ledger, the snapshot's file, volatile text, and what is compared and merged.

#[path = "recording/cause.rs"]
mod cause;
#[path = "recording/compare.rs"]
mod compare;
#[path = "recording/images.rs"]
mod images;
#[path = "recording/normalize.rs"]
mod normalize;
#[path = "recording/snapshot.rs"]
mod snapshot;
