//! Registries that a test made up: what they are asked, and that none of them can keep the tool or feed it.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::digests::Answer;
use mdbook_rehearse::upstream;

use crate::scratch::run;
use crate::server::{Request, Server, answer, answer_with, say_nothing};
use crate::{book, check, digest, proxy, rehearse, show};

const DIGEST: &str = "docker-content-digest";

/// A registry in which the images with this in their path have this digest, and no others are.
fn registry(images: &'static [(&'static str, char)]) -> Server {
    Server::start(move |request, stream| {
        let known = images.iter().find(|it| request.line.contains(it.0));
        match known {
            Some((_, digit)) => answer(stream, "200 OK", &[(DIGEST, &digest(*digit))]),
            None => answer(stream, "404 Not Found", &[]),
        }
    })
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The answers about images with these tags of one made-up registry, which may take this long.
fn ask(server: &Server, tags: &[&str], patience: Duration) -> Vec<Answer> {
    let url = |tag: &&str| {
        (
            tag.to_string(),
            format!("{}/v2/a/manifests/{tag}", server.url),
        )
    };
    let urls: BTreeMap<String, String> = tags.iter().map(url).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answers = runtime.block_on(upstream::ask(urls, patience));
    assert_eq!(answers.len(), tags.len());
    answers.into_values().collect()
}

/// Long enough for whatever answers at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is said of a registry that answers like this.
#[track_caller]
fn said(answers: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> String {
    match ask(&Server::start(answers), &["1"], PATIENCE).remove(0) {
        Answer::Nothing(why) => why,
        it => panic!("{it:?}"),
    }
}

#[test]
fn what_moved_is_told_and_only_heads_are_asked_for() {
    let server = registry(&[("/alpine/", 'b'), ("/nginx/", 'c')]);
    let by_digest = format!("docker.io/library/redis@{}", digest('d'));
    let images = [
        ("docker.io/library/alpine:latest", Some(digest('a'))),
        ("docker.io/library/nginx:alpine", Some(digest('c'))),
        (by_digest.as_str(), Some(digest('d'))),
        ("docker.io/library/board:1", None),
        ("mcr.microsoft.com/dotnet/sdk:9.0", Some(digest('e'))),
    ];
    let book = book(&proxy("docker.io", &server.url), &images);
    assert_snapshot!(check(&book, &["digests"]), @"
    moved      alpine:latest                     sha256:aaaaaaaaaaaa… → sha256:bbbbbbbbbbbb…  one
    gone       redis@sha256:dddddddddddd…        sha256:dddddddddddd… → none                  one
    not asked  mcr.microsoft.com/dotnet/sdk:9.0  its registry is not one of the book's
    1 as recorded, 1 moved, 1 gone, 1 not asked
    to record what moved: mdbook-rehearse run --all . one
    ! rehearse: asking the registries of 3 images
    exit 1
    ");
    assert_eq!(
        server.requests(),
        [
            "HEAD /v2/library/alpine/manifests/latest".to_string(),
            "HEAD /v2/library/nginx/manifests/alpine".to_string(),
            format!("HEAD /v2/library/redis/manifests/{}", digest('d')),
        ]
    );
    assert!(!book.path("snapshots/digests.json").exists());
}

#[test]
fn what_is_as_recorded_ends_well() {
    let server = registry(&[("/alpine/", 'a')]);
    let images = [("docker.io/library/alpine:latest", Some(digest('a')))];
    let book = book(&proxy("docker.io", &server.url), &images);
    assert_snapshot!(check(&book, &["digests"]), @"
    1 as recorded
    ! rehearse: asking the registries of 1 image
    exit 0
    ");
}

#[test]
fn a_registry_that_is_not_there_takes_nothing_from_the_others() {
    let server = registry(&[("/alpine/", 'b')]);
    let images = [
        ("docker.io/library/alpine:latest", Some(digest('a'))),
        ("quay.io/a/b:1", Some(digest('c'))),
        ("quay.io/a/b:2", Some(digest('d'))),
    ];
    let table = proxy("docker.io", &server.url) + &proxy("quay.io", &nobody());
    let book = book(&table, &images);
    assert_snapshot!(check(&book, &["digests"]), @"
    moved        alpine:latest       sha256:aaaaaaaaaaaa… → sha256:bbbbbbbbbbbb…  one
    not reached  quay.io (2 images)  Connection refused (os error 111)
    0 as recorded, 1 moved, 2 not reached
    to record what moved: mdbook-rehearse run --all . one
    ! rehearse: asking the registries of 3 images
    exit 6
    ");
}

#[test]
fn what_is_found_is_written_only_when_it_is_asked_for() {
    let server = registry(&[("/alpine/", 'b')]);
    let images = [("docker.io/library/alpine:latest", Some(digest('a')))];
    let book = book(&proxy("docker.io", &server.url), &images);
    let said = run(
        &mut rehearse(&book, &["digests", "--format", "json", "--save"]),
        b"",
    );
    assert_eq!(said.status, 1, "{}", said.err);
    assert_eq!(book.read("snapshots/digests.json"), said.out);
    let found = mdbook_rehearse::digests::parse(&said.out).unwrap();
    assert_eq!(found.references.len(), 1);
    // It is no snapshot.
    let listed = run(&mut rehearse(&book, &["list"]), b"");
    assert!(!listed.out.contains("digests"), "{}", listed.out);
}

#[test]
fn a_book_with_nothing_recorded_asks_nobody() {
    let server = registry(&[]);
    let book = book(&proxy("docker.io", &server.url), &[]);
    assert_snapshot!(check(&book, &["digests"]), @"
    no image of a registry is recorded
    exit 0
    ");
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn all_kinds_of_manifests_are_accepted() {
    let server = Server::start(|request, stream| {
        let accepted = request.header("accept").unwrap_or_default();
        let has_all = [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        ]
        .iter()
        .all(|it| accepted.split(", ").any(|accepted| accepted == *it));
        let digit = if has_all { 'a' } else { 'b' };
        answer(stream, "200 OK", &[(DIGEST, &digest(digit))]);
    });
    assert_eq!(
        ask(&server, &["1"], PATIENCE),
        [Answer::Digest(digest('a'))]
    );
}

/// Sends those without a token to its own token service.
fn challenge(request: &Request, stream: &mut TcpStream) {
    let host = request.header("host").unwrap();
    let challenge = format!(
        "Bearer realm=\"http://{host}/token\",service=\"a registry\",scope=\"repository:a:pull,push\""
    );
    answer(
        stream,
        "401 Unauthorized",
        &[("WWW-Authenticate", &challenge)],
    );
}

#[test]
fn a_registry_that_wants_a_token_gets_one_that_anybody_gets() {
    let server = Server::start(|request, stream| match request.header("authorization") {
        Some("Bearer t0ken") => answer(stream, "200 OK", &[(DIGEST, &digest('a'))]),
        _ if request.line.starts_with("GET /token?") => {
            answer_with(stream, "{\"token\": \"t0ken\"}");
        }
        _ => challenge(request, stream),
    });
    assert_eq!(
        ask(&server, &["1"], PATIENCE),
        [Answer::Digest(digest('a'))]
    );
    assert_snapshot!(server.requests().join("\n"), @"
    GET /token?service=a%20registry&scope=repository%3Aa%3Apull%2Cpush
    HEAD /v2/a/manifests/1
    HEAD /v2/a/manifests/1
    ");
}

#[test]
fn what_only_those_see_who_log_in_is_not_called_gone() {
    let shown = [
        said(challenge_without_token),
        said(|request, stream| match request.line.starts_with("GET") {
            true => answer_with(stream, "{\"access_token\": \"t0ken\"}"),
            false => challenge(request, stream),
        }),
        said(|_, stream| {
            answer(
                stream,
                "401 Unauthorized",
                &[("WWW-Authenticate", "Basic realm=\"a\"")],
            );
        }),
        said(|_, stream| answer(stream, "403 Forbidden", &[])),
    ];
    assert_snapshot!(shown.join("\n"), @"
    no token for it: gone, or only for those who log in
    it answered 401: gone, or only for those who log in
    it answered 401: gone, or only for those who log in
    it answered 403: gone, or only for those who log in
    ");
}

fn challenge_without_token(request: &Request, stream: &mut TcpStream) {
    match request.line.starts_with("GET") {
        true => answer(stream, "401 Unauthorized", &[]),
        false => challenge(request, stream),
    }
}

#[test]
fn an_answer_that_tells_nothing_is_told() {
    let shown = [
        said(|_, stream| answer(stream, "200 OK", &[])),
        said(|_, stream| answer(stream, "200 OK", &[(DIGEST, "sha256:<script>")])),
        said(|_, stream| answer(stream, "418 I'm a teapot", &[])),
        said(|_, stream| answer(stream, "503 Service Unavailable", &[])),
        said(|_, stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n"))),
    ];
    assert_snapshot!(shown.join("\n"), @"
    its answer names no digest
    its answer names no digest
    it answered 418
    it answered 503
    it speaks no HTTP: http parse fail: invalid HTTP version
    ");
}

#[test]
fn a_registry_cannot_lead_in_circles_or_say_too_much() {
    let shown = [
        said(|request, stream| {
            let path = request.line.strip_prefix("HEAD ").unwrap();
            answer(stream, "307 Temporary Redirect", &[("Location", path)]);
        }),
        said(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
            // To its end only if somebody reads it all.
            let _ = stream.write_all(&vec![b'x'; 10_000_000]);
        }),
        said(|request, stream| match request.line.starts_with("GET") {
            true => answer_with(
                stream,
                &format!("{{\"token\": \"{}\"}}", "x".repeat(10_000_000)),
            ),
            false => challenge(request, stream),
        }),
        said(|request, stream| match request.line.starts_with("GET") {
            true => answer_with(stream, "<html>"),
            false => challenge(request, stream),
        }),
    ];
    assert_snapshot!(shown.join("\n"), @"
    too many redirects
    it said more than an answer can be
    it said more than an answer can be
    its token service answered something else than a token
    ");
}

#[test]
fn a_body_that_comes_with_a_head_is_not_read() {
    let server = Server::start(|_, stream| {
        let length = 10_000_000;
        let head = format!(
            "HTTP/1.1 200 OK\r\n{DIGEST}: {}\r\ncontent-length: {length}\r\n\r\n",
            digest('a')
        );
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&vec![b'x'; length]);
    });
    assert_eq!(
        ask(&server, &["1"], PATIENCE),
        [Answer::Digest(digest('a'))]
    );
}

#[test]
fn a_registry_that_says_nothing_is_given_up() {
    let brief = Duration::from_millis(300);
    let silent = Server::start(|_, stream| say_nothing(stream));
    let tags = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let gave_up = Answer::Nothing("it did not answer within 300ms".to_string());
    assert_eq!(
        ask(&silent, &tags, brief),
        vec![gave_up.clone(); tags.len()]
    );
    // Those who had asked when the first of them gave up.
    assert!(silent.requests().len() <= 4, "{:?}", silent.requests());

    let dripping = Server::start(|_, stream| {
        while stream.write_all(b"H").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let Answer::Nothing(_) = ask(&dripping, &["1"], brief).remove(0) else {
        panic!("it answered nothing");
    };

    let no_token = Server::start(|request, stream| match request.line.starts_with("GET") {
        true => say_nothing(stream),
        false => challenge(request, stream),
    });
    assert_eq!(ask(&no_token, &["1"], brief), [gave_up]);
}

#[test]
fn a_registry_that_is_asked_too_often_is_left_alone() {
    let server = Server::start(|_, stream| answer(stream, "429 Too Many Requests", &[]));
    let tags = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let busy = Answer::Nothing("it answered 429: asked too often; ask later".to_string());
    assert_eq!(ask(&server, &tags, PATIENCE), vec![busy; tags.len()]);
    assert!(server.requests().len() <= 4, "{:?}", server.requests());
}

#[test]
fn a_signal_ends_the_waiting() {
    let (sender, asked) = std::sync::mpsc::channel();
    let silent = Server::start(move |_, stream| {
        sender.send(()).unwrap();
        say_nothing(stream);
    });
    let images = [("docker.io/library/alpine:latest", Some(digest('a')))];
    let book = book(&proxy("docker.io", &silent.url), &images);
    let mut command = rehearse(&book, &["digests", "--save"]);
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    asked.recv().unwrap();
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    let said = crate::Said {
        status: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    assert_snapshot!(show(&said), @"
    ! rehearse: asking the registries of 1 image
    ! rehearse: stopped; the sandbox is removed
    exit 130
    ");
    assert!(!book.path("snapshots/digests.json").exists());
}
