//! The engine and the name server beside it: how they are started and when they answer.

use std::fs::{self, File};
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use super::ask::get;
use super::wire::{Report, Start};
use super::{command, system, Wire};

/// The engine, started and watched.
pub struct Engine {
    pub pid: i32,
    log: PathBuf,
    socket: String,
}

impl Engine {
    pub fn launch(start: &Start) -> io::Result<Engine> {
        let log = Path::new(&start.scratch).join("engine.log");
        let out = File::create(&log)?;
        let child = command(start, &start.engine[0])?
            .args(&start.engine[1..])
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()?;
        Ok(Engine { pid: child.id() as i32, log, socket: start.socket.clone() })
    }

    /// Waits until the engine answers a ping; the wire's end ends the wait.
    pub fn wait_until_ready(&mut self, wire: &mut Wire, deadline: Instant) -> io::Result<()> {
        while Instant::now() < deadline {
            if matches!(get(&self.socket, "/_ping"), Report::Got { status: 200, .. }) {
                return Ok(());
            }
            if system::reap().iter().any(|it| it.pid == self.pid) {
                break;
            }
            system::wait_readable(&[wire.input.as_raw_fd()], 5)?;
            if !wire.receive()? {
                return Err(io::Error::other("the wire ended"));
            }
        }
        Err(io::Error::other(format!("the engine did not start\n{}", self.log_tail())))
    }

    pub fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(50)..].join("\n")
    }
}

/// A name server that knows no name. Docker's own resolver knows those of the network and asks here for all others.
pub struct NoNames {
    pub socket: UdpSocket,
}

impl NoNames {
    pub fn bind() -> io::Result<NoNames> {
        let socket = UdpSocket::bind("127.0.0.1:53")?;
        socket.set_nonblocking(true)?;
        Ok(NoNames { socket })
    }

    /// Answers every question that has come with "no such name" (RFC 1035, 4.1.1: QR and RA set, RCODE 3).
    pub fn answer(&self) {
        let mut message = [0; 512];
        while let Ok((n, from)) = self.socket.recv_from(&mut message) {
            if n >= 12 {
                message[2] |= 0x80;
                message[3] = 0x83;
                // Whoever asked asks again if this is lost.
                let _ = self.socket.send_to(&message[..n], from);
            }
        }
    }
}
