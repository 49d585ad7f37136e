//! What a comment of ours says: `<!-- rehearse: expect "REPOSITORY" -->`.

use regex::Regex;

use super::words::{is_word, known};
use super::{NEEDS, Pattern, TableKind};
use crate::nearest::advice;

/// What comments may begin with that are not words of a fence.
const VERBS: [&str; 12] = [
    "run", "expect", "capture", "value", "images", "layers", "status", "requires", "needs", "step",
    "before", "after",
];

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Directive {
    /// Words for the fence that follows.
    Words(String),
    /// A step that the prose asks for.
    Run(String),
    /// What the reader will see.
    Expect(Pattern),
    /// A value from what the step above printed.
    Capture { name: String, regex: String },
    /// A value that the author knows.
    Value { name: String, value: String },
    /// A table of images at this place.
    Table(TableKind, Vec<String>),
    /// The table of the whole course at this place.
    Status,
    /// Another chapter that comes first.
    Requires(String),
    /// Something that the user has to grant.
    Needs(String),
    /// In the author's copy: where the steps that follow go, if not to the end of their section.
    Goes { side: Side, selector: Selector },
    /// In the author's copy: something said of a step of the chapter itself.
    Step {
        selector: Selector,
        what: Box<Directive>,
    },
}

/// On which side of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Which step of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    /// By number, from 1; the first and the last one.
    Numbers(usize, usize),
    /// By a part of its text.
    Text(String),
}

/// Reads the text after `rehearse:`.
pub(super) fn parse(text: &str) -> Result<Directive, String> {
    // A comment of several lines may stand in a list item or a quote.
    let lines = text
        .lines()
        .map(|it| it.trim_start_matches([' ', '\t', '>']));
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = text.trim();
    let (verb, rest) = match text.find(char::is_whitespace) {
        Some(it) => (&text[..it], text[it..].trim()),
        None => (text, ""),
    };
    match verb {
        "run" if !rest.is_empty() => Ok(Directive::Run(rest.to_string())),
        "run" => Err("`run` needs a command; write it like `run docker images`".to_string()),
        "expect" => Ok(Directive::Expect(pattern("expect", rest)?)),
        "capture" => capture(rest),
        "value" => value(rest),
        "images" | "layers" => {
            let kind = match verb {
                "images" => TableKind::Images,
                _ => TableKind::Layers,
            };
            let references: Vec<String> = rest.split_whitespace().map(str::to_string).collect();
            match references.is_empty() {
                true => Err(format!(
                    "`{verb}` needs references; write it like `{verb} alpine nginx:alpine`"
                )),
                false => Ok(Directive::Table(kind, references)),
            }
        }
        "status" if rest.is_empty() => Ok(Directive::Status),
        "status" => Err("`status` stands alone; write `<!-- rehearse: status -->`".to_string()),
        "requires" if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(Directive::Requires(rest.to_string()))
        }
        "requires" => Err(
            "`requires` needs one chapter; write it like `requires 02-building-images`".to_string(),
        ),
        "needs" if NEEDS.contains(&rest) => Ok(Directive::Needs(rest.to_string())),
        "needs" => Err(format!("`needs` is `{rest}`; {}", advice(rest, &NEEDS))),
        "step" => step(rest),
        "before" => goes(Side::Before, verb, rest),
        "after" => goes(Side::After, verb, rest),
        _ if is_word(text) => Ok(Directive::Words(text.to_string())),
        "" => Err(
            "the comment says nothing; write for example `<!-- rehearse: skip=\"why\" -->`"
                .to_string(),
        ),
        _ => {
            let name = verb.split('=').next().unwrap_or(verb);
            let all: Vec<&str> = VERBS.iter().chain(known()).copied().collect();
            Err(format!(
                "unknown comment `{name}`, possibly a typo; {}",
                advice(name, &all)
            ))
        }
    }
}

/// `"text"` or `/regex/`.
fn pattern(verb: &str, text: &str) -> Result<Pattern, String> {
    let inside = |mark: char| {
        let rest = text.strip_prefix(mark)?.strip_suffix(mark)?;
        (!rest.is_empty()).then(|| rest.to_string())
    };
    if let Some(it) = inside('"') {
        return Ok(Pattern::Text(it));
    }
    match inside('/') {
        Some(it) => {
            regex(verb, &it)?;
            Ok(Pattern::Regex(it))
        }
        None => Err(format!(
            "`{verb}` needs a text or a regular expression; write `{verb} \"REPOSITORY\"` or `{verb} /sha256:[0-9a-f]{{64}}/`"
        )),
    }
}

