//! The one door through which untrusted text gets into a page: controls made visible, then every character that HTML, Markdown
//! or another preprocessor might react to written as a reference. It knows nothing of what the text means.

use crate::character::is_unseen;

/// Spells a character that would be unseen, or would act on its surroundings: `\x07`, `\u{202e}`. `None`: show it as it is.
pub(super) fn visible(ch: char) -> Option<String> {
    let code = u32::from(ch);
    match ch {
        '\n' | '\t' => None,
        '\0'..='\x1f' | '\x7f' => Some(format!("\\x{code:02x}")),
        it if is_unseen(it) => Some(format!("\\u{{{code:x}}}")),
        _ => None,
    }
}

/// Escapes for HTML, text and quoted attributes alike: one line, no markup, nothing for a preprocessor to find.
pub(super) fn html(text: &str) -> String {
    let mut res = String::with_capacity(text.len() + text.len() / 4);
    for ch in text.chars() {
        match visible(ch) {
            Some(spelled) => spelled.chars().for_each(|it| push_html(&mut res, it)),
            None => push_html(&mut res, ch),
        }
    }
    res
}

fn push_html(res: &mut String, ch: char) {
    match ch {
        ' '
        | '.'
        | ','
        | '-'
        | '/'
        | '+'
        | '%'
        | '('
        | ')'
        | '?'
        | '0'..='9'
        | 'a'..='z'
        | 'A'..='Z' => {
            res.push(ch);
        }
        // All other ASCII, and not a list of the dangerous: which sign the next preprocessor looks for is not known here.
        '\0'..='\x7f' => res.push_str(&format!("&#{};", u32::from(ch))),
        _ => res.push(ch),
    }
}

/// Escapes for running Markdown text on one line.
pub(super) fn markdown(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for ch in text.chars() {
        match visible(ch) {
            Some(spelled) => spelled.chars().for_each(|it| push_markdown(&mut res, it)),
            None => push_markdown(&mut res, ch),
        }
    }
    res
}

fn push_markdown(res: &mut String, ch: char) {
    match ch {
        '\n' | '\t' => res.push(' '),
        ',' | '/' | '%' | '?' | '.' | '-' | '(' | ')' => res.push(ch),
        _ if ch.is_ascii_punctuation() => {
            res.push('\\');
            res.push(ch);
        }
        _ => res.push(ch),
    }
}

/// Makes text fit for the inside of a fence, where mdBook's `{{#include}}` is still obeyed and no escape of Markdown's holds.
pub(super) fn fenced(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for ch in text.chars() {
        match visible(ch) {
            Some(spelled) => res.push_str(&spelled),
            None => res.push(ch),
        }
    }
    broken_links(&res)
}

/// Puts a backslash between braces that open a link of mdBook's. `\{{#` is its own escape, but only for a `#` that follows
/// at once, and mdBook takes `{{`, any white space, line ends too, and then `#`.
fn broken_links(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, braces) = rest.split_at(at);
        res.push_str(before);
        res.push('{');
        // One brace is left in `rest`: in `{{{#` the second pair is the link.
        rest = &braces[1..];
        if braces[2..].trim_start().starts_with('#') {
            res.push('\\');
        }
    }
    res.push_str(rest);
    res
}
