//! Lines whose number and order differ from run to run although the same was done: progress, and names of one image.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::Piece;
use crate::regexes::known;

static LAYER: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"^(?<key>[0-9a-f]{12}): (?<state>Pulling fs layer|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists|Layer already exists|Pushing|Pushed|Preparing|Retrying|Mounted from \S{1,300})(?<rest>.*)$",
    )
});
/// A row of `docker images` or `docker system df --verbose`.
static IMAGE_ROW: LazyLock<Regex> = LazyLock::new(|| {
    known(r"^\S{1,300}(?: +\S{1,200})? {2,}(?<id>[0-9a-f]{12})  .*\d[kMG]?B(?: +\d{1,9})?\s*$")
});
/// A notice of nginx about its processes, or about the system that it runs on; Compose puts a name before it.
static NGINX: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"^(?<from>\S{1,200} +\| (?:\x1b\[[0-9;]{0,60}m)?)?\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2} \[notice\] \d{1,9}#\d{1,9}: (?:OS: |getrlimit\(|start (?:worker|cache) |signal \d|(?:worker|cache \w{1,20}|unknown) process \d{1,9} exited|gracefully shutting down$|exit(?:ing)?$)",
    )
});
static LAYER_ID: LazyLock<Regex> = LazyLock::new(|| known("^[0-9a-f]{12}$"));
/// A line of the progress of `docker compose`.
static SERVICE: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"^ (?<key>(?:(?:Container|Network|Volume|Image) )?[0-9A-Za-z_][0-9A-Za-z_.:/@-]{0,299}) +(?<state>Pulling fs layer|Pulling|Pulled|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists|Creating|Created|Recreate|Recreated|Starting|Started|Running|Healthy|Exited|Stopping|Stopped|Killing|Killed|Removing|Removed|Building|Built)(?: .*)?$",
    )
});
/// A line of BuildKit's plain progress: the number of a build step, and what is told of it.
static BUILD: LazyLock<Regex> = LazyLock::new(|| known(r"^#(?<step>\d{1,6}) (?<text>.+)$"));
/// A line that a build step printed, after the seconds since it began.
static PRINTED: LazyLock<Regex> = LazyLock::new(|| known(r"^\d{1,6}\.\d{1,3} (?<text>.*)$"));
/// How far a build step is; what comes once it is done, and sizes so far, are not always told.
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"(?: \S{1,20} / \S{1,20}| \d{1,6}(?:\.\d{1,3})?[kMG]?B)?(?: \d{1,6}\.\d{1,3}s)?(?: done)?$",
    )
});

/// Cuts an output into lines in their last state, and runs of progress lines into one piece each.
pub(super) fn pieces(output: &[u8]) -> Vec<Piece> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in output.split_inclusive(|it| *it == b'\n') {
        let raw = start..start + line.len();
        start = raw.end;
        let text = last_state(&String::from_utf8_lossy(line));
        lines.push(Piece { raw, text });
    }
    let mut res: Vec<Piece> = Vec::new();
    let mut rest = &lines[..];
    while let Some(first) = rest.first() {
        let layers = rest.iter().map_while(|it| layer(&it.text)).count();
        let built = n_build_lines(rest);
        let composed = rest.iter().map_while(|it| service(&it.text)).count();
        let (n_lines, text) = match (layers, built, composed) {
            (0, 0, 0) => match (n_rows_of_one_image(rest), n_notices_of_nginx(rest)) {
                (_, n) if n > 0 => (n, collapse_notices(&rest[..n])),
                (0 | 1, _) => (1, first.text.clone()),
                (n, _) => (n, sorted(&rest[..n])),
            },
            (0, 0, n) => (n, collapse_services(&rest[..n])),
            (0, n, _) => (n, collapse_build(&rest[..n])),
            (n, _, _) => (n, collapse_layers(&rest[..n])),
        };
        let raw = first.raw.start..rest[n_lines - 1].raw.end;
        res.push(Piece { raw, text });
        rest = &rest[n_lines..];
    }
    res
}

fn last_state(line: &str) -> String {
    let (text, end) = match line.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (line, ""),
    };
    let mut states = text.rsplit('\r');
    format!(
        "{}{end}",
        states.find(|it| !it.is_empty()).unwrap_or_default()
    )
}

fn layer(line: &str) -> Option<(String, String)> {
    let it = LAYER.captures(line.trim_end_matches('\n'))?;
    Some((it["key"].to_string(), it["state"].to_string()))
}

fn collapse_layers(lines: &[Piece]) -> String {
    let mut layers = last_of_each(lines.iter().filter_map(|it| layer(&it.text)));
    layers.sort_by(|a, b| a.1.cmp(&b.1));
    let text = layers.iter().map(|it| format!("{}: {}", it.0, it.1));
    with_end_of(lines, text.collect::<Vec<_>>().join("\n"))
}

/// Keeps the last value of each key, in the order in which the keys came.
fn last_of_each(states: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut res: Vec<(String, String)> = Vec::new();
    let mut idxs = HashMap::new();
    for (key, state) in states {
        match idxs.get(&key) {
            Some(&idx) => res[idx] = (key, state),
            None => {
                idxs.insert(key.clone(), res.len());
                res.push((key, state));
            }
        }
    }
    res
}

