//! The committed form of a run: one readable file an exercise. Printing and parsing round-trip exactly.
//!
//! The first characters of a line say what it is, so that no output can be taken for anything else:
//!
//! | begins with | is |
//! |---|---|
//! | `# ` | the first line with the format, and the last one, `# end` |
//! | `exercise: `, `recorded: `, `engine: `, `registry: `, `left: ` | header |
//! | `== ` | a step's name |
//! | `$ `, `> ` | a command's first line, its further lines |
//! | `\| ` | a line of output, literally |
//! | `! ` | a line of output with escapes: `\xNN` a byte, `\u{NNNN}` a character, `\\` a backslash |
//! | `$! `, `>! ` | a line of a command with escapes |
//! | `\ ` | the output has no newline at its end |
//! | `= ` | a command's status and duration |
//! | `@ ` | an image reference; two spaces begin what is known of it |
//!
//! An empty line of output or of a command is the bare `|`, `$` or `>`. Blank lines mean nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use jiff::civil::Date;

use crate::character::is_unseen;
use crate::config::Source;
use crate::images::{CommandName, ImageOrigin, LedgerEntry, Move};
use crate::problem::Problem;
use crate::transcript::{Engine, Inventory, Layer};

/// What is committed of an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The exercise's name.
    pub exercise: String,
    /// Day of the run whose text last differed. The only clock in it, for readers who ask how old a page is.
    pub recorded: Date,
    /// The engine of that run.
    pub engine: Engine,
    /// Registry host to where its images came from.
    pub registries: BTreeMap<String, Source>,
    /// What the engine had when all was over, cleanup too; `None` in files of a time when it was not counted.
    pub left: Option<Inventory>,
    /// Steps that ran, in document order (as in the plan).
    pub steps: Vec<RecordedStep>,
    /// Every image reference of the run.
    pub images: Vec<LedgerEntry>,
}

/// A step of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedStep {
    /// The step's name.
    pub id: String,
    /// In order.
    pub commands: Vec<RecordedCommand>,
}

/// A command of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCommand {
    /// As the shell got it.
    pub text: String,
    /// What it printed, byte for byte.
    pub output: Vec<u8>,
    /// Exit status.
    pub status: i32,
    /// How long it took.
    pub took: Duration,
}

/// Size of the largest file that [`parse`] reads.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

const FORMAT: u64 = 2;
const TITLE: &str = "# mdbook-rehearse snapshot, format ";
const ADVICE: &str = ". Review it like code; `mdbook-rehearse run` writes it.";
const END: &str = "# end";
const MADE_HERE: &str = "made here";
const NO_NEWLINE: &str = "\\ no newline at end";
const REMEDY: &str = "delete the file and run `mdbook-rehearse run`";
const MAX_PROBLEMS: usize = 20;

/// Prints a snapshot. Durations are cut to milliseconds; everything else comes back from [`parse`] as it was, if names
/// of exercise and steps are `[a-z0-9-]{1,64}` and steps and references are unique.
pub fn print(snapshot: &Snapshot) -> String {
    let mut out = format!("{TITLE}{FORMAT}{ADVICE}\n");
    let engine = &snapshot.engine;
    line(&mut out, format_args!("exercise: {}", snapshot.exercise));
    line(&mut out, format_args!("recorded: {}", snapshot.recorded));
    let [version, store, platform] = [&engine.version, &engine.store, &engine.platform];
    let [version, store, platform] = [word(version), word(store), word(platform)];
    line(
        &mut out,
        format_args!("engine: {version} {store} {platform}"),
    );
    for (host, source) in &snapshot.registries {
        let source = match source {
            Source::Local => "local",
            Source::Proxy => "proxy",
        };
        line(&mut out, format_args!("registry: {} {source}", word(host)));
    }
    if let Some(left) = &snapshot.left {
        let Inventory {
            containers,
            images,
            volumes,
            networks,
        } = left;
        line(
            &mut out,
            format_args!(
                "left: containers {containers}, images {images}, volumes {volumes}, networks {networks}"
            ),
        );
    }
    for step in &snapshot.steps {
        line(&mut out, format_args!("\n== {}", step.id));
        for (idx, command) in step.commands.iter().enumerate() {
            if idx > 0 {
                out.push('\n');
            }
            print_command(&mut out, command);
        }
    }
    for entry in &snapshot.images {
        line(&mut out, format_args!("\n@ {}", word(&entry.reference)));
        print_entry(&mut out, entry);
    }
    line(&mut out, format_args!("\n{END}"));
    out
}

