//! The `[preprocessor.rehearse]` table of `book.toml`: known keys, their types and defaults. Unknown keys are refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::fmt::friendly::SpanParser;
use serde_json::Value;

use crate::nearest::advice;

/// What a book sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Languages of fences that are steps; default `["bash"]`. `untagged` are fences without a language, `indented` is code
    /// without a fence.
    pub languages: Vec<String>,
    /// When a build runs exercises; default `stale`.
    pub run: RunPolicy,
    /// Headings, case and punctuation aside, whose steps run last and always; default "Cleanup", "Clean up", "Cleaning up".
    pub cleanup_headings: Vec<String>,
    /// Time for a command; default 2 minutes.
    pub timeout: Duration,
    /// Time for an exercise; default 15 minutes.
    pub exercise_timeout: Duration,
    /// Bytes kept of what one command prints (half from the head, half from the tail); default 1 MiB.
    pub output_limit: u64,
    /// Lines of output shown before it is folded; default 24.
    pub fold_lines: usize,
    /// How solutions are shown; default `fold`.
    pub solutions: Solutions,
    /// What a chapter without a comment for tables ends with; default `true`: its images.
    pub image_summary: ImageSummary,
    /// Values of placeholders, by name.
    pub values: BTreeMap<String, Supplied>,
    /// By language: what hides a line from readers. From mdBook's own `output.html.code.hidelines`.
    pub hidelines: BTreeMap<String, String>,
    /// What the sandbox can reach; default `registries`.
    pub network: Network,
    /// Registry host, as people write it, to where its images come from; default: `docker.io`, `quay.io`, `ghcr.io` and
    /// `public.ecr.aws`, each by proxy.
    pub registries: BTreeMap<String, Registry>,
    /// Folder whose files each exercise gets a copy of, from the book's root; default none.
    pub workspace: Option<PathBuf>,
    /// Base image of the sandbox image; default `debian:trixie-slim`.
    pub base_image: String,
    /// How the sandbox's engine stores images; default: as the engine does by itself.
    pub image_store: Option<ImageStore>,
    /// Version of the style file that `install` wrote; `None`: the style is put into each page.
    pub assets_version: Option<String>,
}

/// How the author's solutions are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solutions {
    /// Folded: the reader opens them.
    Fold,
    /// Not at all.
    Hide,
    /// Like any other step.
    Show,
}

/// Whether a chapter without a comment for tables ends with the table of its images and the picture of their layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSummary {
    /// `true`.
    Shown,
    /// `false`.
    Absent,
}

/// Where the value of a placeholder comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supplied {
    /// The book says it.
    Text(String),
    /// A variable of the environment of this name; no output shows it.
    Environment(String),
}

/// When a build runs exercises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPolicy {
    /// Those that are new or edited.
    Stale,
    /// None.
    Never,
    /// All.
    Always,
}

/// What the sandbox can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing but the configured registries.
    Registries,
    /// Nothing at all.
    None,
}

/// How an engine stores images. What an image ID and a size mean depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageStore {
    /// In containerd, as Docker 29 does by itself. An image ID is the digest of a manifest or index.
    Containerd,
    /// In a graph driver, as earlier ones do. An image ID is the digest of the image's configuration.
    GraphDriver,
}

/// Where the images of one registry host come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registry {
    /// A writable registry of the exercise's own, filled from OCI or docker archives or folders (paths from the book's root).
    Local {
        /// Archives, or folders of archives.
        images: Vec<PathBuf>,
        /// Who may push; `None`: anybody.
        login: Option<Login>,
    },
    /// A pull-through cache of the real one, kept between runs.
    Proxy {
        /// URL of the real one; `None`: the host itself.
        upstream: Option<String>,
    },
}

/// A made-up account of a local registry. It stands in the book, so it must be no real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Where the images of a recording came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Archives of the author's: stand-ins for the real registry.
    Local,
    /// The real registry, through the pull-through cache.
    Proxy,
}

