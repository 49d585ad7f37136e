//! What one line without a prompt looks like: a command, somebody's output, the beginning of a file, a pattern of a
//! command. Where it stands is not looked at.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::programs::{self, Use};
use crate::regexes::known;

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A program of courses with its arguments, an assignment, a loop.
    Command,
    /// An unknown program with an option, a path or a pipe.
    Likely,
    /// An unknown word with other words after it.
    Perhaps,
    /// Output; what of, as a fragment.
    Output(&'static str),
}

/// Why a line is output that nothing else is known of.
pub(super) const NO_PROGRAM: &str = "words that are no program";

/// Why a line is output that begins with a program's name.
pub(super) const MENTION: &str = "words about a program";

/// What a line looks like to a shell that has `names` of its own: functions and aliases.
pub(super) fn look(line: &str, names: &BTreeSet<String>) -> Look {
    let line = line.trim();
    if let Some(kind) = sure_output(line) {
        return Look::Output(kind);
    }
    if LOOP.is_match(line) || FUNCTION.is_match(line) {
        return Look::Command;
    }
    let inner = line.trim_start_matches(['(', '{', '!', ' ']);
    let is_grouped = inner.len() < line.len();
    if is_grouped && !matches!(look_inside(inner, names), Look::Command) {
        return Look::Output(NO_PROGRAM);
    }
    look_inside(inner, names)
}

/// What a line looks like without the signs that group commands.
fn look_inside(line: &str, names: &BTreeSet<String>) -> Look {
    let rest = ASSIGNMENT.replace(line, "");
    let words: Vec<&str> = rest.split_whitespace().collect();
    let words = unwrapped(&words);
    let Some((name, args)) = words.split_first() else {
        return Look::Command;
    };
    let name = name.trim_start_matches('\\').trim_end_matches(';');
    if name.is_empty() || names.contains(name) {
        return Look::Command;
    }
    if let Some(it) = by_path(name, args) {
        return it;
    }
    let is_docker = matches!(name, "docker" | "docker-compose" | "git");
    if programs::is_known(name) {
        let known: Vec<&str> = std::iter::once(name).chain(args.iter().copied()).collect();
        return match programs::usage(&known) {
            Use::Command if is_docker || !COLUMNS.is_match(line) => Look::Command,
            Use::Command | Use::Mention if COLUMNS.is_match(line) => Look::Output("a table"),
            Use::Command | Use::Mention => Look::Output(MENTION),
        };
    }
    if COLUMNS.is_match(line) {
        return Look::Output("a table");
    }
    if name.starts_with('$') && !args.is_empty() {
        return Look::Likely;
    }
    if !NAME.is_match(name) || is_sentence(args) {
        return Look::Output(NO_PROGRAM);
    }
    match args {
        [] => Look::Output(NO_PROGRAM),
        _ if EVIDENCE.is_match(&args.join(" ")) => Look::Likely,
        _ if args.len() <= 5 => Look::Perhaps,
        _ => Look::Output(NO_PROGRAM),
    }
}

/// Tells whether a line is output whatever it begins with; what of, as a fragment.
pub(super) fn sure_output(line: &str) -> Option<&'static str> {
    let line = line.trim();
    OUTPUTS
        .iter()
        .find(|(_, regex)| regex.is_match(line))
        .map(|(kind, _)| *kind)
}

/// Tells which kind of file begins with these lines, as a noun; `None` if none that we know.
pub(super) fn file(text: &str) -> Option<&'static str> {
    let mut lines = text.lines().filter(|it| !it.trim().is_empty());
    let begins = lines.clone().next()?;
    if begins.trim_start().starts_with("#!") {
        return Some("a script");
    }
    let mut lines = lines.by_ref().filter(|it| {
        let line = it.trim_start();
        !line.starts_with("# ") && !line.starts_with("//") && line != "#" && !line.starts_with("##")
    });
    let first = lines.next()?;
    let second = lines.next();
    if let Some(it) = second.filter(|_| MAKE_TARGET.is_match(first))
        && it.starts_with('\t')
    {
        return Some("a Makefile");
    }
    let table = TABLE_HEAD.is_match(first.trim());
    let (kind, _) = FILES
        .iter()
        .find(|(_, regex)| regex.is_match(first.trim_end()))?;
    match *kind {
        "a Dockerfile" if table => None,
        // `name: value` alone may be anything's output.
        "YAML" => {
            let nests = second.is_some_and(|it| YAML_LINE.is_match(it.trim_end()));
            let of_compose = text.lines().any(|it| it.starts_with("services:"));
            match (nests, of_compose) {
                (_, true) => Some("a Compose file"),
                (true, false) => Some("YAML"),
                (false, false) => None,
            }
        }
        "a configuration file" => second
            .is_some_and(|it| it.contains('=') && !it.trim_start().starts_with('['))
            .then_some(*kind),
        it => Some(it),
    }
}

