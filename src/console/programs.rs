//! Names of programs that courses type, and which words after them make a command of them rather than a sentence.

/// Programs and builtins of shells that a reader of a course has at hand.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    ".", ":", "[", "[[", "((", "ab", "adduser", "alias", "ansible", "ansible-playbook", "apk", "apt", "apt-cache", "apt-get", "apt-key",
    "ash", "aws", "awk", "az", "base64", "basename", "bash", "bat", "bc", "bg", "bind", "brctl", "brew", "buildah", "bun",
    "bundle", "bunzip2", "busybox", "bzip2", "cal", "capsh", "cargo", "cat", "cd", "chgrp", "chmod", "choco", "chown",
    "chroot", "chsh", "clear", "cmake", "cmp", "code", "column", "command", "comm", "composer", "consul", "containerd", "cosign",
    "cowsay", "cp", "createdb", "crictl", "crontab", "csplit", "ctr", "curl", "cut", "date", "dd", "declare", "deno", "df",
    "diff", "dig", "dir", "dircolors", "dirname", "disown", "dive", "dmesg", "dnf", "docker", "docker-compose", "docker-machine",
    "docker-slim", "dockerd", "dotnet", "dpkg", "dpkg-reconfigure", "du", "echo", "ed", "egrep", "emacs", "env", "envsubst",
    "etcdctl", "eval", "exec", "exit", "expand", "export", "expr", "false", "fdisk", "fg", "fgrep", "figlet", "file", "find",
    "firewall-cmd", "fish", "flask", "fmt", "fold", "free", "ftp", "function", "fuser", "fzf", "g++", "gcc", "gcloud", "gem",
    "getconf", "getent", "getfacl", "getopts", "gh", "git", "glow", "go", "gofmt", "gpasswd", "gpg", "gradle", "grep",
    "groupadd", "groupmod", "groups", "grpcurl", "grype", "gunzip", "gzip", "hadolint", "hash", "head", "helm", "help", "hexdump",
    "hey", "history", "host", "hostname", "hostnamectl", "htop", "http", "httpie", "hugo", "hub", "id", "ifconfig", "influx", "init", "inspec",
    "install", "iostat", "ip", "ipcs", "iperf", "iperf3", "iptables", "iptables-save", "ipvsadm", "iwconfig", "java", "javac", "jobs", "journalctl",
    "join", "jq", "k3d", "k3s", "k6", "kafka-topics", "kill", "killall", "kind", "kubectl", "kubectx", "kubens", "kustomize", "last", "ldconfig",
    "ldd", "less", "let", "ln", "local", "locale", "locate", "login", "logout", "ls", "lsb_release", "lsblk", "lscpu",
    "lsmod", "lsns", "lsof", "make", "man", "mariadb", "md5sum", "minikube", "mkdir", "mkdocs", "mkfifo", "mkfs", "mktemp", "modprobe",
    "mongo", "mongod", "mongosh", "more", "mount", "mountpoint", "multipass", "mv", "mvn", "mvnw", "mysql", "mysqladmin",
    "mysqldump", "nano", "nc", "ncat", "nerdctl", "netcat", "netstat", "newgrp", "nginx", "nice", "nix", "nix-shell", "nmap", "nmcli", "node",
    "nodemon", "nohup", "notary", "npm", "npx", "nslookup", "nsenter", "ntpdate", "nvim", "od", "open", "openssl", "pacman", "packer", "passwd", "paste",
    "patch", "perl", "pg_dump", "pgrep", "php", "pidof", "ping", "ping6", "pip", "pip3", "pipenv", "pkill", "pnpm", "podman",
    "podman-compose", "poetry", "popd", "poweroff", "printenv", "printf", "ps", "psql", "pstree", "pulumi", "pushd", "pv", "pwd", "py",
    "pytest", "python", "python2", "python3", "rails", "rake", "read", "readlink", "readonly", "realpath", "reboot", "redis-cli", "redis-server",
    "reset", "return", "rev", "rm", "rmdir", "route", "rpm", "rsync", "ruby", "runc", "rustc", "rustup", "scp", "screen", "sed", "seq",
    "service", "set", "setcap", "setenforce", "setfacl", "sftp", "sh", "sha1sum", "sha256sum", "shasum", "shellcheck", "shift",
    "shopt", "shuf", "shutdown", "siege", "skaffold", "skopeo", "sleep", "snap", "snyk", "sort", "source", "split", "sqlite3", "ss", "ssh", "ssh-add",
    "ssh-agent", "ssh-copy-id", "ssh-keygen", "sshpass", "start", "stat", "stop", "strace", "strings", "stress", "stress-ng", "stty", "su",
    "sudo", "swapoff", "swapon", "sync", "syft", "sysctl", "systemctl", "systemd-cgls", "tac", "tail", "tar", "taskset", "tcpdump", "tee", "telnet",
    "terraform", "test", "tilt", "time", "timedatectl", "timeout", "tmux", "top", "touch", "tput", "tr", "traceroute", "trap", "tree",
    "trivy", "true", "truncate", "tty", "type", "typeset", "udevadm", "ufw", "ulimit", "umask", "umount", "unalias", "uname", "uniq", "unset",
    "unshare", "unxz", "unzip", "update-alternatives", "update-ca-certificates", "uptime", "useradd", "userdel", "usermod", "users", "uv", "vagrant", "vault", "vi", "vim",
    "virtualenv", "visudo", "vmstat", "w", "wait", "watch", "wc", "wget", "whereis", "which", "who", "whoami", "winpty", "wsl", "xargs",
    "xdg-open", "xxd", "xz", "yamllint", "yarn", "yes", "yq", "yum", "zcat", "zip", "zsh", "zypper",
];

