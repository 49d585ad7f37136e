//! The edge to the network: asks the real registries for the digests of manifests, as anybody may, and only by HEAD, which no
//! rate limit counts as a pull. Whatever a registry does, it is given up after a time, and little of what it says is read.

#![expect(clippy::disallowed_methods, reason = "the edge to the network")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use ureq::http::header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE};
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::digests::{ACCEPTED, Answer, is_digest};

/// Questions that one registry gets at a time.
const AT_ONCE: usize = 4;

/// Some registries send their clients on to where a manifest really is.
const MOST_REDIRECTS: u32 = 5;

/// A token is some kilobytes long; nothing else is read.
const LONGEST_BODY: u64 = 64 << 10;

/// Asks for the digests of manifests, given by reference with their URLs; each gets an answer within `patience`, or none that
/// tells. A registry that cannot be reached once is not asked for the rest.
pub async fn ask(urls: BTreeMap<String, String>, patience: Duration) -> BTreeMap<String, Answer> {
    let mut by_server: BTreeMap<String, VecDeque<(String, String)>> = BTreeMap::new();
    for (reference, url) in urls {
        let server = url.split_once("/v2/").map_or(url.as_str(), |it| it.0);
        let of_server = by_server.entry(server.to_owned()).or_default();
        of_server.push_back((reference, url));
    }
    let (sender, mut answers) = unbounded_channel();
    for (server, questions) in by_server {
        let asker = Arc::new(Asker {
            agent: agent(&server),
            patience,
            questions: Mutex::new(questions),
            trouble: Mutex::new(None),
        });
        for _ in 0..AT_ONCE {
            let (asker, sender) = (asker.clone(), sender.clone());
            // Not the runtime's: that would wait for the end of those that nobody waits for any more.
            std::thread::spawn(move || asker.work(&sender));
        }
    }
    drop(sender);
    let mut res = BTreeMap::new();
    while let Some((reference, answer)) = answers.recv().await {
        res.insert(reference, answer);
    }
    res
}

fn agent(server: &str) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
    let config = Agent::config_builder()
        .tls_config(tls.build())
        // What is asked for in secret is not to be told in the open by where it leads.
        .https_only(server.starts_with("https://"))
        .http_status_as_error(false)
        .max_redirects(MOST_REDIRECTS)
        .max_redirects_will_error(true)
        .user_agent(concat!("mdbook-rehearse/", env!("CARGO_PKG_VERSION")));
    config.build().new_agent()
}

/// What is to be asked of one registry.
struct Asker {
    agent: Agent,
    patience: Duration,
    /// References and URLs.
    questions: Mutex<VecDeque<(String, String)>>,
    /// Why it is not asked any more.
    trouble: Mutex<Option<String>>,
}

impl Asker {
    /// Asks until nothing is left to be asked.
    fn work(&self, answers: &UnboundedSender<(String, Answer)>) {
        loop {
            let next = lock(&self.questions).pop_front();
            let Some((reference, url)) = next else { return };
            let trouble = lock(&self.trouble).clone();
            let answer = match trouble {
                Some(it) => Answer::Nothing(it),
                None => self.ask(&url).unwrap_or_else(|error| {
                    let trouble = self.in_words(&error);
                    lock(&self.trouble).get_or_insert(trouble.clone());
                    Answer::Nothing(trouble)
                }),
            };
            if answers.send((reference, answer)).is_err() {
                return;
            }
        }
    }

