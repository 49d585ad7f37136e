//! What a text says of an output: whether it holds, and which values the output gives to later commands.

use regex::Regex;

use crate::exercise::Pattern;
use crate::regexes::known;

/// An output as its text is read: without colours and other sequences, the last state of lines that were redrawn.
pub fn plain(output: &[u8]) -> String {
    static SEQUENCE: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| {
        known(r"\x1b(?:\[[0-9;:?]{0,60}[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[@-Z\\^_])")
    });
    let text = String::from_utf8_lossy(output);
    let text = SEQUENCE.replace_all(&text, "");
    let last_state = |line: &str| {
        let line = line.trim_end_matches('\r');
        line.rsplit('\r').next().unwrap_or(line).to_string()
    };
    let lines: Vec<String> = text.split('\n').map(last_state).collect();
    lines.join("\n")
}

/// Tells whether a text holds what it should. A regular expression matches line by line: `^` and `$` are ends of lines.
pub fn holds(pattern: &Pattern, text: &str) -> bool {
    match pattern {
        Pattern::Text(it) => text.contains(it.as_str()),
        Pattern::Regex(it) => of_lines(it).is_some_and(|it| it.is_match(text)),
    }
}

/// What the one group of a regular expression is in a text.
pub fn captured(regex: &str, text: &str) -> Option<String> {
    let found = of_lines(regex)?.captures(text)?;
    found.get(1).map(|it| it.as_str().to_string())
}

/// A pattern as its author wrote it: `"REPOSITORY"`, `/sha256:/`.
pub fn written(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Text(it) => format!("\"{it}\""),
        Pattern::Regex(it) => format!("/{it}/"),
    }
}

fn of_lines(regex: &str) -> Option<Regex> {
    Regex::new(&format!("(?m){regex}")).ok()
}