/// Tells whether a command is a pattern that shows how commands of its kind are written: `docker run [OPTIONS] IMAGE`.
pub(super) fn is_pattern(command: &str) -> bool {
    let talks = command.trim_start().starts_with("echo ");
    !talks && PATTERN.is_match(command)
}

/// Tells whether a line sets variables and does nothing else.
pub(super) fn is_assignment(line: &str) -> bool {
    let rest = ASSIGNMENT.replace(line.trim(), "");
    rest.len() < line.trim().len() && rest.trim().is_empty()
}

/// Tells whether a line says that an author left out output above it.
pub(super) fn is_excerpt(line: &str) -> bool {
    EXCERPT.is_match(line.trim())
}

/// Names that a command gives the shell: of functions and aliases.
pub(super) fn names(command: &str) -> Option<String> {
    let captures = NAMING.captures(command.trim_start())?;
    captures
        .iter()
        .skip(1)
        .flatten()
        .next()
        .map(|it| it.as_str().to_string())
}

fn is_sentence(args: &[&str]) -> bool {
    let with_name: Vec<&str> = std::iter::once("make")
        .chain(args.iter().copied())
        .collect();
    programs::usage(&with_name) == Use::Mention
}

/// What a name with a path in it looks like.
fn by_path(name: &str, args: &[&str]) -> Option<Look> {
    if !["./", "../", "~/", "/"]
        .iter()
        .any(|it| name.starts_with(it))
        || name.len() < 3
        || name.starts_with("//")
    {
        return None;
    }
    let file = name.rsplit('/').next().unwrap_or_default();
    let is_script = match file.rsplit_once('.') {
        Some((_, ending)) => matches!(
            ending,
            "sh" | "bash" | "py" | "pl" | "rb" | "js" | "bin" | "run"
        ),
        None => name.starts_with("./") && name.matches('/').count() == 1,
    };
    Some(match args {
        // `pwd` and `find` print paths.
        [] if is_script => Look::Command,
        [] => Look::Output("a path"),
        _ => Look::Command,
    })
}

/// Takes off what runs another command.
fn unwrapped<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let mut words = words;
    while let Some(name) = words.first()
        && matches!(
            *name,
            "sudo" | "time" | "env" | "nohup" | "winpty" | "exec" | "command"
        )
        && words.len() > 1
    {
        let n_before = words[1..]
            .iter()
            .position(|it| !it.starts_with('-') && !it.contains('='));
        match n_before {
            Some(it) => words = &words[1 + it..],
            None => return &words[..1],
        }
    }
    words
}

