//! The ordered, named list of rules for volatile text. A rule replaces what differs from run to run by a label.
//!
//! What has an identity (an ID, a digest, an address) gets a number in its label, the same one all through an exercise;
//! what is only a measurement (an age, a size) gets none. Words, versions and exit codes stay as they are.

mod progress;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use self::progress::pieces;
use crate::regexes::known;

/// Normalizes the outputs of one exercise, in order, with one memory of what was labelled how: the same container ID becomes
/// the same label all through an exercise, its short form too.
#[derive(Debug, Default)]
pub struct Normalizer {
    labels: HashMap<(Kind, String), String>,
    /// IDs and digests, by their short form: twelve characters, after `swarm` if it is one of swarm's.
    ids: HashMap<String, Vec<Named>>,
    n_labels: BTreeMap<Kind, usize>,
    /// Labels that stood in an output as they are.
    literal: BTreeSet<String>,
    values: HashMap<String, String>,
}

/// What a stretch of an output became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the output, whole lines.
    pub raw: Range<usize>,
    /// Their normalized text, with newlines.
    pub text: String,
}

/// Something with an identity, and the label that stands for it.
#[derive(Debug)]
struct Named {
    full: Option<String>,
    label: String,
}

/// What a numbered label stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Digest,
    Id,
    Ip,
    Mac,
    Name,
    Port,
    Token,
    Uuid,
    Veth,
}

/// One rule.
struct Rule {
    name: &'static str,
    doc: &'static str,
    how: How,
}

