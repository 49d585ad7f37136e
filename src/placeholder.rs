//! Values that a reader must supply: `<registry-container-name>`, `[container id]`, `YOUR_NAME`. Told apart from redirections,
//! quoted text and heredocs, and put in so that they stay text. It knows of the shell just what that takes; the grammar proper
//! is in `bash`, and cannot read a text with placeholders.

mod names;

use std::collections::BTreeSet;
use std::ops::Range;

/// Longest arithmetic, so that a stray `((` does not look for its end through the whole text.
const LONGEST_ARITHMETIC: usize = 512;

/// Longest name, so that a stray `<` does not look for its `>` through the whole text.
const LONGEST: usize = 64;

/// Finds the placeholders of a script: all their bytes, and the name without brackets.
///
/// `<name>`: unquoted, a name begins with a letter and has letters, digits, `-`, `_` and spaces. In quotes and heredocs, where
/// HTML is ordinary text, it must also have a `-`, `_` or space, or begin with "your" or "my". Backticks right around it, with
/// which slides highlight, belong to it. Unquoted also `[container id]` and `{container_id}` where they are no patterns of the
/// shell, and words such as `your-name` and `CONTAINER_ID` that the script gives no value. In comments there are none.
pub fn placeholders(script: &str) -> Vec<(Range<usize>, String)> {
    let found = find(script).into_iter();
    found.map(|it| (it.span, it.name)).collect()
}

/// Puts values in place of whole words between white space, quoted: of what an author copied from a sample, `docker stop 0b2`.
pub fn replace_words(script: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut res = String::new();
    for piece in script.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        match value(word) {
            Some(it) if !word.is_empty() => {
                res.push_str(&format!("'{}'", it.replace('\'', r"'\''")));
                res.push_str(&piece[word.len()..]);
            }
            _ => res.push_str(piece),
        }
    }
    res
}

/// Replaces every placeholder by a harmless word of as many bytes, so that the shell grammar can read the text.
pub fn mask(script: &str) -> String {
    let mut masked = String::with_capacity(script.len());
    let mut end = 0;
    for found in find(script) {
        masked.push_str(&script[end..found.span.start]);
        masked.extend(found.span.clone().map(|_| '_'));
        end = found.span.end;
    }
    masked.push_str(&script[end..]);
    masked
}

/// Puts values in the place of all placeholders, quoted for where they stand: to the shell of the script they are text,
/// whatever they say. A command that reads its arguments as a script, such as `sh -c`, does so with them too.
///
/// `Err` has the names that `value` knows none for, or whose value cannot be written where they stand.
pub fn fill(script: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, Vec<String>> {
    let found = find(script);
    let mut filled = String::with_capacity(script.len());
    let mut missing: Vec<String> = Vec::new();
    let mut end = 0;
    for it in &found {
        let text = value(&it.name).and_then(|value| quoted(&value, it, script));
        filled.push_str(&script[end..it.span.start]);
        end = it.span.end;
        match text {
            Some(text) => filled.push_str(&text),
            None if missing.contains(&it.name) => {}
            None => missing.push(it.name.clone()),
        }
    }
    filled.push_str(&script[end..]);
    missing.extend(ending_heredocs(script, &found, value));
    match missing.is_empty() {
        true => Ok(filled),
        false => Err(missing),
    }
}

/// A placeholder and what it takes to put a value there.
#[derive(Debug)]
struct Found {
    span: Range<usize>,
    name: String,
    site: Site,
}

/// How the shell reads what stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Site {
    Unquoted,
    SingleQuotes,
    DoubleQuotes,
    Heredoc {
        delimiter: String,
        expansion: Expansion,
        /// The bytes of its body.
        body: Range<usize>,
    },
    /// In backquotes and the like, where some characters are read twice.
    ReadTwice,
    /// In `${…}`, where what it says is no text, or where it cannot be told what ends the text.
    Nowhere,
}

/// Whether `$` means something in a heredoc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expansion {
    On,
    Off,
}