fn with_end_of(lines: &[Piece], text: String) -> String {
    match lines.last() {
        Some(last) if !last.text.ends_with('\n') => text,
        _ => text + "\n",
    }
}

/// Rows of one image at the beginning of a list of images; the engine tells its names in no order.
fn n_rows_of_one_image(lines: &[Piece]) -> usize {
    let id = |it: &Piece| {
        let row = IMAGE_ROW.captures(it.text.trim_end_matches('\n'))?;
        Some(row["id"].to_string())
    };
    match lines.first().and_then(id) {
        Some(first) => lines
            .iter()
            .take_while(|it| id(it).as_ref() == Some(&first))
            .count(),
        None => 0,
    }
}

fn sorted(lines: &[Piece]) -> String {
    let mut texts: Vec<&str> = lines
        .iter()
        .map(|it| it.text.trim_end_matches('\n'))
        .collect();
    texts.sort_unstable();
    with_end_of(lines, texts.join("\n"))
}

/// Notices of one nginx about its processes at the beginning.
fn n_notices_of_nginx(lines: &[Piece]) -> usize {
    let from = |it: &Piece| {
        let notice = NGINX.captures(it.text.trim_end_matches('\n'))?;
        Some(
            notice
                .name("from")
                .map_or(String::new(), |it| it.as_str().to_string()),
        )
    };
    match lines.first().and_then(from) {
        Some(first) => lines
            .iter()
            .take_while(|it| from(it).as_ref() == Some(&first))
            .count(),
        None => 0,
    }
}

/// How many workers there are is up to the machine, and which of them is first is a matter of time.
fn collapse_notices(lines: &[Piece]) -> String {
    let first = lines.first().and_then(|it| NGINX.captures(&it.text));
    let from = first.and_then(|it| it.name("from").map(|it| it.as_str().to_string()));
    with_end_of(
        lines,
        format!("{}[notice] of processes", from.unwrap_or_default()),
    )
}

/// What a line of `docker compose` tells about, and how far that is.
fn service(line: &str) -> Option<(String, String)> {
    let it = SERVICE.captures(line.trim_end_matches('\n'))?;
    Some((it["key"].to_string(), it["state"].to_string()))
}

/// Containers and networks come and go side by side; each has its last state, sorted by name. The layers of their images
/// have none: which are told is a matter of time.
fn collapse_services(lines: &[Piece]) -> String {
    let services = lines.iter().filter_map(|it| service(&it.text));
    let mut services = last_of_each(services.filter(|it| !LAYER_ID.is_match(&it.0)));
    services.sort();
    let text = services.iter().map(|it| format!(" {} {}", it.0, it.1));
    with_end_of(lines, text.collect::<Vec<_>>().join("\n"))
}

/// Lines of a build's progress at the beginning; a blank one counts if another of them follows.
fn n_build_lines(lines: &[Piece]) -> usize {
    let is_build = |it: &Piece| BUILD.is_match(it.text.trim_end_matches('\n'));
    let run = lines
        .iter()
        .take_while(|it| is_build(it) || it.text == "\n");
    let run: Vec<&Piece> = run.collect();
    match run.first().is_some_and(|it| is_build(it)) {
        true => run
            .iter()
            .rposition(|it| is_build(it))
            .map_or(0, |it| it + 1),
        false => 0,
    }
}

/// Steps that are built side by side take turns, and how often each is told is a matter of time. So each step's lines come
/// together, by its title, and of its progress only that there was some.
fn collapse_build(lines: &[Piece]) -> String {
    let mut steps: Vec<BuildStep> = Vec::new();
    for line in lines {
        let Some(line) = BUILD.captures(line.text.trim_end_matches('\n')) else {
            continue;
        };
        let (number, text) = (&line["step"], &line["text"]);
        match steps.iter_mut().find(|it| it.number == number) {
            Some(step) => step.add(text),
            None => steps.push(BuildStep::begin(number, text)),
        }
    }
    steps.sort_by(|a, b| a.title.cmp(&b.title));
    let text = steps.iter().map(|step| {
        let lines = step.lines.iter().map(|it| format!("\n#   {it}"));
        format!("# {}{}", step.title, lines.collect::<String>())
    });
    with_end_of(lines, text.collect::<Vec<_>>().join("\n"))
}

struct BuildStep {
    number: String,
    title: String,
    lines: Vec<String>,
}

impl BuildStep {
    /// The first line of a step is its title, unless the output begins in the middle of it.
    fn begin(number: &str, text: &str) -> BuildStep {
        let is_printed = PRINTED.is_match(text);
        let title = if is_printed { "…" } else { text };
        let mut step = BuildStep {
            number: number.to_string(),
            title: title.to_string(),
            lines: Vec::new(),
        };
        if is_printed {
            step.add(text);
        }
        step
    }

    fn add(&mut self, text: &str) {
        if let Some(printed) = PRINTED.captures(text) {
            self.lines.push(printed["text"].to_string());
            return;
        }
        let is_turn = text == "..." || text == self.title || text.starts_with("DONE");
        // Which blobs come, the digest in the title says already.
        let is_blob = text.starts_with("sha256:") || text.starts_with("extracting sha256:");
        let state = PROGRESS.replace(text, "").into_owned();
        if !is_turn && !is_blob && !self.lines.contains(&state) {
            self.lines.push(state);
        }
    }
}
