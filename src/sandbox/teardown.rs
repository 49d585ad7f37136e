//! The one way in which everything of a run goes: by a small process that outlives the tool.
//!
//! It waits on a pipe. The tool ends it orderly by writing a line, and then waits for it; if the tool dies, of `kill -9`
//! too, the pipe ends without a line and the same steps are done with nobody waiting.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::sandbox::labels::Run;

/// Whole engines go, never their objects one by one. It looks again by label until it has found nothing `calm` times: after
/// an end in a rush, and longer after a sudden death, an order that the tool gave just before may still be under way.
const SCRIPT: &str = r#"
read -r calm || calm=10
quiet=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    containers=$(docker ps --all --quiet --no-trunc --filter "$1") || exit 1
    [ -z "$containers" ] || docker rm --force --volumes $containers >/dev/null 2>&1
    networks=$(docker network ls --quiet --no-trunc --filter "$1") || exit 1
    [ -z "$networks" ] || docker network rm $networks >/dev/null 2>&1
    volumes=$(docker volume ls --quiet --filter "$1") || exit 1
    [ -z "$volumes" ] || docker volume rm --force $volumes >/dev/null 2>&1
    if [ -z "$containers$networks$volumes" ]; then
        quiet=$((quiet + 1))
        [ "$quiet" -lt "$calm" ] || exit 0
        sleep 0.5
    else
        quiet=0
        [ "$calm" = 1 ] || sleep 0.2
    fi
done
exit 2
"#;

/// Whether orders to the engine can be under way when a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rush {
    /// No: the run went to its end.
    No,
    /// Yes: something failed or stopped it in the middle.
    Yes,
}

/// The waiting process.
#[derive(Debug)]
pub(crate) struct Teardown {
    child: Child,
    run: Run,
}

impl Teardown {
    /// Starts it; to be done before anything of the run is made.
    pub(crate) fn arm(run: &Run) -> Result<Teardown> {
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "mdbook-rehearse-teardown", &run.filter()])
            // Out of reach of what ends the tool: its terminal's signals, its pipes.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start `sh`")?;
        Ok(Teardown {
            child,
            run: run.clone(),
        })
    }

    /// Removes everything of the run and verifies that it is gone.
    pub(crate) async fn complete(mut self, rush: Rush) -> Result<()> {
        let mut stdin = self
            .child
            .stdin
            .take()
            .context("the teardown has no pipe")?;
        // It can only be gone because somebody ended it, which the status shows.
        let calm: &[u8] = match rush {
            Rush::No => b"1\n",
            Rush::Yes => b"4\n",
        };
        let _ = stdin.write_all(calm).await;
        drop(stdin);
        let filter = self.run.filter();
        match timeout(Duration::from_secs(15), self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            _ => bail!(
                "could not remove everything of this run; finish it with `docker rm -fv $(docker ps -aq --filter \
                 {filter})` and `docker network rm $(docker network ls -q --filter {filter})`"
            ),
        }
    }
}