static OUTPUTS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let rules = [
        (
            "a table",
            r"^[A-Z][A-Z0-9%/#.()_-]*(?: [A-Z0-9%/#.()_-]+)*(?:(?: {2,}|\t+)[A-Z%#][A-Z0-9%/#.()_-]*(?: [A-Z0-9%/#.()_-]+)*)+$",
        ),
        (
            "a table",
            r"^(?:[A-Z%][A-Z%0-9+/_-]*\s+){2,}[A-Z%][A-Z%0-9+/_-]*$",
        ),
        ("a table", r"^NAME\s+[A-Z]{2,}"),
        ("an ID", r"^(?:sha256:)?[0-9a-f]{12}(?:[0-9a-f]{52})?$"),
        ("an ID", r"^[a-z0-9]{25}(?:\s.*)?$"),
        ("an ID", r"^sha256:[0-9a-f]{8,}"),
        ("the progress of a pull or build", r"^[0-9a-f]{12}: "),
        (
            "the progress of a pull or build",
            r"^(?:Using default tag|Unable to find image|[\w./-]+: Pulling from|Digest: sha256|Status: |Sending build context|Step \d+(?:/\d+)? ?:|-+> |Removing intermediate|Successfully |The push refers to|\[\+\] |=> |#\d+ (?:\[|\w+ )|CACHED )",
        ),
        (
            "what a removal prints",
            r"^(?:Untagged: |Deleted: |Deleted [A-Z]\w+:|Total reclaimed space)",
        ),
        (
            "an error message",
            r"^(?:Error response from daemon|[\w./-]+: (?:[\w./ -]+: )*|[Ee]rror:? |ERROR|FATAL)",
        ),
        ("a log", r#"^(?:time="|ts=|level=)"#),
        (
            "a log",
            r"^npm (?:WARN|ERR!|notice|info)|^yarn \w+ v\d|^> [\w@/.-]+@\d|^[a-z][\w.-]*[_-]\d+\s+\||^[a-z][\w.-]*\s{2,}\| |^top - \d",
        ),
        (
            "a version",
            r"^[a-z][\w-]* (?:version )?v?\d+\.\d+(?:\.\d+)+[^\s/]*(?: .*)?$",
        ),
        (
            "a listing of files",
            r"^(?:total \d+(?:\.\d+)?[KMG]?$|[-dlcbsp][rwxsStT-]{9}[.+@]?\s)",
        ),
        ("a drawing", r"^[│├└┌┐┘┤┬┴┼─═║╔╚■◄►▲▼|+*]|^\.$|^[-=_~]{3,}"),
        (
            "an elision",
            r"^(?:\.\.\.|…|\[\.\.\.\]|\(\.\.\.\)|<snip>|\[snip\])",
        ),
        (
            "markup",
            r"^<[/!?a-zA-Z][^>]*>.*</|^<(?:!|\?|html|head|body|h\d|p|div|title|a )",
        ),
        (
            "JSON",
            r#"^[\[{]\s*$|^[\[{]\s*["{\[]|^"[^"]*"\s*[:,]|^[\]}],?$"#,
        ),
        ("a word in brackets", r"^\[[^\s\[\]][^\]]*\]"),
        ("a line that begins with a number", r"^\(?[0-9]"),
        ("headers of HTTP", r"^HTTP/\d"),
        ("a sentence", r"^[A-Z][\w'’-]*(?:[\s,:;.!?)]|$)"),
        ("a sentence", r"^[^\x00-\x7f]"),
        ("punctuation", r"^[;:@^&?,)%]|^[-*•] |^--"),
        (
            "what a removal prints",
            r#"^[\w./]+ "[^"]+" (?:deleted|created|configured|unchanged)"#,
        ),
        (
            "a name and its value",
            r"^[\w./-]+(?: [\w./-]+){0,3}: |^[\w./-]{2,}:$",
        ),
    ];
    rules
        .into_iter()
        .map(|(kind, regex)| (kind, known(regex)))
        .collect()
});

static FILES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let rules = [
        (
            "a Dockerfile",
            r"^(?:FROM|RUN|COPY|ADD|CMD|ENTRYPOINT|ENV|ARG|WORKDIR|EXPOSE|VOLUME|USER|LABEL|MAINTAINER|HEALTHCHECK|ONBUILD|STOPSIGNAL|SHELL) \S",
        ),
        ("a Dockerfile", r"^# syntax ?="),
        ("JSON", r#"^\s*\{\s*$|^\s*\{\s*""#),
        ("a configuration file", r"^\[[A-Za-z][\w. -]*\]$"),
        (
            "a configuration of nginx",
            r"^\s*(?:server|http|events|upstream \S+|location \S.*|stream)\s*\{|^\s*(?:worker_processes|listen|server_name|proxy_pass) .*;$",
        ),
        ("a patch", r"^(?:diff --git |--- a/|@@ -)"),
        (
            "code",
            r"^(?:import [\w.{*]|from [\w.]+ import |def \w+\(|class \w+|#include |package \w+;?$|(?:const|let|var) \w+ ?= ?|require\(|require '|public (?:class|static)|using [\w.]+;|use \w+::|fn \w+\(|func \w+\(|async |@\w+\(|app\.|print\(|console\.log|if __name__|module\.exports|export (?:default|const|function) )",
        ),
        (
            "markup",
            r"^\s*<(?:!DOCTYPE|!doctype|\?|html|head|body|div|h\d|p|project|configuration)\b",
        ),
        (
            "SQL",
            r"^(?:SELECT|CREATE (?:TABLE|DATABASE|USER|INDEX)|INSERT INTO|UPDATE \w+ SET|DELETE FROM|SHOW|DROP|USE|ALTER|GRANT) .*",
        ),
        (
            "a configuration of Terraform",
            r#"^(?:terraform|(?:resource|provider|variable|output|module|data)(?: "[^"]*"){1,2}) \{"#,
        ),
        (
            "a configuration of HAProxy or Vagrant",
            r"^(?:Vagrant\.configure|frontend \w+$|backend \w+$)",
        ),
        (
            "YAML",
            r"^(?:---\s*$|[a-z_][\w.-]*:(?:\s*$|\s+[^\s/].*)|- [\w.-]+:(?:\s|$))",
        ),
    ];
    rules
        .into_iter()
        .map(|(kind, regex)| (kind, known(regex)))
        .collect()
});

