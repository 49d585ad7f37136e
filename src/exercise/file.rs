//! Blocks that are a file and no commands: which path they are to be saved under, by their words or by what is said of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::words::{check_path, value_of};
use crate::regexes::known;

/// What is known around a block.
pub(super) struct Around<'a> {
    /// Its info string.
    pub(super) info: &'a str,
    /// The paragraph before it, inline code between backticks.
    pub(super) prose: &'a str,
    /// Paths that blocks before it in the chapter are saved under.
    pub(super) saved: &'a BTreeSet<String>,
    /// Files of the workspace.
    pub(super) workspace: &'a BTreeSet<String>,
}

/// What is to be done with a block that may be a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saving {
    /// It is written to this path; why, as a fragment.
    To(String, String),
    /// It looks like this file, but not surely enough.
    Perhaps(String, &'static str),
}

/// Decides about a block without the word `save-as`; `None`: nothing says that it is a file of the exercise.
pub(super) fn saving(text: &str, around: &Around<'_>) -> Option<Saving> {
    let language = around
        .info
        .split([' ', '\t', ','])
        .next()
        .unwrap_or_default();
    // What shows how a chapter is written is no file of an exercise.
    if ["markdown", "md", "text", "output", "diff"].contains(&language) {
        return None;
    }
    let kind = Kind::of(language, text);
    let titled = ["title", "filename", "file"]
        .iter()
        .find_map(|it| value_of(around.info, it))
        .filter(|it| is_file_name(it));
    let named = file_names(around.prose)
        .into_iter()
        .rev()
        .find(|it| kind.fits(it));
    let again = match kind {
        Kind::Dockerfile => around.saved.iter().find(|it| kind.fits(it)).cloned(),
        _ => None,
    };
    let (path, why) = match (titled, named, again) {
        (Some(path), ..) => (path.to_string(), "its title names it".to_string()),
        (_, Some(path), _) if CREATES.is_match(around.prose) => {
            let why = "the text before it says to make it".to_string();
            (path, why)
        }
        (_, named, Some(path)) => {
            let path = named.unwrap_or(path);
            (path, "it takes the place of the one before".to_string())
        }
        (_, Some(path), None) => return Some(Saving::Perhaps(path, "nothing says to make it")),
        (None, None, None) => return None,
    };
    if check_path(&path).is_err() {
        return None;
    }
    let name = |it: &str| it.rsplit('/').next().unwrap_or(it).to_string();
    let is_there = around.workspace.iter().any(|it| name(it) == name(&path));
    if is_there && !around.saved.contains(&path) {
        return Some(Saving::Perhaps(path, "the workspace has it already"));
    }
    match kind.is_whole(text) {
        true => Some(Saving::To(path, why)),
        false => Some(Saving::Perhaps(path, "it seems to be a part of the file")),
    }
}

/// The command that writes a file as the block has it.
pub(super) fn command(path: &str, text: &str) -> String {
    let mut mark = "EOF".to_string();
    while text.lines().any(|it| it == mark) {
        mark.push('F');
    }
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./+@".contains(it);
    let quoted = match path.chars().all(plain) {
        true => path.to_string(),
        false => format!("'{path}'"),
    };
    let folder = match path.rsplit_once('/') {
        Some((folder, _)) if folder.chars().all(plain) => format!("mkdir -p {folder} && "),
        Some((folder, _)) => format!("mkdir -p '{folder}' && "),
        None => String::new(),
    };
    let end = match text.is_empty() || text.ends_with('\n') {
        true => "",
        false => "\n",
    };
    format!("{folder}cat >{quoted} <<'{mark}'\n{text}{end}{mark}")
}

/// What kind of file a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dockerfile,
    Compose,
    Other,
}

impl Kind {
    fn of(language: &str, text: &str) -> Kind {
        let is_yaml = ["yaml", "yml", "compose"]
            .iter()
            .any(|it| language.eq_ignore_ascii_case(it));
        let language = language.to_ascii_lowercase();
        match language.as_str() {
            "dockerfile" | "docker" if FROM.is_match(text) => Kind::Dockerfile,
            _ if language.is_empty() && FROM.is_match(text) => Kind::Dockerfile,
            _ if (is_yaml || language.is_empty()) && SERVICES.is_match(text) => Kind::Compose,
            _ => Kind::Other,
        }
    }

    fn fits(self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_dockerfile = name.starts_with("Dockerfile") || name.ends_with(".Dockerfile");
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        match self {
            Kind::Dockerfile => is_dockerfile,
            Kind::Compose => is_yaml,
            Kind::Other => !is_dockerfile,
        }
    }

    fn is_whole(self, text: &str) -> bool {
        let is_elided = text.lines().any(|it| {
            let it = it.trim().trim_start_matches(['#', '/', '-']).trim();
            matches!(it, "..." | "…" | "[...]")
        });
        let is_diff = text
            .lines()
            .any(|it| it.starts_with("@@ ") || it.starts_with("+++ "));
        !text.trim().is_empty() && !is_elided && !is_diff
    }
}

static FROM: LazyLock<Regex> =
    LazyLock::new(|| known(r"(?i)^(?:\s|#[^\n]*\n|ARG [^\n]*\n)*FROM \S+"));
static SERVICES: LazyLock<Regex> = LazyLock::new(|| known(r"(?m)^services:\s*$"));
static CREATES: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"(?i)\b(?:creat\w*|mak(?:e|ing)|sav(?:e|ing)|writ(?:e|ing)|called|named|put|past(?:e|ing)|with the following|add the following)\b",
    )
});
static CODE: LazyLock<Regex> = LazyLock::new(|| known(r"`([^`\s]+)`"));

/// File names in inline code, in order.
fn file_names(prose: &str) -> Vec<String> {
    let found = CODE
        .captures_iter(prose)
        .map(|it| it[1].trim_start_matches("./").to_string());
    found.filter(|it| is_file_name(it)).collect()
}

fn is_file_name(text: &str) -> bool {
    const WITHOUT_EXTENSION: [&str; 6] = [
        ".dockerignore",
        "Dockerfile",
        "Makefile",
        "Procfile",
        "Caddyfile",
        "Vagrantfile",
    ];
    let name = text.rsplit('/').next().unwrap_or(text);
    let plain = |it: char| it.is_alphanumeric() || "-_./".contains(it);
    let has_extension = name.rsplit_once('.').is_some_and(|(_, extension)| {
        (1..=10).contains(&extension.len())
            && extension.chars().all(|it| it.is_ascii_alphanumeric())
            && extension.starts_with(|it: char| it.is_ascii_alphabetic())
    });
    // `docker.io/library/alpine` and `my.host.com` are none; what has a known ending is.
    const HOSTS: [&str; 6] = ["io", "com", "org", "net", "dev", "aws"];
    let is_host = name
        .rsplit('.')
        .next()
        .is_some_and(|it| HOSTS.contains(&it));
    text.chars().all(plain)
        && !text.starts_with('/')
        && ((has_extension && !is_host) || WITHOUT_EXTENSION.contains(&name))
}
