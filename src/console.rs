//! What a block of a chapter is, and if things are typed in it, which lines those are, where they are typed and which
//! lines below them are the author's sample of output. It looks at the text alone and decides nothing about running.

mod looks;
mod programs;
mod prompt;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use self::looks::{Look, MENTION, NO_PROGRAM};
use self::prompt::{Prompt, Sort, prompt};
use crate::bash;
use crate::interactive::{self, Behavior};
use crate::placeholder::mask;
use crate::regexes::known;

/// Lines up to which a command is followed that its first line does not end.
const LONGEST: usize = 300;

/// Bytes of a block that the grammar reads to find the ends of its commands; lines after them stand for themselves.
const MOST_READ: usize = 512 * 1024;

/// A block, and how sure it is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub reading: Reading,
    /// What was concluded beyond what language and prompts say, as a fragment.
    pub inferred: Option<String>,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A script: all of it is for the shell.
    Script,
    /// Commands with samples of what they print; at least one command.
    Console(Vec<Entry>),
    /// Output or a pattern of a command, nothing to type: what of, as a noun.
    Output(String),
    /// What a file has in it: of what kind, as a noun (`a Dockerfile`).
    File(String),
    /// For another shell: which (`PowerShell`).
    Foreign(String),
}

/// Something typed at one prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Lines of the block, from 0: that of the prompt and those that continue it.
    pub lines: Range<usize>,
    /// What is typed: LF only, no newline at the end, prompts removed.
    pub text: String,
    /// Where it is typed.
    pub place: Place,
    /// Lines of the block that are the author's sample of what it prints; may be empty.
    pub sample: Range<usize>,
    /// How it ends in the sample.
    pub ending: Ending,
    /// What the sample shows as answered to `[y/N]` and the like.
    pub answers: Vec<String>,
}

/// Where a command is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the shell of the exercise.
    Host,
    /// In a shell inside a container.
    Container,
    /// At `# `, which a root has on the host and in a container: in whichever is open.
    Root,
    /// In a program that is no shell: its prompt (`mysql>`).
    Program(String),
}

/// How a command ends, as its sample shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is shown: by itself.
    Itself,
    /// By `^C`.
    Interrupted,
    /// By itself, with an error.
    Failed,
}

/// A line of a block with commands and samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What stands before what is typed, with its blanks: `$ `, `> `, `mysql> `; empty if nothing does.
    pub prompt: String,
    /// The rest of the line.
    pub text: String,
    /// Whose it is.
    pub speaker: Speaker,
}

/// Whose a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// What a person types, and what its author puts between: comments, blank lines.
    Person,
    /// What a program prints: it is of a sample.
    Program,
}

/// What the language of a fence says about the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// It is for a shell: `bash`, `sh`.
    Shell,
    /// It is of a terminal: `console`, `shell-session`.
    Console,
    /// Nothing: no language, or `text`.
    Unsaid,
}

/// Tells what a block is.
pub fn read(text: &str, language: Language) -> Block {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    if let Some(shell) = foreign(&lines) {
        return Reading::Foreign(shell.to_string()).into();
    }
    let file = looks::file(text);
    if let Some(first) = first_prompt(&lines)
        && (file.is_none()
            || prompt(lines[first].trim_start()).is_some_and(|it| !it.typed.is_empty()))
    {
        return prompted(&lines, first, Hash::Comment);
    }
    if let Some(kind) = file {
        return Reading::File(kind.to_string()).into();
    }
    match first_root_prompt(&lines) {
        Some(first) => prompted(&lines, first, Hash::Prompt),
        None => unprompted(&lines, language),
    }
}

/// Takes the lines of a block apart that was read as these entries.
pub fn lines(text: &str, entries: &[Entry]) -> Vec<Line> {
    let lines: Vec<&str> = text.lines().collect();
    let mut res: Vec<Line> = lines.iter().map(|it| line_of_nobody(it)).collect();
    for entry in entries {
        for (idx, typed) in entry.lines.clone().zip(entry.text.lines()) {
            res[idx] = line_of_entry(lines[idx], typed);
        }
        for line in res.get_mut(entry.sample.clone()).into_iter().flatten() {
            line.text.insert_str(0, &line.prompt);
            line.prompt.clear();
            line.speaker = Speaker::Program;
        }
    }
    res
}

