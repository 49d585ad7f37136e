//! What a browser makes of our pages: what readers see, type, copy, hear and print. Nothing runs: snapshots are made by hand.
//!
//! Needs mdBook and Chromium; `make tools` provides them.

#[path = "browser/page.rs"]
mod page;
#[path = "scratch/book.rs"]
mod scratch;

#[path = "browser/book.rs"]
mod book;

#[path = "browser/hostile.rs"]
mod hostile;
#[path = "browser/keyboard.rs"]
mod keyboard;
#[path = "browser/layout.rs"]
mod layout;
#[path = "browser/looks.rs"]
mod looks;
#[path = "browser/spoken.rs"]
mod spoken;
#[path = "browser/without.rs"]
mod without;