    /// Asks for one; an error if there is no use in asking for others.
    fn ask(&self, url: &str) -> Result<Answer> {
        let deadline = Instant::now() + self.patience;
        let mut response = self.head(url, None, deadline)?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = challenge(response.headers())
        {
            match self.token(&challenge, deadline)? {
                Some(token) => response = self.head(url, Some(&token), deadline)?,
                None => return Ok(Answer::Nothing(denied("no token for it"))),
            }
        }
        let status = response.status();
        is_well(status)?;
        Ok(match status {
            StatusCode::OK => {
                let digest = response.headers().get("docker-content-digest");
                let digest = digest
                    .and_then(|it| it.to_str().ok())
                    .filter(|it| is_digest(it));
                match digest {
                    Some(it) => Answer::Digest(it.to_owned()),
                    None => Answer::Nothing("its answer names no digest".to_owned()),
                }
            }
            StatusCode::NOT_FOUND => Answer::Gone,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Answer::Nothing(denied(&format!("it answered {}", status.as_u16())))
            }
            _ => Answer::Nothing(format!("it answered {}", status.as_u16())),
        })
    }

    fn head(&self, url: &str, token: Option<&str>, deadline: Instant) -> Result<Response<Body>> {
        let mut request = self.agent.head(url).header(ACCEPT, ACCEPTED);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.config().timeout_global(Some(left(deadline)));
        Ok(request.build().call()?)
    }

    /// Gets a token for somebody without an account; `None` if there is none.
    fn token(&self, challenge: &Challenge, deadline: Instant) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let mut request = self.agent.get(&challenge.realm);
        for (name, value) in [("service", &challenge.service), ("scope", &challenge.scope)] {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        let request = request.config().timeout_global(Some(left(deadline)));
        let mut response = request.build().call()?;
        is_well(response.status())?;
        if response.status() != StatusCode::OK {
            return Ok(None);
        }
        let body = response.body_mut().with_config().limit(LONGEST_BODY);
        let token: Token = serde_json::from_str(&body.read_to_string()?)
            .map_err(|_| anyhow!("its token service answered something else than a token"))?;
        Ok(token.token.or(token.access_token))
    }

    fn in_words(&self, error: &anyhow::Error) -> String {
        match error.downcast_ref::<ureq::Error>() {
            Some(ureq::Error::Timeout(_)) => {
                format!("it did not answer within {:?}", self.patience)
            }
            Some(ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..)) => {
                "it said more than an answer can be".to_owned()
            }
            Some(ureq::Error::RequireHttpsOnly(_)) => {
                "it leads to an address without encryption".to_owned()
            }
            // A URL can hold a password.
            Some(ureq::Error::BadUri(_)) => "its `upstream` is no URL to ask at".to_owned(),
            Some(ureq::Error::Protocol(error)) => format!("it speaks no HTTP: {error}"),
            // The operating system's words, without those of the client around them.
            Some(ureq::Error::Io(error)) => error.to_string(),
            _ => error.to_string(),
        }
    }
}

/// An error if the registry has no answers for now.
fn is_well(status: StatusCode) -> Result<()> {
    match status {
        StatusCode::TOO_MANY_REQUESTS => bail!("it answered 429: asked too often; ask later"),
        it if it.is_server_error() => bail!("it answered {}", it.as_u16()),
        _ => Ok(()),
    }
}

fn denied(how: &str) -> String {
    format!("{how}: gone, or only for those who log in")
}

/// The time left; never none, which would mean no limit.
fn left(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    left.max(Duration::from_millis(1))
}

/// A panic elsewhere is no reason to stop asking.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|it| it.into_inner())
}

/// Where a registry sends those who ask without a token.
#[derive(Debug, Default)]
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

/// The challenge of an answer: `Bearer realm="…",service="…",scope="…"`.
fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let mut headers = headers.get_all(WWW_AUTHENTICATE).into_iter();
    let mut rest = headers.find_map(|it| {
        let (scheme, rest) = it.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(rest)
    })?;
    let mut challenge = Challenge::default();
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let (value, more) = quoted.split_once('"')?;
        match name.trim_matches([' ', ',']) {
            "realm" => challenge.realm = value.to_owned(),
            "service" => challenge.service = Some(value.to_owned()),
            "scope" => challenge.scope = Some(value.to_owned()),
            _ => {}
        }
        rest = more;
    }
    (!challenge.realm.is_empty()).then_some(challenge)
}