impl Default for Config {
    fn default() -> Config {
        let hosts = ["docker.io", "ghcr.io", "public.ecr.aws", "quay.io"];
        Config {
            languages: vec!["bash".to_string()],
            run: RunPolicy::Stale,
            cleanup_headings: ["Cleanup", "Clean up", "Cleaning up"]
                .map(str::to_string)
                .to_vec(),
            timeout: Duration::from_secs(2 * 60),
            exercise_timeout: Duration::from_secs(15 * 60),
            output_limit: 1 << 20,
            fold_lines: 24,
            solutions: Solutions::Fold,
            image_summary: ImageSummary::Shown,
            values: BTreeMap::new(),
            hidelines: BTreeMap::new(),
            network: Network::Registries,
            registries: hosts
                .map(|it| (it.to_string(), Registry::Proxy { upstream: None }))
                .into(),
            workspace: None,
            base_image: "debian:trixie-slim".to_string(),
            image_store: None,
            assets_version: None,
        }
    }
}

/// Ours, as they stand in `book.toml`.
const KEYS: [&str; 16] = [
    "languages",
    "run",
    "cleanup-headings",
    "timeout",
    "exercise-timeout",
    "output-limit",
    "fold-lines",
    "solutions",
    "image-summary",
    "values",
    "network",
    "registries",
    "workspace",
    "base-image",
    "image-store",
    "assets-version",
];

/// mdBook's own, in the table of every preprocessor.
const HOST_KEYS: [&str; 5] = ["command", "before", "after", "renderers", "optional"];

/// Longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the table as mdBook hands it over; `Null` is an empty table. All that is wrong is listed at once.
pub fn parse(table: &Value) -> Result<Config, Vec<String>> {
    let mut config = Config::default();
    let table = match table {
        Value::Null => return Ok(config),
        Value::Object(table) => table,
        _ => return Err(vec!["`preprocessor.rehearse` must be a table".to_string()]),
    };
    let mut problems = Vec::new();
    for (key, value) in table {
        let res = match key.as_str() {
            "languages" => languages(value).map(|it| config.languages = it),
            "run" => run(value).map(|it| config.run = it),
            "cleanup-headings" => strings(value).map(|it| config.cleanup_headings = it),
            "timeout" => time(value).map(|it| config.timeout = it),
            "exercise-timeout" => time(value).map(|it| config.exercise_timeout = it),
            "output-limit" => size(value).map(|it| config.output_limit = it),
            "fold-lines" => lines(value).map(|it| config.fold_lines = it),
            "solutions" => solutions(value).map(|it| config.solutions = it),
            "image-summary" => image_summary(value).map(|it| config.image_summary = it),
            "values" => {
                match values(value) {
                    Ok(it) => config.values = it,
                    Err(it) => problems.extend(it),
                }
                continue;
            }
            "network" => network(value).map(|it| config.network = it),
            "registries" => {
                match registries(value) {
                    Ok(it) => config.registries = it,
                    Err(it) => problems.extend(it),
                }
                continue;
            }
            "workspace" => folder(value).map(|it| config.workspace = Some(it)),
            "base-image" => word(value).map(|it| config.base_image = it),
            "image-store" => image_store(value).map(|it| config.image_store = Some(it)),
            "assets-version" => word(value).map(|it| config.assets_version = Some(it)),
            it if HOST_KEYS.contains(&it) => continue,
            it => {
                problems.push(format!("unknown key `{it}`; {}", advice(it, &KEYS)));
                continue;
            }
        };
        match res {
            Ok(()) => {}
            Err(it) => problems.push(format!("`{key}` {it}")),
        }
    }
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems)
    }
}

/// Reads a time such as `90s`, `2m`, `1m 30s`. `Err` is a fragment that follows the name of what was read.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = SpanParser::new()
        .parse_unsigned_duration(text.trim())
        .map_err(|_| format!("is `{text}`, which is no time; write it like `90s` or `2m`"))?;
    if duration.is_zero() {
        return Err(format!("is `{text}`; it must be longer than nothing"));
    }
    if duration > LONGEST {
        return Err(format!("is `{text}`; it can be at most `24h`"));
    }
    Ok(duration)
}

/// The host that clients really ask for a registry: Docker Hub has its own name for it.
fn server(host: &str) -> &str {
    match host {
        "docker.io" => "registry-1.docker.io",
        host => host,
    }
}

