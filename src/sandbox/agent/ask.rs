//! What is asked of servers: of the engine's API, and of any that a command may have started.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::wire::{self, Report};

/// Asks the engine's API; HTTP 1.0, so that the answer's end is the connection's.
pub fn get(socket: &str, path: &str) -> Report {
    let ask = || -> io::Result<(u16, Vec<u8>)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let path = path.replace(wire::NOW, &now);
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(wire::MAX_FRAME as u64 / 2).read_to_end(&mut answer)?;
        let head_end = answer.windows(4).position(|it| it == b"\r\n\r\n");
        let head_end = head_end.ok_or_else(|| io::Error::other("the engine's answer has no end of head"))?;
        let status = http_status(&answer).ok_or_else(|| io::Error::other("the engine's answer has no status"))?;
        Ok((status, answer.split_off(head_end + 4)))
    };
    match ask() {
        Ok((status, body)) => Report::Got { status, body },
        Err(error) => Report::Got { status: 0, body: error.to_string().into_bytes() },
    }
}

/// The status in an HTTP answer's first line.
fn http_status(answer: &[u8]) -> Option<u16> {
    let line = String::from_utf8_lossy(answer.split(|it| *it == b'\n').next()?);
    line.strip_prefix("HTTP/")?.split_whitespace().nth(1)?.parse().ok()
}

/// Asks whether somebody listens on the loopback address, and for a page if there is a path; takes a second at most.
pub fn probe(port: u16, path: &str) -> Report {
    let deadline = Instant::now() + Duration::from_secs(1);
    let none = Report::Probed { listens: false, status: 0 };
    let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(1))
    else {
        return none;
    };
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    if !path.is_empty() && stream.write_all(request.as_bytes()).is_err() {
        return none;
    }
    // A published port accepts before there is a server behind it, and then hangs up at once.
    let patience = if path.is_empty() { Duration::from_millis(100) } else { Duration::from_secs(1) };
    let mut answer = Vec::new();
    loop {
        let left = patience.min(deadline.saturating_duration_since(Instant::now()));
        let mut bytes = [0; 256];
        // A timeout of zero would be none.
        let read =
            stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).and_then(|()| stream.read(&mut bytes));
        match read {
            Ok(n @ 1..) => answer.extend(&bytes[..n]),
            Ok(_) => return Report::Probed { listens: !answer.is_empty(), status: http_status(&answer).unwrap_or(0) },
            Err(error) => {
                let is_patient = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                return Report::Probed { listens: is_patient || !answer.is_empty(), status: 0 };
            }
        }
        if path.is_empty() || answer.contains(&b'\n') || Instant::now() >= deadline {
            let status = if path.is_empty() { None } else { http_status(&answer) };
            return Report::Probed { listens: true, status: status.unwrap_or(0) };
        }
    }
}