fn regex(verb: &str, text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        let why = last.trim_start_matches("error: ");
        format!("the regular expression after `{verb}` is wrong: {why}")
    })
}

fn capture(rest: &str) -> Result<Directive, String> {
    let example = "write it like `capture id /^([0-9a-f]{64})$/`";
    let Some((name, pattern_text)) = split_name(rest, char::is_whitespace) else {
        return Err(format!(
            "`capture` needs a name and a regular expression; {example}"
        ));
    };
    match pattern("capture", pattern_text.trim())? {
        Pattern::Regex(it) => match regex("capture", &it)?.captures_len() {
            2 => Ok(Directive::Capture {
                name: name.to_string(),
                regex: it,
            }),
            n => Err(format!(
                "the regular expression after `capture` has {} groups; put parentheses around what is captured, \
                 once",
                n - 1
            )),
        },
        Pattern::Text(_) => Err(format!("`capture` needs a regular expression; {example}")),
    }
}

/// `name=text` or `name="a text"`; the name as in the chapter's placeholder, with its brackets or without.
fn value(rest: &str) -> Result<Directive, String> {
    let wrong =
        || "`value` needs a name and a value; write it like `value user-name=learner`".to_string();
    let (name, value) = split_name(rest, |it| it == '=').ok_or_else(wrong)?;
    let value = value.trim();
    let value = match value.strip_prefix('"') {
        Some(it) => it.strip_suffix('"').ok_or_else(|| {
            format!("the quote after `value {name}=` is never closed; write `value {name}=\"…\"`")
        })?,
        None => value,
    };
    match name.is_empty() {
        true => Err(wrong()),
        false => Ok(Directive::Value {
            name: name.to_string(),
            value: value.to_string(),
        }),
    }
}

/// A placeholder's name, without its brackets or quotes, and what follows it after this separator.
fn split_name(text: &str, is_separator: fn(char) -> bool) -> Option<(&str, &str)> {
    let brackets = [('<', '>'), ('[', ']'), ('{', '}'), ('"', '"')];
    for (opening, closing) in brackets {
        let inside = text
            .strip_prefix(opening)
            .and_then(|it| it.split_once(closing));
        if let Some((name, rest)) = inside {
            let rest = rest.strip_prefix(is_separator)?;
            return Some((name, rest));
        }
    }
    let (name, rest) = text.split_once(is_separator)?;
    Some((name.trim(), rest))
}

fn goes(side: Side, verb: &str, rest: &str) -> Result<Directive, String> {
    let wrong = || {
        format!(
            "`{verb}` needs a step's number or a part of its text, and nothing else; write it like `{verb} 1` or \
             `{verb} \"docker login\"`"
        )
    };
    let selector = match rest.strip_prefix('"') {
        Some(rest) => {
            let text = rest.strip_suffix('"').filter(|it| !it.is_empty());
            Selector::Text(text.ok_or_else(wrong)?.to_string())
        }
        None => numbers(rest)
            .filter(|_| !rest.contains('-'))
            .ok_or_else(wrong)?,
    };
    Ok(Directive::Goes { side, selector })
}

/// `2` or `2-4`.
fn numbers(text: &str) -> Option<Selector> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    (1..=last)
        .contains(&first)
        .then_some(Selector::Numbers(first, last))
}

fn step(rest: &str) -> Result<Directive, String> {
    let wrong = || {
        "`step` needs a number or a part of the step's text, and what is said of it; write it like \
         `step 1 skip=\"why\"`, `step 2-4 in=box` or `step \"docker login\" tty`"
            .to_string()
    };
    let (selector, what) = match rest.strip_prefix('"') {
        Some(rest) => {
            let (text, what) = rest.split_once('"').ok_or_else(wrong)?;
            (Selector::Text(text.to_string()), what)
        }
        None => {
            let (numbers, what) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
            (self::numbers(numbers).ok_or_else(wrong)?, what)
        }
    };
    match parse(what)? {
        what @ (Directive::Words(_) | Directive::Expect(_) | Directive::Capture { .. }) => {
            Ok(Directive::Step {
                selector,
                what: Box::new(what),
            })
        }
        _ => Err(wrong()),
    }
}