/// Those that people type without anything after them. Others alone on a line are a word of an output.
#[rustfmt::skip]
const ALONE: &[&str] = &[
    "ash", "bash", "cal", "cd", "clear", "crontab", "date", "df", "dir", "dmesg", "docker", "docker-compose", "dockerd", "env", "exit", "export",
    "fish", "flask", "free", "git", "groups", "help", "history", "hostname", "hostnamectl", "htop", "id", "ifconfig", "iostat", "iptables-save", "jobs", "kubectl", "last", "logout", "ls",
    "lsblk", "lscpu", "lsmod", "lsns", "lsof", "make", "mongosh", "mount", "mvn", "netstat", "passwd", "popd", "poweroff", "printenv", "ps", "pstree", "pwd",
    "pytest", "python", "python3", "reboot", "redis-cli", "route", "set", "sh", "ss", "su", "sync", "timedatectl", "top", "tree", "tty", "uname", "uptime", "users",
    "vi", "vim", "vmstat", "w", "wait", "who", "whoami", "yarn", "zsh",
];

/// Programs in whose arguments a sentence is at home.
const TALKERS: &[&str] = &[
    "echo", "printf", "git", "cowsay", "figlet", "grep", "egrep", "for", "case", "select", "say",
    "alias", "export",
];

#[rustfmt::skip]
const DOCKER: &[&str] = &[
    "attach", "app", "build", "builder", "buildx", "checkpoint", "commit", "compose", "config", "container", "context", "cp", "create",
    "debug", "desktop", "deploy", "diff", "engine", "events", "exec", "export", "help", "history", "image", "images", "import", "info", "init", "inspect",
    "kill", "load", "login", "logout", "logs", "machine", "manifest", "mcp", "model", "network", "node", "pause", "plugin", "port", "ps", "pull",
    "push", "rename", "restart", "rm", "rmi", "run", "sandbox", "save", "sbom", "scan", "scout", "search", "secret", "service", "stack", "start",
    "stats", "stop", "swarm", "system", "tag", "top", "trust", "unpause", "update", "version", "volume", "wait",
];