/// Parses what [`print()`] printed; problems name the line of the file. Line ends may have become CRLF.
pub fn parse(text: &str) -> Result<Snapshot, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "snapshot of {} bytes, more than {MAX_BYTES}; {REMEDY}",
            text.len()
        );
        return Err(vec![Problem::error(1, message)]);
    }
    let lines: Vec<&str> = text.lines().collect();
    let conflicts = conflicts(&lines);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    check_title(lines.first().copied().unwrap_or_default()).map_err(|it| vec![it])?;

    let mut parser = Parser::default();
    for (idx, line) in lines.iter().enumerate().skip(1) {
        parser.line(idx + 1, line);
    }
    parser.finish(lines.len(), text.ends_with('\n'))
}

fn print_command(out: &mut String, command: &RecordedCommand) {
    for (idx, text) in command.text.split('\n').enumerate() {
        let (literal, escaped) = match idx {
            0 => ("$", "$!"),
            _ => (">", ">!"),
        };
        payload(out, text.as_bytes(), literal, escaped);
    }
    let mut lines: Vec<&[u8]> = command.output.split(|it| *it == b'\n').collect();
    let cut = lines.pop().unwrap_or_default();
    for text in lines {
        payload(out, text, "|", "!");
    }
    if !cut.is_empty() {
        payload(out, cut, "|", "!");
        line(out, format_args!("{NO_NEWLINE}"));
    }
    let took = format!(
        "{}.{:03}",
        command.took.as_secs(),
        command.took.subsec_millis()
    );
    let took = took.trim_end_matches('0').trim_end_matches('.');
    line(out, format_args!("= {} in {took} s", command.status));
}

fn print_entry(out: &mut String, entry: &LedgerEntry) {
    if entry.origin == ImageOrigin::Exercise {
        line(out, format_args!("  {MADE_HERE}"));
    }
    if let Some(digest) = &entry.digest {
        line(out, format_args!("  digest {}", word(digest)));
    }
    if let Some(Move { on, from }) = &entry.moved {
        line(out, format_args!("  moved {on} from {}", word(from)));
    }
    for (key, digest) in [("manifest", &entry.manifest), ("config", &entry.config)] {
        if let Some(digest) = digest {
            line(out, format_args!("  {key} {}", word(digest)));
        }
    }
    line(out, format_args!("  id {}", word(&entry.id)));
    line(out, format_args!("  platform {}", word(&entry.platform)));
    line(out, format_args!("  size {}", entry.size));
    for Layer { digest, size } in &entry.layers {
        let digest = word(digest);
        match size {
            Some(size) => line(out, format_args!("  layer {digest} {size}")),
            None => line(out, format_args!("  layer {digest}")),
        }
    }
    for (key, CommandName { step, number }) in [("first", &entry.first), ("last", &entry.last)] {
        line(out, format_args!("  {key} {} {number}", word(step)));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string does not fail");
}

/// Prints one line of text that is not ours: as it is if that can be read, reviewed and kept by any editor, else with escapes.
fn payload(out: &mut String, text: &[u8], literal: &str, escaped: &str) {
    match std::str::from_utf8(text) {
        Ok("") => line(out, format_args!("{literal}")),
        Ok(text) if is_plain(text) => line(out, format_args!("{literal} {text}")),
        _ => line(out, format_args!("{escaped} {}", escape(text))),
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(is_hidden) && !text.ends_with(char::is_whitespace)
}

/// Whether a character does not show in a reviewer's editor as what it is. A tab does.
fn is_hidden(c: char) -> bool {
    match c {
        '\t' => false,
        // Variation selectors and musical controls change how their neighbours look.
        '\u{fe00}'..='\u{fe0f}' | '\u{1d173}'..='\u{1d17a}' => true,
        _ => is_unseen(c),
    }
}

fn escape(text: &[u8]) -> String {
    let mut res = String::new();
    let n_chunks = text.utf8_chunks().count();
    for (idx, chunk) in text.utf8_chunks().enumerate() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(c) = chars.next() {
            let is_last = chars.peek().is_none() && chunk.invalid().is_empty();
            match c {
                '\\' => res.push_str("\\\\"),
                _ if is_hidden(c) || (is_last && idx + 1 == n_chunks && c.is_whitespace()) => {
                    push_escaped(&mut res, c);
                }
                _ => res.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(res, "\\x{byte:02x}").expect("writing to a string does not fail");
        }
    }
    res
}

fn push_escaped(res: &mut String, c: char) {
    let written = match c.is_ascii() {
        true => write!(res, "\\x{:02x}", u32::from(c)),
        false => write!(res, "\\u{{{:x}}}", u32::from(c)),
    };
    written.expect("writing to a string does not fail");
}

/// Prints a value without blanks in it; `-` stands for an empty one.
fn word(text: &str) -> String {
    match text {
        "" => "-".to_string(),
        "-" => "\\x2d".to_string(),
        _ => {
            let mut res = String::new();
            for c in text.chars() {
                match c {
                    '\\' => res.push_str("\\\\"),
                    _ if is_hidden(c) || c.is_whitespace() => push_escaped(&mut res, c),
                    _ => res.push(c),
                }
            }
            res
        }
    }
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut res = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        res.extend_from_slice(before.as_bytes());
        let byte = after
            .strip_prefix('x')
            .and_then(|it| it.get(..2))
            .filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))
            .and_then(|it| u8::from_str_radix(it, 16).ok());
        let char = after
            .strip_prefix("u{")
            .and_then(|it| it.split_once('}'))
            .filter(|it| it.0.len() <= 6 && it.0.bytes().all(|it| it.is_ascii_hexdigit()))
            .and_then(|it| Some((char::from_u32(u32::from_str_radix(it.0, 16).ok()?)?, it.1)));
        match (byte, char) {
            (Some(byte), _) => {
                res.push(byte);
                rest = &after[3..];
            }
            (None, Some((char, after))) => {
                res.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            (None, None) if after.starts_with('\\') => {
                res.push(b'\\');
                rest = &after[1..];
            }
            (None, None) => {
                let escape: String = after.chars().take(1).collect();
                return Err(format!(
                    "unknown escape `\\{}`; known: `\\xNN`, `\\u{{NNNN}}`, `\\\\`",
                    escape.escape_default()
                ));
            }
        }
    }
    res.extend_from_slice(rest.as_bytes());
    Ok(res)
}

