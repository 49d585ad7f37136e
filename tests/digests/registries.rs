//! Real registries: one in the world, and the book's own, filled from archives.

use insta::assert_snapshot;
use mdbook_rehearse::config;
use mdbook_rehearse::digests::{self, Digests, Today};
use mdbook_rehearse::sandbox;
use serde_json::json;

use crate::machine::{Upstream, docker, need, stand_ins, things_of};
use crate::scratch::{REHEARSE, Scratch, run};
use crate::{book, check, digest, proxy, record, rehearse};

const ALPINE: &str = "docker.io/library/alpine:latest";

/// Asks with this machine's engine in reach, and shows what is said; nothing of it is left then.
#[track_caller]
fn ask(book: &Scratch) -> (i32, Digests) {
    let mut command = book.command(REHEARSE, &["digests", "--format", "json"]);
    let pipes = command.stdout(std::process::Stdio::piped());
    let child = pipes.spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let left = things_of(pid);
    assert!(left.is_empty(), "{left:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    (
        output.status.code().unwrap(),
        digests::parse(&text).unwrap(),
    )
}

/// A registry in the world, with one image.
fn upstream() -> Upstream {
    let config = config::parse(&json!({ "network": "none" })).unwrap();
    need(&config);
    // Builds the image that it is made of.
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let root = stand_ins();
    let probe = sandbox::probe(&config, &root, &|_| {}, stop);
    runtime.block_on(probe).unwrap();
    Upstream::start()
}

/// Makes `alpine` of the world another image.
fn move_alpine(upstream: &Upstream) {
    let archive = stand_ins().join("docker.io/busybox.tar");
    let archive = archive.display().to_string();
    let container = &upstream.container;
    docker(&["cp", &archive, &format!("{container}:/tmp/busybox.tar")]);
    let push = "skopeo --insecure-policy copy -q --dest-tls-verify=false \
                oci-archive:/tmp/busybox.tar:docker.io/library/busybox:latest \
                docker://127.0.0.1:5000/library/alpine:latest && echo pushed";
    assert_eq!(docker(&["exec", container, "sh", "-c", push]), "pushed");
}

