//! What programs other than Docker do with their terminal, on the host as inside a container. Only what is sure.

use super::options::{any_flag, is_flag};
use super::{Behavior, Wait};
use crate::bash::{Input, Invocation, Manner};

/// Takes off what runs another command: `sudo`, `env`, `time` …
pub(super) fn unwrapped<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
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

/// Tells whether a program is a shell that reads what is typed.
pub(super) fn is_shell(words: &[&str]) -> bool {
    let Some((name, args)) = words.split_first() else {
        return false;
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    let shells = ["sh", "bash", "ash", "dash", "zsh", "fish", "ksh"];
    shells.contains(&name)
        && args
            .iter()
            .all(|it| matches!(*it, "-l" | "-i" | "--login" | "-il" | "-li"))
}

/// Tells what a program does with its terminal; `invocation` says what it reads and writes.
pub(super) fn behavior(name: &str, args: &[&str], invocation: &Invocation) -> Behavior {
    if let Some(wait) = waits(name, args, invocation) {
        return Behavior::Waits(wait);
    }
    if watches(name, args, invocation) {
        return Behavior::Watches;
    }
    if let Some(ports) = serves(name, args) {
        return Behavior::Serves { ports };
    }
    if invocation.input == Input::Inherited && asks(name, args) {
        return Behavior::Asks;
    }
    Behavior::Ends
}

/// What an author writes for an editor.
const WRITE: &str = "write the file with `cat > file <<EOF`, or as a fence with `save-as=FILE`";

fn waits(name: &str, args: &[&str], invocation: &Invocation) -> Option<Wait> {
    let wait = |what: &str, remedy| {
        Some(Wait {
            what: format!("`{name}` {what}"),
            remedy,
        })
    };
    match name {
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "visudo" => wait("opens an editor", WRITE),
        "crontab" if args.contains(&"-e") => wait("opens an editor", WRITE),
        "git" if args.first() == Some(&"commit") => {
            let has_message = any_flag(args, Some('m'), &["message", "no-edit", "file", "fixup"])
                || any_flag(args, Some('F'), &[]);
            match has_message {
                true => None,
                false => wait("opens an editor for the message", "use `git commit -m`"),
            }
        }
        "less" | "more" | "man" => wait("waits for the reader's keys", "use `cat`"),
        "top" if args.iter().any(|it| is_flag(it, 'b')) => None,
        "top" | "htop" => wait(
            "runs until a key is pressed",
            "use `top -bn1` or `ps`, write `tty` and `for=5s`",
        ),
        "read" if invocation.input == Input::Inherited && !args.contains(&"-u") => wait(
            "waits for someone to type",
            "give it its input with `<<<` or `stdin=\"…\"`",
        ),
        "passwd" | "su" => wait(
            "asks for a password",
            "use a command that does not ask, write `tty` and `stdin=\"…\"`",
        ),
        "ssh-keygen" if !["-N", "-l", "-R", "-y"].iter().any(|it| args.contains(it)) => wait(
            "asks for a file and a passphrase",
            "use `-N '' -f FILE`, write `tty` and `stdin=\"…\"`",
        ),
        "openssl"
            if args.first() == Some(&"req")
                && !["-subj", "-config", "-in"]
                    .iter()
                    .any(|it| args.contains(it)) =>
        {
            wait(
                "asks for the names in the certificate",
                "use `-subj`, write `stdin=\"…\"`",
            )
        }
        "npm" if args.first() == Some(&"init") && args.len() == 1 => wait(
            "asks for what stands in the file",
            "use `npm init -y`, write `stdin=\"…\"`",
        ),
        _ => None,
    }
}

fn watches(name: &str, args: &[&str], invocation: &Invocation) -> bool {
    match name {
        "watch" => true,
        "ping" | "ping6" => {
            !any_flag(args, Some('c'), &["count", "help"])
                && !args.iter().any(|it| is_flag(it, 'w'))
                && !args.is_empty()
        }
        "tail" => any_flag(args, Some('f'), &["follow"]) || args.iter().any(|it| is_flag(it, 'F')),
        "journalctl" => any_flag(args, Some('f'), &["follow"]),
        "kubectl" => args.first() == Some(&"logs") && any_flag(args, Some('f'), &["follow"]),
        "tcpdump" => !any_flag(args, Some('c'), &["help", "version"]) && !args.contains(&"-D"),
        "nc" | "ncat" => args.iter().any(|it| is_flag(it, 'l')),
        // What it is piped into takes as much as it wants.
        "yes" => invocation.manner != Manner::Piped,
        "sleep" => matches!(args, ["infinity" | "inf"]),
        _ => false,
    }
}

/// Tells which ports a program that serves has; none where they are not known.
fn serves(name: &str, args: &[&str]) -> Option<Vec<u16>> {
    let port_after = |flags: &[&str], default: u16| {
        let at = args.iter().position(|it| flags.contains(it));
        let joined = args.iter().find_map(|it| {
            let (flag, value) = it.split_once('=')?;
            flags.contains(&flag).then_some(value)
        });
        let value = joined.or_else(|| args.get(at? + 1).copied());
        vec![value.and_then(|it| it.parse().ok()).unwrap_or(default)]
    };
    let plain = name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
    match (plain, args) {
        ("python", ["-m", "http.server" | "SimpleHTTPServer", rest @ ..]) => {
            let port = rest.iter().find_map(|it| it.parse().ok());
            Some(vec![port.unwrap_or(8000)])
        }
        ("python", ["-m", "flask", ..]) | ("flask", _) if args.contains(&"run") => {
            Some(port_after(&["-p", "--port"], 5000))
        }
        ("python", ["manage.py" | "./manage.py", "runserver", rest @ ..]) => {
            let port = rest
                .iter()
                .find_map(|it| it.rsplit(':').next()?.parse().ok());
            Some(vec![port.unwrap_or(8000)])
        }
        ("python", ["app.py" | "./app.py" | "server.py" | "./server.py"]) => Some(Vec::new()),
        ("node" | "nodemon", ["server.js" | "./server.js" | "app.js" | "./app.js"]) => {
            Some(Vec::new())
        }
        (
            "npm" | "yarn" | "pnpm",
            ["start" | "dev" | "serve"] | ["run", "start" | "dev" | "serve"],
        ) => Some(Vec::new()),
        ("php", ["-S", address, ..]) => Some(
            address
                .rsplit(':')
                .next()
                .and_then(|it| it.parse().ok())
                .into_iter()
                .collect(),
        ),
        ("hugo", ["server" | "serve", ..]) => Some(port_after(&["-p", "--port"], 1313)),
        ("mkdocs" | "jekyll", ["serve", ..]) => Some(Vec::new()),
        ("rails", ["s" | "server", ..]) => Some(port_after(&["-p", "--port"], 3000)),
        ("uvicorn", [_, ..]) => Some(port_after(&["--port"], 8000)),
        ("gunicorn", [_, ..]) if !args.contains(&"--daemon") => Some(Vec::new()),
        ("jupyter", ["notebook" | "lab", ..]) => Some(port_after(&["--port"], 8888)),
        ("redis-server", _) if !args.contains(&"--daemonize") && !args.contains(&"--version") => {
            Some(port_after(&["--port"], 6379))
        }
        ("nginx", _) if args.iter().any(|it| it.contains("daemon off")) => Some(Vec::new()),
        ("dockerd", _) => Some(Vec::new()),
        ("kubectl", ["port-forward" | "proxy", ..]) => Some(Vec::new()),
        _ => None,
    }
}

fn asks(name: &str, args: &[&str]) -> bool {
    let changes = |it: &&str| {
        matches!(
            *it,
            "install"
                | "remove"
                | "purge"
                | "upgrade"
                | "dist-upgrade"
                | "full-upgrade"
                | "autoremove"
                | "erase"
                | "update"
        )
    };
    let first = args.iter().find(|it| !it.starts_with('-'));
    match name {
        // Their `update` fetches lists only.
        "apt" | "apt-get" => {
            first.is_some_and(|it| *it != "update" && changes(it))
                && !any_flag(args, Some('y'), &["yes", "assume-yes", "help"])
                && !args.contains(&"-qq")
        }
        "yum" | "dnf" => {
            first.is_some_and(changes) && !any_flag(args, Some('y'), &["assumeyes", "help"])
        }
        _ => false,
    }
}
