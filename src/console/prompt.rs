//! What a prompt looks like and whose it is. A line is looked at alone: whether it can be one where it stands is for the
//! reading of the block to say.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Place, programs};
use crate::regexes::known;

/// A line that begins with a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt<'a> {
    pub(super) sort: Sort,
    pub(super) place: Place,
    /// The prompt itself, without the blanks around it.
    pub(super) sign: &'a str,
    /// What is typed after it, without blanks around it.
    pub(super) typed: &'a str,
}

/// How much a prompt says for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// It is one wherever it stands: `$ `, `user@host:~$ `, `/ # `, `mysql> `.
    Sure,
    /// `# `, which also begins a comment.
    Hash,
    /// `> `, which also begins a continued line.
    Angle,
    /// Of a shell that is not ours; with its name.
    Foreign(&'static str),
}

/// Finds a prompt at the beginning of a line, which has no blanks before it.
pub(super) fn prompt(line: &str) -> Option<Prompt<'_>> {
    let line = line.trim_end();
    let n_before = match ENVIRONMENT.find(line) {
        Some(it) if after(&line[it.end()..]).is_some() => it.end(),
        _ => 0,
    };
    after(&line[n_before..])
}

/// `(venv) ` before a prompt.
static ENVIRONMENT: LazyLock<Regex> = LazyLock::new(|| known(r"^\([\w.-]{1,40}\)\s*"));

