//! The author's words, after the language of a fence or in a comment before it: what they are, and where they stand.

use std::ops::Range;
use std::time::Duration;

use super::{Failure, Ready, Role, Visibility, Words};
use crate::config;
use crate::nearest::advice;

/// Words that fences may have, with what follows them.
const WORDS: [&str; 19] = [
    "skip",
    "fails",
    "hide",
    "setup",
    "solution",
    "check",
    "cleanup",
    "timeout",
    "retry",
    "until",
    "for",
    "background",
    "stdin",
    "tty",
    "in",
    "opens",
    "id",
    "save-as",
    "ignore",
];

/// Words of mdBook's, rustdoc's and of other site makers, which stay on the page.
const HOST_WORDS: [&str; 18] = [
    "editable",
    "noplayground",
    "noplaypen",
    "mdbook-runnable",
    "should_panic",
    "no_run",
    "compile_fail",
    "hidelines",
    "icon",
    "hl_lines",
    "linenums",
    "linenostart",
    "showLineNumbers",
    "title",
    "filename",
    "copy",
    "no-run-button",
    "terminal-id",
];

/// One word of an info string.
pub(super) struct Word<'a> {
    /// Bytes of the word with the separators before it.
    pub(super) span: Range<usize>,
    pub(super) text: &'a str,
}

/// Splits an info string on white space and comma, outside quotes and braces.
pub(super) fn split_info(info: &str) -> Vec<Word<'_>> {
    let is_separator = |it: char| it == ',' || it.is_ascii_whitespace();
    let mut words = Vec::new();
    let mut start = 0;
    loop {
        let rest = &info[start..];
        let text = rest.trim_start_matches(is_separator);
        if text.is_empty() {
            return words;
        }
        let mut in_quotes = false;
        let mut n_braces = 0_usize;
        let mut is_escaped = false;
        let len = text.find(|it| {
            match it {
                _ if is_escaped => {
                    is_escaped = false;
                    return false;
                }
                '\\' => is_escaped = in_quotes,
                '"' => in_quotes = !in_quotes,
                '{' if !in_quotes => n_braces += 1,
                '}' if !in_quotes => n_braces = n_braces.saturating_sub(1),
                it if is_separator(it) => return !in_quotes && n_braces == 0,
                _ => {}
            }
            false
        });
        let text = &text[..len.unwrap_or(text.len())];
        let end = start + (rest.len() - rest.trim_start_matches(is_separator).len()) + text.len();
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

/// The value of a word that an info string has, ours or not.
pub(super) fn value_of<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut words = split_info(info).into_iter().skip(1);
    words.find_map(|it| {
        let (found, value) = it.text.split_once('=')?;
        (found == name).then(|| value.trim_matches('"'))
    })
}

/// What the words of a block say.
#[derive(Default)]
pub(super) struct Info {
    pub(super) words: Words,
    pub(super) id: Option<String>,
    /// Bytes of our words in the chapter.
    pub(super) spans: Vec<Range<usize>>,
    /// What is wrong with them.
    pub(super) faults: Vec<String>,
    seen: Vec<String>,
}

impl Info {
    /// Reads the info string that stands at these bytes of a chapter; its first word is the language.
    pub(super) fn of_fence(markdown: &str, at: &Range<usize>) -> Info {
        let mut info = Info::default();
        for word in split_info(&markdown[at.clone()]).iter().skip(1) {
            let name = word.text.split('=').next().unwrap_or_default();
            let is_host = word.text.starts_with('{')
                || HOST_WORDS.contains(&name)
                || name.starts_with("edition20");
            if is_host {
                continue;
            }
            info.take(word.text);
            let span = at.start + word.span.start..at.start + word.span.end;
            match info.spans.last_mut() {
                Some(last) if last.end == span.start => last.end = span.end,
                _ => info.spans.push(span),
            }
        }
        info
    }

    /// Goes on from what is said of a step already.
    pub(super) fn of_step(words: &Words) -> Info {
        Info {
            words: words.clone(),
            ..Info::default()
        }
    }

    /// Whether the author said anything of how it is run.
    pub(super) fn is_spoken(&self) -> bool {
        self.seen.iter().any(|it| it != "id")
    }

    /// Takes the words of a comment too.
    pub(super) fn take_all(&mut self, text: &str) {
        for word in split_info(text) {
            self.take(word.text);
        }
    }

    fn take(&mut self, word: &str) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        if self.seen.iter().any(|it| it == name) {
            let fault = format!("word `{name}` stands twice; remove one");
            self.faults.push(fault);
        }
        self.seen.push(name.to_string());
        if let Err(it) = take_word(name, value, self) {
            self.faults.push(it);
        }
    }

    /// Objects to words that do not go together.
    pub(super) fn check(&mut self) {
        const EXCLUSIVE: [&[&str]; 4] = [
            &["setup", "solution", "check", "cleanup"],
            &["until", "for", "background", "opens"],
            &["in", "opens", "until", "background"],
            &["setup", "check", "save-as"],
        ];
        for group in EXCLUSIVE {
            let both: Vec<&str> = group
                .iter()
                .filter(|name| self.seen.iter().any(|it| it == *name))
                .copied()
                .collect();
            let clash = match both[..] {
                [first, second, ..] => {
                    format!("a block cannot be both `{first}` and `{second}`; remove one")
                }
                _ => continue,
            };
            if !self.faults.contains(&clash) {
                self.faults.push(clash);
            }
        }
    }
}