/// How a rule works.
enum How {
    /// On whole lines, in [`pieces`] or [`squeeze`].
    Lines,
    /// Every match becomes this text; `$1` and the like are groups.
    Text(&'static str, &'static str),
    /// The group `it` of every match becomes a numbered label.
    Numbered(&'static str, Kind),
    /// Every match becomes what this function says, if anything.
    With(
        &'static str,
        fn(&mut Normalizer, &Captures<'_>) -> Option<String>,
    ),
}

// Order matters: an earlier rule takes its text away from the later ones. New rules go at the end, unless a later one
// would take their text. Bounded repetition only: an output can be one line of many megabytes.
const RULES: &[Rule] = &[
    Rule {
        name: "carriage-returns",
        doc: "of a line that was overwritten, as progress bars do, its last state stays",
        how: How::Lines,
    },
    Rule {
        name: "pull-progress",
        doc: "the progress lines of a pull or push become one line a layer, with its final state, sorted by that",
        how: How::Lines,
    },
    Rule {
        name: "build-progress",
        doc: "of BuildKit's plain progress each step's lines come together, without numbers and times, sorted by title",
        how: How::Lines,
    },
    Rule {
        name: "compose-progress",
        doc: "of the progress of `docker compose` each service, container and network keeps its last state, sorted by name",
        how: How::Lines,
    },
    Rule {
        name: "nginx-processes",
        doc: "nginx's notices of its processes' beginning and end, which come in any order, become one line; so does the system they tell",
        how: How::Lines,
    },
    Rule {
        name: "image-rows",
        doc: "in a list of images the rows of one image, which come in any order, are sorted",
        how: How::Lines,
    },
    Rule {
        name: "tables",
        doc: "in an output with a table's header, wide gaps become two blanks: columns are as wide as what they hold",
        how: How::Lines,
    },
    Rule {
        name: "digests",
        doc: "`sha256:` and 64 digits become `[DIGEST-1]`",
        how: How::With(
            r"(?-u:\b)sha256:(?<it>[0-9a-f]{64})(?-u:\b)",
            |memory, it| Some(memory.hex(Kind::Digest, &it["it"])),
        ),
    },
    Rule {
        name: "uuids",
        doc: "a UUID becomes `[UUID-1]`",
        how: How::Numbered(
            r"(?-u:\b)(?<it>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?-u:\b)",
            Kind::Uuid,
        ),
    },
    Rule {
        name: "long-ids",
        doc: "64 hexadecimal digits become `[ID-1]`",
        how: How::With(r"(?-u:\b)(?<it>[0-9a-f]{64})(?-u:\b)", |memory, it| {
            Some(memory.hex(Kind::Id, &it["it"]))
        }),
    },
    Rule {
        name: "short-ids",
        doc: "12 hexadecimal digits become the label of the ID or digest that they are short for, else `[ID-1]`",
        how: How::With(r"(?-u:\b)(?<it>[0-9a-f]{12})(?-u:\b)", |memory, it| {
            Some(memory.hex(Kind::Id, &it["it"]))
        }),
    },
    Rule {
        name: "swarm-tokens",
        doc: "a token to join a swarm becomes `[TOKEN-1]`",
        how: How::Numbered(
            r"(?-u:\b)(?<it>SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25})(?-u:\b)",
            Kind::Token,
        ),
    },
    Rule {
        name: "swarm-ids",
        doc: "25 lower-case letters and digits, at least one of each, become `[ID-1]`",
        how: How::With(r"(?-u:\b)(?<it>[0-9a-z]{25})(?-u:\b)", Normalizer::swarm),
    },
    Rule {
        name: "short-swarm-ids",
        doc: "so do 12 of them in the first column of a table",
        how: How::With(r"^(?<it>[0-9a-z]{12})(?<gap> {2,})", |memory, it| {
            let label = memory.swarm(it)?;
            Some(format!("{label}{}", &it["gap"]))
        }),
    },
    Rule {
        name: "timestamps",
        doc: "`2026-11-23T12:00:00Z`, `2026-11-23 12:00:00 +0000 UTC`, `2026/11/23 12:00:00` become `[TIME]`",
        how: How::Text(
            r"(?-u:\b)\d{4}([-/])\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}([.,]\d{1,9})?(Z| ?[+-]\d{2}:?\d{2})?( [A-Z]{3,4})?(?-u:\b)",
            "[TIME]",
        ),
    },
    Rule {
        name: "dates",
        doc: "`Mon Nov 23 12:00:00 UTC 2026`, `Mon, 23 Nov 2026 12:00:00 GMT` and the `Nov 23 12:00` of `ls -l` become `[TIME]`",
        how: How::Text(
            concat!(
                r"(?-u:\b)(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?",
                r"(?:(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]?\d,?( \d{4})?|[ \d]?\d[ -](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -]\d{4})",
                r" \d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( [AP]M)?( [A-Z]{3,4})?( \d{4})?(?-u:\b)",
            ),
            "[TIME]",
        ),
    },
    Rule {
        name: "log-times",
        doc: "the `23/Nov/2026:12:00:00 +0000` of web servers' logs becomes `[TIME]`",
        how: How::Text(
            r"(?-u:\b)\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2}( [+-]\d{4})?(?-u:\b)",
            "[TIME]",
        ),
    },
    Rule {
        name: "mac-addresses",
        doc: "a MAC address becomes `[MAC-1]`",
        how: How::Numbered(
            r"(?-u:\b)(?<it>[0-9a-f]{2}(?::[0-9a-f]{2}){5})(?-u:\b)",
            Kind::Mac,
        ),
    },
    Rule {
        name: "times-of-day",
        doc: "`12:00:00` becomes `[TIME]`",
        how: How::Text(r"(?-u:\b)\d{2}:\d{2}:\d{2}(\.\d{1,9})?(?-u:\b)", "[TIME]"),
    },
    Rule {
        name: "ip-addresses",
        doc: "an IPv4 address becomes `[IP-1]`, but loopback, `0.0.0.0` and netmasks stay",
        how: How::With(
            r"(?-u:\b)(?<it>\d{1,3}(?:\.\d{1,3}){3})(?<more>\.\d{1,9})?(?-u:\b)",
            |memory, it| {
                if it.name("more").is_some() {
                    return None;
                }
                let octets: Result<Vec<u8>, _> = it["it"].split('.').map(str::parse).collect();
                match octets.ok()?[0] {
                    0 | 127 | 255 => None,
                    _ => Some(memory.label(Kind::Ip, &it["it"])),
                }
            },
        ),
    },
    Rule {
        name: "link-local-addresses",
        doc: "an IPv6 address made for a container becomes `[IP-1]`",
        how: How::Numbered(
            r"(?-u:\b)(?<it>f(?:e80|d[0-9a-f]{2})(?::{1,2}[0-9a-f]{1,4}){1,7})(?-u:\b)",
            Kind::Ip,
        ),
    },
    Rule {
        name: "ports",
        doc: "a port of 32768 or more after an address, as the engine or the kernel picks them, becomes `[PORT-1]`",
        how: How::With(
            r#"(?<before>(?:(?-u:\b)0\.0\.0\.0|(?-u:\b)127\.0\.0\.1|(?-u:\b)localhost|\[::1?\]|\[IP-\d{1,9}\]):|:::|"HostPort": ")(?<it>\d{5})(?-u:\b)"#,
            |memory, it| match it["it"].parse::<u32>() {
                Ok(32768..=65535) => Some(format!(
                    "{}{}",
                    &it["before"],
                    memory.label(Kind::Port, &it["it"])
                )),
                _ => None,
            },
        ),
    },
    Rule {
        name: "ages",
        doc: "`2 minutes ago`, `About an hour ago` and the like become `[AGE]`",
        how: How::Text(
            r"(?-u:\b)(?:About an?|Less than an?|\d{1,6}) (?:second|minute|hour|day|week|month|year)s? ago(?-u:\b)",
            "[AGE]",
        ),
    },
    Rule {
        name: "uptimes",
        doc: "`Up 3 seconds` becomes `Up [AGE]`",
        how: How::Text(
            r"(?-u:\b)Up (?:About an?|Less than an?|\d{1,6}) (?:second|minute|hour|day|week|month|year)s?(?-u:\b)",
            "Up [AGE]",
        ),
    },
    Rule {
        name: "sizes",
        doc: "`7.83MB`, `12.5 kB`, `0B`, `1GiB` become `[SIZE]`",
        how: How::With(
            r"(?-u:\b)\d{1,12}(,\d{3}){0,4}(\.\d{1,9})?(e[+-]\d{1,3})?( ?([kKMGTP]|[KMGTP]i)B|B)(?-u:\b)",
            |_, _| Some("[SIZE]".to_string()),
        ),
    },
    Rule {
        name: "percents",
        doc: "percents of `docker stats`, `docker system df` and `df` become `[PERCENT]`; others stay",
        how: How::With(
            r"(?-u:\b)\d{1,5}\.\d{2}%|(?<open>\()\d{1,3}%(?<close>\))|(?-u:\b)\d{1,3}%(?<mount> /)",
            |_, it| {
                let part = |name| it.name(name).map_or("", |it| it.as_str());
                Some(format!(
                    "{}[PERCENT]{}{}",
                    part("open"),
                    part("close"),
                    part("mount")
                ))
            },
        ),
    },
    Rule {
        name: "durations",
        doc: "`0m1.234s`, `1.2s`, `0.3 s`, `15ms`, `0.52 seconds` become `[DURATION]`",
        how: How::With(
            r"(?-u:\b)(?:(?:\d{1,6}h)?(?:\d{1,6}m)?\d{1,9}(?:\.\d{1,9})?(?:[nu]?s|µs|ms)|\d{1,9}(?:\.\d{1,9})? (?:ms|s)|\d{1,9}\.\d{1,9} (?:milli)?sec(?:ond)?s?)(?-u:\b)",
            |_, _| Some("[DURATION]".to_string()),
        ),
    },
    Rule {
        name: "generated-names",
        doc: "a container's name made up by the engine, `quirky_tesla`, becomes `[NAME-1]`",
        how: How::With(
            r"(?-u:\b)(?<it>(?<adjective>[a-z]{3,14})_[a-z]{2,15}\d?)(?-u:\b)",
            |memory, it| match ADJECTIVES.contains(&&it["adjective"]) {
                true => Some(memory.label(Kind::Name, &it["it"])),
                false => None,
            },
        ),
    },
    Rule {
        name: "virtual-interfaces",
        doc: "the host's end of a container's network, `veth1a2b3c4`, becomes `[VETH-1]`",
        how: How::Numbered(r"(?-u:\b)(?<it>veth[0-9a-f]{7})(?-u:\b)", Kind::Veth),
    },
    Rule {
        name: "process-ids",
        doc: "the process ID in `docker inspect` becomes `[PID]`; 0 stays, since then nothing runs",
        how: How::Text(r#"("Pid": )[1-9]\d{0,9}(?-u:\b)"#, "${1}[PID]"),
    },
    Rule {
        name: "transfers",
        doc: "the meter of `curl`, when its output goes elsewhere, becomes `[TRANSFER]`",
        how: How::Text(
            r"^ {0,3}\d{1,3} +[\d.]{1,6}[kMG]? +\d{1,3} +[\d.]{1,6}[kMG]? +\d{1,3} +[\d.]{1,6}[kMG]? +[\d.]{1,6}[kMG]? +[\d.]{1,6}[kMG]?(?: +(?:[\d:-]{7,8}|\[TIME\])){3} +[\d.]{1,6}[kMG]?",
            "[TRANSFER]",
        ),
    },
    Rule {
        name: "queries",
        doc: "the number of a name server's answer and the time it took become `[ID]` and `[DURATION]`",
        how: How::With(
            r"(?<head>, id: )\d{1,5}(?-u:\b)|(?<time>;; Query time: )\d{1,6} msec",
            |_, it| {
                Some(match it.name("head") {
                    Some(head) => format!("{}[ID]", head.as_str()),
                    None => ";; Query time: [DURATION]".to_string(),
                })
            },
        ),
    },
    Rule {
        name: "sessions",
        doc: "the number that a database gives a connection becomes `[SESSION]`",
        how: How::Text(r"( connection id is )\d{1,9}(?-u:\b)", "${1}[SESSION]"),
    },
    Rule {
        name: "nginx-process-ids",
        doc: "in the log of nginx the process and its connection, `7#7: *1`, become `[PID]:`",
        how: How::Text(
            r"(\[(?:debug|info|notice|warn|error|crit|alert|emerg)\] )\d{1,9}#\d{1,9}:(?: \*\d{1,9}(?-u:\b))?",
            "${1}[PID]:",
        ),
    },
];

/// Adjectives that the engine makes names of.
#[rustfmt::skip]
const ADJECTIVES: &[&str] = &[
    "admiring", "adoring", "affectionate", "agitated", "amazing", "angry", "awesome", "beautiful", "blissful", "bold",
    "boring", "brave", "busy", "charming", "clever", "compassionate", "competent", "condescending", "confident", "cool",
    "cranky", "crazy", "dazzling", "determined", "distracted", "dreamy", "eager", "ecstatic", "elastic", "elated",
    "elegant", "eloquent", "epic", "exciting", "fervent", "festive", "flamboyant", "focused", "friendly", "frosty",
    "funny", "gallant", "gifted", "goofy", "gracious", "great", "happy", "hardcore", "heuristic", "hopeful", "hungry",
    "infallible", "inspiring", "intelligent", "interesting", "jolly", "jovial", "keen", "kind", "laughing", "loving",
    "lucid", "magical", "modest", "musing", "mystifying", "naughty", "nervous", "nice", "nifty", "nostalgic",
    "objective", "optimistic", "peaceful", "pedantic", "pensive", "practical", "priceless", "quirky", "quizzical",
    "recursing", "relaxed", "reverent", "romantic", "sad", "serene", "sharp", "silly", "sleepy", "stoic", "strange",
    "stupefied", "suspicious", "sweet", "tender", "thirsty", "trusting", "unruffled", "upbeat", "vibrant", "vigilant",
    "vigorous", "wizardly", "wonderful", "xenodochial", "youthful", "zealous", "zen",
];

/// The length of the short form of an ID.
const SHORT: usize = 12;

static COMPILED: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
    let regex = |it: &Rule| match it.how {
        How::Lines => None,
        How::Text(it, _) | How::Numbered(it, _) | How::With(it, _) => Some(known(it)),
    };
    RULES.iter().map(regex).collect()
});
static HEADER: LazyLock<Regex> = LazyLock::new(|| known(r"^[A-Z][A-Z0-9%/]*(?: +[A-Z0-9%/]+)+ *$"));
static GAP: LazyLock<Regex> = LazyLock::new(|| known(" {2,}"));
/// What a numbered label looks like.
pub(crate) static LABEL: LazyLock<Regex> = LazyLock::new(|| known(r"\[[A-Z]{1,10}-\d{1,9}\]"));
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| known(r"\x1b\[[0-9;:?]{0,60}[@-~]"));

