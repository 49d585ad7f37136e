//! Values that a reader must supply: `<registry-container-name>`. Told apart from redirections, quoted text and heredocs.
//! It knows of the shell just what that takes; the grammar proper is in `bash`, and cannot read a text with placeholders.

use std::collections::BTreeSet;
use std::ops::Range;

/// Longest arithmetic, so that a stray `((` does not look for its end through the whole text.
const LONGEST_ARITHMETIC: usize = 512;

/// Longest name, so that a stray `<` does not look for its `>` through the whole text.
const LONGEST: usize = 64;

/// Finds the placeholders of a script: bytes from `<` to `>`, and the name between them.
///
/// Unquoted, a name begins with a letter and has letters, digits, `-`, `_` and spaces. In quotes and heredocs, where HTML is
/// ordinary text, it must also have a `-`, `_` or space, or begin with "your" or "my". In comments there are none.
pub fn placeholders(script: &str) -> Vec<(Range<usize>, String)> {
    let mut scanner = Scanner {
        script,
        at: 0,
        found: Vec::new(),
        heredocs: Vec::new(),
        end_tags: end_tags(script),
    };
    scanner.scan();
    scanner.found
}

/// Replaces every placeholder by a harmless word of as many bytes, so that the shell grammar can read the text.
pub fn mask(script: &str) -> String {
    let mut masked = String::with_capacity(script.len());
    let mut end = 0;
    for (span, _) in placeholders(script) {
        masked.push_str(&script[end..span.start]);
        masked.extend(span.clone().map(|_| 'x'));
        end = span.end;
    }
    masked.push_str(&script[end..]);
    masked
}

struct Scanner<'a> {
    script: &'a str,
    at: usize,
    found: Vec<(Range<usize>, String)>,
    /// Delimiters of heredocs whose bodies begin at the next line, and whether their tabs go.
    heredocs: Vec<(String, bool)>,
    /// Names in lower case of the elements that the text closes: `</p>`.
    end_tags: BTreeSet<String>,
}

/// What surrounds the text that is being scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Commands; with the number of open parentheses.
    Commands(usize),
    /// Double quotes.
    Quotes,
}

/// How sure a placeholder must look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Unquoted,
    Quoted,
}