fn unword(text: &str) -> Result<String, String> {
    if text == "-" {
        return Ok(String::new());
    }
    if text.is_empty() || text.contains(|it: char| it.is_whitespace() || is_hidden(it)) {
        return Err(format!("`{}` is not one word", text.escape_debug()));
    }
    String::from_utf8(unescape(text)?).map_err(|_| "bytes that are not UTF-8".to_string())
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn id(text: &str) -> Result<String, String> {
    match is_id(text) {
        true => Ok(text.to_string()),
        false => Err(format!(
            "`{}` is not a name: at most 64 of `a-z`, `0-9` and `-`",
            text.escape_debug()
        )),
    }
}

/// Conflict markers in column 0. Text that is not ours never stands there.
fn conflicts(lines: &[&str]) -> Vec<Problem> {
    let find = |marker: &str| -> Vec<Problem> {
        let is_marker = |line: &str| {
            line.strip_prefix(marker)
                .is_some_and(|it| it.is_empty() || it.starts_with(' '))
        };
        let message = format!("merge conflict; take one side as a whole, or {REMEDY}");
        let found = lines.iter().enumerate().filter(|it| is_marker(it.1));
        found
            .map(|it| Problem::error(it.0 + 1, message.as_str()))
            .take(MAX_PROBLEMS)
            .collect()
    };
    ["<<<<<<<", "=======", ">>>>>>>"]
        .into_iter()
        .map(find)
        .find(|it| !it.is_empty())
        .unwrap_or_default()
}

fn check_title(title: &str) -> Result<(), Problem> {
    let format = title
        .strip_prefix(TITLE)
        .and_then(|it| it.split('.').next())
        .and_then(|it| it.parse::<u64>().ok());
    match format {
        Some(FORMAT) => Ok(()),
        Some(format) if format > FORMAT => Err(Problem::error(
            1,
            format!(
                "snapshot in format {format}, of a newer mdbook-rehearse than this one, which knows format {FORMAT}; update mdbook-rehearse"
            ),
        )),
        Some(format) => Err(Problem::error(
            1,
            format!(
                "snapshot in format {format}, of an older mdbook-rehearse than this one, which knows format {FORMAT}; {REMEDY}"
            ),
        )),
        None => Err(Problem::error(
            1,
            format!("not a snapshot: it begins with `{TITLE}{FORMAT}`; {REMEDY}"),
        )),
    }
}

#[derive(Default)]
struct Parser {
    exercise: Option<String>,
    recorded: Option<Date>,
    engine: Option<Engine>,
    registries: BTreeMap<String, Source>,
    left: Option<Inventory>,
    steps: Vec<RecordedStep>,
    step_ids: BTreeSet<String>,
    command: Option<OpenCommand>,
    entries: Vec<OpenEntry>,
    references: BTreeSet<String>,
    ended: bool,
    problems: Vec<Problem>,
}

struct OpenCommand {
    line: usize,
    text: String,
    output: Option<Vec<u8>>,
    cut: bool,
}

#[derive(Default)]
struct OpenEntry {
    line: usize,
    reference: String,
    made: Option<()>,
    digest: Option<String>,
    moved: Option<Move>,
    manifest: Option<String>,
    config: Option<String>,
    id: Option<String>,
    platform: Option<String>,
    size: Option<u64>,
    layers: Vec<Layer>,
    first: Option<CommandName>,
    last: Option<CommandName>,
}

impl Parser {
    fn line(&mut self, number: usize, line: &str) {
        if self.problems.len() >= MAX_PROBLEMS || line.is_empty() {
            return;
        }
        let res = match self.ended {
            true => Err(format!("text after `{END}`")),
            false => self.read(number, line),
        };
        if let Err(message) = res {
            let message = format!("{message}; mend it or {REMEDY}");
            self.problems.push(Problem::error(number, message));
        }
    }

    fn read(&mut self, number: usize, line: &str) -> Result<(), String> {
        let (kind, rest) = match line.strip_prefix("  ") {
            Some(rest) => ("  ", rest),
            None => line.split_once(' ').unwrap_or((line, "")),
        };
        match kind {
            "exercise:" => set(&mut self.exercise, "exercise:", id(rest)?),
            "recorded:" => {
                let date: Result<Date, _> = rest.parse();
                let date = date.map_err(|_| format!("`{}` is not a date", rest.escape_debug()))?;
                set(&mut self.recorded, "recorded:", date)
            }
            "engine:" => set(&mut self.engine, "engine:", engine(rest)?),
            "registry:" => {
                let (host, source) = registry(rest)?;
                match self.registries.insert(host, source) {
                    None => Ok(()),
                    Some(_) => Err("second line for this registry".to_string()),
                }
            }
            "left:" => set(&mut self.left, "left:", inventory(rest)?),
            "==" => self.step(rest),
            "$" | "$!" => self.command(number, &decode(kind == "$!", rest)?),
            ">" | ">!" => {
                let text = decode(kind == ">!", rest)?;
                match &mut self.command {
                    Some(command) if command.output.is_none() => {
                        command.text.push('\n');
                        command.text.push_str(&text);
                        Ok(())
                    }
                    _ => Err("`>` goes on with a command, and there is none before it".to_string()),
                }
            }
            "|" | "!" => {
                let text = match kind {
                    "!" => unescape(visible(rest)?)?,
                    _ => visible(rest)?.as_bytes().to_vec(),
                };
                match &mut self.command {
                    Some(command) if !command.cut => {
                        let output = command.output.get_or_insert_default();
                        output.extend(text);
                        output.push(b'\n');
                        Ok(())
                    }
                    _ => Err("output without a command".to_string()),
                }
            }
            "\\" if line == NO_NEWLINE => match &mut self.command {
                Some(OpenCommand {
                    output: Some(output),
                    cut: cut @ false,
                    ..
                }) => {
                    output.pop();
                    *cut = true;
                    Ok(())
                }
                _ => Err(format!("`{NO_NEWLINE}` without output before it")),
            },
            "=" => self.status(rest),
            "@" => self.entry(number, unword(rest)?),
            "  " => self.detail(rest),
            "#" if line == END => {
                self.close_command();
                self.ended = true;
                Ok(())
            }
            _ => {
                let start: String = line.chars().take(20).collect();
                Err(format!("unknown line `{}`", start.escape_debug()))
            }
        }
    }

    fn step(&mut self, rest: &str) -> Result<(), String> {
        self.close_command();
        let id = id(rest)?;
        self.steps.push(RecordedStep {
            id: id.clone(),
            commands: Vec::new(),
        });
        if !self.entries.is_empty() {
            return Err("step after the images".to_string());
        }
        match self.step_ids.insert(id) {
            true => Ok(()),
            false => Err(format!("second step `{rest}`")),
        }
    }

    fn command(&mut self, number: usize, text: &str) -> Result<(), String> {
        self.close_command();
        self.command = Some(OpenCommand {
            line: number,
            text: text.to_string(),
            output: None,
            cut: false,
        });
        match self.steps.is_empty() || !self.entries.is_empty() {
            true => Err("command without a step".to_string()),
            false => Ok(()),
        }
    }

    fn status(&mut self, rest: &str) -> Result<(), String> {
        let wrong = || format!("`= {}` is not like `= 0 in 1.2 s`", rest.escape_debug());
        let (status, took) = rest
            .strip_suffix(" s")
            .and_then(|it| it.split_once(" in "))
            .ok_or_else(wrong)?;
        let status: i32 = status.parse().map_err(|_| wrong())?;
        let took = duration(took).ok_or_else(wrong)?;
        let command = self
            .command
            .take()
            .ok_or_else(|| "status without a command".to_string())?;
        if let Some(step) = self.steps.last_mut() {
            step.commands.push(RecordedCommand {
                text: command.text,
                output: command.output.unwrap_or_default(),
                status,
                took,
            });
        }
        Ok(())
    }

    fn entry(&mut self, number: usize, reference: String) -> Result<(), String> {
        self.close_command();
        let is_new = self.references.insert(reference.clone());
        let message = format!("second entry for `{}`", reference.escape_debug());
        self.entries.push(OpenEntry {
            line: number,
            reference,
            ..OpenEntry::default()
        });
        match is_new {
            true => Ok(()),
            false => Err(message),
        }
    }

    fn detail(&mut self, rest: &str) -> Result<(), String> {
        let entry = self
            .entries
            .last_mut()
            .ok_or_else(|| "indented line without an image".to_string())?;
        let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
        match key {
            "digest" => set(&mut entry.digest, key, unword(value)?),
            "made" if rest == MADE_HERE => set(&mut entry.made, key, ()),
            "moved" => set(&mut entry.moved, key, moved(value)?),
            "manifest" => set(&mut entry.manifest, key, unword(value)?),
            "config" => set(&mut entry.config, key, unword(value)?),
            "id" => set(&mut entry.id, key, unword(value)?),
            "platform" => set(&mut entry.platform, key, unword(value)?),
            "size" => set(&mut entry.size, key, bytes("size", value)?),
            "layer" => {
                let (digest, size) = match value.split_once(' ') {
                    Some((digest, size)) => (digest, Some(bytes("layer", size)?)),
                    None => (value, None),
                };
                let digest = unword(digest)?;
                entry.layers.push(Layer { digest, size });
                Ok(())
            }
            "first" => set(&mut entry.first, key, command_name(key, value)?),
            "last" => set(&mut entry.last, key, command_name(key, value)?),
            _ => Err(format!(
                "unknown `{}`; known: `{MADE_HERE}`, `digest`, `moved`, `manifest`, `config`, `id`, `platform`, `size`, `layer`, `first`, `last`",
                key.escape_debug()
            )),
        }
    }

    /// Objects to a command that has no status yet.
    fn close_command(&mut self) {
        if let Some(command) = self.command.take() {
            let message = format!("command without its line `= STATUS in SECONDS s`; {REMEDY}");
            self.problems.push(Problem::error(command.line, message));
        }
    }

    fn finish(mut self, n_lines: usize, whole: bool) -> Result<Snapshot, Vec<Problem>> {
        let mut images = Vec::new();
        for entry in self.entries {
            let OpenEntry {
                line: _,
                reference,
                made,
                digest,
                moved,
                manifest,
                config,
                id: Some(id),
                platform: Some(platform),
                size: Some(size),
                layers,
                first: Some(first),
                last: Some(last),
            } = entry
            else {
                let message =
                    format!("image without `id`, `platform`, `size`, `first` or `last`; {REMEDY}");
                self.problems.push(Problem::error(entry.line, message));
                continue;
            };
            let origin = match made {
                Some(()) => ImageOrigin::Exercise,
                None => ImageOrigin::Registry,
            };
            images.push(LedgerEntry {
                reference,
                origin,
                digest,
                manifest,
                config,
                id,
                platform,
                size,
                layers,
                first,
                last,
                moved,
            });
        }
        if self.problems.is_empty() && !(self.ended && whole) {
            let message = format!("the file is cut off: its last line is not `{END}`; {REMEDY}");
            self.problems.push(Problem::error(n_lines.max(1), message));
        }
        match (self.exercise, self.recorded, self.engine) {
            (Some(exercise), Some(recorded), Some(engine)) if self.problems.is_empty() => {
                Ok(Snapshot {
                    exercise,
                    recorded,
                    engine,
                    registries: self.registries,
                    left: self.left,
                    steps: self.steps,
                    images,
                })
            }
            (exercise, recorded, engine) => {
                let missing = [
                    ("exercise:", exercise.is_none()),
                    ("recorded:", recorded.is_none()),
                    ("engine:", engine.is_none()),
                ];
                // A header that is there and wrong has its own problem.
                if self.problems.is_empty() {
                    for (key, _) in missing.iter().filter(|it| it.1) {
                        let message = format!("no line `{key}` in the header; {REMEDY}");
                        self.problems.push(Problem::error(1, message));
                    }
                }
                self.problems.sort_by_key(|it| it.line);
                self.problems.truncate(MAX_PROBLEMS);
                Err(self.problems)
            }
        }
    }
}

fn set<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("second line `{key}`")),
    }
}

