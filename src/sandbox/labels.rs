//! The labels by which everything of the tool is found again; nothing is found by its name.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// On everything the tool makes; its value is what the thing is: `sandbox`, `registry`, `network`, `cache`, `image`.
pub(crate) const MANAGED: &str = "io.github.mdbook-rehearse";
/// Run that a thing belongs to; caches and images have none.
pub(crate) const RUN: &str = "io.github.mdbook-rehearse.run";
/// Process that made it: host, process number, start time of the process.
pub(crate) const OWNER: &str = "io.github.mdbook-rehearse.owner";
/// Seconds since 1970 after which it may go, whoever made it.
pub(crate) const EXPIRES: &str = "io.github.mdbook-rehearse.expires";

/// One use of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Random, 16 hexadecimal digits.
    pub(crate) id: String,
    owner: String,
    expires: u64,
}

impl Run {
    /// Begins a run of this process that lasts no longer than `lifetime`.
    pub(crate) fn begin(lifetime: Duration) -> Run {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let pid = std::process::id();
        Run {
            // `RandomState` is seeded by the operating system.
            id: format!("{:016x}", RandomState::new().build_hasher().finish()),
            owner: format!("{}/{pid}/{}", host(), start_time(pid).unwrap_or_default()),
            expires: (now + lifetime).as_secs(),
        }
    }

    /// `NAME=value` for everything of this run.
    pub(crate) fn labels(&self, kind: &str) -> [String; 4] {
        [
            format!("{MANAGED}={kind}"),
            format!("{RUN}={}", self.id),
            format!("{OWNER}={}", self.owner),
            format!("{EXPIRES}={}", self.expires),
        ]
    }

    /// Value for `--filter`.
    pub(crate) fn filter(&self) -> String {
        format!("label={RUN}={}", self.id)
    }
}

/// Whether a thing with these labels has lost its process, or its time is over.
pub(crate) fn is_left_over(owner: &str, expires: &str) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    if expires.parse::<u64>().is_ok_and(|it| it < now) {
        return true;
    }
    let mut parts = owner.split('/');
    let (Some(owner_host), Some(pid), Some(started)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    // Another machine's process can be judged only by its time.
    owner_host == host() && pid.parse().ok().and_then(start_time).as_deref() != Some(started)
}

fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .replace('/', "-")
}

/// Clock ticks from boot to the start of a process, which tells it from a later one of the same number.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}
