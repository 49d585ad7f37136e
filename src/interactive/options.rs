//! The options of Docker's command line, told apart from what stands after them.

/// The options before an image, a container or a service, and the words from there on.
#[derive(Debug, Default)]
pub(super) struct Options<'a, 'b> {
    found: Vec<(&'b str, Option<&'b str>)>,
    /// Image, container or service, then the command inside.
    pub(super) rest: &'a [&'b str],
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

impl<'a, 'b> Options<'a, 'b> {
    /// Reads those of `docker run` and its like.
    pub(super) fn of_run(args: &'a [&'b str]) -> Options<'a, 'b> {
        let mut options = Options::default();
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            if let Some(long) = arg.strip_prefix("--") {
                match long.split_once('=') {
                    _ if long.is_empty() => break,
                    Some((_, "false")) => {}
                    Some((name, value)) => options.found.push((name, Some(value))),
                    None if SWITCHES.contains(&long) => options.found.push((long, None)),
                    None => {
                        options.found.push((long, args.get(at).copied()));
                        at += 1;
                    }
                }
                continue;
            }
            let Some(cluster) = arg.strip_prefix('-').filter(|it| !it.is_empty()) else {
                at -= 1;
                break;
            };
            for (idx, flag) in cluster.char_indices() {
                let end = idx + flag.len_utf8();
                let name = &cluster[idx..end];
                if "ditPqT".contains(flag) {
                    options.found.push((name, None));
                    continue;
                }
                // The value is the rest of the word, or the next one.
                let value = match &cluster[end..] {
                    "" => {
                        at += 1;
                        args.get(at - 1).copied()
                    }
                    it => Some(it.trim_start_matches('=')),
                };
                options.found.push((name, value));
                break;
            }
        }
        options.rest = args.get(at..).unwrap_or_default();
        options
    }

    /// Tells whether one of these names is there.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.found.iter().any(|(name, _)| names.contains(name))
    }

    /// Values of all options with one of these names.
    pub(super) fn values(&self, names: &[&str]) -> Vec<&'b str> {
        let found = self.found.iter().filter(|(name, _)| names.contains(name));
        found.filter_map(|(_, value)| *value).collect()
    }

    /// Ports of the host that are published one by one.
    pub(super) fn host_ports(&self) -> Vec<u16> {
        let published = self.values(&["p", "publish"]).into_iter();
        let ports = published.filter_map(|it| {
            let plain = it.split('/').next().unwrap_or(it);
            let mut parts = plain.rsplit(':').skip(1);
            match plain.starts_with('[') {
                // `[::1]:8080:80`
                true => plain.rsplit_once("]:")?.1.split(':').next()?.parse().ok(),
                false => parts.next()?.parse().ok(),
            }
        });
        ports.filter(|it| *it != 0).collect()
    }
}

/// Skips the options before a subcommand; `with_value` are those that take the next word.
pub(super) fn without_options<'a, 'b>(args: &'a [&'b str], with_value: &[&str]) -> &'a [&'b str] {
    let mut args = args;
    while let Some(arg) = args.first().filter(|it| it.starts_with('-')) {
        let n_words = if with_value.contains(arg) { 2 } else { 1 };
        args = args.get(n_words..).unwrap_or_default();
    }
    args
}

/// Tells whether a word is a cluster of short options with this one in it.
pub(super) fn is_flag(word: &str, flag: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(flag)
}

/// Tells whether one of the words is a short option or one of these long ones, alone or with a value.
pub(super) fn any_flag(args: &[&str], short: Option<char>, long: &[&str]) -> bool {
    args.iter().any(|it| {
        let name = it
            .strip_prefix("--")
            .map(|it| it.split('=').next().unwrap_or(it));
        short.is_some_and(|flag| is_flag(it, flag)) || name.is_some_and(|it| long.contains(&it))
    })
}