/// Refuses what [`print()`] never leaves unescaped: a reviewer would not see it.
fn visible(text: &str) -> Result<&str, String> {
    match text.chars().find(|it| is_hidden(*it)) {
        None => Ok(text),
        Some(c) => Err(format!(
            "hidden character `{}` in the file",
            c.escape_unicode()
        )),
    }
}

fn decode(escaped: bool, text: &str) -> Result<String, String> {
    let text = visible(text)?;
    match escaped {
        true => String::from_utf8(unescape(text)?)
            .map_err(|_| "command with bytes that are not UTF-8".to_string()),
        false => Ok(text.to_string()),
    }
}

fn engine(text: &str) -> Result<Engine, String> {
    match text.split(' ').collect::<Vec<_>>()[..] {
        [version, store, platform] => Ok(Engine {
            version: unword(version)?,
            store: unword(store)?,
            platform: unword(platform)?,
        }),
        _ => Err("`engine:` needs version, image store and platform".to_string()),
    }
}

fn inventory(text: &str) -> Result<Inventory, String> {
    let wrong = || {
        format!(
            "`left: {}` is not like `left: containers 0, images 2, volumes 0, networks 0`",
            text.escape_debug()
        )
    };
    let mut counts = Vec::new();
    for (part, name) in text
        .split(", ")
        .zip(["containers", "images", "volumes", "networks"])
    {
        let count = part.strip_prefix(name).and_then(|it| it.strip_prefix(' '));
        counts.push(count.and_then(|it| it.parse().ok()).ok_or_else(wrong)?);
    }
    match (<[usize; 4]>::try_from(counts), text.split(", ").count()) {
        (Ok([containers, images, volumes, networks]), 4) => Ok(Inventory {
            containers,
            images,
            volumes,
            networks,
        }),
        _ => Err(wrong()),
    }
}