/// Name and port of the server that clients really ask for a registry.
pub fn address(host: &str) -> (&str, &str) {
    let server = server(host);
    server.split_once(':').unwrap_or((server, "443"))
}

/// URL of the real registry of a host, given what a proxy's table says of it.
pub fn upstream(host: &str, upstream: Option<&str>) -> String {
    match upstream {
        Some(it) => it.to_owned(),
        None => format!("https://{}", server(host)),
    }
}

fn languages(value: &Value) -> Result<Vec<String>, String> {
    let languages = strings(value)?;
    if languages.is_empty() {
        return Err("is empty; name at least one language, such as `bash`".to_string());
    }
    // These end the first word of an info string, so that no fence could ever have such a language.
    let bad = |it: &&String| it.is_empty() || it.contains([' ', '\t', ',', '`', '\n']);
    match languages.iter().find(bad) {
        Some(it) => Err(format!(
            "has `{it}`; a language is one word without comma or space"
        )),
        None => Ok(languages),
    }
}

fn run(value: &Value) -> Result<RunPolicy, String> {
    match value.as_str() {
        Some("stale") => Ok(RunPolicy::Stale),
        Some("never") => Ok(RunPolicy::Never),
        Some("always") => Ok(RunPolicy::Always),
        _ => Err(format!(
            "is {}; write \"stale\", \"never\" or \"always\"",
            show(value)
        )),
    }
}

fn network(value: &Value) -> Result<Network, String> {
    match value.as_str() {
        Some("registries") => Ok(Network::Registries),
        Some("none") => Ok(Network::None),
        _ => Err(format!(
            "is {}; write \"registries\" or \"none\"",
            show(value)
        )),
    }
}

fn image_store(value: &Value) -> Result<ImageStore, String> {
    match value.as_str() {
        Some("containerd") => Ok(ImageStore::Containerd),
        Some("graph-driver") => Ok(ImageStore::GraphDriver),
        _ => Err(format!(
            "is {}; write \"containerd\" or \"graph-driver\"",
            show(value)
        )),
    }
}

fn solutions(value: &Value) -> Result<Solutions, String> {
    match value.as_str() {
        Some("fold") => Ok(Solutions::Fold),
        Some("hide") => Ok(Solutions::Hide),
        Some("show") => Ok(Solutions::Show),
        _ => Err(format!(
            "is {}; write \"fold\", \"hide\" or \"show\"",
            show(value)
        )),
    }
}

fn image_summary(value: &Value) -> Result<ImageSummary, String> {
    match value {
        Value::Bool(true) => Ok(ImageSummary::Shown),
        Value::Bool(false) => Ok(ImageSummary::Absent),
        _ => Err(format!("is {}; write true or false", show(value))),
    }
}

fn values(value: &Value) -> Result<BTreeMap<String, Supplied>, Vec<String>> {
    let Some(table) = value.as_object() else {
        return Err(vec![format!(
            "`values` is {}; write a table: [preprocessor.rehearse.values]",
            show(value)
        )]);
    };
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in table {
        let variable = value.as_object().filter(|it| it.len() == 1);
        let variable = variable.and_then(|it| it.get("env")?.as_str());
        let supplied = match (value, variable) {
            (Value::String(it), _) => Supplied::Text(it.clone()),
            (Value::Number(it), _) => Supplied::Text(it.to_string()),
            (_, Some(it)) if !it.is_empty() => Supplied::Environment(it.to_string()),
            _ => {
                problems.push(format!(
                    "`values.{name}` is {}; write a string, or {{ env = \"NAME\" }} for a variable of the environment",
                    show(value)
                ));
                continue;
            }
        };
        values.insert(name.clone(), supplied);
    }
    match problems.is_empty() {
        true => Ok(values),
        false => Err(problems),
    }
}

fn strings(value: &Value) -> Result<Vec<String>, String> {
    let example = || {
        format!(
            "is {}; write a list of strings, such as [\"…\"]",
            show(value)
        )
    };
    let list = value.as_array().ok_or_else(example)?;
    list.iter()
        .map(|it| it.as_str().map(str::to_string).ok_or_else(example))
        .collect()
}

