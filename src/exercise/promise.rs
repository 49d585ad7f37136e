//! What prose promises of an output, as far as it says so in plain words: "you will see …", "something like …", "the column …".
//! It finds what could be checked, and checks nothing.

use std::sync::LazyLock;

use regex::Regex;

use crate::exercise::Pattern;
use crate::regexes::known;

/// Finds what a paragraph promises. Inline code stands between backticks in it.
pub(super) fn promises(prose: &str) -> Vec<Pattern> {
    let mut res = Vec::new();
    for found in SEEN.captures_iter(prose).chain(COLUMN.captures_iter(prose)) {
        let text = found.iter().skip(1).flatten().next();
        let text = text.map_or("", |it| it.as_str()).trim();
        // One letter stands everywhere, and a placeholder nowhere.
        if text.chars().count() < 2 || text.contains(['<', '>']) {
            continue;
        }
        let pattern = pattern(text);
        if !res.contains(&pattern) {
            res.push(pattern);
        }
    }
    res
}

/// `you'll see something like "…"`, `the output contains "…"`, `it says "…"`.
static SEEN: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r#"(?ix)\b(?:see|sees|says?|prints?|shows?|contains?|outputs?|displays?|reports?|answers?|something\ like|similar\ to|looks?\ like)\b
           (?:\ (?:an?|the|you|us|that|it|output|message|line|lines|word|words|text|status|error|something|like|similar|to|containing)\b){0,4}
           :?\ (?:`([^`\n]{1,80})`|"([^"\n]{1,80})"|“([^”\n]{1,80})”)"#,
    )
});

/// `the REPOSITORY column`, `the column "SIZE"`.
static COLUMN: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r#"\b(?:[Cc]olumns?\b[ :]*["`“]?([A-Z][A-Z]+(?: [A-Z]+)*)\b|["`“]?\b([A-Z][A-Z]+(?: [A-Z]+)*)["`”]? +columns?\b)"#,
    )
});

/// What is left open by `...` or `…` becomes what may stand there.
fn pattern(text: &str) -> Pattern {
    static OPEN: LazyLock<Regex> = LazyLock::new(|| known(r"(?:[0-9a-f]*)(?:\.\.\.|…)"));
    static DIGEST: LazyLock<Regex> = LazyLock::new(|| known(r"^sha256:[0-9a-f]*(?:\.\.\.|…)$"));
    if DIGEST.is_match(text) {
        return Pattern::Regex("sha256:[0-9a-f]{12,64}".to_string());
    }
    if !OPEN.is_match(text) {
        return Pattern::Text(text.to_string());
    }
    let mut res = String::new();
    let mut at = 0;
    for open in OPEN.find_iter(text) {
        res.push_str(&regex::escape(&text[at..open.start()]));
        res.push_str(".*");
        at = open.end();
    }
    res.push_str(&regex::escape(&text[at..]));
    Pattern::Regex(res.trim_end_matches(".*").to_string())
}
