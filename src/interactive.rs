//! What a command does with its terminal: whether it ends, opens a shell, runs until Ctrl-C, serves, asks, waits for a
//! person; and what an author can do about it.

mod options;
mod programs;

use self::options::{Options, any_flag, is_flag, without_options};
use self::programs::{is_shell, unwrapped};
use crate::bash::{Input, Invocation, Manner};

/// What a command does with its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behavior {
    /// It ends without anybody doing anything.
    Ends,
    /// It needs a terminal: `docker run -it`, `docker exec -it`.
    Terminal(Opened),
    /// It prints until Ctrl-C is pressed: `docker logs -f`, `ping`.
    Watches,
    /// It holds the terminal as long as it serves: `docker run -p 8080:80 nginx`, `docker compose up`.
    Serves {
        /// Ports of the host; none if they are not known.
        ports: Vec<u16>,
    },
    /// It asks whether to go on: `docker system prune`.
    Asks,
    /// It asks for a password, perhaps for a user name: `docker login`.
    LogsIn {
        /// Registry; none for the default one.
        host: Option<String>,
        /// Name, if it is given.
        user: Option<String>,
    },
    /// It waits for a person in another way: an editor, a pager.
    Waits(Wait),
}

/// What runs on a terminal that a command opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// A shell.
    Shell,
    /// The image's own program.
    Default,
    /// A program that ends by itself or reads what is typed: `ls`, `psql`.
    Program(Vec<String>),
    /// A program that runs until Ctrl-C is pressed: `ping`, `top`; no words for a server that is the image's own.
    Endless(Vec<String>),
}

/// What a command waits for a person for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// As a fragment.
    pub what: String,
    /// What its author can do to have it run; more ways may follow after a comma.
    pub remedy: &'static str,
}

/// Tells what a command does with its terminal.
pub fn behavior(invocation: &Invocation) -> Behavior {
    described(invocation).0
}

/// The words of what is really run: without `sudo`, `env`, `time` and the like before it.
pub fn real_words(invocation: &Invocation) -> Vec<&str> {
    let words: Vec<&str> = invocation.words.iter().map(String::as_str).collect();
    unwrapped(&words).to_vec()
}