static TABLE_HEAD: LazyLock<Regex> = LazyLock::new(|| {
    known(r"^[A-Z][A-Z0-9%/ ]*(?: {2,}|\t+)[A-Z%][A-Z0-9%/ ]*$|^(?:[A-Z%]+\s+){2,}[A-Z%]+$")
});
static YAML_LINE: LazyLock<Regex> =
    LazyLock::new(|| known(r"^\s*(?:[\w.-]+:(?:\s|$)|- |#|\.\.\.$)"));
static MAKE_TARGET: LazyLock<Regex> = LazyLock::new(|| known(r"^[\w.-]+:(?: |$)"));
static LOOP: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"^(?:for \w+(?: in\b|;|$)|for \(\(|(?:while|until) .*(?:;|\bdo$|\]$)|while read\b|if (?:\[|!|\(\(|.*;)|case .* in\b|select \w+ in\b|\[\[? .*\]|\(\(.*\)\))",
    )
});
static FUNCTION: LazyLock<Regex> =
    LazyLock::new(|| known(r"^(?:function )?[A-Za-z_][\w-]*\s*\(\)\s*\{?"));
static NAMING: LazyLock<Regex> = LazyLock::new(|| {
    known(r"^(?:function )?([A-Za-z_][\w-]*)\s*\(\)|^function ([A-Za-z_][\w-]*)|^alias ([\w.-]+)=")
});
/// One or more at the beginning of a line.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r#"^(?:[A-Za-z_]\w*\+?=(?:\([^()]*\)?|(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\$\((?:[^()]|\([^()]*\))*\)?|`[^`]*`?|[^\s"'`$()]|\$)*)(?:\s+|;\s*|$))+"#,
    )
});
static NAME: LazyLock<Regex> = LazyLock::new(|| known(r"^[a-z][a-z0-9_.+-]*$"));
/// Three columns or more.
static COLUMNS: LazyLock<Regex> = LazyLock::new(|| {
    known(r"^\S+(?: \S+)*(?:\s{3,}|\t+)\S+(?: \S+)*(?:\s{2,}|\t+)\S|^\S+(?:\s{3,}\S+){1,}$")
});
static EVIDENCE: LazyLock<Regex> = LazyLock::new(|| {
    known(r#"(?:^|\s)--?[A-Za-z]|://|(?:^|\s)(?:\.{1,2}|~)?/\S|[|>]|&&|\$[A-Za-z({]|["'=]"#)
});
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"\[[A-Z][A-Z_-]*(?:[ |=.][^\]]*)?\]|\[:TAG|\[(?:options|args|command|flags)\]|(?:^|\s)(?:\.\.\.|…)(?:\s|$)|^docker(?:-compose)?(?: [a-z]+)? (?:COMMAND\b|<(?:sub-?)?command>)|\[-[\w-]+[^\]]*\]",
    )
});
static EXCERPT: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"(?i)^(?:#|//|\.\.\.|…|\[|\().*\b(?:omitted|snip|snipped|truncated|shortened|previous (?:log|output|lines)|output (?:removed|cut))\b",
    )
});
