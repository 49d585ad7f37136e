//! The info string of a fence: the author's words after the language, and where they stand.

use std::ops::Range;

use super::{Failure, Role, Visibility, Words};
use crate::config;
use crate::nearest::advice;

/// Words that fences may have, with what follows them.
const WORDS: [&str; 8] = [
    "skip", "fails", "hide", "setup", "cleanup", "timeout", "id", "ignore",
];

/// Words of mdBook's and rustdoc's, which stay on the page.
const HOST_WORDS: [&str; 9] = [
    "editable",
    "noplayground",
    "noplaypen",
    "mdbook-runnable",
    "should_panic",
    "no_run",
    "compile_fail",
    "hidelines",
    "icon",
];

/// One word of an info string.
struct Word<'a> {
    /// Bytes of the word with the separators before it.
    span: Range<usize>,
    text: &'a str,
}

/// Splits an info string on space, tab and comma, outside quotes and braces.
fn split_info(info: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = 0;
    loop {
        let rest = &info[start..];
        let text = rest.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return words;
        }
        let mut in_quotes = false;
        let mut n_braces = 0_usize;
        let len = text.find(|it| {
            match it {
                '"' => in_quotes = !in_quotes,
                '{' if !in_quotes => n_braces += 1,
                '}' if !in_quotes => n_braces = n_braces.saturating_sub(1),
                ' ' | '\t' | ',' => return !in_quotes && n_braces == 0,
                _ => {}
            }
            false
        });
        let text = &text[..len.unwrap_or(text.len())];
        let end =
            start + (rest.len() - rest.trim_start_matches([' ', '\t', ',']).len()) + text.len();
        words.push(Word {
            span: start..end,
            text,
        });
        start = end;
    }
}

pub(super) fn has_ignore(info: &str) -> bool {
    split_info(info)
        .iter()
        .skip(1)
        .any(|it| it.text == "ignore")
}

/// What an info string says.
#[derive(Default)]
pub(super) struct Info {
    pub(super) words: Words,
    pub(super) id: Option<String>,
    /// Bytes of our words in the chapter.
    pub(super) spans: Vec<Range<usize>>,
    /// What is wrong with it.
    pub(super) faults: Vec<String>,
}

/// Reads the info string that stands at these bytes of a chapter.
pub(super) fn parse_info(markdown: &str, at: &Range<usize>) -> Info {
    let mut info = Info::default();
    let mut seen: Vec<&str> = Vec::new();
    for word in split_info(&markdown[at.clone()]).iter().skip(1) {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.text, None),
        };
        let is_host = word.text.starts_with('{')
            || HOST_WORDS.contains(&name)
            || name.starts_with("edition20");
        if is_host {
            continue;
        }
        if seen.contains(&name) {
            let fault = format!("word `{name}` stands twice; remove one");
            info.faults.push(fault);
        }
        seen.push(name);
        if let Err(it) = take_word(name, value, &mut info) {
            info.faults.push(it);
        }
        let span = at.start + word.span.start..at.start + word.span.end;
        match info.spans.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => info.spans.push(span),
        }
    }
    if seen.contains(&"setup") && seen.contains(&"cleanup") {
        let fault = "a block cannot be both `setup` and `cleanup`; remove one".to_string();
        info.faults.push(fault);
    }
    info
}

fn take_word(name: &str, value: Option<&str>, info: &mut Info) -> Result<(), String> {
    let value = match value {
        Some(it) => Some(unquote(name, it)?),
        None => None,
    };
    let words = &mut info.words;
    match (name, value) {
        ("skip", it) => words.skip = Some(it.unwrap_or_default().to_string()),
        ("fails", None) => words.fails = Some(Failure::Any),
        ("fails", Some(it)) => {
            let status = it.parse().ok().filter(|it| (1..=255).contains(it));
            let status = status.ok_or_else(|| {
                format!("`fails` is `{it}`, which is no status; write 1 to 255, or `fails` alone")
            })?;
            words.fails = Some(Failure::Status(status));
        }
        ("hide", None) => words.visibility = Visibility::Hidden,
        ("setup", None) => {
            words.role = Role::Setup;
            words.visibility = Visibility::Hidden;
        }
        ("cleanup", None) => words.role = Role::Cleanup,
        ("hide" | "setup" | "cleanup", Some(_)) => {
            return Err(format!("word `{name}` has no value; write `{name}` alone"));
        }
        ("timeout", Some(it)) => {
            words.timeout = Some(config::duration(it).map_err(|it| format!("`timeout` {it}"))?);
        }
        ("timeout", None) => {
            return Err("word `timeout` needs a time; write it like `timeout=90s`".to_string());
        }
        ("id", Some(it)) if is_id(it) => info.id = Some(it.to_string()),
        ("id", _) => {
            return Err(
                "word `id` needs a name of a-z, 0-9 and `-`; write it like `id=first-pull`"
                    .to_string(),
            );
        }
        _ => return Err(format!("unknown word `{name}`; {}", advice(name, &WORDS))),
    }
    Ok(())
}

fn unquote<'a>(name: &str, value: &'a str) -> Result<&'a str, String> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    };
    inner
        .filter(|it| !it.contains('"'))
        .ok_or_else(|| format!("the quote after `{name}=` is never closed; write `{name}=\"…\"`"))
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}