/// A line at whose end this is typed.
fn line_of_entry(line: &str, typed: &str) -> Line {
    // A `\` that continues nothing was left out of what is typed.
    let bare = |it: &str| it.trim_end().trim_end_matches('\\').trim_end().len();
    let typed = &typed[..bare(typed)];
    let at = bare(line).saturating_sub(typed.len());
    match line.split_at_checked(at) {
        Some((prompt, text)) if text.starts_with(typed) => {
            // Before a line that goes on without a sign stands its indent.
            let at = if prompt.trim().is_empty() { 0 } else { at };
            line_split(line, at)
        }
        _ => line_of_nobody(line),
    }
}

/// A line that is of no entry. Its prompt is one all the same: a comment can stand behind it, a pattern, or nothing.
fn line_of_nobody(line: &str) -> Line {
    let found = prompt(line.trim_start()).filter(|it| it.sort == Sort::Sure);
    let n_prompt = found.map_or(0, |it| match it.typed {
        "" => line.len(),
        typed => line.trim_end().len() - typed.len(),
    });
    line_split(line, n_prompt)
}

fn line_split(line: &str, n_prompt: usize) -> Line {
    let (prompt, text) = line.split_at(n_prompt);
    Line {
        prompt: prompt.to_string(),
        text: text.to_string(),
        speaker: Speaker::Person,
    }
}

impl From<Reading> for Block {
    fn from(reading: Reading) -> Block {
        Block {
            reading,
            inferred: None,
        }
    }
}

fn output(what: &str) -> Block {
    Reading::Output(what.to_string()).into()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Neither blank nor a comment.
fn is_significant(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// Tells which other shell a block is for.
fn foreign(lines: &[&str]) -> Option<&'static str> {
    let prompted = lines
        .iter()
        .find_map(|it| match prompt(it.trim_start())?.sort {
            Sort::Foreign(it) => Some(it),
            _ => None,
        });
    if prompted.is_some() {
        return prompted;
    }
    for (idx, line) in lines.iter().enumerate() {
        let next = lines.get(idx + 1).map_or("", |it| it.trim());
        // Continued by the other shells' signs.
        if line.ends_with(" `") && line.matches('`').count() % 2 == 1 && !next.is_empty() {
            return Some("PowerShell");
        }
        if line.ends_with(" ^") && !next.is_empty() {
            return Some("the Windows command line");
        }
        let typed = line.trim_start().trim_start_matches("$ ");
        let cmdlets = [
            "$env:",
            "$Env:",
            "Get-",
            "Set-",
            "New-",
            "Remove-",
            "Invoke-",
            "Enable-",
            "Disable-",
            "Install-",
            "Start-",
            "Stop-",
            "Restart-",
            "Import-",
            "Test-Path",
            "Write-",
            "iwr ",
            "iex ",
        ];
        let is_cmdlet = |it: &&str| {
            let rest = typed.strip_prefix(*it);
            rest.is_some_and(|it| {
                it.starts_with(char::is_alphanumeric) || typed.starts_with("Test-Path")
            })
        };
        if cmdlets.iter().any(is_cmdlet) {
            return Some("PowerShell");
        }
        if is_significant(line) && (typed.contains("%cd%") || typed.contains("%USERPROFILE%")) {
            return Some("the Windows command line");
        }
        if is_significant(line) && idx > 20 {
            break;
        }
    }
    None
}

/// Finds the first line with a prompt that is not part of something else.
fn first_prompt(lines: &[&str]) -> Option<usize> {
    let first_significant = lines.iter().position(|it| is_significant(it))?;
    let begins = |idx: usize| {
        prompt(lines[idx].trim_start()).is_some_and(|it| match it.sort {
            Sort::Sure => true,
            // Without an opened program above it only what is typed tells.
            Sort::Angle => {
                let is_known = ANGLED.iter().any(|begin| it.typed.starts_with(begin));
                idx == first_significant && (is_known || is_command(it.typed))
            }
            Sort::Hash | Sort::Foreign(_) => false,
        })
    };
    let mut ends = Ends::new(lines);
    let mut first = first_significant;
    while !begins(first) {
        // What stands in a heredoc or a quoted text is nobody's prompt.
        first = ends
            .end(first, lines[first].trim_start(), Beginning::Bare)
            .0;
        if first >= lines.len() {
            return None;
        }
    }
    if lines[..first].iter().any(|it| looks::is_excerpt(it)) {
        return None;
    }
    // An example in what a program says is set off.
    let mut before = lines[first_significant..first].iter();
    let is_example = indent(lines[first]) > indent(lines[first_significant])
        && before.any(|it| looks::sure_output(it).is_some());
    (!is_example).then_some(first)
}

/// Beginnings of what is typed after a program's `> `.
const ANGLED: [&str; 9] = [
    "use ", "db.", "show ", "var ", "let ", "const ", "console.", "rs.", "sh.",
];

/// What `# ` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Comment,
    /// It is the prompt of root.
    Prompt,
}

