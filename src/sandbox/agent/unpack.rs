//! The files of an exercise, which come as a tar stream.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::wire::Start;
use super::{command, system};

/// Unpacks a tar stream into the workspace.
pub struct Unpacking {
    tar: Child,
    /// A file and no pipe, that would have to be read while pieces are written.
    log: PathBuf,
    succeeded: Option<bool>,
}

impl Unpacking {
    pub fn begin(start: &Start) -> io::Result<Unpacking> {
        let log = Path::new(&start.scratch).join("tar.log");
        let tar = command(start, "tar")?
            .args(["--extract", "--file=-", "--no-same-owner"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        Ok(Unpacking { tar, log, succeeded: None })
    }

    /// A failure to write shows in the message of [`Unpacking::finish`].
    pub fn add(&mut self, piece: &[u8]) {
        if let Some(stdin) = &mut self.tar.stdin {
            let _ = stdin.write_all(piece);
        }
    }

    /// Notes how `tar` ended, if it was it.
    pub fn note_end(&mut self, ended: system::Ended) {
        if ended.pid == self.tar.id() as i32 {
            self.succeeded = Some(ended.status == 0 && ended.signal == 0);
        }
    }

    /// Why it failed; empty if it did not, for then there are at most warnings.
    pub fn finish(mut self) -> io::Result<String> {
        drop(self.tar.stdin.take());
        let succeeded = match self.succeeded {
            Some(it) => it,
            None => self.tar.wait()?.success(),
        };
        if succeeded {
            return Ok(String::new());
        }
        let log = fs::read(&self.log)?;
        Ok(format!("tar failed: {}", String::from_utf8_lossy(&log[..log.len().min(4096)])))
    }
}