impl Scanner<'_> {
    fn scan(&mut self) {
        let mut contexts = vec![Context::Commands(0)];
        while let Some(char) = self.peek() {
            let top = contexts.len() - 1;
            match (contexts[top], char) {
                (_, '\\') => {
                    self.at += 1;
                    self.at += self.peek().map_or(0, char::len_utf8);
                }
                (_, '$') if self.rest().starts_with("$((") => self.skip_arithmetic("$(("),
                (_, '$') if self.rest().starts_with("$(") => {
                    self.at += 2;
                    contexts.push(Context::Commands(0));
                }
                (Context::Quotes, '"') => {
                    self.at += 1;
                    contexts.pop();
                }
                (Context::Quotes, '<') => self.placeholder(Look::Quoted),
                (Context::Quotes, _) => self.at += char.len_utf8(),
                (Context::Commands(_), '"') => {
                    self.at += 1;
                    contexts.push(Context::Quotes);
                }
                (Context::Commands(_), '\'') => self.single_quotes(),
                (Context::Commands(_), '#') if self.at_word_start() => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                (Context::Commands(_), '(')
                    if self.rest().starts_with("((") && self.at_word_start() =>
                {
                    self.skip_arithmetic("((");
                }
                (Context::Commands(n_open), '(') => {
                    self.at += 1;
                    contexts[top] = Context::Commands(n_open + 1);
                }
                (Context::Commands(n_open), ')') => {
                    self.at += 1;
                    match n_open {
                        0 if top > 0 => {
                            contexts.pop();
                        }
                        _ => contexts[top] = Context::Commands(n_open.saturating_sub(1)),
                    }
                }
                (Context::Commands(_), '<') if self.rest().starts_with("<<<") => self.at += 3,
                (Context::Commands(_), '<') if self.rest().starts_with("<<") => {
                    self.heredoc_start();
                }
                (Context::Commands(_), '<') => self.placeholder(Look::Unquoted),
                (Context::Commands(_), '\n') => {
                    self.at += 1;
                    self.heredoc_bodies();
                }
                (Context::Commands(_), _) => self.at += char.len_utf8(),
            }
        }
    }

    fn rest(&self) -> &str {
        &self.script[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn at_word_start(&self) -> bool {
        let before = self.script[..self.at].chars().next_back();
        before.is_none_or(|it| it.is_whitespace() || ";&|(".contains(it))
    }

    fn single_quotes(&mut self) {
        self.at += 1;
        let end = self.at + self.rest().find('\'').unwrap_or(self.rest().len());
        self.quoted_until(end);
        self.at = (end + 1).min(self.script.len());
    }

    fn quoted_until(&mut self, end: usize) {
        while let Some(next) = self.script[self.at..end].find('<') {
            self.at += next;
            self.placeholder(Look::Quoted);
        }
        self.at = end;
    }

    /// Skips `$((1 << 2))`, whose `<` is neither a redirection nor a placeholder.
    fn skip_arithmetic(&mut self, opening: &str) {
        let mut n_open = 0;
        for (idx, char) in self.rest().char_indices().take(LONGEST_ARITHMETIC) {
            match char {
                '(' => n_open += 1,
                ')' => n_open -= 1,
                '\n' => break,
                _ => {}
            }
            if n_open == 0 {
                self.at += idx + 1;
                return;
            }
        }
        self.at += opening.len();
    }

    fn heredoc_start(&mut self) {
        self.at += 2;
        let tabs_go = self.rest().starts_with('-');
        self.at += usize::from(tabs_go);
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let word = self
            .rest()
            .find(|it: char| it.is_whitespace() || ";&|<>()".contains(it))
            .unwrap_or(self.rest().len());
        let delimiter = self.rest()[..word].replace(['\'', '"', '\\'], "");
        self.at += word;
        if !delimiter.is_empty() {
            self.heredocs.push((delimiter, tabs_go));
        }
    }

    fn heredoc_bodies(&mut self) {
        for (delimiter, tabs_go) in std::mem::take(&mut self.heredocs) {
            while self.at < self.script.len() {
                let end = self.at + self.rest().find('\n').unwrap_or(self.rest().len());
                let line = &self.script[self.at..end];
                let line = if tabs_go {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                let done = line.trim_end_matches('\r') == delimiter;
                self.quoted_until(end);
                self.at = (end + 1).min(self.script.len());
                if done {
                    break;
                }
            }
        }
    }

    /// Takes the placeholder at `<`, or steps over `<`.
    fn placeholder(&mut self, look: Look) {
        let start = self.at;
        self.at += 1;
        let name: String = self
            .rest()
            .chars()
            .take(LONGEST + 1)
            .take_while(|it| it.is_alphanumeric() || "-_ ".contains(*it))
            .collect();
        let after = &self.rest()[name.len()..];
        let well_formed = after.starts_with('>')
            && name.starts_with(char::is_alphabetic)
            && !name.ends_with(' ')
            && name.chars().count() <= LONGEST;
        if !well_formed {
            return;
        }
        let lower = name.to_lowercase();
        let taken = match look {
            Look::Quoted => {
                let personal = lower.starts_with("your") || lower.starts_with("my");
                (personal || name.contains(['-', '_', ' '])) && !self.is_element(&lower)
            }
            // `sort <in>out`, `sort <in>>out`, `sort <in>./out`, `cmd <in>&1` redirect; `<user>/app:<tag>` does not.
            Look::Unquoted => lower.starts_with("your") || !is_redirection(&after[1..]),
        };
        if taken {
            self.at += name.len() + 1;
            self.found.push((start..self.at, name));
        }
    }

    /// Tells whether a name in lower case is an HTML or XML element: `<input disabled>`, `<my-tag>…</my-tag>`.
    fn is_element(&self, name: &str) -> bool {
        let tag = name.split(' ').next().unwrap_or_default();
        LONE_ELEMENTS.contains(&tag) || self.end_tags.contains(tag)
    }
}

/// Elements without an end tag that can have an attribute without a value.
const LONE_ELEMENTS: [&str; 4] = ["hr", "img", "input", "option"];

fn end_tags(script: &str) -> BTreeSet<String> {
    let closings = script.split("</").skip(1);
    let names = closings.filter_map(|it| {
        let end = it.find(|it: char| !it.is_alphanumeric() && it != '-' && it != '_')?;
        it[end..].starts_with('>').then(|| it[..end].to_lowercase())
    });
    names.collect()
}

/// Tells from what follows `<word>` whether the `>` redirects to it.
fn is_redirection(after: &str) -> bool {
    let file = |it: char| it.is_alphanumeric() || "_~$".contains(it);
    let others = ["./", "../", ">", "&1", "&2"];
    after.starts_with(file) || others.iter().any(|it| after.starts_with(it))
}