/// Finds the first `# ` that is the prompt of root: every one has a command after it, and no line without looks like one.
fn first_root_prompt(lines: &[&str]) -> Option<usize> {
    let mut first = None;
    for (idx, line) in lines.iter().enumerate() {
        match prompt(line.trim_start()) {
            Some(it) if it.sort == Sort::Hash => {
                if !is_command(it.typed) {
                    return None;
                }
                first = first.or(Some(idx));
            }
            _ if looks::look(line, &BTreeSet::new()) == Look::Command
                && !line.trim().is_empty() =>
            {
                return None;
            }
            _ => {}
        }
    }
    first
}

fn is_command(typed: &str) -> bool {
    looks::look(typed, &BTreeSet::new()) == Look::Command
}

/// Finds the ends of commands that have several lines. The grammar reads all of a command at each try, hence the limit.
struct Ends<'a> {
    lines: &'a [&'a str],
    n_read: usize,
}

/// How a command's first line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    Prompted,
    Bare,
}

impl<'a> Ends<'a> {
    fn new(lines: &'a [&'a str]) -> Ends<'a> {
        Ends { lines, n_read: 0 }
    }

    /// A command whose first line is typed at a line, with the lines that continue it, and the line after them.
    fn end(&mut self, start: usize, typed: &str, beginning: Beginning) -> (usize, String) {
        let mut text = typed.to_string();
        if !bash::is_unfinished(&mask(&text)) {
            return (start + 1, text);
        }
        let n_cut = indent(self.lines[start]);
        let next = self.lines.get(start + 1).map_or("", |it| it.trim_start());
        let has_signs = beginning == Beginning::Prompted && (next == ">" || next.starts_with("> "));
        for (idx, line) in self.lines.iter().enumerate().skip(start + 1).take(LONGEST) {
            let cut = &line[indent(line).min(n_cut)..];
            let piece = match has_signs {
                true => match cut.trim_start().strip_prefix('>') {
                    Some(it) => it.strip_prefix(' ').unwrap_or(it),
                    None => break,
                },
                false => cut,
            };
            let is_prompted = || prompt(cut).is_some_and(|it| it.sort == Sort::Sure);
            self.n_read += text.len();
            if self.n_read > MOST_READ
                || (beginning == Beginning::Prompted && !has_signs && is_prompted())
            {
                break;
            }
            text.push('\n');
            text.push_str(piece);
            if !bash::is_unfinished(&mask(&text)) {
                // A `\` before a blank line continues nothing.
                if piece.is_empty() && text.ends_with("\\\n") {
                    text.truncate(text.len() - 2);
                }
                return (idx + 1, text.trim_end().to_string());
            }
        }
        // It never ends: then it is what its first line says.
        (
            start + 1,
            typed.trim_end_matches('\\').trim_end().to_string(),
        )
    }
}