#[test]
fn a_tag_that_moves_between_two_askings_is_told() {
    let upstream = upstream();
    let table = proxy("docker.io", &upstream.url);
    let book = book(&table, &[(ALPINE, Some(digest('a')))]);
    let (_, found) = ask(&book);
    let Today::Moved { current } = &found.references[0].today else {
        panic!("{found:?}");
    };
    record(&book, &[(ALPINE, Some(current.clone()))]);
    assert_snapshot!(check(&book, &["digests"]), @"
    1 as recorded
    ! rehearse: asking the registries of 1 image
    exit 0
    ");

    move_alpine(&upstream);
    let moved = check(&book, &["digests"]);
    let short = |digest: &str| digest["sha256:".len()..][..12].to_string();
    let (status, found) = ask(&book);
    assert_eq!(status, 1);
    let Today::Moved { current: fresh } = &found.references[0].today else {
        panic!("{found:?}");
    };
    let moved = moved
        .replace(&short(current), "[RECORDED]")
        .replace(&short(fresh), "[CURRENT]");
    assert_snapshot!(moved, @"
    moved  alpine:latest  sha256:[RECORDED]… → sha256:[CURRENT]…  one
    0 as recorded, 1 moved
    to record what moved: mdbook-rehearse run --all . one
    ! rehearse: asking the registries of 1 image
    exit 1
    ");

    // Its access log: what asked for digests asked for nothing else.
    let log = docker(&["logs", &upstream.container]);
    let ours: Vec<&str> = log
        .lines()
        .filter(|it| it.contains("mdbook-rehearse/"))
        .filter_map(|it| it.split('"').nth(1))
        .collect();
    assert_eq!(
        ours,
        ["HEAD /v2/library/alpine/manifests/latest HTTP/1.1"; 4]
    );
}

#[test]
fn only_a_registry_that_this_machine_trusts_is_believed() {
    let upstream = upstream();
    let address = upstream.url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix(":5000").unwrap();
    let identity = rcgen::generate_simple_self_signed(vec![address.to_string()]).unwrap();
    let settings = "version: 0.1\nstorage: {filesystem: {rootdirectory: /tmp/blobs}}\n\
                    http: {addr: \":5443\", tls: {certificate: /tmp/certificate.pem, key: /tmp/key.pem}}\n";
    let book = book(
        &proxy("docker.io", &format!("https://{address}:5443")),
        &[(ALPINE, Some(digest('a')))],
    );
    for (name, text) in [
        ("certificate.pem", identity.cert.pem()),
        ("key.pem", identity.signing_key.serialize_pem()),
        ("secure.yml", settings.to_string()),
    ] {
        book.write(name, &text);
        let path = book.path(name).display().to_string();
        docker(&["cp", &path, &format!("{}:/tmp/{name}", upstream.container)]);
    }
    let serve = "docker-registry serve /tmp/secure.yml >/dev/null 2>&1 & \
                 until curl -sko /dev/null https://127.0.0.1:5443/v2/; do sleep 0.05; done; echo serves";
    let exec = ["exec", &upstream.container, "sh", "-c", serve];
    assert_eq!(docker(&exec), "serves");

    assert_snapshot!(check(&book, &["digests"]), @"
    not reached  alpine:latest  invalid peer certificate: UnknownIssuer
    0 as recorded, 1 not reached
    ! rehearse: asking the registries of 1 image
    exit 6
    ");
    let trusted = book.path("certificate.pem");
    let mut command = rehearse(&book, &["digests"]);
    let said = run(command.env("SSL_CERT_FILE", trusted), b"");
    assert!(
        said.out
            .starts_with("moved  alpine:latest  sha256:aaaaaaaaaaaa… → "),
        "{said:?}"
    );
}

#[test]
fn registries_of_archives_are_asked_too() {
    let alpine = stand_ins().join("docker.io/alpine.tar");
    let table = |host: &str, archive: &str| {
        format!(
            "[preprocessor.rehearse.registries.\"{host}\"]\nmode = \"local\"\nimages = [{archive:?}]\n\
             login = {{ user = \"learner\", password = \"rehearsal\" }}\n"
        )
    };
    let table =
        table("docker.io", &alpine.display().to_string()) + &table("quay.io", "missing.tar");
    let images = [
        (ALPINE, Some(digest('a'))),
        ("docker.io/library/nginx:alpine", Some(digest('b'))),
        ("quay.io/a/b:1", Some(digest('c'))),
    ];
    let local = json!({ "registries": { "docker.io": { "mode": "local" } } });
    need(&config::parse(&local).unwrap());
    let book = book(&table, &images);
    let (status, found) = ask(&book);
    assert_eq!(status, 6);
    let [alpine, nginx, missing] = found.references.as_slice() else {
        panic!("{found:?}");
    };
    let Today::Moved { current } = &alpine.today else {
        panic!("{alpine:?}");
    };
    assert_eq!(nginx.today, Today::Gone);
    let Today::NotReached { reason } = &missing.today else {
        panic!("{missing:?}");
    };
    assert!(reason.contains("missing.tar"), "{reason}");
    record(&book, &[(ALPINE, Some(current.clone()))]);
    let (status, found) = ask(&book);
    assert_eq!(
        (status, &found.references[0].today),
        (0, &Today::AsRecorded)
    );
}

#[test]
fn without_an_engine_those_in_the_world_are_asked_all_the_same() {
    let server = crate::server::Server::start(|_, stream| {
        let digest = digest('a');
        crate::server::answer(stream, "200 OK", &[("Docker-Content-Digest", &digest)]);
    });
    let table = proxy("docker.io", &server.url)
        + "[preprocessor.rehearse.registries.\"quay.io\"]\nmode = \"local\"\n";
    let images = [
        (ALPINE, Some(digest('a'))),
        ("quay.io/a/b:1", Some(digest('b'))),
    ];
    let said = check(&book(&table, &images), &["digests"]);
    // What docker says differs from version to version.
    let (ours, _) = said.split_once(" (").unwrap();
    assert_snapshot!(ours, @"not reached  quay.io/a/b:1  no Docker engine answers; is it running, may this user reach it, and does `docker context show` name the right one?");
    assert!(said.ends_with("exit 6"), "{said}");
}

/// The words of a page's main part, without days.
fn words_of(page: &str) -> String {
    let main = page
        .split_once("<main>")
        .unwrap()
        .1
        .split_once("<style>")
        .unwrap()
        .0;
    let text = regex::Regex::new("<[^>]*>").unwrap().replace_all(main, " ");
    let text = text.replace("&#58;", ":");
    let day = regex::Regex::new("[0-9]+ [A-Z][a-z]+ 20[0-9]{2}").unwrap();
    let text = day.replace_all(&text, "[DAY]").into_owned();
    let version = regex::Regex::new("Docker [0-9][^ ]*").unwrap();
    let text = version.replace_all(&text, "Docker [VERSION]");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What an author sees when a tag moves after the recording: asked, checked, recorded anew.
#[test]
fn e06_a_tag_that_moves_between_two_runs_is_told_with_what_it_explains() {
    const CHAPTER: &str = "# One\n\n```bash\ndocker pull -q alpine\ndocker images --format '{{.Repository}} {{.Tag}}, {{.Size}}'\n\
                           docker run --rm alpine sh -c 'ls /etc | wc -l'\necho lot $RANDOM $RANDOM\n```\n";
    let upstream = upstream();
    let book = book(&proxy("docker.io", &upstream.url), &[]);
    book.write("src/one.md", CHAPTER);
    book.write("src/status.md", "# Status\n\n<!-- rehearse: status -->\n");
    book.write("src/SUMMARY.md", "- [One](one.md)\n- [Status](status.md)\n");
    let rehearsed = |arguments: &[&str]| run(&mut book.command(REHEARSE, arguments), b"");
    let said = rehearsed(&["run"]);
    assert_eq!(said.status, 0, "{}", said.err);
    let recorded = book.read("snapshots/one.snap");
    let digest = |text: &str| {
        let digest = text.split_once("  digest sha256:").unwrap().1;
        digest[..12].to_string()
    };

    move_alpine(&upstream);
    // The maintainer's page knows it from the weekly question.
    let asked = rehearsed(&["digests", "--save"]);
    assert_eq!((asked.status, rehearsed(&["build"]).status), (1, 0));
    assert_snapshot!(words_of(&book.read("book/status.html")), @"Status 1 exercise, 1 as recorded; oldest recording [DAY]; 1 image has moved since, as registries said on [DAY]. Exercise Verdict Coverage Recorded Engine Images moved One ✓ as recorded 1 of 1 task [DAY] 26.1.5+dfsg1 · overlay2 alpine:latest since then");
    book.write("snapshots/digests.json", "{");
    assert_snapshot!(rehearsed(&["build"]).err.lines().last().unwrap(), @"rehearse: error: snapshot `snapshots/digests.json` cannot be read: EOF while parsing an object at line 1 column 1; delete it and run `mdbook-rehearse digests --save`");
    std::fs::remove_file(book.path("snapshots/digests.json")).unwrap();

    let (checked, again) = (rehearsed(&["check"]), rehearsed(&["run", "--all"]));
    assert_eq!((checked.status, again.status), (1, 0));
    let fresh = book.read("snapshots/one.snap");
    let told = checked
        .out
        .replace(&digest(&recorded), "[RECORDED]")
        .replace(&digest(&fresh), "[FRESH]");
    let lots = regex::Regex::new("lot [0-9 ]+").unwrap();
    let told = lots.replace_all(&told, "lot [RANDOM]");
    // Marks are as long as what is random.
    let is_mark = |it: &&str| it.trim_start().starts_with('^');
    let told: Vec<&str> = told.lines().filter(|it| !is_mark(it)).collect();
    assert_snapshot!(told.join("\n"), @"
    one.md: differs from what is recorded; 1 of 1 task covered, 1 step runs
      drifted one.md:6
          $ docker run --rm alpine sh -c 'ls /etc | wc -l'
          - 9
          + 6
          because alpine:latest moved
      drifted one.md:7
          $ echo lot $RANDOM $RANDOM
          - lot [RANDOM]
          + lot [RANDOM]
          no image that moved explains it
      moved alpine:latest: sha256:[RECORDED]… → sha256:[FRESH]…; its only layer is another
      again: mdbook-rehearse check . one
    to take the fresh outputs: mdbook-rehearse run --all .
    0 as recorded, 1 drifted, 0 broken
    ");
    let was = format!("sha256:{}", digest(&recorded));
    assert!(fresh.contains(&format!(" from {was}")), "{fresh}");
    let built = rehearsed(&["build"]);
    assert_eq!(built.status, 0, "{}", built.err);
    let page = book.read("book/one.html");
    let page = page.replace("&#58;", ":");
    assert!(
        page.contains("Moved since") && page.contains(", was "),
        "{page}"
    );
    assert!(page.contains(&format!("{was}…")), "{page}");
    assert_snapshot!(check(&book, &["digests"]), @"
    1 as recorded
    ! rehearse: asking the registries of 1 image
    exit 0
    ");
}