fn bytes(key: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        format!(
            "`{}` of `{key}` is not a number of bytes",
            text.escape_debug()
        )
    })
}

fn command_name(key: &str, text: &str) -> Result<CommandName, String> {
    let name = text.split_once(' ').and_then(|(step, number)| {
        let number = number.parse().ok().filter(|it| *it > 0)?;
        let step = unword(step).ok()?;
        Some(CommandName { step, number })
    });
    name.ok_or_else(|| {
        let text = text.escape_debug();
        format!(
            "`{key} {text}` is not like `{key} images-1 2`: a step and the number of its command"
        )
    })
}

fn moved(text: &str) -> Result<Move, String> {
    let moved = text.split_once(" from ").and_then(|(on, from)| {
        let on = on.parse().ok()?;
        let from = unword(from).ok()?;
        Some(Move { on, from })
    });
    moved.ok_or_else(|| {
        let text = text.escape_debug();
        format!("`moved {text}` is not like `moved 2026-11-24 from sha256:…`")
    })
}

fn registry(text: &str) -> Result<(String, Source), String> {
    match text.split_once(' ') {
        Some((host, "local")) => Ok((unword(host)?, Source::Local)),
        Some((host, "proxy")) => Ok((unword(host)?, Source::Proxy)),
        _ => Err("`registry:` needs a host and `local` or `proxy`".to_string()),
    }
}

fn duration(text: &str) -> Option<Duration> {
    let (secs, millis) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    if !is_number(secs) || !is_number(millis) || millis.len() > 3 {
        return None;
    }
    let millis: u32 = format!("{millis:0<3}").parse().ok()?;
    Some(Duration::new(secs.parse().ok()?, millis * 1_000_000))
}