/// What a program's statement takes from the lines below it: those with a sign of continuation.
fn continued_in_program(lines: &[&str], start: usize, typed: &str) -> (usize, String) {
    let mut text = typed.to_string();
    let mut end = start + 1;
    while let Some(piece) = lines.get(end).and_then(|it| {
        let line = it.trim_start();
        let rest = ["->", "'>", "\">", "...", "..>"]
            .iter()
            .find_map(|it| line.strip_prefix(it));
        let rest = rest.or_else(|| {
            line.split_once("-#")
                .filter(|it| !it.0.contains(' '))
                .map(|it| it.1)
        });
        rest.filter(|it| it.is_empty() || it.starts_with(' '))
    }) {
        text.push('\n');
        text.push_str(piece.strip_prefix(' ').unwrap_or(piece));
        end += 1;
    }
    (end, text)
}

/// Tells whether a command opens a shell or a program in which more is typed.
fn opens_terminal(text: &str) -> bool {
    let invocations = bash::invocations(&mask(text));
    let behaviors = invocations.iter().map(interactive::behavior);
    behaviors
        .into_iter()
        .any(|it| matches!(it, Behavior::Terminal(_)))
}

/// The part of a prompt that stays the same when its folder changes.
fn speaker(sign: &str) -> &str {
    sign.split([':', ' ', '~']).next().unwrap_or(sign)
}

/// Reads a block from its first prompt on.
fn prompted(lines: &[&str], first: usize, hash: Hash) -> Block {
    let before = Script::read(&lines[..first]);
    let mut inferred: Vec<&str> = Vec::new();
    if hash == Hash::Prompt {
        inferred.push("`# ` is taken for the prompt of root");
    }
    let n_before = before.entries().len();
    if n_before > 0 {
        inferred.push("lines before the first prompt are taken for commands");
    } else if !before.parts.is_empty() {
        inferred.push("lines before the first prompt are taken for no commands");
    }
    let mut session = Session {
        lines,
        first,
        hash,
        ends: Ends::new(lines),
        entries: before.entries(),
        sampling: Sampling::from_any(n_before),
        opened: None,
        n_patterns: 0,
    };
    if session
        .entries
        .last()
        .is_some_and(|it| opens_terminal(&it.text))
    {
        session.opened = Some("");
    }
    session.read();
    let mut entries = session.entries;
    for entry in &mut entries {
        finish(entry, lines);
    }
    if entries.is_empty() {
        return output(match session.n_patterns {
            0 => "a prompt where nothing is typed",
            _ => PATTERN,
        });
    }
    if session.n_patterns > 0 {
        inferred.push(PATTERNS_LEFT_OUT);
    }
    Block {
        reading: Reading::Console(entries),
        inferred: (!inferred.is_empty()).then(|| inferred.join("; ")),
    }
}

/// What a block is that has nothing but patterns.
const PATTERN: &str = "a pattern of a command";
/// What is inferred of a block that has patterns too.
const PATTERNS_LEFT_OUT: &str = "patterns of commands are left out";

/// A block with prompts that is read line by line.
struct Session<'a> {
    lines: &'a [&'a str],
    /// Line of the first prompt.
    first: usize,
    hash: Hash,
    ends: Ends<'a>,
    entries: Vec<Entry>,
    sampling: Sampling,
    /// The prompt at which a terminal was opened; empty if it was opened without one.
    opened: Option<&'a str>,
    n_patterns: usize,
}

/// Whether a line without a prompt is of the sample of the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sampling {
    On,
    Off,
}

impl Sampling {
    fn from_any(n_entries: usize) -> Sampling {
        match n_entries {
            0 => Sampling::Off,
            _ => Sampling::On,
        }
    }
}