/// Tells a command's behavior, and what the command is called in a message: "`docker logs -f`".
pub fn described(invocation: &Invocation) -> (Behavior, String) {
    let words: Vec<&str> = invocation.words.iter().map(String::as_str).collect();
    let words = unwrapped(&words);
    let Some((name, args)) = words.split_first() else {
        return (Behavior::Ends, String::new());
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    if invocation.manner == Manner::Background {
        return (Behavior::Ends, format!("`{name}`"));
    }
    match name {
        "docker" => docker(args, invocation),
        "docker-compose" => compose("docker-compose", args, invocation),
        _ => (
            programs::behavior(name, args, invocation),
            format!("`{name}`"),
        ),
    }
}

/// Options before Docker's subcommand that take a value.
const DOCKER_VALUES: [&str; 10] = [
    "-H",
    "--host",
    "-c",
    "--context",
    "--config",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
];

/// Options before Compose's subcommand that take a value.
const COMPOSE_VALUES: [&str; 10] = [
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
    "--env-file",
    "--project-directory",
    "--ansi",
    "--parallel",
    "--progress",
];

/// Groups of subcommands; `docker container run` is `docker run`.
const GROUPS: [&str; 10] = [
    "container",
    "system",
    "image",
    "volume",
    "network",
    "builder",
    "buildx",
    "plugin",
    "service",
    "compose",
];

fn docker(args: &[&str], invocation: &Invocation) -> (Behavior, String) {
    let args = without_options(args, &DOCKER_VALUES);
    let (group, args) = match args.split_first() {
        Some((group, args)) if GROUPS.contains(group) => (*group, args),
        _ => ("", args),
    };
    if group == "compose" {
        return compose("docker compose", args, invocation);
    }
    let Some((command, args)) = args.split_first() else {
        return (Behavior::Ends, "`docker`".to_string());
    };
    let name = match group {
        "" => format!("docker {command}"),
        _ => format!("docker {group} {command}"),
    };
    let label = format!("`{name}`");
    if args.contains(&"--help") {
        return (Behavior::Ends, label);
    }
    let is_container = matches!(group, "" | "container");
    match *command {
        "run" | "exec" if is_container => inside(command, args, &label, invocation),
        "login" if group.is_empty() && !has_password(args) => (login(args), label),
        "logs"
            if (is_container || group == "service") && any_flag(args, Some('f'), &["follow"]) =>
        {
            (Behavior::Watches, format!("`{name} -f`"))
        }
        "stats" if is_container && !any_flag(args, None, &["no-stream"]) => {
            (Behavior::Watches, label)
        }
        "events" if matches!(group, "" | "system") && !any_flag(args, None, &["until"]) => {
            (Behavior::Watches, label)
        }
        "attach" if is_container => (Behavior::Watches, label),
        "start"
            if is_container
                && args
                    .iter()
                    .any(|it| *it == "--interactive" || is_flag(it, 'i')) =>
        {
            let wait = Wait {
                what: format!("{label} with `-i` attaches the keyboard"),
                remedy: "leave out `-i`, write `tty` and what is typed as `stdin=\"…\"`",
            };
            (Behavior::Waits(wait), label)
        }
        "prune" if !group.is_empty() && invocation.input == Input::Inherited => {
            match any_flag(args, Some('f'), &["force"]) {
                true => (Behavior::Ends, label),
                false => (Behavior::Asks, label),
            }
        }
        "install" | "upgrade" if group == "plugin" && invocation.input == Input::Inherited => {
            match any_flag(args, None, &["grant-all-permissions"]) {
                true => (Behavior::Ends, label),
                false => (Behavior::Asks, label),
            }
        }
        _ => (Behavior::Ends, label),
    }
}

fn login(args: &[&str]) -> Behavior {
    let mut user = None;
    let mut host = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.split_once('=') {
            Some(("--username" | "-u", it)) => user = Some(it),
            _ if matches!(*arg, "-u" | "--username") => user = args.next().copied(),
            _ if arg.starts_with('-') => user = arg.strip_prefix("-u").or(user),
            _ => host = Some(*arg),
        }
    }
    Behavior::LogsIn {
        host: host.map(str::to_string),
        user: user.map(str::to_string),
    }
}

fn has_password(args: &[&str]) -> bool {
    let names = ["password-stdin", "password", "help"];
    any_flag(args, Some('p'), &names)
}

/// What `docker run` and `docker exec` do.
fn inside(
    command: &str,
    args: &[&str],
    label: &str,
    invocation: &Invocation,
) -> (Behavior, String) {
    let options = Options::of_run(args);
    if options.has(&["d", "detach", "help"]) {
        return (Behavior::Ends, label.to_string());
    }
    let (target, words) = match options.rest.split_first() {
        Some((target, words)) => (*target, words),
        None => ("", options.rest),
    };
    let entrypoint = options.values(&["entrypoint"]);
    let words: Vec<&str> = entrypoint
        .into_iter()
        .filter(|it| !it.is_empty())
        .chain(words.iter().copied())
        .collect();
    let on_terminal = options.has(&["t", "tty"]);
    let is_server = command == "run" && words.is_empty() && is_server_image(target);
    if on_terminal && invocation.input == Input::Inherited {
        let label = format!("{label} with `-t`");
        let opened = match words.is_empty() {
            true if is_server => Opened::Endless(Vec::new()),
            true => Opened::Default,
            false => opened(&words, invocation),
        };
        return (Behavior::Terminal(opened), label);
    }
    if command == "run" {
        let ports = options.host_ports();
        if is_server || options.has(&["p", "publish", "P", "publish-all"]) {
            return (Behavior::Serves { ports }, label.to_string());
        }
    }
    (inner(&words, invocation), label.to_string())
}

