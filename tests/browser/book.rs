//! The book that the browser is shown, built by mdBook from snapshots made by hand: what is hostile, and what a course has.

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use jiff::civil::date;
use mdbook_rehearse::config::Source;
use mdbook_rehearse::images::{CommandName, LedgerEntry};
use mdbook_rehearse::snapshot::{self, RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::{Engine, Layer};

use super::page::{Chromium, Page, Reader};
use super::scratch::{REHEARSE, Scratch, run};

/// Every page of the book that has something of ours.
pub(crate) const PAGES: [&str; 4] = ["hostile.html", "course.html", "status.html", "print.html"];

/// What a program may print to get at the page's readers.
const HOSTILE: &str = "</samp></pre></div><script>window.pwned = 1</script>\n\
    <img src=x onerror=\"window.pwned = 1\"> <svg onload=window.pwned=1>\n\
    <a href=\"javascript:window.pwned=1\" onclick=\"window.pwned=1\">link</a>\n\
    <iframe src=secret.html></iframe><style>body { display: none }</style>\n\
    \n\
    ![image](x.png) [link](javascript:pwned) <https://example.org> https://example.org\n\
    # heading\n\
    ```\n~~~\n````html\n<script>window.pwned = 1</script>\n````\n\
    {{#include ../secret.txt}} {{#title pwned}} {{#playground x.rs}}\n\
    $$ x $$ \\( y \\) \\[ z \\] &lt;script&gt; &#60;script&#62;\n\
    \u{1b}]8;;javascript:pwned\u{1b}\\link\u{1b}]8;;\u{1b}\\ \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}\n\
    user\u{202e}txt.exe zero\u{200b}width\n\
    # hidden? ~ hidden?\n";

/// A chapter whose outputs are hostile, in all places where blocks stand, or too long, or of all colors.
const HOSTILE_CHAPTER: &str = "# Hostile\n\n```bash\ncat hostile\n```\n\n1. In a list:\n\n   ```bash\n   cat hostile\n   ```\n\n   \
    more\n\n> ```bash\n> cat hostile\n> ```\n\n```bash\nseq 100\n```\n\n```bash\ncat long\n```\n\n```bash\ncat colors\n```\n";

/// A block that is not recorded, with prompts and samples, and the table of all chapters.
const STATUS_CHAPTER: &str = "# Status\n\n\
    ```bash\n$ docker ps\nCONTAINER ID\n\n$ docker images \\\n>   -q\n0a1b2c3d\n# of mine\n```\n\n\
    <!-- rehearse: status -->\n";

/// A chapter with what readers open, and with what is no output.
const COURSE_CHAPTER: &str = "# Course\n\n\
    It ends [below](#the-end).\n\n\
    ```bash fails\ndocker ps\nls nothing\ntrue\nfalse\n```\n\n\
    ```bash skip=\"it wants a <screen>\"\ndocker login\n```\n\n\
    ```bash\ndocker info\n```\n\n\
    Your challenge: do it.\n\n```bash solution\ndocker ps\n```\n\n1. In a list:\n\n   ```bash solution\n   docker ps\n   ```\n\n\
    <!-- rehearse: check=\"it `answers` <b>at once</b>\" -->\n```bash\ntest -e x\n```\n\n\
    <!-- rehearse: check=\"later\" -->\n```bash\ntest -e y\n```\n\n```bash for=2s\nsleep 9\n```\n\n```bash\nseq 100\n```\n\n\
    ## The end\n\n\
    <!-- rehearse: layers one two three four five six -->\n\n<!-- rehearse: images one two none -->\n\n<!-- rehearse: images none -->\n";

/// What is shared while a test runs, and gone after the last.
struct Shared {
    book: Scratch,
    chromium: Chromium,
}

/// Shows a page of the book to a reader, and holds the page to having no fault.
#[track_caller]
pub(crate) fn visit<T>(page: &str, reader: Reader, look: impl FnOnce(&Page<'_>) -> T) -> T {
    let shared = shared();
    let folder = shared.book.path("book");
    let file = folder.join(page);
    assert!(file.exists(), "the book has no `{page}`");
    let mut page = shared.chromium.open(&file, reader);
    let res = look(&page);
    assert_eq!(page.faults(&folder), [""; 0], "of {}", file.display());
    res
}

/// What goes wrong on a page that is no part of the book.
#[track_caller]
pub(crate) fn faults_of(html: &str) -> Vec<String> {
    let shared = shared();
    shared.book.write("book/other/page.html", html);
    let folder = shared.book.path("book/other");
    let mut page = shared
        .chromium
        .open(&folder.join("page.html"), super::page::DESK);
    page.faults(&folder)
}

/// The text of a file of the built book.
#[track_caller]
pub(crate) fn source(page: &str) -> String {
    shared().book.read(&format!("book/{page}"))
}

#[track_caller]
fn shared() -> Arc<Shared> {
    static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
    // A test that panicked here has made nothing.
    let mut shared = SHARED.lock().unwrap_or_else(|it| it.into_inner());
    if let Some(shared) = shared.upgrade() {
        return shared;
    }
    let made = Arc::new(Shared {
        book: book(),
        chromium: Chromium::start(),
    });
    *shared = Arc::downgrade(&made);
    made
}

#[track_caller]
fn book() -> Scratch {
    let mdbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/mdbook");
    assert!(
        mdbook.exists(),
        "no `{}`; make it: make tools",
        mdbook.display()
    );
    let table = format!(
        "[preprocessor.rehearse]\ncommand = '{REHEARSE}'\nrun = \"never\"\n\
         [output.html.code.hidelines]\nbash = \"~\"\n"
    );
    let chapters = [
        ("hostile.md", HOSTILE_CHAPTER),
        ("course.md", COURSE_CHAPTER),
        ("status.md", STATUS_CHAPTER),
    ];
    let book = Scratch::new(&table, &chapters);
    book.write("secret.txt", "SECRET");
    for snapshot in [hostile(), course()] {
        let path = format!("snapshots/{}.snap", snapshot.exercise);
        book.write(&path, &snapshot::print(&snapshot));
    }
    let said = run(&mut book.command(mdbook, &["build"]), b"");
    assert_eq!((said.status, said.out.as_str()), (0, ""), "{}", said.err);
    assert!(!said.err.contains("WARN"), "{}", said.err);
    book
}

fn hostile() -> Snapshot {
    let numbers = numbers();
    let long = "sha256:0123456789abcdef".repeat(20);
    let colors = colors();
    let steps = [
        (1, "cat hostile", HOSTILE),
        (2, "cat hostile", HOSTILE),
        (3, "cat hostile", HOSTILE),
        (4, "seq 100", &numbers),
        (5, "cat long", &long),
        (6, "cat colors", &colors),
    ];
    let steps = steps.map(|(number, text, output)| step("hostile", number, &[(text, output, 0)]));
    let image = |reference: &str| LedgerEntry {
        reference: reference.to_string(),
        digest: Some(format!("sha256:{}", "0123456789abcdef".repeat(4))),
        id: format!(
            "sha256:{}\"><script>window.pwned=1</script>",
            reference.len()
        ),
        size: 123_456_789,
        layers: vec![Layer {
            digest: "<img/src=x/onerror=window.pwned=1>".to_string(),
            size: None,
        }],
        first: first("hostile"),
        last: first("hostile"),
        platform: "linux/amd64".to_string(),
        ..LedgerEntry::default()
    };
    Snapshot {
        exercise: "hostile".to_string(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "28<script>window.pwned=1</script>".to_string(),
            store: "\"onclick=\"window.pwned=1".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: [("docker.io".to_string(), Source::Local)].into(),
        left: None,
        steps: steps.to_vec(),
        images: vec![
            image("docker.io/library/<script>window.pwned=1</script>:1"),
            image("docker.io/library/\"onmouseover=\"window.pwned=1:2"),
        ],
    }
}

/// What is recorded of the course: all but the skipped step, the new one and the second check.
fn course() -> Snapshot {
    let numbers = numbers();
    let several = [
        ("docker ps", "seen\n", 0),
        ("ls nothing", "no such file\n", 2),
        ("true", "", 0),
        ("false", "", 1),
    ];
    let steps = [
        step("course", 1, &several),
        step("course", 4, &[("docker ps", "seen\n", 0)]),
        step("course", 5, &[("docker ps", "seen\n", 0)]),
        step("course", 6, &[("test -e x", "seen\n", 0)]),
        step("course", 8, &[("sleep 9", "seen\n", 0)]),
        step("course", 9, &[("seq 100", &numbers, 0)]),
    ];
    let names = ["one", "two", "three", "four", "five", "six"];
    let images = names.iter().enumerate().map(|(idx, name)| LedgerEntry {
        reference: format!("docker.io/library/{name}:latest"),
        digest: Some(format!("sha256:{}", idx.to_string().repeat(64))),
        id: format!("sha256:{idx}"),
        size: 123_456_789,
        // One of each color that all have, and one of its own.
        layers: ["a", "b", "c", "d", "e", "f", &idx.to_string()]
            .map(|it| Layer {
                digest: format!("sha256:{}", it.repeat(64)),
                size: Some(17_636_684),
            })
            .to_vec(),
        first: first("course"),
        last: first("course"),
        platform: "linux/amd64".to_string(),
        ..LedgerEntry::default()
    });
    Snapshot {
        exercise: "course".to_string(),
        engine: Engine {
            version: "28.5.2".to_string(),
            store: "containerd".to_string(),
            platform: "linux/amd64".to_string(),
        },
        steps: steps.to_vec(),
        images: images.collect(),
        ..hostile()
    }
}

fn first(exercise: &str) -> CommandName {
    CommandName {
        step: format!("{exercise}-1"),
        number: 1,
    }
}

fn numbers() -> String {
    (1..=100).map(|it| format!("{it}\n")).collect()
}

/// All that a terminal can do to a word, each color a line.
fn colors() -> String {
    let line = |color: u32| -> String {
        let looks = ["", ";1", ";2", ";7", ";2;7"]
            .map(|it| format!("\u{1b}[38;5;{color}{it}mword\u{1b}[0m "));
        let on =
            [0, 1, 4, 7, 8, 15].map(|it| format!("\u{1b}[38;5;{color};48;5;{it}mword\u{1b}[0m "));
        let under =
            format!("\u{1b}[48;5;{color}mword\u{1b}[0m \u{1b}[48;5;{color};7mword\u{1b}[0m");
        format!("{}{}{under}\n", looks.concat(), on.concat())
    };
    (0..16).map(line).collect()
}

fn step(exercise: &str, number: usize, commands: &[(&str, &str, i32)]) -> RecordedStep {
    let commands = commands
        .iter()
        .map(|(text, output, status)| RecordedCommand {
            text: (*text).to_string(),
            output: output.as_bytes().to_vec(),
            status: *status,
            took: Duration::from_millis(1200),
        });
    RecordedStep {
        id: format!("{exercise}-{number}"),
        commands: commands.collect(),
    }
}