impl<'a> Session<'a> {
    fn read(&mut self) {
        let lines = self.lines;
        // The nearest line above that is not blank, if it was typed.
        let mut typed_above = Some(self.first);
        let mut idx = self.first;
        while idx < lines.len() {
            match self.prompt_at(idx, typed_above) {
                Some(prompt) => {
                    typed_above = Some(idx);
                    idx = self.typed(idx, &prompt);
                }
                None => {
                    if !lines[idx].trim().is_empty() {
                        typed_above = None;
                    }
                    self.sample(idx);
                    idx += 1;
                }
            }
        }
    }

    fn prompt_at(&self, idx: usize, typed_above: Option<usize>) -> Option<Prompt<'a>> {
        let line = self.lines[idx];
        let found = prompt(line.trim_start())?;
        let deepest = indent(self.lines[self.first]);
        // An example in what a program says is set off; an author's hand slips by a column or two.
        let slip = if typed_above.is_some() { 4 } else { 0 };
        if indent(line) > deepest + slip {
            return None;
        }
        // What it runs, it prints like this.
        if idx > 0 && self.lines[idx - 1].trim_start().starts_with("yarn run v") {
            return None;
        }
        let in_angled = self
            .entries
            .last()
            .is_some_and(|it| it.place == program(">"));
        let is_one = match found.sort {
            Sort::Sure => true,
            Sort::Hash => {
                self.hash == Hash::Prompt || (self.opened.is_some() && is_command(found.typed))
            }
            Sort::Angle => {
                let first = prompt(self.lines[self.first].trim_start());
                let begins = first.is_some_and(|it| it.sort == Sort::Angle);
                begins || in_angled || self.opened.is_some()
            }
            Sort::Foreign(_) => false,
        };
        is_one.then_some(found)
    }

    /// Takes what is typed at a prompt, and tells the line after it.
    fn typed(&mut self, idx: usize, prompt: &Prompt<'a>) -> usize {
        let place = self.place(prompt);
        let is_program = matches!(place, Place::Program(_));
        if prompt.typed.is_empty() {
            // Where the output ends a prompt stands again.
            self.sample(idx);
            return idx + 1;
        }
        if prompt.typed.starts_with('#') && !is_program {
            self.sampling = Sampling::Off;
            return idx + 1;
        }
        let (end, text) = match is_program {
            true => continued_in_program(self.lines, idx, prompt.typed),
            false => self.ends.end(idx, prompt.typed, Beginning::Prompted),
        };
        if matches!(place, Place::Host | Place::Root) {
            self.opened = opens_terminal(&text).then_some(prompt.sign);
        }
        if !is_program && looks::is_pattern(&text) {
            self.n_patterns += 1;
            self.sampling = Sampling::Off;
        } else {
            self.sampling = Sampling::On;
            self.entries.push(entry(idx..end, text, place));
        }
        end
    }

    fn sample(&mut self, idx: usize) {
        if let (Sampling::On, Some(last)) = (self.sampling, self.entries.last_mut()) {
            last.sample.end = idx + 1;
        }
    }

    /// Tells where something is typed, from its prompt and the one at which a terminal was opened.
    fn place(&self, prompt: &Prompt) -> Place {
        match (&prompt.place, self.opened) {
            // Without a prompt at the opening, the learner's own may well come back.
            (Place::Host, Some("")) if prompt.sign == "$" => Place::Host,
            (Place::Host, Some(at)) if speaker(at) != speaker(prompt.sign) => Place::Container,
            (Place::Program(sign), None) if sign == ">" && is_command(prompt.typed) => Place::Host,
            (Place::Root, Some(at)) if at != "#" => Place::Container,
            (place, _) => place.clone(),
        }
    }
}

fn program(sign: &str) -> Place {
    Place::Program(sign.to_string())
}

fn entry(lines: Range<usize>, text: String, place: Place) -> Entry {
    Entry {
        sample: lines.end..lines.end,
        lines,
        text,
        place,
        ending: Ending::Itself,
        answers: Vec::new(),
    }
}