#[rustfmt::skip]
const COMPOSE: &[&str] = &[
    "attach", "build", "bundle", "config", "convert", "cp", "create", "down", "events", "exec", "export", "help", "images", "kill", "logs", "ls", "pause", "port",
    "ps", "pull", "push", "restart", "rm", "run", "scale", "start", "stats", "stop", "top", "unpause", "up", "version", "volumes", "wait", "watch",
];

#[rustfmt::skip]
const GIT: &[&str] = &[
    "add", "am", "apply", "archive", "bisect", "blame", "branch", "checkout", "cherry-pick", "clean", "clone", "commit", "config", "describe",
    "diff", "fetch", "grep", "help", "init", "lfs", "log", "ls-files", "merge", "mv", "pull", "push", "rebase", "reflog", "remote", "reset", "restore",
    "rev-parse", "revert", "rm", "show", "stash", "status", "submodule", "switch", "tag", "version", "worktree",
];

/// Words that make a sentence of what follows a program's name, wherever they stand.
const OF_SENTENCES: &[&str] = &[
    "the", "is", "are", "this", "that", "these", "your", "you", "will", "was", "were", "has",
    "have", "been", "and", "of", "should", "can", "we", "our",
];

/// Words that make a sentence of it right after the name.
const AFTER_VERBS: &[&str] = &[
    "a",
    "an",
    "it",
    "to",
    "in",
    "on",
    "for",
    "with",
    "sure",
    "into",
    "out",
    "from",
    "if",
    "how",
    "what",
    "when",
    "not",
    "listening",
    "another",
    "all",
    "some",
];

/// What a line says that begins with the name of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A command.
    Command,
    /// A sentence about it, or a word of an output.
    Mention,
}

/// Tells whether a name is that of a program that courses type.
pub(super) fn is_known(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let plain = name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
    KNOWN.contains(&name) || (plain.len() > 1 && KNOWN.contains(&plain))
}

/// Tells whether a line of these words, the first of which is known, is a command.
pub(super) fn usage(words: &[&str]) -> Use {
    let Some((name, args)) = words.split_first() else {
        return Use::Mention;
    };
    let of = |subcommands: &[&str]| match args.first() {
        None => Use::Command,
        Some(it) if it.starts_with(['-', '$', '<', '>', '|', '&', '{', '"', '\\']) => Use::Command,
        Some(it) if subcommands.contains(it) => Use::Command,
        Some(_) => Use::Mention,
    };
    let is_sentence = || {
        let sentence = |it: &str| OF_SENTENCES.contains(&it.trim_end_matches([',', '.', ':']));
        // `ip a | grep x` is none.
        let begins = args.first().is_some_and(|it| AFTER_VERBS.contains(it))
            && args
                .get(1)
                .is_some_and(|it| it.starts_with(char::is_alphabetic));
        let ends = args.len() >= 3
            && args.last().is_some_and(|it| {
                it.ends_with('.') && it.trim_end_matches('.').ends_with(char::is_alphabetic)
            });
        begins
            || ends
            || args
                .iter()
                .take_while(|it| !is_quoted(it))
                .any(|it| sentence(it))
    };
    match *name {
        "docker" => of(DOCKER),
        "docker-compose" => of(COMPOSE),
        "git" => of(GIT),
        "npm"
            if matches!(
                args.first(),
                Some(&("WARN" | "ERR!" | "notice" | "info" | "http"))
            ) =>
        {
            Use::Mention
        }
        // Of a picture: `host A`.
        "host" if !args.iter().any(|it| it.contains(['.', '-', '$'])) => Use::Mention,
        it if TALKERS.contains(&it) => Use::Command,
        it if args.is_empty() && !ALONE.contains(&it) => Use::Mention,
        _ if is_sentence() => Use::Mention,
        _ => Use::Command,
    }
}

fn is_quoted(word: &str) -> bool {
    word.contains(['"', '\'', '|', ';', '>'])
}