/// Writes a value so that the shell reads it as text at a place; `None` if there is no way.
fn quoted(value: &str, found: &Found, script: &str) -> Option<String> {
    let before = &script[..found.span.start];
    // `$` would take the value for a name.
    let follows_dollar = before.ends_with('$');
    let escaped = |special: &str| {
        let mut text = String::with_capacity(value.len());
        for char in value.chars() {
            if special.contains(char) {
                text.push('\\');
            }
            text.push(char);
        }
        text
    };
    if value.contains('\0') {
        return None;
    }
    match &found.site {
        Site::Nowhere => None,
        Site::ReadTwice if is_plain(value) && !follows_dollar => Some(value.to_string()),
        Site::ReadTwice => None,
        Site::SingleQuotes => Some(value.replace('\'', r"'\''")),
        Site::Unquoted | Site::DoubleQuotes if follows_dollar => None,
        Site::Unquoted if is_plain(value) => Some(value.to_string()),
        Site::Unquoted => Some(format!("'{}'", value.replace('\'', r"'\''"))),
        Site::DoubleQuotes => Some(escaped("\\\"$`")),
        // A line of the value could end it.
        Site::Heredoc { .. } if value.contains(['\n', '\r']) => None,
        Site::Heredoc {
            expansion: Expansion::Off,
            ..
        } => Some(value.to_string()),
        Site::Heredoc { body, .. } => {
            let n_backslashes = before.chars().rev().take_while(|it| *it == '\\').count();
            if follows_dollar || n_backslashes % 2 == 1 {
                return None;
            }
            let body_before = &script[body.start..found.span.start];
            let in_parameter = body_before
                .rfind("${")
                .is_some_and(|it| !body_before[it..].contains('}'));
            let runs = script[body.clone()].contains("$(") || script[body.clone()].contains('`');
            match in_parameter || runs {
                true => (is_plain(value) && !in_parameter).then(|| value.to_string()),
                false => Some(escaped("\\$`")),
            }
        }
    }
}

/// Tells whether a value is text to the shell wherever it stands.
fn is_plain(value: &str) -> bool {
    let plain = |it: char| it.is_ascii_alphanumeric() || "_@%+:,./-".contains(it);
    !value.is_empty() && value.chars().all(plain) && !RESERVED.contains(&value)
}

/// Words of the shell that [`is_plain`] would let through.
const RESERVED: [&str; 16] = [
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in",
    "select", "then", "until", "while",
];

/// Names whose values make of a heredoc's line the one that ends it.
fn ending_heredocs(
    script: &str,
    found: &[Found],
    value: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut names = Vec::new();
    for it in found {
        let Site::Heredoc { delimiter, .. } = &it.site else {
            continue;
        };
        let start = script[..it.span.start].rfind('\n').map_or(0, |it| it + 1);
        let end = it.span.end
            + script[it.span.end..]
                .find('\n')
                .unwrap_or(script.len() - it.span.end);
        let mut line = String::new();
        let mut at = start;
        for other in found
            .iter()
            .filter(|it| it.span.start >= start && it.span.end <= end)
        {
            line.push_str(&script[at..other.span.start]);
            line.push_str(&value(&other.name).unwrap_or_default());
            at = other.span.end;
        }
        line.push_str(&script[at..end]);
        if line.trim_matches(['\t', '\r']) == delimiter && !names.contains(&it.name) {
            names.push(it.name.clone());
        }
    }
    names
}

fn find(script: &str) -> Vec<Found> {
    let mut scanner = Scanner {
        script,
        at: 0,
        found: Vec::new(),
        heredocs: Vec::new(),
        end_tags: end_tags(script),
    };
    scanner.scan();
    // The parenthesis of a `case` is no closing one: what is thought to be quoted may not be.
    if script
        .split(|it: char| !it.is_alphanumeric())
        .any(|it| it == "case")
    {
        for found in &mut scanner.found {
            found.site = match found.site {
                Site::Nowhere | Site::Heredoc { .. } => Site::Nowhere,
                _ => Site::ReadTwice,
            };
        }
    }
    scanner.found
}

struct Scanner<'a> {
    script: &'a str,
    at: usize,
    found: Vec<Found>,
    /// Heredocs whose bodies begin at the next line.
    heredocs: Vec<Heredoc>,
    /// Names in lower case of the elements that the text closes: `</p>`.
    end_tags: BTreeSet<String>,
}

struct Heredoc {
    delimiter: String,
    expansion: Expansion,
    tabs: Tabs,
}

/// Whether a heredoc's leading tabs count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tabs {
    Kept,
    Removed,
}