/// Says what an entry's sample tells, once it is known how far that goes.
fn finish(entry: &mut Entry, lines: &[&str]) {
    // What the author says before the next command stays the author's.
    while entry.sample.end > entry.sample.start && !is_significant(lines[entry.sample.end - 1]) {
        entry.sample.end -= 1;
    }
    let sample = &lines[entry.sample.clone()];
    if sample.iter().any(|it| it.trim_start().starts_with("^C")) {
        entry.ending = Ending::Interrupted;
    } else if sample.len() <= MOST_COMPLAINTS && sample.iter().any(|it| COMPLAINT.is_match(it)) {
        entry.ending = Ending::Failed;
    }
    let answers = sample.iter().filter_map(|it| {
        let answer = ANSWERED.captures(it)?.get(1)?;
        Some(answer.as_str().to_string())
    });
    entry.answers = answers.collect();
}

/// Lines of a sample up to which one that complains is what the command came to; a long log can complain of anything.
const MOST_COMPLAINTS: usize = 6;

static COMPLAINT: LazyLock<Regex> = LazyLock::new(|| {
    let regex = r"(?i)^\s*(?:error response from daemon:|docker: error\b|error: |error during connect|(?:[\w./-]+: )+(?:bad address|command not found|not found|no such file or directory|permission denied|could not resolve host)|.*: (?:command not found|no such file or directory)$|cannot connect to the docker daemon|denied: |unauthorized: )";
    known(regex)
});

static ANSWERED: LazyLock<Regex> = LazyLock::new(|| {
    let regex = r"(?i)[\[(](?:y/n|yes/no(?:/\[fingerprint\])?)[\])]\s*[:?]?\s*(\S.*)$";
    known(regex)
});

/// A block without prompts, taken apart.
struct Script {
    parts: Vec<Part>,
}

/// A complete command, or a line that is none.
struct Part {
    lines: Range<usize>,
    text: String,
    look: Look,
}

impl Script {
    fn read(lines: &[&str]) -> Script {
        let mut names = BTreeSet::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut ends = Ends::new(lines);
        let mut idx = 0;
        while idx < lines.len() {
            let line = lines[idx];
            if !is_significant(line) {
                idx += 1;
                continue;
            }
            let mut look = looks::look(line, &names);
            // `env` prints assignments.
            let after_env = parts.last().is_some_and(|it| {
                matches!(it.look, Look::Output(VARIABLES)) || it.text.ends_with("env")
            });
            if after_env && looks::is_assignment(line) {
                look = Look::Output(VARIABLES);
            }
            let (end, text) = match look {
                Look::Output(_) => (idx + 1, line.trim().to_string()),
                Look::Command | Look::Likely | Look::Perhaps => {
                    ends.end(idx, line.trim_start(), Beginning::Bare)
                }
            };
            names.extend(looks::names(&text));
            parts.push(Part {
                lines: idx..end,
                text,
                look,
            });
            idx = end;
        }
        Script { parts }
    }

    /// The commands with what follows each as its sample.
    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for part in &self.parts {
            match part.look {
                Look::Command | Look::Likely if looks::is_pattern(&part.text) => {}
                Look::Command | Look::Likely => {
                    entries.push(entry(part.lines.clone(), part.text.clone(), Place::Host))
                }
                Look::Perhaps | Look::Output(_) => {
                    if let Some(last) = entries.last_mut() {
                        last.sample.end = part.lines.end;
                    }
                }
            }
        }
        entries
    }
}

const VARIABLES: &str = "variables";

