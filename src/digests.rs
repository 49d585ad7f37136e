//! What a book's snapshots have recorded of registries against what those have now: whom to ask for which digest, and what
//! the answers come to. Nobody is asked here. The findings serialize to `digests --format json` and to the saved file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::config::{self, Config, Network, Registry};
use crate::images::{ImageOrigin, full_name, host, is_loopback, repository};
use crate::regexes::known;
use crate::snapshot::Snapshot;
use crate::versioned::{self, Kind};

/// A reference with a digest that is recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// In full.
    pub reference: String,
    /// The digest that is recorded.
    pub recorded: String,
    /// Names of the exercises that recorded it, in the book's order.
    pub exercises: Vec<String>,
    /// Who knows its digest of today.
    pub whom: Whom,
}

/// Who knows the digest that a reference has today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The real registry.
    Upstream {
        /// URL of the manifest.
        url: String,
    },
    /// The book's own registry, filled from archives.
    Local {
        /// Its host.
        host: String,
        /// Path of the manifest, from `/v2/`.
        path: String,
    },
    /// Nobody whom the book names.
    Nobody {
        /// Why.
        reason: String,
    },
}

/// What a registry answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The digest that it has.
    Digest(String),
    /// That there is no such image.
    Gone,
    /// Nothing that tells; why.
    Nothing(String),
}

/// What was found of a book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Digests {
    /// Of the saved file.
    pub format: u64,
    /// Day of asking.
    pub asked: Date,
    /// By name.
    pub references: Vec<Finding>,
}

/// What was found of a reference and a digest that is recorded of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// In full: `docker.io/library/alpine:latest`.
    pub reference: String,
    /// The digest that is recorded.
    pub recorded: String,
    /// Names of the exercises that recorded it, in the book's order.
    pub exercises: Vec<String>,
    /// What its registry has today.
    #[serde(flatten)]
    pub today: Today,
}

/// What a registry has today, against what is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Today {
    /// The same digest.
    AsRecorded,
    /// Another one.
    Moved {
        /// The digest of today.
        current: String,
    },
    /// The registry says that there is none.
    Gone,
    /// The registry could not be asked, or its answer does not tell.
    NotReached {
        /// Why.
        reason: String,
    },
    /// There is no registry to ask.
    NotAsked {
        /// Why.
        reason: String,
    },
}

/// How many findings there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// As recorded.
    pub as_recorded: usize,
    /// Moved.
    pub moved: usize,
    /// Gone.
    pub gone: usize,
    /// Not reached.
    pub not_reached: usize,
    /// Not asked.
    pub not_asked: usize,
}

/// All kinds of manifests, those of several platforms too: the digest is the one that `docker pull` records then.
pub const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
                            application/vnd.docker.distribution.manifest.list.v2+json, \
                            application/vnd.oci.image.manifest.v1+json, \
                            application/vnd.docker.distribution.manifest.v2+json";

/// The format of the saved file.
const FORMAT: u64 = 1;

/// What to ask about the images of these snapshots: each reference once for each digest that is recorded of it, by name. Left out
/// are images without a digest, which never were in a registry; nobody knows those that an exercise made and pushed.
pub fn questions<'a>(
    snapshots: impl Iterator<Item = &'a Snapshot>,
    config: &Config,
) -> Vec<Question> {
    let mut users: BTreeMap<(&str, &str), Vec<(&str, ImageOrigin)>> = BTreeMap::new();
    for snapshot in snapshots {
        for entry in &snapshot.images {
            let Some(digest) = &entry.digest else {
                continue;
            };
            let of_entry = users.entry((&entry.reference, digest)).or_default();
            of_entry.push((&snapshot.exercise, entry.origin));
        }
    }
    let questions = users.into_iter();
    let questions = questions.map(|((reference, recorded), users)| Question {
        reference: reference.to_owned(),
        recorded: recorded.to_owned(),
        whom: match users.iter().all(|it| it.1 == ImageOrigin::Exercise) {
            true => Whom::Nobody {
                reason: "the exercise made it itself".to_owned(),
            },
            false => whom(reference, config),
        },
        exercises: users.into_iter().map(|it| it.0.to_owned()).collect(),
    });
    questions.collect()
}