/// Whether a comment before a block begins with one of these words.
pub(super) fn is_word(text: &str) -> bool {
    let name = text.split(['=', ' ', ',', '\n']).next().unwrap_or_default();
    WORDS.contains(&name)
}

/// All of our words, for advice about an unknown one.
pub(super) fn known() -> &'static [&'static str] {
    &WORDS
}

fn take_word(name: &str, value: Option<&str>, info: &mut Info) -> Result<(), String> {
    let value = match value {
        Some(it) => Some(unquote(name, it)?),
        None => None,
    };
    let value = value.as_deref();
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
        ("solution", None) => words.role = Role::Solution,
        ("check", it) => {
            words.role = Role::Check;
            words.visibility = Visibility::Hidden;
            words.criterion = it.map(str::to_string);
        }
        ("cleanup", None) => words.role = Role::Cleanup,
        ("background", None) => words.until = Some(Ready::AtOnce),
        ("tty", None) => words.tty = true,
        ("hide" | "setup" | "solution" | "cleanup" | "background" | "tty", Some(_)) => {
            return Err(format!("word `{name}` has no value; write `{name}` alone"));
        }
        ("timeout", Some(it)) => words.timeout = Some(time(name, it)?),
        ("retry", Some(it)) => words.retry = Some(time(name, it)?),
        ("for", Some(it)) => words.limit = Some(time(name, it)?),
        ("timeout" | "retry" | "for", None) => {
            return Err(format!(
                "word `{name}` needs a time; write it like `{name}=90s`"
            ));
        }
        ("until", Some(it)) => words.until = Some(ready(it)?),
        ("until", None) => {
            return Err(
                "word `until` needs what to wait for; write `until=\"text\"`, `until=port:8080` or \
                 `until=http://localhost:8080`"
                    .to_string(),
            );
        }
        ("stdin", Some(it)) => words.stdin = Some(it.to_string()),
        ("stdin", None) => {
            return Err(
                "word `stdin` needs what is typed; write it like `stdin=\"yes\"`".to_string(),
            );
        }
        ("in", Some(it)) if is_id(it) => words.inside = Some(it.to_string()),
        ("opens", Some(it)) if is_id(it) => words.opens = Some(it.to_string()),
        ("id", Some(it)) if is_id(it) => info.id = Some(it.to_string()),
        ("id" | "in" | "opens", _) => {
            return Err(format!(
                "word `{name}` needs a name of a-z, 0-9 and `-`; write it like `{name}=first-pull`"
            ));
        }
        ("save-as", Some(it)) => {
            check_path(it)?;
            words.save_as = Some(it.to_string());
        }
        ("save-as", None) => {
            return Err(
                "word `save-as` needs a path; write it like `save-as=Dockerfile`".to_string(),
            );
        }
        _ => return Err(format!("unknown word `{name}`; {}", advice(name, known()))),
    }
    Ok(())
}

fn time(name: &str, text: &str) -> Result<Duration, String> {
    config::duration(text).map_err(|it| format!("`{name}` {it}"))
}

fn ready(text: &str) -> Result<Ready, String> {
    if let Some(port) = text.strip_prefix("port:") {
        let number = port.parse().ok().filter(|it| *it > 0);
        return number.map(Ready::Port).ok_or_else(|| {
            format!("`until` is `port:{port}`, which is no port; write it like `until=port:8080`")
        });
    }
    if let Some(rest) = text.strip_prefix("http://") {
        return local_url(rest).ok_or_else(|| {
            format!(
                "`until` is `{text}`, which is no address in the sandbox; write it like `until=http://localhost:8080/`"
            )
        });
    }
    match text {
        "" => Err("`until` is empty; write what to wait for".to_string()),
        _ => Ok(Ready::Text(text.to_string())),
    }
}

/// The port and path of `localhost:8080/path`.
fn local_url(rest: &str) -> Option<Ready> {
    let (authority, path) = match rest.find('/') {
        Some(it) => rest.split_at(it),
        None => (rest, "/"),
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let port = port.parse().ok().filter(|it| *it > 0)?;
    matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0").then(|| Ready::Url {
        port,
        path: path.to_string(),
    })
}

/// Refuses paths that lead out of the workspace.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    let is_bad = path.is_empty()
        || path.starts_with(['/', '~'])
        || path.ends_with('/')
        || path.split('/').any(|it| it == "..")
        || path
            .chars()
            .any(|it| it.is_control() || it == '\\' || it == '\'');
    match is_bad {
        true => Err(format!(
            "`save-as` is `{path}`; write a file's path below the shell's folder, without `..`"
        )),
        false => Ok(()),
    }
}

/// Takes the quotes off a value; in them `\n` is a newline, `\t` a tab, `\"` a quote and `\\` a backslash.
fn unquote(name: &str, value: &str) -> Result<String, String> {
    let unclosed = || format!("the quote after `{name}=` is never closed; write `{name}=\"…\"`");
    let Some(rest) = value.strip_prefix('"') else {
        return match value.contains('"') {
            true => Err(unclosed()),
            false => Ok(value.to_string()),
        };
    };
    let mut res = String::new();
    let mut chars = rest.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                return match chars.next() {
                    None => Ok(res),
                    Some(_) => Err(unclosed()),
                };
            }
            '\\' => match chars.next() {
                Some('n') => res.push('\n'),
                Some('t') => res.push('\t'),
                Some(it @ ('"' | '\\')) => res.push(it),
                Some(it) => res.extend(['\\', it]),
                None => res.push('\\'),
            },
            it => res.push(it),
        }
    }
    Err(unclosed())
}

pub(super) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}
