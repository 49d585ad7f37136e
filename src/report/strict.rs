//! What the terminal says of that which only a strict check objects to.

use crate::report::{BAD, paint, push, visible};
use crate::strict::Objection;

/// A line for each objection.
pub fn objections(objections: &[Objection]) -> String {
    let mut text = String::new();
    for objection in objections {
        let file = visible(&objection.file);
        let place = match objection.line {
            Some(line) => format!("{file}:{line}"),
            None => file,
        };
        let strict = paint(BAD, "strict");
        let message = visible(&objection.message);
        push(&mut text, format_args!("{strict}: {place}: {message}\n"));
    }
    text
}