/// What runs on a terminal, from the words of its command.
fn opened(words: &[&str], invocation: &Invocation) -> Opened {
    let owned = || words.iter().map(|it| it.to_string()).collect();
    if is_shell(words) {
        return Opened::Shell;
    }
    let is_screen = words
        .first()
        .is_some_and(|it| matches!(*it, "top" | "htop"));
    match inner(words, invocation) {
        Behavior::Watches | Behavior::Serves { .. } => Opened::Endless(owned()),
        _ if is_screen => Opened::Endless(owned()),
        _ => Opened::Program(owned()),
    }
}

/// What a command inside a container does, as far as that is seen from outside: without a terminal it reads nothing.
fn inner(words: &[&str], invocation: &Invocation) -> Behavior {
    let words = unwrapped(words);
    let Some((name, args)) = words.split_first() else {
        return Behavior::Ends;
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    match programs::behavior(name, args, invocation) {
        Behavior::Watches => Behavior::Watches,
        // Its ports are not the host's.
        Behavior::Serves { .. } => Behavior::Serves { ports: Vec::new() },
        _ => Behavior::Ends,
    }
}

/// Tells whether an image is of a server that runs when no command is given.
fn is_server_image(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split([':', '@']).next().unwrap_or(name);
    SERVERS.contains(&name)
}

#[rustfmt::skip]
const SERVERS: [&str; 34] = [
    "nginx", "httpd", "redis", "postgres", "mysql", "mariadb", "mongo", "registry", "rabbitmq", "memcached", "elasticsearch", "kibana",
    "wordpress", "ghost", "jenkins", "traefik", "caddy", "haproxy", "nextcloud", "grafana", "prometheus", "consul", "zookeeper",
    "phpmyadmin", "adminer", "tomcat", "couchdb", "neo4j", "influxdb", "nats", "eclipse-mosquitto", "getting-started", "jupyter", "cassandra",
];

fn compose(name: &str, args: &[&str], invocation: &Invocation) -> (Behavior, String) {
    let args = without_options(args, &COMPOSE_VALUES);
    let Some((command, args)) = args.split_first() else {
        return (Behavior::Ends, format!("`{name}`"));
    };
    let label = format!("`{name} {command}`");
    if args.contains(&"--help") {
        return (Behavior::Ends, label);
    }
    let behavior = match *command {
        "up" => {
            let ends = [
                "detach",
                "wait",
                "abort-on-container-exit",
                "abort-on-container-failure",
                "exit-code-from",
                "no-start",
            ];
            match any_flag(args, Some('d'), &ends) {
                true => Behavior::Ends,
                false => Behavior::Serves { ports: Vec::new() },
            }
        }
        "logs" if any_flag(args, Some('f'), &["follow"]) => Behavior::Watches,
        "stats" if !any_flag(args, None, &["no-stream"]) => Behavior::Watches,
        "watch" | "events" | "attach" => Behavior::Watches,
        "run" | "exec" => {
            let options = Options::of_run(args);
            if options.has(&["d", "detach"]) {
                Behavior::Ends
            } else {
                compose_inside(&options, invocation)
            }
        }
        _ => Behavior::Ends,
    };
    (behavior, label)
}

/// What `docker compose run` and `exec` do.
fn compose_inside(options: &Options, invocation: &Invocation) -> Behavior {
    let words = options.rest.get(1..).unwrap_or_default();
    let without = options.has(&["T", "no-TTY", "no-tty"]) || invocation.input == Input::Given;
    // They open a terminal by default, and do without where there is none.
    if !without && (options.has(&["t", "tty"]) || is_shell(words)) {
        return Behavior::Terminal(match words.is_empty() {
            true => Opened::Default,
            false => opened(words, invocation),
        });
    }
    inner(words, invocation)
}