/// Each with the groups `sign` and `typed`; the first that fits counts.
static RULES: LazyLock<Vec<(Rule, Regex)>> = LazyLock::new(|| {
    let rules = [
        (
            Rule::PowerShell,
            r"^(?<sign>PS(?: [^>]{0,200})?>)(?<typed>.*)$",
        ),
        (
            Rule::Windows,
            r"^(?<sign>[A-Za-z]:\\[^>]{0,200}>)(?<typed>.*)$",
        ),
        (Rule::Dollar, r"^(?<sign>\$)(?<typed>(?:\s.*)?)$"),
        (
            Rule::Glued,
            r"^(?<sign>\$)(?<typed>[a-z][a-z0-9-]*(?:\s.*)?)$",
        ),
        // Of the playground that courses use: its first line tells where one is, `$ ` stands below it.
        (
            Rule::Host,
            r"^(?<sign>\[[\w-]+\] \(local\) \S+@\S+ \S+?\s*[$#]?)(?<typed>(?:\s.*)?)$",
        ),
        (
            Rule::Named,
            r"^(?<sign>\[?(?<user>[A-Za-z_][\w.-]*)@(?<host>[\w.-]+)(?:[: ](?<path>[^\s\]$#%>`]*))?\]?(?: ?\([^)\s]*\))? ?[$#%])(?<typed>(?:\s.*)?)$",
        ),
        (
            Rule::Named,
            r"^(?<sign>(?<user>[A-Za-z_][\w.-]*)@(?<host>[\w.-]+):(?<path>[^\s\]$#%>`]*)[$#])(?<typed>\S.*)$",
        ),
        (
            Rule::Path,
            r"^(?<sign>(?<path>[~/][\w@/+-]*) ?[$#%])(?<typed>(?:\s.*)?)$",
        ),
        (
            Rule::Versioned,
            r"^(?<sign>(?:ba|z|da)?sh-\d+\.\d+[$#])(?<typed>(?:\s.*)?)$",
        ),
        (
            Rule::Host,
            r"^(?<sign>➜\s+\S+(?: git:\([^)]*\))?(?: ✗)?)(?<typed>\s.*)$",
        ),
        (
            Rule::Word,
            r"^(?<sign>\[?[A-Za-z][\w.-]*\]?(?::[~/][^\s$#]*)? ?\$|\[[A-Za-z][\w.-]*\] ?#|[A-Za-z][\w.-]*(?::[~/][^\s$#]* ?)?#)(?<typed>\s.*)$",
        ),
        (Rule::Percent, r"^(?<sign>%)(?<typed>\s.*)$"),
        (Rule::Root, r"^(?<sign>#)(?<typed>\s.*)$"),
        (
            Rule::Program,
            r"^(?<sign>(?:mysql|mariadb|MariaDB \[[^\]]*\]|sqlite|mongosh?|psql|cqlsh(?::\w+)?|s?ftp|telnet|ksql|jshell|scala|ghci|php|irb\(main\):[\d:]+|iex\(\d+\)|influx|cypher-shell|admin|test|rs\d*:\w+|(?:[\w-]+ )?\[direct: \w+\] \w+|redis|not connected) ?>)(?<typed>(?:\s.*)?)$",
        ),
        (
            Rule::Program,
            r"^(?<sign>[a-z_]\w*=[#>])(?<typed>(?:\s.*)?)$",
        ),
        (
            Rule::Program,
            r"^(?<sign>(?:\d{1,3}(?:\.\d{1,3}){3}|[a-z][\w.-]*):\d+(?:\[\d+\])?>)(?<typed>(?:\s.*)?)$",
        ),
        (Rule::Program, r"^(?<sign>>>>)(?<typed>(?:\s.*)?)$"),
        (Rule::Program, r"^(?<sign>In \[\d+\]:)(?<typed>(?:\s.*)?)$"),
        (Rule::Program, r"^(?<sign>\d+>)(?<typed>\s[A-Za-z].*)$"),
        (
            Rule::Custom,
            r"^(?<sign>[^\s<>#`$]{2,30}(?: [^\s<>]{1,4})? ?(?:=*>|❯|»|λ))\s*(?<typed>[a-z].*)$",
        ),
        (Rule::Angle, r"^(?<sign>>)(?<typed>(?:\s.*)?)$"),
    ];
    rules.map(|(rule, regex)| (rule, known(regex))).into()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    PowerShell,
    Windows,
    Dollar,
    Glued,
    Host,
    Named,
    Path,
    Versioned,
    Word,
    Percent,
    Root,
    Program,
    Custom,
    Angle,
}

fn after(line: &str) -> Option<Prompt<'_>> {
    RULES.iter().find_map(|(rule, regex)| {
        let captures = regex.captures(line)?;
        let group = |name: &str| captures.name(name).map_or("", |it| it.as_str());
        // Of the playground: the first line of the next prompt.
        let typed = match group("typed").trim() {
            it if it.starts_with('[') && it.contains("] (local) ") => "",
            it => it,
        };
        let sign = group("sign");
        let begins_known = || {
            let words: Vec<&str> = typed.split_whitespace().collect();
            let name = words.first().copied().unwrap_or_default();
            (programs::is_known(name) && programs::usage(&words) == programs::Use::Command)
                || name.starts_with("./")
        };
        let (sort, place) = match rule {
            Rule::PowerShell => (Sort::Foreign("PowerShell"), Place::Host),
            Rule::Windows => (Sort::Foreign("the Windows command line"), Place::Host),
            Rule::Dollar | Rule::Host => (Sort::Sure, Place::Host),
            Rule::Named => (Sort::Sure, named(&captures, typed)),
            Rule::Path => (Sort::Sure, at_path(group("path"), sign)),
            // A Mac's own shell calls itself `bash-3.2$`.
            Rule::Versioned if sign.ends_with("-3.2$") => (Sort::Sure, Place::Host),
            Rule::Versioned => (Sort::Sure, Place::Container),
            Rule::Glued | Rule::Percent if begins_known() => (Sort::Sure, Place::Host),
            Rule::Word if begins_known() => match sign.starts_with("container") {
                true => (Sort::Sure, Place::Container),
                false => (Sort::Sure, Place::Host),
            },
            // `echo a > ls` has none.
            Rule::Custom if begins_known() && typed.contains(' ') && !is_redirection(sign) => {
                (Sort::Sure, Place::Host)
            }
            Rule::Glued | Rule::Percent | Rule::Word | Rule::Custom => return None,
            Rule::Root => (Sort::Hash, Place::Root),
            Rule::Program => (Sort::Sure, Place::Program(sign.to_string())),
            Rule::Angle => (Sort::Angle, Place::Program(sign.to_string())),
        };
        Some(Prompt {
            sort,
            place,
            sign,
            typed,
        })
    })
}

/// Tells whether `sign` is a command whose output goes somewhere.
fn is_redirection(sign: &str) -> bool {
    let name = sign.split([' ', '>', '=']).next().unwrap_or_default();
    programs::is_known(name) || name.contains('/') || name.starts_with('-')
}

/// Whose `user@host:path$` is.
fn named(captures: &Captures, typed: &str) -> Place {
    let group = |name: &str| captures.name(name).map_or("", |it| it.as_str());
    let host = group("host");
    let is_id = host.len() == 12 && host.chars().all(|it| it.is_ascii_hexdigit());
    let path = group("path");
    // A host seldom has root work in `/` or `/app`.
    let is_inside = group("user") == "root"
        && path.starts_with('/')
        && !["/home", "/root", "/vagrant", "/mnt"]
            .iter()
            .any(|it| path.starts_with(it))
        && !typed.starts_with("docker");
    match is_id || is_inside {
        true => Place::Container,
        false => Place::Host,
    }
}

/// Whose `/app # ` or `~/app $ ` is.
fn at_path(path: &str, sign: &str) -> Place {
    let is_home = ["~", "/home", "/Users", "/mnt"]
        .iter()
        .any(|it| path.starts_with(it));
    match is_home && !sign.ends_with('#') {
        true => Place::Host,
        false => Place::Container,
    }
}