fn folder(value: &Value) -> Result<PathBuf, String> {
    match value.as_str() {
        Some(it) if !it.is_empty() && !it.contains('\0') => Ok(PathBuf::from(it)),
        _ => Err(format!(
            "is {}; write the path of a folder, such as \"..\"",
            show(value)
        )),
    }
}

fn word(value: &Value) -> Result<String, String> {
    match value.as_str() {
        Some(it) if !it.is_empty() && !it.contains(char::is_whitespace) => Ok(it.to_string()),
        _ => Err(format!("is {}; write a string without spaces", show(value))),
    }
}

fn time(value: &Value) -> Result<Duration, String> {
    match value {
        Value::String(it) => duration(it),
        Value::Number(it) => Err(format!("is {it}; write it with its unit, \"{it}s\"")),
        _ => Err(format!("is {}; write a time, such as \"90s\"", show(value))),
    }
}

fn size(value: &Value) -> Result<u64, String> {
    let bytes = match value {
        Value::Number(it) => it.as_u64(),
        Value::String(it) => size_in_words(it),
        _ => None,
    };
    match bytes {
        Some(it) if (1..=64 << 20).contains(&it) => Ok(it),
        Some(_) => Err(format!("is {}; it can be 1 to 64MiB", show(value))),
        None => Err(format!(
            "is {}; write a number of bytes, or \"64KiB\", \"1MiB\"",
            show(value)
        )),
    }
}

fn size_in_words(text: &str) -> Option<u64> {
    let unit = text.find(|it: char| !it.is_ascii_digit())?;
    let factor = match text[unit..].trim() {
        "B" => 1,
        "kB" => 1000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        _ => return None,
    };
    text[..unit].parse::<u64>().ok()?.checked_mul(factor)
}

fn lines(value: &Value) -> Result<usize, String> {
    value
        .as_u64()
        .and_then(|it| usize::try_from(it).ok())
        .ok_or_else(|| format!("is {}; write a number of lines", show(value)))
}

fn registries(value: &Value) -> Result<BTreeMap<String, Registry>, Vec<String>> {
    let Some(table) = value.as_object() else {
        return Err(vec![format!(
            "`registries` is {}; write a table a host: [preprocessor.rehearse.registries.\"docker.io\"]",
            show(value)
        )]);
    };
    let mut registries = BTreeMap::new();
    let mut problems = Vec::new();
    for (host, value) in table {
        if let Err(it) = check_host(host) {
            problems.push(format!("`registries.\"{host}\"` {it}"));
        }
        match registry(host, value) {
            Ok(it) => {
                registries.insert(host.clone(), it);
            }
            Err(it) => problems.extend(it),
        }
    }
    if problems.is_empty() {
        Ok(registries)
    } else {
        Err(problems)
    }
}