/// What surrounds the text that is being scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Commands; with the number of open parentheses.
    Commands(usize),
    /// Commands in backquotes.
    Backquotes,
    /// Double quotes.
    Quotes,
    /// `${…}`.
    Parameter,
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
                (_, '$') if self.rest().starts_with("${") => {
                    self.at += 2;
                    contexts.push(Context::Parameter);
                }
                (Context::Parameter, '}') | (Context::Quotes, '"') => {
                    self.at += 1;
                    contexts.pop();
                }
                (Context::Commands(_) | Context::Backquotes, '`')
                    if self.rest().starts_with("`<") =>
                {
                    if !self.highlighted(&contexts) {
                        self.backquote(&mut contexts);
                    }
                }
                (_, '`') => self.backquote(&mut contexts),
                (Context::Parameter | Context::Commands(_) | Context::Backquotes, '"') => {
                    self.at += 1;
                    contexts.push(Context::Quotes);
                }
                (Context::Quotes | Context::Parameter, '<') => {
                    self.angled(Look::Quoted, site(&contexts))
                }
                (Context::Quotes | Context::Parameter, 'Y') => {
                    self.word(Look::Quoted, site(&contexts))
                }
                (Context::Quotes | Context::Parameter, _) => self.at += char.len_utf8(),
                (Context::Commands(_) | Context::Backquotes, _) => {
                    self.commands(char, &mut contexts)
                }
            }
        }
    }

    fn commands(&mut self, char: char, contexts: &mut Vec<Context>) {
        let top = contexts.len() - 1;
        match (contexts[top], char) {
            (_, '$') if self.rest().starts_with("$'") => self.ansi_quotes(),
            (_, '\'') => self.single_quotes(site(contexts)),
            (_, '#') if self.at_word_start() => {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            }
            (_, '(') if self.rest().starts_with("((") && self.at_word_start() => {
                self.skip_arithmetic("((")
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
            (_, '<') if self.rest().starts_with("<<<") => self.at += 3,
            (_, '<') if self.rest().starts_with("<<") => self.heredoc_start(),
            (_, '<') => self.angled(Look::Unquoted, site(contexts)),
            (_, '\n') => {
                self.at += 1;
                self.heredoc_bodies(contexts);
            }
            (_, '[') => self.bracketed(']', site(contexts)),
            (_, '{') => self.bracketed('}', site(contexts)),
            (_, it) if it.is_ascii_alphabetic() => self.word(Look::Unquoted, site(contexts)),
            _ => self.at += char.len_utf8(),
        }
    }

    /// Enters backquotes, or leaves those that are open.
    fn backquote(&mut self, contexts: &mut Vec<Context>) {
        self.at += 1;
        match contexts.iter().rposition(|it| *it == Context::Backquotes) {
            Some(it) => contexts.truncate(it),
            None => contexts.push(Context::Backquotes),
        }
    }

    /// Takes `` `<name>` ``, backquotes and all.
    fn highlighted(&mut self, contexts: &[Context]) -> bool {
        let start = self.at;
        let n_found = self.found.len();
        self.at += 1;
        self.angled(Look::Unquoted, site(contexts));
        let whole = self.found.len() > n_found && self.peek() == Some('`');
        if whole {
            self.at += 1;
            self.found[n_found].span = start..self.at;
        } else {
            self.found.truncate(n_found);
            self.at = start;
        }
        whole
    }

    /// Takes `[container id]` or `{container_id}`, or steps over the bracket.
    fn bracketed(&mut self, closing: char, site: Site) {
        let start = self.at;
        self.at += 1;
        let before = self.script[..start].chars().next_back();
        let name: String = self
            .rest()
            .chars()
            .take(LONGEST + 1)
            .take_while(|it| *it != closing && *it != '\n')
            .collect();
        let after = self.rest()[name.len()..].strip_prefix(closing);
        let begins = before.is_none_or(|it| it.is_whitespace() || "/:=".contains(it));
        let ends = after.is_some_and(|it| {
            it.chars()
                .next()
                .is_none_or(|it| it.is_whitespace() || "/:@;&|)".contains(it))
        });
        let is_name = match closing {
            ']' => names::is_square(&name),
            _ => names::is_curly(&name),
        };
        if begins && ends && is_name && !self.at_command_start(start) {
            self.at += name.len() + 1;
            self.push(start, name, site);
        }
    }

    /// Takes a word such as `YOUR_NAME`, or steps over it.
    fn word(&mut self, look: Look, site: Site) {
        let start = self.at;
        let is_of_word = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        let before = self.script[..start].chars().next_back();
        let end = self
            .rest()
            .find(|it| !is_of_word(it))
            .unwrap_or(self.rest().len());
        let name = self.rest()[..end].to_string();
        let after = self.rest()[end..].chars().next();
        self.at += end;
        let begins = before.is_none_or(|it| it.is_whitespace() || "/:=@\"',".contains(it));
        let ends = after.is_none_or(|it| it.is_whitespace() || "/:@;&|)\"',".contains(it))
            || (after == Some('.') && names::is_yours(&name));
        if !begins || !ends || name.len() > LONGEST {
            return;
        }
        let taken = match look {
            Look::Unquoted => names::is_word(&name) && !self.at_command_start(start),
            Look::Quoted => name.starts_with("YOUR_") && names::is_word(&name),
        };
        if taken && !names::is_given(self.script, start, &name) {
            self.push(start, name, site);
        }
    }

    /// Tells whether what begins here is of a command's first word.
    fn at_command_start(&self, start: usize) -> bool {
        let before = self.script[..start].trim_end_matches(|it: char| !it.is_whitespace());
        let before = before.trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with(['\n', ';', '&', '|', '(', '`', '!'])
    }

    fn push(&mut self, start: usize, name: String, site: Site) {
        let span = start..self.at;
        self.found.push(Found { span, name, site });
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

    fn single_quotes(&mut self, outer: Site) {
        self.at += 1;
        let end = self.at + self.rest().find('\'').unwrap_or(self.rest().len());
        let site = match outer {
            Site::Unquoted => Site::SingleQuotes,
            it => it,
        };
        self.quoted_until(end, &site);
        self.at = (end + 1).min(self.script.len());
    }

    /// `$'…'`, in which a backslash escapes the quote.
    fn ansi_quotes(&mut self) {
        self.at += 2;
        let mut end = self.at;
        let mut chars = self.rest().char_indices();
        while let Some((idx, char)) = chars.next() {
            end = self.at + idx;
            match char {
                '\\' => {
                    chars.next();
                }
                '\'' => break,
                _ => end += char.len_utf8(),
            }
        }
        self.quoted_until(end, &Site::ReadTwice);
        self.at = (end + 1).min(self.script.len());
    }

    fn quoted_until(&mut self, end: usize, site: &Site) {
        while let Some(next) = self.script[self.at..end].find(['<', 'Y']) {
            self.at += next;
            match self.peek() {
                Some('<') => self.angled(Look::Quoted, site.clone()),
                _ => self.word(Look::Quoted, site.clone()),
            }
            if self.at > end {
                break;
            }
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
        let tabs = match self.rest().starts_with('-') {
            true => Tabs::Removed,
            false => Tabs::Kept,
        };
        self.at += usize::from(tabs == Tabs::Removed);
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let end = self
            .rest()
            .find(|it: char| it.is_whitespace() || ";&|<>()".contains(it))
            .unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        let delimiter = word.replace(['\'', '"', '\\'], "");
        let expansion = match delimiter == word {
            true => Expansion::On,
            false => Expansion::Off,
        };
        self.at += end;
        if !delimiter.is_empty() {
            self.heredocs.push(Heredoc {
                delimiter,
                expansion,
                tabs,
            });
        }
    }

    fn heredoc_bodies(&mut self, contexts: &[Context]) {
        for heredoc in std::mem::take(&mut self.heredocs) {
            let start = self.at;
            let n_found = self.found.len();
            while self.at < self.script.len() {
                let end = self.at + self.rest().find('\n').unwrap_or(self.rest().len());
                let line = &self.script[self.at..end];
                let line = match heredoc.tabs {
                    Tabs::Removed => line.trim_start_matches('\t'),
                    Tabs::Kept => line,
                };
                let done = line.trim_end_matches('\r') == heredoc.delimiter;
                self.quoted_until(end, &Site::ReadTwice);
                self.at = (end + 1).min(self.script.len());
                if done {
                    break;
                }
            }
            for found in &mut self.found[n_found..] {
                // In a substitution, a line ends it that only begins with the delimiter.
                found.site = match contexts {
                    [Context::Commands(_)] => Site::Heredoc {
                        delimiter: heredoc.delimiter.clone(),
                        expansion: heredoc.expansion,
                        body: start..self.at,
                    },
                    _ => Site::Nowhere,
                };
            }
        }
    }

    /// Takes the placeholder at `<`, or steps over `<`.
    fn angled(&mut self, look: Look, site: Site) {
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
            self.push(start, name, site);
        }
    }

    /// Tells whether a name in lower case is an HTML or XML element: `<input disabled>`, `<my-tag>…</my-tag>`.
    fn is_element(&self, name: &str) -> bool {
        let tag = name.split(' ').next().unwrap_or_default();
        LONE_ELEMENTS.contains(&tag) || self.end_tags.contains(tag)
    }
}

/// How sure a placeholder must look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Unquoted,
    Quoted,
}

/// How the shell reads what stands in these contexts.
fn site(contexts: &[Context]) -> Site {
    if contexts.contains(&Context::Parameter) {
        return Site::Nowhere;
    }
    if contexts.contains(&Context::Backquotes) {
        return Site::ReadTwice;
    }
    match contexts.last() {
        Some(Context::Quotes) => Site::DoubleQuotes,
        _ => Site::Unquoted,
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
