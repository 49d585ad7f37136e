//! Commands that wait for a person: a login, a terminal, an editor. What they wait for, and what an author can do instead.

use crate::bash::{Input, Invocation};

/// What a command waits for a person for.
pub struct Wait {
    /// As a fragment.
    pub what: String,
    /// What its author can do to have it run.
    pub remedy: &'static str,
}

/// Tells whether a command waits for a person.
pub fn wait(invocation: &Invocation) -> Option<Wait> {
    let words: Vec<&str> = invocation.words.iter().map(String::as_str).collect();
    let words = unwrapped(&words);
    let (name, args) = words.split_first()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let wait = |what: &str, remedy| {
        Some(Wait {
            what: format!("`{name}` {what}"),
            remedy,
        })
    };
    match name {
        "docker" => docker_wait(args),
        "docker-compose" => compose_wait(args),
        "vi" | "vim" | "nvim" | "nano" | "emacs" => {
            wait("opens an editor", "write the file with `cat > file <<EOF`")
        }
        "less" | "more" => wait("waits for the reader's keys", "use `cat`"),
        "top" if args.iter().any(|it| is_flag(it, 'b')) => None,
        "top" | "htop" => wait("runs until a key is pressed", "use `top -bn1` or `ps`"),
        "watch" => wait(
            "runs until Ctrl-C is pressed",
            "run the watched command once",
        ),
        "read" if invocation.input == Input::Inherited && !args.contains(&"-u") => {
            wait("waits for someone to type", "give it its input with `<<<`")
        }
        "passwd" | "su" => wait("asks for a password", "use a command that does not ask"),
        _ => None,
    }
}

/// Takes off what runs another command: `sudo`, `env`, `time` …
fn unwrapped<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let mut words = words;
    loop {
        let options_with_value: &[&str] = match words.first() {
            Some(&"sudo") => &["-u", "-g", "-h", "-p"],
            Some(&"env") => &["-u", "-C"],
            Some(&("time" | "command" | "exec" | "nohup" | "winpty" | "builtin")) => &[],
            _ => return words,
        };
        // It only looks for the command.
        if words[0] == "command" && words.get(1).is_some_and(|it| matches!(*it, "-v" | "-V")) {
            return &[];
        }
        words = &words[1..];
        while let Some(word) = words.first() {
            let is_assignment = word.contains('=') && !word.starts_with('=');
            if options_with_value.contains(word) {
                words = words.get(2..).unwrap_or_default();
            } else if word.starts_with('-') || is_assignment {
                words = &words[1..];
            } else {
                break;
            }
        }
    }
}

/// Tells whether a word is a cluster of short options with this one in it.
fn is_flag(word: &str, flag: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(flag)
}

fn docker_wait(args: &[&str]) -> Option<Wait> {
    let args = without_options(
        args,
        &[
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
        ],
    );
    let (group, args) = match args {
        ["container", args @ ..] => ("docker container ", args),
        _ => ("docker ", args),
    };
    let (command, args) = args.split_first()?;
    let wait = |what: &str, remedy| {
        Some(Wait {
            what: format!("`{group}{command}` {what}"),
            remedy,
        })
    };
    match *command {
        "login" if !has_password(args) => wait(
            "asks for a user name and password",
            "use `--password-stdin`",
        ),
        "run" | "exec" => {
            let options = Options::parse(args);
            if options.has("tty", 't') && !options.has("detach", 'd') {
                return wait(
                    "with `-t` opens a terminal",
                    "leave out `-t` and give the command to run",
                );
            }
            None
        }
        "start"
            if args
                .iter()
                .any(|it| *it == "--interactive" || is_flag(it, 'i')) =>
        {
            wait("with `-i` attaches the keyboard", "leave out `-i`")
        }
        "attach" => wait("attaches the keyboard", "use `docker logs`"),
        "compose" => compose_wait(args),
        _ => None,
    }
}

fn has_password(args: &[&str]) -> bool {
    args.iter().any(|it| {
        matches!(*it, "--password-stdin" | "--password" | "--help")
            || it.starts_with("--password=")
            || is_flag(it, 'p')
    })
}

fn compose_wait(args: &[&str]) -> Option<Wait> {
    let args = without_options(
        args,
        &[
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
        ],
    );
    let (command, args) = args.split_first()?;
    if *command == "attach" {
        return Some(Wait {
            what: "`docker compose attach` attaches the keyboard".to_string(),
            remedy: "use `docker compose logs`",
        });
    }
    if !matches!(*command, "run" | "exec") {
        return None;
    }
    let options = Options::parse(args);
    let no_terminal = options.has("no-TTY", 'T') || options.has("no-tty", 'T');
    if options.has("detach", 'd') || no_terminal {
        return None;
    }
    let program = args.last().map(|it| it.rsplit('/').next().unwrap_or(it));
    let is_shell = matches!(
        program,
        Some("sh" | "bash" | "ash" | "dash" | "zsh" | "fish")
    );
    // It opens a terminal by default, and does without where there is none.
    if options.has("tty", 't') || is_shell {
        return Some(Wait {
            what: format!("`docker compose {command}` opens a terminal"),
            remedy: "use `-T` and give the command to run",
        });
    }
    None
}

/// Skips the options before a subcommand; `with_value` are those that take the next word.
fn without_options<'a, 'b>(args: &'a [&'b str], with_value: &[&str]) -> &'a [&'b str] {
    let mut args = args;
    while let Some(arg) = args.first().filter(|it| it.starts_with('-')) {
        let n_words = if with_value.contains(arg) { 2 } else { 1 };
        args = args.get(n_words..).unwrap_or_default();
    }
    args
}

/// The options of `docker run` and its like, up to the image or container.
#[derive(Default)]
struct Options<'a> {
    long: Vec<&'a str>,
    short: Vec<char>,
}

/// Long options of `run` and `exec` without a value.
const SWITCHES: [&str; 21] = [
    "build",
    "detach",
    "help",
    "init",
    "interactive",
    "no-deps",
    "no-healthcheck",
    "no-tty",
    "no-TTY",
    "oom-kill-disable",
    "privileged",
    "publish-all",
    "quiet",
    "quiet-pull",
    "read-only",
    "remove-orphans",
    "rm",
    "service-ports",
    "sig-proxy",
    "tty",
    "use-aliases",
];

impl<'a> Options<'a> {
    fn parse(args: &[&'a str]) -> Options<'a> {
        let mut options = Options::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if let Some(long) = arg.strip_prefix("--") {
                match long.split_once('=') {
                    _ if long.is_empty() => break,
                    Some((_, "false")) => {}
                    Some((name, _)) => options.long.push(name),
                    None => {
                        options.long.push(long);
                        if !SWITCHES.contains(&long) {
                            args.next();
                        }
                    }
                }
                continue;
            }
            let Some(cluster) = arg.strip_prefix('-').filter(|it| !it.is_empty()) else {
                break;
            };
            for (idx, flag) in cluster.char_indices() {
                options.short.push(flag);
                if !"ditPqT".contains(flag) {
                    // The value is the rest of the word, or the next one.
                    if idx + flag.len_utf8() == cluster.len() {
                        args.next();
                    }
                    break;
                }
            }
        }
        options
    }

    fn has(&self, long: &str, short: char) -> bool {
        self.long.contains(&long) || self.short.contains(&short)
    }
}
