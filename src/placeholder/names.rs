//! Which names without angle brackets ask for a value: `[container id]`, `{container_id}`, `YOUR_NAME`, `CONTAINER_ID`.

/// Single words in square brackets that are a value to be supplied and no set of letters.
const THINGS: [&str; 16] = [
    "id",
    "name",
    "container",
    "image",
    "tag",
    "username",
    "user",
    "password",
    "token",
    "port",
    "ip",
    "host",
    "network",
    "volume",
    "registry",
    "repository",
];

/// What "your" is put right before.
const YOURS: [&str; 26] = [
    "account",
    "app",
    "appname",
    "container",
    "containerid",
    "containername",
    "docker",
    "dockerhub",
    "dockerid",
    "dockerusername",
    "email",
    "hub",
    "id",
    "image",
    "imagename",
    "login",
    "name",
    "network",
    "password",
    "registry",
    "repo",
    "repository",
    "tag",
    "token",
    "user",
    "username",
];

/// Names without "your", in lower case with `_`.
const NAMES: [&str; 23] = [
    "account_id",
    "container_id",
    "containerid",
    "docker_id",
    "docker_user",
    "docker_username",
    "dockerhub_id",
    "dockerhub_user",
    "dockerhub_username",
    "dockerid",
    "host_ip",
    "hub_username",
    "image_id",
    "imageid",
    "ip_address",
    "manager_ip",
    "network_id",
    "node_id",
    "service_id",
    "task_id",
    "user_name",
    "username",
    "volume_id",
];

/// Of [`NAMES`], those that ask for a value in small letters too.
const SMALL: [&str; 4] = ["container_id", "image_id", "containerid", "imageid"];

/// Tells whether what stands in square brackets asks for a value.
pub(super) fn is_square(name: &str) -> bool {
    let is_syntax = matches!(name, "options" | "command" | "args" | "flags");
    is_name(name)
        && !is_syntax
        && name.chars().any(|it| it.is_lowercase())
        && (has_joint(name) || THINGS.contains(&name))
}

/// Tells whether what stands in braces asks for a value.
pub(super) fn is_curly(name: &str) -> bool {
    is_name(name) && has_joint(name) && name.split(' ').count() <= 4
}

/// Tells whether a bare word asks for a value.
pub(super) fn is_word(word: &str) -> bool {
    let plain = word.to_ascii_lowercase().replace('-', "_");
    let is_capital = word.chars().all(|it| !it.is_lowercase());
    is_yours(word)
        || (NAMES.contains(&plain.as_str()) && (is_capital || SMALL.contains(&plain.as_str())))
}

/// Tells whether a word begins with "your" and goes on as a name.
pub(super) fn is_yours(word: &str) -> bool {
    let plain = word.to_ascii_lowercase().replace('-', "_");
    let Some(rest) = plain.strip_prefix("your") else {
        return false;
    };
    let joined = rest.strip_prefix('_');
    match joined {
        Some(it) => it.starts_with(|it: char| it.is_ascii_lowercase()) && !it.ends_with('_'),
        None => YOURS.contains(&rest.replace('_', "").as_str()),
    }
}

/// Tells whether a script gives a word at a place a value of its own, or names it as a variable there.
pub(super) fn is_given(script: &str, start: usize, word: &str) -> bool {
    let line = script[..start].rsplit('\n').next().unwrap_or_default();
    let mut before = line.split_whitespace().rev();
    let last = before.next().unwrap_or_default();
    // Only at the beginning of its word is it what the option before names.
    let is_whole = line.is_empty() || line.ends_with(char::is_whitespace);
    let names_variable = [
        "-e",
        "--env",
        "--build-arg",
        "export",
        "unset",
        "read",
        "local",
        "declare",
        "for",
        "--name",
    ];
    if is_whole && names_variable.contains(&last) {
        return true;
    }
    let assigned = [
        format!("{word}="),
        format!("read {word}"),
        format!("for {word} "),
        format!("--name {word}"),
    ];
    assigned.iter().any(|it| script.contains(it.as_str()))
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(char::is_alphabetic)
        && name.chars().all(|it| it.is_alphanumeric() || "-_ ".contains(it))
        && !name.ends_with([' ', '-'])
        && !name.contains("  ")
        // `[a-z]` is a range.
        && name.chars().count() > if name.contains('-') { 3 } else { 1 }
}

fn has_joint(name: &str) -> bool {
    name.contains(['-', '_', ' '])
}
