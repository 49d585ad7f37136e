//! A server on loopback that answers as a test wants it, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// It answers as long as the test runs.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// What it was asked.
pub(crate) struct Request {
    /// `HEAD /v2/…`.
    pub(crate) line: String,
    /// Header lines, in lower case but for their values.
    headers: Vec<String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().map(|it| it.split_once(": "));
        named
            .flatten()
            .find(|it| it.0.eq_ignore_ascii_case(name))
            .map(|it| it.1)
    }
}

impl Server {
    /// Starts one; `answer` writes what it wants to, and the connection ends.
    pub(crate) fn start(
        answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (asked, answer) = (requests.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, answer) = (asked.clone(), answer.clone());
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    if let Some(request) = read(&mut stream) {
                        asked.lock().unwrap().push(request.line.clone());
                        answer(&request, &mut stream);
                    }
                });
            }
        });
        Server { url, requests }
    }

    /// The first lines of all requests until now, without their versions, in order of the alphabet.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut requests = self.requests.lock().unwrap().clone();
        requests.sort();
        requests
    }
}

/// Writes an answer without a body. Who has had enough may be gone.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)]) {
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers: String = headers.collect();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n"
    );
}

/// Writes an answer with a body.
pub(crate) fn answer_with(stream: &mut TcpStream, body: &str) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

/// Waits until the other side goes.
pub(crate) fn say_nothing(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.strip_suffix(" HTTP/1.1")?.to_owned();
    let headers = lines.map(str::to_owned).collect();
    Some(Request { line, headers })
}