fn registry(host: &str, value: &Value) -> Result<Registry, Vec<String>> {
    let path = |key: &str| format!("registries.\"{host}\".{key}");
    let Some(table) = value.as_object() else {
        return Err(vec![format!(
            "`registries.\"{host}\"` is {}; write {{ mode = \"proxy\" }} or {{ mode = \"local\", images = [\"…\"] }}",
            show(value)
        )]);
    };
    let mut problems = Vec::new();
    let mut images = None;
    let mut login = None;
    let mut upstream = None;
    for (key, value) in table {
        match key.as_str() {
            "mode" => {}
            "images" => match strings(value) {
                Ok(it) => images = Some(it.into_iter().map(PathBuf::from).collect::<Vec<_>>()),
                Err(it) => problems.push(format!("`{}` {it}", path(key))),
            },
            "login" => match check_login(&path(key), value) {
                Ok(it) => login = Some(it),
                Err(it) => problems.extend(it),
            },
            "upstream" => match check_upstream(value) {
                Ok(it) => upstream = Some(it),
                Err(it) => problems.push(format!("`{}` {it}", path(key))),
            },
            it => problems.push(format!(
                "unknown key `{}`; {}",
                path(it),
                advice(it, &["mode", "images", "login", "upstream"])
            )),
        }
    }
    let registry = match table.get("mode").map(Value::as_str) {
        Some(Some("local")) => {
            if table.contains_key("upstream") {
                problems.push(format!(
                    "`{}` goes with mode \"proxy\" only; remove it",
                    path("upstream")
                ));
            }
            Some(Registry::Local {
                images: images.unwrap_or_default(),
                login,
            })
        }
        Some(Some("proxy")) => {
            for key in ["images", "login"] {
                if table.contains_key(key) {
                    problems.push(format!(
                        "`{}` goes with mode \"local\" only; remove it",
                        path(key)
                    ));
                }
            }
            Some(Registry::Proxy { upstream })
        }
        Some(_) => {
            problems.push(format!(
                "`{}` is {}; write \"local\" or \"proxy\"",
                path("mode"),
                show(&table["mode"])
            ));
            None
        }
        None => {
            problems.push(format!(
                "`{}` is missing; write \"local\" or \"proxy\"",
                path("mode")
            ));
            None
        }
    };
    match registry {
        Some(it) if problems.is_empty() => Ok(it),
        _ => Err(problems),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    if host.chars().any(|it| it.is_ascii_uppercase()) {
        return Err(format!(
            "must be lower case; write `{}`",
            host.to_ascii_lowercase()
        ));
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let label = |it: &str| {
        !it.is_empty()
            && !it.starts_with('-')
            && !it.ends_with('-')
            && it
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
    };
    let port = port.is_none_or(|it| {
        it.bytes().all(|it| it.is_ascii_digit()) && it.parse::<u16>().is_ok_and(|it| it > 0)
    });
    if name.len() <= 253 && name.split('.').all(label) && port {
        return Ok(());
    }
    Err(
        "is no registry host; write it without scheme and path, like `quay.io` or `localhost:5000`"
            .to_string(),
    )
}

fn check_login(path: &str, value: &Value) -> Result<Login, Vec<String>> {
    const EXAMPLE: &str = "{ user = \"…\", password = \"…\" }";
    let Some(table) = value.as_object() else {
        return Err(vec![format!("`{path}` must be a table; write {EXAMPLE}")]);
    };
    let mut problems = Vec::new();
    for key in table.keys() {
        if !["user", "password"].contains(&key.as_str()) {
            let advice = advice(key, &["user", "password"]);
            problems.push(format!("unknown key `{path}.{key}`; {advice}"));
        }
    }
    // A password is not shown, not even a made-up one.
    let text = |key: &str, is_fine: fn(char) -> bool, what: &str| match table.get(key) {
        None => Err(format!("`{path}.{key}` is missing; write {EXAMPLE}")),
        Some(Value::String(it)) if !it.is_empty() && it.chars().all(is_fine) => Ok(it.clone()),
        Some(_) => Err(format!("`{path}.{key}` must be {what}")),
    };
    // Clients send both in one text with a colon between them.
    let is_fine = |it: char| !it.is_control() && it != ':';
    let user = text("user", is_fine, "a string of one line without a colon");
    let password = text("password", |it| !it.is_control(), "a string of one line");
    match (user, password) {
        (Ok(user), Ok(password)) if problems.is_empty() => Ok(Login { user, password }),
        (user, password) => {
            problems.extend(user.err());
            problems.extend(password.err());
            Err(problems)
        }
    }
}

fn check_upstream(value: &Value) -> Result<String, String> {
    let url = value
        .as_str()
        .filter(|it| !it.contains(|it: char| it.is_whitespace() || it.is_control()));
    match url {
        Some(it)
            if ["https://", "http://"]
                .iter()
                .any(|scheme| it.len() > scheme.len() && it.starts_with(scheme)) =>
        {
            Ok(it.to_string())
        }
        _ => Err(format!(
            "is {}; write a URL that begins with `https://` or `http://`",
            show(value)
        )),
    }
}

/// Shows a value in a message, as `book.toml` has it, as far as it is short.
fn show(value: &Value) -> String {
    match value {
        Value::Object(_) => "a table".to_string(),
        Value::Array(_) => "a list".to_string(),
        Value::Null => "nothing".to_string(),
        _ => value.to_string(),
    }
}