/// Names of the rules and what they do, in order.
pub fn rules() -> Vec<(&'static str, &'static str)> {
    RULES.iter().map(|it| (it.name, it.doc)).collect()
}

impl Normalizer {
    /// Normalizes the next output.
    pub fn normalize(&mut self, output: &str) -> String {
        let pieces = self.pieces(output.as_bytes());
        pieces.into_iter().map(|it| it.text).collect()
    }

    /// Normalizes the next output and tells which lines became what. What is not UTF-8 becomes U+FFFD.
    pub fn pieces(&mut self, output: &[u8]) -> Vec<Piece> {
        let mut pieces = pieces(output);
        self.reserve(output);
        let is_table = pieces
            .iter()
            .any(|it| is_header(it.text.trim_end_matches('\n')));
        for piece in &mut pieces {
            let lines = piece.text.split_inclusive('\n');
            let lines = lines.map(|it| match is_table {
                true => self.line(&squeeze(it)),
                false => self.line(it),
            });
            piece.text = lines.collect();
        }
        pieces
    }

    /// Notes the labels that stand in an output as they are, so that none of them is given to anything.
    pub fn reserve(&mut self, output: &[u8]) {
        let text = String::from_utf8_lossy(output);
        let found = LABEL.find_iter(&text);
        self.literal.extend(found.map(|it| it.as_str().to_string()));
    }