/// What these questions come to with the answers, which are by reference.
pub fn findings(
    questions: Vec<Question>,
    answers: &BTreeMap<String, Answer>,
    asked: Date,
) -> Digests {
    let findings = questions.into_iter().map(|it| Finding {
        today: today(&it, answers.get(&it.reference)),
        reference: it.reference,
        recorded: it.recorded,
        exercises: it.exercises,
    });
    Digests {
        format: FORMAT,
        asked,
        references: findings.collect(),
    }
}

/// Counts the findings of each kind.
pub fn count(digests: &Digests) -> Counts {
    let mut counts = Counts::default();
    for finding in &digests.references {
        *match finding.today {
            Today::AsRecorded => &mut counts.as_recorded,
            Today::Moved { .. } => &mut counts.moved,
            Today::Gone => &mut counts.gone,
            Today::NotReached { .. } => &mut counts.not_reached,
            Today::NotAsked { .. } => &mut counts.not_asked,
        } += 1;
    }
    counts
}

/// Prints findings as JSON, which [`parse`] reads.
pub fn print(digests: &Digests) -> String {
    let json = serde_json::to_string_pretty(digests);
    json.expect("every key is a string") + "\n"
}

/// Reads what [`print()`] wrote. `Err` is a fragment that follows the name of the file.
pub fn parse(text: &str) -> Result<Digests, String> {
    let kind = Kind {
        format: FORMAT,
        unreadable: "delete it and run `mdbook-rehearse digests --save`",
        foreign: "update mdbook-rehearse, or delete it and run `mdbook-rehearse digests --save`",
    };
    versioned::read(text, kind)
}

/// Whether a text is a digest and nothing else; what a registry says may be anything.
pub fn is_digest(text: &str) -> bool {
    static DIGEST: LazyLock<Regex> = LazyLock::new(|| {
        known("^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$")
    });
    DIGEST.is_match(text)
}

fn whom(reference: &str, config: &Config) -> Whom {
    let nobody = |reason: &str| Whom::Nobody {
        reason: reason.to_owned(),
    };
    let host = host(reference);
    let registry = match config.network {
        Network::Registries => config.registries.get(&host),
        Network::None => None,
    };
    let Some(registry) = registry else {
        return nobody(match is_loopback(&host) {
            true => "its registry is one that the exercise runs itself",
            false => "its registry is not one of the book's",
        });
    };
    let Some(path) = manifest(reference) else {
        return nobody("no registry takes this for a reference");
    };
    match registry {
        Registry::Local { .. } => Whom::Local { host, path },
        Registry::Proxy { upstream } => {
            let upstream = config::upstream(&host, upstream.as_deref());
            let url = format!("{}/v2/{path}", upstream.trim_end_matches('/'));
            Whom::Upstream { url }
        }
    }
}

/// Path of a reference's manifest, from `/v2/`. It goes into URLs and scripts, and so it is of the characters that the
/// standard names.
pub fn manifest(reference: &str) -> Option<String> {
    static REPOSITORY: LazyLock<Regex> = LazyLock::new(|| {
        known(
            "^[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*)*$",
        )
    });
    static TAG: LazyLock<Regex> = LazyLock::new(|| known("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"));
    let full = full_name(reference);
    let (_, repository) = repository(&full).split_once('/')?;
    let version = match full.split_once('@') {
        Some((_, digest)) => Some(digest).filter(|it| is_digest(it)),
        None => full
            .rsplit_once(':')
            .map(|it| it.1)
            .filter(|it| TAG.is_match(it)),
    };
    let version = version.filter(|_| REPOSITORY.is_match(repository))?;
    Some(format!("{repository}/manifests/{version}"))
}

fn today(question: &Question, answer: Option<&Answer>) -> Today {
    match (&question.whom, answer) {
        (Whom::Nobody { reason }, _) => Today::NotAsked {
            reason: reason.clone(),
        },
        // What is named by its digest cannot become something else.
        (_, Some(Answer::Digest(_))) if question.reference.contains('@') => Today::AsRecorded,
        (_, Some(Answer::Digest(current))) if *current == question.recorded => Today::AsRecorded,
        (_, Some(Answer::Digest(current))) => Today::Moved {
            current: current.clone(),
        },
        (_, Some(Answer::Gone)) => Today::Gone,
        (_, Some(Answer::Nothing(reason))) => Today::NotReached {
            reason: reason.clone(),
        },
        (_, None) => Today::NotReached {
            reason: "no answer came".to_owned(),
        },
    }
}