/// Reads a block without a prompt.
fn unprompted(lines: &[&str], language: Language) -> Block {
    let mut script = Script::read(lines);
    let Some(first) = script.parts.first() else {
        return match language {
            Language::Shell => Reading::Script.into(),
            Language::Console | Language::Unsaid => output("a comment"),
        };
    };
    let has_output = script
        .parts
        .iter()
        .any(|it| matches!(it.look, Look::Output(_)));
    let begins = match (language, first.look) {
        (_, Look::Command) | (Language::Shell, Look::Likely) => Ok(()),
        (Language::Shell, Look::Perhaps) if !has_output => Ok(()),
        // `true`, `exit`: a program that is seldom alone.
        (Language::Shell, Look::Output(MENTION)) if !first.text.trim().contains(' ') => Ok(()),
        (_, Look::Output(why)) => Err(why),
        (_, Look::Likely | Look::Perhaps) => Err("words that are no program"),
    };
    if let Err(why) = begins {
        return output(why);
    }
    let assigns = |it: &Part| looks::is_assignment(&it.text);
    if script.parts.iter().all(assigns) {
        let is_environment = script.parts.iter().any(|it| {
            ["HOSTNAME=", "PATH=/", "HOME="]
                .iter()
                .any(|begin| it.text.starts_with(begin))
        });
        if is_environment {
            return output(VARIABLES);
        }
        if language != Language::Shell {
            return Reading::File("a file of variables".to_string()).into();
        }
    }
    let is_surely_output =
        |it: &Part| matches!(it.look, Look::Output(it) if it != NO_PROGRAM && it != MENTION);
    match language == Language::Shell && !script.parts.iter().any(is_surely_output) {
        // Its language says that it is a script, and nothing says otherwise: who mistypes a command wants to be told.
        true => script
            .parts
            .iter_mut()
            .for_each(|it| it.look = Look::Command),
        false => settle(&mut script.parts, lines, language),
    }
    let n_patterns = script
        .parts
        .iter()
        .filter(|it| it.look == Look::Command && looks::is_pattern(&it.text))
        .count();
    let is_script = script
        .parts
        .iter()
        .all(|it| !matches!(it.look, Look::Output(_)));
    if is_script && n_patterns == 0 {
        let inferred = (language != Language::Shell)
            .then(|| "lines without a prompt are taken for commands".to_string());
        return Block {
            reading: Reading::Script,
            inferred,
        };
    }
    let mut entries = script.entries();
    if entries.is_empty() {
        return output(PATTERN);
    }
    for entry in &mut entries {
        finish(entry, lines);
    }
    let inferred = match is_script {
        true => PATTERNS_LEFT_OUT,
        false => "lines without a prompt are told apart by how they look",
    };
    Block {
        reading: Reading::Console(entries),
        inferred: Some(inferred.to_string()),
    }
}

/// Decides for every part after the first whether it is a command or output of one above it.
fn settle(parts: &mut [Part], lines: &[&str], language: Language) {
    let mut in_output = false;
    let mut accepted: BTreeSet<String> = BTreeSet::new();
    for nth in 0..parts.len() {
        let name = parts[nth]
            .text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_string();
        let start = parts[nth].lines.start;
        let is_set_off = indent(lines[start]) > indent(lines[parts[0].lines.start]);
        // Listings and tables name programs too: after output only what is surely typed ends it.
        let resumes = start > 0 && lines[start - 1].trim().is_empty()
            || matches!(parts[nth.max(1) - 1].look, Look::Output(it) if it != NO_PROGRAM);
        let look = match parts[nth].look {
            Look::Output(it) => Look::Output(it),
            it if !in_output && (nth == 0 || accepted.contains(&name)) => match it {
                Look::Output(_) => it,
                Look::Command | Look::Likely | Look::Perhaps => Look::Command,
            },
            Look::Command if !in_output => Look::Command,
            Look::Command if RESUMING.contains(&name.as_str()) && resumes && !is_set_off => {
                Look::Command
            }
            Look::Likely if !in_output && language == Language::Shell => Look::Command,
            Look::Command | Look::Likely | Look::Perhaps => Look::Output(NO_PROGRAM),
        };
        in_output = matches!(look, Look::Output(_));
        if look == Look::Command {
            accepted.insert(name);
        }
        parts[nth].look = look;
    }
}

/// Programs that are typed below an output.
const RESUMING: [&str; 16] = [
    "docker",
    "docker-compose",
    "sudo",
    "cd",
    "mkdir",
    "curl",
    "cat",
    "ls",
    "echo",
    "export",
    "git",
    "touch",
    "rm",
    "wget",
    "cp",
    "mv",
];