    /// What a numbered label stands for; of an ID or digest only as much as its short form has, after `swarm` if it is one of
    /// swarm's. It is there to be compared with others.
    pub fn value(&self, label: &str) -> Option<&str> {
        self.values.get(label).map(String::as_str)
    }

    /// Applies the rules to a line until none has anything to do: one label can make room for another.
    fn line(&mut self, line: &str) -> String {
        let mut text = line.to_string();
        loop {
            let mut next = String::new();
            let mut end = 0;
            for escape in ESCAPE.find_iter(&text) {
                next.push_str(&self.segment(&text[end..escape.start()]));
                next.push_str(escape.as_str());
                end = escape.end();
            }
            next.push_str(&self.segment(&text[end..]));
            if next == text {
                return text;
            }
            text = next;
        }
    }

    /// Applies each rule once to text between two escape sequences.
    fn segment(&mut self, text: &str) -> String {
        let mut text = text.to_string();
        for (rule, regex) in RULES.iter().zip(COMPILED.iter()) {
            let Some(regex) = regex else { continue };
            if !regex.is_match(&text) {
                continue;
            }
            let res = regex.replace_all(&text, |it: &Captures<'_>| {
                let found = it.get(0).expect("group 0 is the match");
                match is_inside_number(&text, found.range()) {
                    true => found.as_str().to_string(),
                    false => self.replacement(rule, it),
                }
            });
            text = res.into_owned();
        }
        text
    }

    fn replacement(&mut self, rule: &Rule, it: &Captures<'_>) -> String {
        match rule.how {
            How::Lines => it[0].to_string(),
            How::Text(_, template) => {
                let mut res = String::new();
                it.expand(template, &mut res);
                res
            }
            How::Numbered(_, kind) => self.label(kind, &it["it"]),
            How::With(_, with) => with(self, it).unwrap_or_else(|| it[0].to_string()),
        }
    }

    fn label(&mut self, kind: Kind, value: &str) -> String {
        let key = (kind, value.to_string());
        match self.labels.get(&key) {
            Some(label) => label.clone(),
            None => {
                let label = self.new_label(kind, value);
                self.labels.insert(key, label.clone());
                label
            }
        }
    }

    fn hex(&mut self, kind: Kind, value: &str) -> String {
        self.identified(kind, value[..SHORT].to_string(), value)
    }

    fn swarm(&mut self, it: &Captures<'_>) -> Option<String> {
        let value = &it["it"];
        let has = |it: fn(&u8) -> bool| value.as_bytes().iter().any(it);
        if !has(u8::is_ascii_digit) || !has(u8::is_ascii_lowercase) {
            return None;
        }
        // A container can begin with the same characters, and is something else.
        let short = format!("swarm {}", &value[..SHORT]);
        Some(self.identified(Kind::Id, short, value))
    }

    /// Finds the label of an ID among those with the same short form, or makes one. A short form that came first is that of
    /// the first long one that fits.
    fn identified(&mut self, kind: Kind, short: String, value: &str) -> String {
        let full = (value.len() > SHORT).then(|| value.to_string());
        let named = self.ids.entry(short.clone()).or_default();
        let found = match &full {
            None => named.first_mut(),
            Some(_) => named
                .iter_mut()
                .find(|it| it.full == full || it.full.is_none()),
        };
        if let Some(found) = found {
            found.full = found.full.take().or(full);
            return found.label.clone();
        }
        let label = self.new_label(kind, &short);
        let made = Named {
            full,
            label: label.clone(),
        };
        self.ids.entry(short).or_default().push(made);
        label
    }

    fn new_label(&mut self, kind: Kind, value: &str) -> String {
        let n_labels = self.n_labels.entry(kind).or_default();
        loop {
            *n_labels += 1;
            let label = format!("[{}-{n_labels}]", kind.word());
            if !self.literal.contains(&label) {
                self.values.insert(label.clone(), value.to_string());
                return label;
            }
        }
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Digest => "DIGEST",
            Kind::Id => "ID",
            Kind::Ip => "IP",
            Kind::Mac => "MAC",
            Kind::Name => "NAME",
            Kind::Port => "PORT",
            Kind::Token => "TOKEN",
            Kind::Uuid => "UUID",
            Kind::Veth => "VETH",
        }
    }
}

fn is_header(line: &str) -> bool {
    line.contains("  ") && HEADER.is_match(line)
}

/// Makes every gap of two blanks or more one of two; indentation stays.
fn squeeze(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let indentation = &line[..line.len() - text.len()];
    format!("{indentation}{}", GAP.replace_all(text, "  "))
}

/// Whether a match begins after a number and a dot, as the tail of a version does, and so is no number of its own.
fn is_inside_number(text: &str, found: Range<usize>) -> bool {
    let is_digit = |it: Option<char>| it.is_some_and(|it| it.is_ascii_digit());
    let mut before = text[..found.start].chars().rev();
    let is_tail = before.next() == Some('.') && is_digit(before.next());
    is_tail && is_digit(text[found.start..].chars().next())
}
