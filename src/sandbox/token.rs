//! The token service of a registry that asks for login: it stands beside the registry in its container and tells who may
//! do what, as `auth.docker.io` does for Docker Hub. Anybody may pull; whoever has the login may do anything.
//!
//! Standard library only and one file, so that the image's own `rustc` builds it. Signatures are `openssl`'s, made with the
//! key of the registry's certificate. Five lines of `token.txt` say what it is for: its port, its name as issuer, the
//! registry's name as service, user and password. Certificate and key lie beside it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds that a token holds, as at Docker Hub.
const LIFETIME: u64 = 300;

/// A peer that is slower than this is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest head of a request in bytes.
const MAX_HEAD: u64 = 64 << 10;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let service = Arc::new(Service::read()?);
    let listener = TcpListener::bind(("0.0.0.0", service.port))?;
    for stream in listener.incoming() {
        let (service, stream) = (service.clone(), stream?);
        thread::spawn(move || {
            if let Err(error) = talk(&service, stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

/// Whose tokens these are.
struct Service {
    port: u16,
    issuer: String,
    audience: String,
    /// `USER:PASSWORD`.
    login: String,
    /// The registry's certificate as a token's head has it: DER in Base64.
    certificate: String,
}

impl Service {
    fn read() -> io::Result<Service> {
        let settings = fs::read_to_string("token.txt")?;
        let mut lines = settings.lines();
        let mut line = || lines.next().ok_or_else(|| io::Error::other("`token.txt` is too short"));
        let port = line()?.parse().map_err(|_| io::Error::other("`token.txt` begins with no port"))?;
        let (issuer, audience) = (line()?.to_owned(), line()?.to_owned());
        let login = format!("{}:{}", line()?, line()?);
        // What PEM adds to the Base64 is a line before and a line after.
        let pem = fs::read_to_string("certificate.pem")?;
        let certificate = pem.lines().filter(|it| !it.starts_with('-')).collect();
        Ok(Service { port, issuer, audience, login, certificate })
    }
}

/// One request and its answer.
fn talk(service: &Service, mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = match Request::read(&stream)? {
        Some(request) => request,
        None => return stream.write_all(&answer("400 Bad Request", &problem("this is no request for a token"))),
    };
    let response = match respond(service, &request) {
        Ok(Token(token)) => {
            // Both names are in use; clients read one or the other.
            let body = format!("{{\"token\":\"{token}\",\"access_token\":\"{token}\",\"expires_in\":{LIFETIME}}}");
            answer("200 OK", &body)
        }
        // Clients that ask in another way first ask in this one then.
        Err(Refusal::Method) => answer("405 Method Not Allowed", &problem("ask with GET")),
        Err(Refusal::Login) => answer("401 Unauthorized", &problem("incorrect username or password")),
        Err(Refusal::Trouble(error)) => {
            eprintln!("{error}");
            answer("500 Internal Server Error", &problem("no token can be made"))
        }
    };
    stream.write_all(&response)
}

/// As Docker Hub tells it and clients show it.
fn problem(message: &str) -> String {
    format!("{{\"details\":{}}}", json(message))
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// What is asked for.
struct Request {
    method: String,
    /// Each `scope` of the query: `repository:me/mine:pull,push`.
    scopes: Vec<String>,
    /// Of the head `Authorization`.
    authorization: Option<String>,
}

impl Request {
    /// Reads a request's head; `None` if it is none.
    fn read(stream: &TcpStream) -> io::Result<Option<Request>> {
        let mut lines = BufReader::new(stream.take(MAX_HEAD)).lines();
        let Some(first) = lines.next() else { return Ok(None) };
        let first = first?;
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0")) = (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let query = target.split_once('?').map_or("", |it| it.1);
        let scopes = query.split('&').filter_map(|it| it.strip_prefix("scope=")).map(decode_query);
        // One parameter can hold several.
        let scopes = scopes.flat_map(|it| it.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
        let mut request = Request { method: method.to_owned(), scopes, authorization: None };
        for line in lines {
            let line = line?;
            if line.is_empty() {
                return Ok(Some(request));
            }
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                    request.authorization = Some(value.trim().to_owned());
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

struct Token(String);

enum Refusal {
    Method,
    Login,
    Trouble(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Trouble(error)
    }
}

/// Makes the token that a request is worth.
fn respond(service: &Service, request: &Request) -> Result<Token, Refusal> {
    if request.method != "GET" {
        return Err(Refusal::Method);
    }
    let who = match &request.authorization {
        None => Who::Anybody,
        Some(it) => {
            let login = it.split_once(' ').filter(|it| it.0.eq_ignore_ascii_case("basic"));
            match login.and_then(|it| decode_base64(it.1.trim())) {
                Some(login) if login == service.login.as_bytes() => Who::Learner,
                _ => return Err(Refusal::Login),
            }
        }
    };
    let access: Vec<String> = request.scopes.iter().filter_map(|it| grant(it, who)).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let head = format!("{{\"typ\":\"JWT\",\"alg\":\"ES256\",\"x5c\":[\"{}\"]}}", service.certificate);
    let claims = format!(
        "{{\"iss\":{},\"sub\":{},\"aud\":{},\"exp\":{},\"nbf\":{},\"iat\":{now},\"jti\":\"{}\",\"access\":[{}]}}",
        json(&service.issuer),
        json(match who {
            Who::Anybody => "",
            Who::Learner => service.login.split(':').next().unwrap_or_default(),
        }),
        json(&service.audience),
        now + LIFETIME,
        // The registry's clock is this one, but it compares whole seconds.
        now - 1,
        random_word()?,
        access.join(",")
    );
    let signed = format!("{}.{}", encode_base64(head.as_bytes()), encode_base64(claims.as_bytes()));
    let signature = encode_base64(&sign(signed.as_bytes())?);
    Ok(Token(format!("{signed}.{signature}")))
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anybody,
    Learner,
}

/// What of a scope is granted; `None` for nothing, which is no error: the registry refuses, and tells.
fn grant(scope: &str, who: Who) -> Option<String> {
    // A name may hold a colon, before a port.
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let actions = actions.split(',').filter(|it| who == Who::Learner || (kind == "repository" && *it == "pull"));
    let actions: Vec<String> = actions.map(json).collect();
    match actions.is_empty() {
        true => None,
        false => Some(format!(
            "{{\"type\":{},\"name\":{},\"actions\":[{}]}}",
            json(kind),
            json(name),
            actions.join(",")
        )),
    }
}

/// An ECDSA signature as tokens have it: the two numbers one after the other, 32 bytes each.
fn sign(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", "key.pem"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = openssl.stdin.take() {
        stdin.write_all(bytes)?;
    }
    let output = openssl.wait_with_output()?;
    // openssl writes them in DER: a sequence of two numbers, each with its kind and length, and with a zero before a first
    // bit that would make it negative.
    let malformed = || io::Error::other("openssl made no signature");
    let mut rest = output.stdout.get(2..).ok_or_else(malformed)?;
    let mut signature = Vec::new();
    for _ in 0..2 {
        let [2, length, ..] = rest else { return Err(malformed()) };
        let end = 2 + usize::from(*length);
        let number = rest.get(2..end).ok_or_else(malformed)?;
        let number = &number[number.len().saturating_sub(32)..];
        signature.extend(std::iter::repeat(0).take(32 - number.len()));
        signature.extend(number);
        rest = &rest[end..];
    }
    Ok(signature)
}

fn random_word() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}

/// A text as a JSON string.
fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for it in text.chars() {
        match it {
            '"' | '\\' => quoted.extend(['\\', it]),
            it if it < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(it))),
            it => quoted.push(it),
        }
    }
    quoted.push('"');
    quoted
}

/// A value of a query: `+` is a blank, `%2F` a byte.
fn decode_query(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let hex = after.get(..2).and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Base64 for URLs, without padding (RFC 4648, 5).
fn encode_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, it| bits << 8 | u32::from(*it)) << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}

/// Base64 with or without padding (RFC 4648, 4); `None` if it is none.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut n_bits) = (0u32, 0);
    for it in text.trim_end_matches('=').bytes() {
        let digit = match it {
            b'A'..=b'Z' => it - b'A',
            b'a'..=b'z' => it - b'a' + 26,
            b'0'..=b'9' => it - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    Some(bytes)
}
