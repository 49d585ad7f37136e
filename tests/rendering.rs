//! What a chapter looks like with its outputs.

#[path = "rendering/written.rs"]
mod written;

#[path = "rendering/pictures.rs"]
mod pictures;

#[path = "rendering/course.rs"]
mod course;

use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use mdbook_rehearse::compare::Standing;
use mdbook_rehearse::config::{Config, Source};
use mdbook_rehearse::exercise::{Command, Exercise, Failure, Role, Step, Visibility, Words};
use mdbook_rehearse::images::LedgerEntry;
use mdbook_rehearse::plan::{Decision, Expect, Plan, PlannedCommand, PlannedStep, Skip};
use mdbook_rehearse::render::{Page, Renderer, STYLE, render};
use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::{Engine, Layer};
use proptest::prelude::*;

/// A chapter, written as its text and, for each of its fences, what the other stages say of it.
struct Chapter {
    markdown: String,
    steps: Vec<Case>,
    images: Vec<LedgerEntry>,
    registries: Vec<(&'static str, Source)>,
    fold_lines: usize,
    assets_version: Option<String>,
    is_recorded: bool,
}

/// What the other stages say of one fence.
#[derive(Clone)]
struct Case {
    words: &'static str,
    visibility: Visibility,
    prefix: &'static str,
    expect: Expect,
    standing: Standing,
    commands: Vec<(String, Vec<u8>, i32, u64)>,
}

fn case(commands: &[(&str, &str)]) -> Case {
    let command =
        |(text, output): &(&str, &str)| (text.to_string(), output.as_bytes().to_vec(), 0, 1200);
    Case {
        words: "",
        visibility: Visibility::Shown,
        prefix: "",
        expect: Expect::Success,
        standing: Standing::Recorded,
        commands: commands.iter().map(command).collect(),
    }
}

fn chapter(markdown: &str, steps: Vec<Case>) -> Chapter {
    Chapter {
        markdown: markdown.to_string(),
        steps,
        images: Vec::new(),
        registries: Vec::new(),
        fold_lines: 24,
        assets_version: Some("2".to_string()),
        is_recorded: true,
    }
}

fn layer(digest: &str, size: u64) -> Layer {
    Layer {
        digest: digest.to_string(),
        size: Some(size),
    }
}

fn entry(reference: &str, digest: Option<&str>, size: u64) -> LedgerEntry {
    LedgerEntry {
        reference: reference.to_string(),
        digest: digest.map(str::to_string),
        id: "sha256:1".to_string(),
        size,
        layers: vec![layer("sha256:2", size)],
        ..LedgerEntry::default()
    }
}

/// Spans of the fences of a chapter, found as mdBook would.
fn fences(markdown: &str) -> Vec<std::ops::Range<usize>> {
    let events = new_cmark_parser(markdown, &MarkdownOptions::default()).into_offset_iter();
    let blocks = events.filter(|(event, _)| {
        matches!(
            event,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_)))
        )
    });
    blocks
        .map(|(_, span)| span.start..span.start + markdown[span].trim_end().len())
        .collect()
}

#[track_caller]
fn check(chapter: &Chapter, renderer: Renderer) -> String {
    let spans = fences(&chapter.markdown);
    assert_eq!(spans.len(), chapter.steps.len(), "a case for each fence");
    let mut exercise = Exercise {
        id: "05-registries".to_string(),
        chapter: "05-registries.md".to_string(),
        ..Exercise::default()
    };
    let mut plan = Plan {
        exercise: exercise.id.clone(),
        chapter: exercise.chapter.clone(),
        timeout: Duration::from_secs(900),
        steps: Vec::new(),
        ..Plan::default()
    };
    let mut snapshot = Snapshot {
        exercise: exercise.id.clone(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: chapter
            .registries
            .iter()
            .map(|(host, source)| (host.to_string(), *source))
            .collect(),
        left: None,
        steps: Vec::new(),
        images: chapter.images.clone(),
    };
    let mut standings = Vec::new();
    for (idx, (span, case)) in spans.into_iter().zip(&chapter.steps).enumerate() {
        let id = format!("pull-{}", idx + 1);
        let words_at = span.start + chapter.markdown[span.clone()].find(case.words).unwrap();
        let texts = case.commands.iter().map(|(text, ..)| text.clone());
        let recorded = case
            .commands
            .iter()
            .map(|(text, output, status, millis)| RecordedCommand {
                text: text.clone(),
                output: output.clone(),
                status: *status,
                took: Duration::from_millis(*millis),
            });
        snapshot.steps.push(RecordedStep {
            id: id.clone(),
            commands: recorded.collect(),
        });
        standings.push(case.standing.clone());
        plan.steps.push(PlannedStep {
            id: id.clone(),
            line: 1,
            role: Role::Task,
            commands: texts
                .clone()
                .map(|it| PlannedCommand::plain(1, it))
                .collect(),
            decision: Decision::Run,
            expect: case.expect,
            timeout: Duration::from_secs(120),
            ..PlannedStep::default()
        });
        let words_span = words_at..words_at + case.words.len();
        exercise.steps.push(Step {
            id,
            line: 1,
            words_spans: vec![words_span],
            after: span.end,
            span,
            prefix: case.prefix.to_string(),
            words: Words {
                visibility: case.visibility,
                ..Words::default()
            },
            commands: texts.map(|it| Command::plain(1, it)).collect(),
            ..Step::default()
        });
    }
    let config = Config {
        fold_lines: chapter.fold_lines,
        assets_version: chapter.assets_version.clone(),
        ..Config::default()
    };
    let page = Page {
        markdown: &chapter.markdown,
        exercise: &exercise,
        plan: &plan,
        standings: &standings,
        snapshot: chapter.is_recorded.then_some(&snapshot),
        config: &config,
        overview: None,
    };
    render(page, renderer)
}

/// A chapter with about all that there is, for a look at the page.
fn showcase() -> Chapter {
    let markdown = std::fs::read_to_string("tests/cases/showcase.md").unwrap();
    let long: String = (1..=61)
        .map(|it| format!("layer {it:02}: 4f4fb700ef54 Pull complete\n"))
        .collect();
    let pull = "latest: Pulling from library/alpine\n4f4fb700ef54: Pulling fs layer\n4f4fb700ef54: Download complete\n4f4fb700ef54: Pull complete\nDigest: sha256:9f2a1c5be3c7d2b1a0f94e8d7c6b5a4938271605f4e3d2c1b0a99887766554433\nStatus: Downloaded newer image for alpine:latest\ndocker.io/library/alpine:latest\n";
    let table = "REPOSITORY            TAG       IMAGE ID       CREATED        SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS\nalpine                latest    9234e8fb04c4   5 weeks ago    8.31MB    8.31MB        0B            0\nlocalhost:5000/tiny   1.0       9234e8fb04c4   5 weeks ago    8.31MB    8.31MB        0B            0\n";
    let colours: String = (0..16u8)
        .map(|it| {
            let (fg, bg) = if it < 8 { (30 + it, 40 + it) } else { (82 + it, 92 + it) };
            format!("\x1b[{fg}mcolour {it:2}\x1b[0m \x1b[1;{fg}mbold\x1b[0m \x1b[2;{fg}mfaint\x1b[0m \x1b[{bg}m behind \x1b[0m \x1b[7;{fg}m inverse \x1b[0m\n")
        })
        .collect();
    let hostile = "</samp></pre><script>alert(1)</script>\n<img src=x onerror=alert(1)>\n{{#include ../book.toml}} {{ #include ../book.toml}}\n\n# A heading\n\n```mermaid\ngraph\n```\n~~~admonish\n| a | b |\n|---|---|\n$$x^2$$ \\(y\\) :smile: https://example.com [link](javascript:alert(1)) ![i](x)\n\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x1b]0;title\x07\x1b[2J\x07 bidi \u{202e}gnp.exe\u{202c} zero\u{200b}width \x1b]unfinished\n";
    let mut hostile = case(&[("cat hostile.txt", hostile)]);
    hostile.commands[0]
        .1
        .extend_from_slice(b"not utf-8: \xff\xfe.\n");
    let mut fails = case(&[(
        "docker run --bogus alpine",
        "unknown flag: --bogus\nSee 'docker run --help'.\n",
    )]);
    fails.commands[0].2 = 125;
    fails.expect = Expect::Failure(Failure::Status(125));
    fails.words = " fails=125";
    let mut failed = case(&[
        ("docker volume create data", "data\n"),
        ("grep x <<'EOF'\na\nEOF", ""),
        ("true", ""),
    ]);
    failed.commands[1].2 = 1;
    let mut hidden = case(&[("echo hidden", "hidden\n")]);
    hidden.visibility = Visibility::Hidden;
    hidden.words = " hide";
    let mut listed = case(&[("docker ps -q", "f5c2a1b7d3e9\n")]);
    listed.prefix = "   ";
    let mut quoted = case(&[("docker ps -q", "f5c2a1b7d3e9\n")]);
    quoted.prefix = "> ";
    let mut skipped = case(&[("docker login", "")]);
    skipped.standing = Standing::Skipped(Skip::Interactive(
        "docker login asks for a user name and password".to_string(),
    ));
    let mut valued = case(&[("docker stop <name>", "")]);
    valued.standing = Standing::Skipped(Skip::NeedsValue(vec![
        "registry-container-name".to_string(),
    ]));
    let mut new = case(&[("docker info", "")]);
    new.standing = Standing::New;
    let mut edited = case(&[("docker version", "")]);
    edited.standing = Standing::Edited;
    let steps = vec![
        case(&[("docker pull alpine", pull)]),
        case(&[
            ("docker tag alpine localhost:5000/tiny:1.0", ""),
            ("docker images", table),
        ]),
        case(&[("docker tag alpine tiny", "")]),
        fails,
        failed,
        hidden,
        case(&[("seq 61", &long)]),
        listed,
        quoted,
        skipped,
        valued,
        new,
        edited,
        case(&[("colours", &colours)]),
        hostile,
    ];
    let one = "sha256:9f2a1c5be3c7d2b1a0f94e8d7c6b5a4938271605f4e3d2c1b0a9988776655443";
    let two = "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1";
    let mut nginx = entry(
        "docker.io/library/nginx:1.27-alpine",
        Some(two),
        197_654_321,
    );
    nginx.layers = vec![layer("sha256:2", 24_706_790); 8];
    Chapter {
        images: vec![
            entry("docker.io/library/alpine:latest", Some(one), 8_311_234),
            entry("localhost:5000/tiny:1.0", Some(one), 8_311_234),
            nginx,
            LedgerEntry {
                id: "sha256:9".to_string(),
                ..entry("docker.io/library/mine:latest", None, 1_204_000_000)
            },
        ],
        registries: vec![
            ("docker.io", Source::Local),
            ("quay.io", Source::Local),
            ("ghcr.io", Source::Proxy),
        ],
        assets_version: None,
        ..chapter(&markdown, steps)
    }
}

#[test]
fn shows_about_all_that_there_is() {
    let chapter = showcase();
    let without_style = Chapter {
        assets_version: Some("2".to_string()),
        ..showcase()
    };
    assert_snapshot!("showcase_html", check(&without_style, Renderer::Html));
    assert_snapshot!("showcase_plain", check(&chapter, Renderer::Plain));
}

/// What a page shows of an output: the text of its `samp` elements, as HTML.
#[track_caller]
fn check_output(output: &[u8]) -> String {
    let mut step = case(&[("c", "")]);
    step.commands[0].1 = output.to_vec();
    let page = check(&chapter(ONE_STEP, vec![step]), Renderer::Html);
    let samps = page.split("<samp>").skip(1);
    let samps: Vec<&str> = samps
        .map(|it| it.split("</samp>").next().unwrap())
        .collect();
    assert!(!samps.is_empty(), "no output is shown");
    samps.join("\n")
}

/// What a page says under a step.
#[track_caller]
fn check_standing(standing: Standing) -> String {
    let step = Case {
        standing,
        ..case(&[("docker pull alpine", "secret of the past\n")])
    };
    let page = check(&chapter(ONE_STEP, vec![step]), Renderer::Html);
    assert!(!page.contains("secret"), "{page}");
    let plain = page.split(r#"<p class="rehearse-note">"#).nth(1).unwrap();
    plain.split("</p>").next().unwrap().to_string()
}

const ONE_STEP: &str = "```bash\nc\n```\n";

fn both(chapter: &Chapter) -> String {
    let html = check(chapter, Renderer::Html);
    let plain = check(chapter, Renderer::Plain);
    format!("{html}=====\n{plain}")
}

#[test]
fn puts_an_output_under_its_block() {
    let chapter = chapter(
        "# Pull\n\n```bash\ndocker ps -q\n```\nAfter.\n",
        vec![case(&[("docker ps -q", "f5c2\n")])],
    );
    assert_snapshot!(both(&chapter), @r##"
    # Pull

    ```bash
    docker ps -q
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of docker ps -q"><p class="rehearse-head"><span class="rehearse-label"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1" aria-label="Output of docker ps -q">Output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>f5c2</samp></pre></div>

    After.

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    # Pull

    ```bash
    docker ps -q
    ```

    ```text
    f5c2
    ```

    After.

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "##);
}

#[test]
fn heads_each_of_several_outputs_with_its_command() {
    let commands = [("docker tag a b", ""), ("docker ps \\\n  -q", "f5c2\n")];
    assert_snapshot!(both(&chapter(ONE_STEP, vec![case(&commands)])), @r##"
    ```bash
    c
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of 2 commands"><p class="rehearse-head"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1"><kbd class="rehearse-command">&#36; docker tag a b</kbd></a><span class="rehearse-dot"> · </span><span class="rehearse-silent"><span class="rehearse-tick" aria-hidden="true">✓</span> no output</span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><p class="rehearse-head" id="rehearse.05-registries.pull-1.2"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1.2"><kbd class="rehearse-command">&#36; docker ps …</kbd></a><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>f5c2</samp></pre></div>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    ```bash
    c
    ```

    ```text
    $ docker tag a b
    $ docker ps …
    f5c2
    ```

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "##);
}

#[test]
fn says_that_a_step_printed_nothing() {
    assert_snapshot!(both(&chapter(ONE_STEP, vec![case(&[("true", "")])])), @r##"
    ```bash
    c
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of true"><p class="rehearse-head"><span class="rehearse-label"><span class="rehearse-tick" aria-hidden="true">✓</span> <a class="rehearse-anchor" href="#rehearse.05-registries.pull-1" aria-label="No output of true">No output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p></div>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    ```bash
    c
    ```

    *No output*

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "##);
}

#[test]
fn says_nothing_under_a_step_without_commands() {
    assert_snapshot!(both(&chapter("```bash\n# none\n```\n", vec![case(&[])])), @r#"
    ```bash
    # none
    ```

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    ```bash
    # none
    ```

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "#);
}

#[test]
fn tells_a_failure_that_is_wanted_from_one_that_is_not() {
    let mut wanted = case(&[("docker run", "usage\n")]);
    wanted.commands[0].2 = 125;
    wanted.expect = Expect::Failure(Failure::Status(125));
    wanted.words = " fails=125";
    let mut failed = case(&[("grep x", ""), ("true", "")]);
    failed.commands[0].2 = 1;
    let markdown = "```bash fails=125 hidelines=#\ndocker run\n```\n\n```bash\ngrep x\ntrue\n```\n";
    assert_snapshot!(both(&chapter(markdown, vec![wanted, failed])), @r##"
    ```bash hidelines=#
    docker run
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of docker run"><p class="rehearse-head"><span class="rehearse-label"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1" aria-label="Output of docker run">Output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-status rehearse-wanted">fails as it should (status 125)</span><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>usage</samp></pre></div>

    ```bash
    grep x
    true
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-2" role="group" aria-label="Output of 2 commands"><p class="rehearse-head"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-2"><kbd class="rehearse-command">&#36; grep x</kbd></a><span class="rehearse-dot"> · </span><span class="rehearse-silent">no output</span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-status rehearse-failed">status 1</span><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><p class="rehearse-head" id="rehearse.05-registries.pull-2.2"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-2.2"><kbd class="rehearse-command">&#36; true</kbd></a><span class="rehearse-dot"> · </span><span class="rehearse-silent"><span class="rehearse-tick" aria-hidden="true">✓</span> no output</span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p></div>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    ```bash hidelines=#
    docker run
    ```

    ```text
    usage
    [fails as it should (status 125)]
    ```

    ```bash
    grep x
    true
    ```

    ```text
    $ grep x
    [status 1]
    $ true
    ```

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "##);
}

#[test]
fn stays_in_a_list_item_and_in_a_quote() {
    let markdown =
        "1. One\n\n   ```bash\n   c\n   ```\n2. Two\n\n> ```bash\n> c\n> ```\n> After.\n";
    let listed = Case {
        prefix: "   ",
        ..case(&[("c", "a\n\nb\n")])
    };
    let quoted = Case {
        prefix: "> ",
        ..listed.clone()
    };
    assert_snapshot!(both(&chapter(markdown, vec![listed, quoted])), @r##"
    1. One

       ```bash
       c
       ```

       <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of c"><p class="rehearse-head"><span class="rehearse-label"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1" aria-label="Output of c">Output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>a&#10;&#10;b</samp></pre></div>

    2. Two

    > ```bash
    > c
    > ```
    >
    > <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-2" role="group" aria-label="Output of c"><p class="rehearse-head"><span class="rehearse-label"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-2" aria-label="Output of c">Output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>a&#10;&#10;b</samp></pre></div>
    >
    > After.

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    1. One

       ```bash
       c
       ```

       ```text
       a

       b
       ```

    2. Two

    > ```bash
    > c
    > ```
    >
    > ```text
    > a
    >
    > b
    > ```
    >
    > After.

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "##);
}

#[test]
fn takes_hidden_steps_off_the_page() {
    let hidden = Case {
        visibility: Visibility::Hidden,
        words: " hide",
        ..case(&[("c", "a\n")])
    };
    let markdown = "Before.\n```bash hide\nc\n```\nAfter.\n\n> ```bash hide\n> c\n> ```\n\n- ```bash hide\n  c\n  ```\n\n  In the item.\n";
    let chapter = chapter(markdown, vec![hidden.clone(), hidden.clone(), hidden]);
    assert_snapshot!(check(&chapter, Renderer::Plain), @"
    Before.

    After.

    > 

    - [rehearse-hidden]: #

      In the item.

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    ");
}

#[test]
fn closes_a_fence_that_ends_with_its_container() {
    let quoted = Case {
        prefix: "> ",
        ..case(&[("c", "a\n")])
    };
    let markdown = "> ~~~bash\n> c\n\n```bash\nc";
    let chapter = chapter(markdown, vec![quoted, case(&[("c", "b\n")])]);
    assert_snapshot!(check(&chapter, Renderer::Plain), @"
    > ~~~bash
    > c
    > ~~~
    >
    > ```text
    > a
    > ```

    ```bash
    c
    ```

    ```text
    b
    ```

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    ");
}

#[test]
fn folds_a_long_output() {
    let chapter = Chapter {
        fold_lines: 3,
        ..chapter(ONE_STEP, vec![case(&[("c", "1\n2\n3\n4\n5\n")])])
    };
    assert_snapshot!(check(&chapter, Renderer::Html), @r##"
    ```bash
    c
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of c"><p class="rehearse-head"><span class="rehearse-label"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1" aria-label="Output of c">Output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>1&#10;2</samp></pre><details class="rehearse-fold"><summary>… 2 more lines</summary><pre class="rehearse-output"><samp>3&#10;4</samp></pre></details><pre class="rehearse-output"><samp>5</samp></pre></div>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    "##);
}

#[test]
fn does_not_fold_an_output_that_just_fits() {
    let chapter = Chapter {
        fold_lines: 3,
        ..chapter(ONE_STEP, vec![case(&[("c", "1\n2\n3")])])
    };
    assert!(!check(&chapter, Renderer::Html).contains("<details"));
}

#[test]
fn folds_whatever_the_limit() {
    for fold_lines in 0..4 {
        let chapter = Chapter {
            fold_lines,
            ..chapter(ONE_STEP, vec![case(&[("c", "1\n2\n3\n4\n")])])
        };
        let noun = if fold_lines == 3 { "line<" } else { "lines<" };
        let summary = format!("<summary>… {} more {noun}", 4 - fold_lines);
        assert!(check(&chapter, Renderer::Html).contains(&summary));
    }
}

#[test]
fn says_why_a_step_has_no_output() {
    let names = vec!["name".to_string(), "host".to_string(), "port".to_string()];
    let standings = [
        Standing::New,
        Standing::Edited,
        Standing::Skipped(Skip::Author(String::new())),
        Standing::Skipped(Skip::Author("needs a <GPU>".to_string())),
        Standing::Skipped(Skip::NeedsValue(names)),
        Standing::Skipped(Skip::Interactive(
            "`docker login <host>` asks for a password".to_string(),
        )),
        Standing::Skipped(Skip::Author("a lone ` is itself".to_string())),
    ];
    let notes: Vec<String> = standings.into_iter().map(check_standing).collect();
    assert_snapshot!(notes.join("\n"), @r#"
    <strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> not recorded yet
    <strong class="rehearse-badge rehearse-alert">stale</strong><span class="rehearse-dot">:</span> changed since it was recorded
    <strong class="rehearse-badge rehearse-idle">not run</strong>
    <strong class="rehearse-badge rehearse-idle">not run</strong><span class="rehearse-dot">:</span> needs a &#60;GPU&#62;
    <strong class="rehearse-badge rehearse-idle">not run</strong><span class="rehearse-dot">:</span> needs a value for &#60;name&#62;, &#60;host&#62; and &#60;port&#62;
    <strong class="rehearse-badge rehearse-idle">not run</strong><span class="rehearse-dot">:</span> <code>docker login &#60;host&#62;</code> asks for a password
    <strong class="rehearse-badge rehearse-idle">not run</strong><span class="rehearse-dot">:</span> a lone &#96; is itself
    "#);
}

#[test]
fn says_in_plain_text_why_a_step_has_no_output() {
    let standing = Standing::Skipped(Skip::Author(
        "needs *two* <GPU>s, {{#include x}}".to_string(),
    ));
    let step = Case {
        standing,
        ..case(&[("c", "")])
    };
    assert_snapshot!(check(&chapter(ONE_STEP, vec![step]), Renderer::Plain), @r"
    ```bash
    c
    ```

    *Not run\: needs \*two\* \<GPU\>s, \{\{\#include x\}\}*

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    ");
}

#[test]
fn keeps_colors_as_classes() {
    let cases = [
        "\x1b[31mred\x1b[39m default",
        "\x1b[1;2;3;4;7mall\x1b[22;23;24;27m none",
        "\x1b[91;102mbright\x1b[m reset",
        "\x1b[38;5;196mcube\x1b[48;5;255mgrey",
        "\x1b[38;2;250;10;10mtrue\x1b[38:2::0:0:240mcolons\x1b[38:5:2mindex",
        "\x1b[38;2;300;0;0mtoo much\x1b[38mtoo little",
        "\x1b[>4;2mnot colour",
        "\x1b[31mover\nlines",
    ];
    let outputs: Vec<String> = cases.iter().map(|it| check_output(it.as_bytes())).collect();
    assert_snapshot!(outputs.join("\n"), @r#"
    <span class="rehearse-fg-1">red</span> default
    <span class="rehearse-bold rehearse-faint rehearse-italic rehearse-underline rehearse-inverse">all</span> none
    <span class="rehearse-fg-9 rehearse-bg-10">bright</span> reset
    <span class="rehearse-fg-9">cube</span><span class="rehearse-fg-9 rehearse-bg-7">grey</span>
    <span class="rehearse-fg-9">true</span><span class="rehearse-fg-4">colons</span><span class="rehearse-fg-2">index</span>
    too muchtoo little
    not colour
    <span class="rehearse-fg-1">over</span>&#10;<span class="rehearse-fg-1">lines</span>
    "#);
}

#[test]
fn drops_all_other_sequences() {
    let output = "a\x1b]0;title\x07b\x1b]8;;https://evil.example\x1b\\c\x1b[2J\x1b[3Ad\x1bPq#0\x1b\\e\x1b_x\x1b\\f\x1b(Bg\x1b7h\x1b]cut\x1b[0mi";
    assert_snapshot!(check_output(output.as_bytes()), @"abcdefghi");
}

#[test]
fn shows_what_an_unfinished_sequence_would_swallow() {
    let outputs = [
        check_output(b"a\x1b]0;b\nc"),
        check_output(b"a\x1b[12"),
        check_output(b"a\x1b"),
    ];
    assert_snapshot!(outputs.join("\n"), @r#"
    a<span class="rehearse-control">&#92;x1b</span>&#93;0&#59;b&#10;c
    a<span class="rehearse-control">&#92;x1b</span>&#91;12
    a<span class="rehearse-control">&#92;x1b</span>
    "#);
    let mut long = b"\x1b]".to_vec();
    long.resize(5000, b'x');
    long.push(7);
    assert!(check_output(&long).ends_with(r#"xxx<span class="rehearse-control">&#92;x07</span>"#));
}

#[test]
fn shows_the_last_state_of_a_progress_line() {
    let outputs = [
        " 10%\r 90%\rdone\nnext\r\n",
        "a\r\n",
        "kept\r",
        "\x1b[31mred\r\x1b[32mgreen",
    ];
    let outputs: Vec<String> = outputs
        .iter()
        .map(|it| check_output(it.as_bytes()))
        .collect();
    assert_snapshot!(outputs.join("\n"), @r#"
    done&#10;next
    a
    kept
    <span class="rehearse-fg-2">green</span>
    "#);
}

#[test]
fn shows_controls_and_what_hides() {
    let output = "nul \0 bell \x07 back \x08 del \x7f c1 \u{9b} tab\tbidi \u{202e} zero \u{200b}\u{feff} soft \u{ad}";
    assert_snapshot!(check_output(output.as_bytes()), @r#"nul <span class="rehearse-control">&#92;x00</span> bell <span class="rehearse-control">&#92;x07</span> back <span class="rehearse-control">&#92;x08</span> del <span class="rehearse-control">&#92;x7f</span> c1 <span class="rehearse-control">&#92;u&#123;9b&#125;</span> tab&#9;bidi <span class="rehearse-control">&#92;u&#123;202e&#125;</span> zero <span class="rehearse-control">&#92;u&#123;200b&#125;</span><span class="rehearse-control">&#92;u&#123;feff&#125;</span> soft <span class="rehearse-control">&#92;u&#123;ad&#125;</span>"#);
}

#[test]
fn replaces_bytes_that_are_not_utf_8() {
    let mut step = case(&[("c", "")]);
    step.commands[0].1 = b"a\xff\xfeb \xe2\x82\n".to_vec();
    assert_snapshot!(both(&chapter(ONE_STEP, vec![step])), @r##"
    ```bash
    c
    ```

    <div class="rehearse tex2jax_ignore" id="rehearse.05-registries.pull-1" role="group" aria-label="Output of c"><p class="rehearse-head"><span class="rehearse-label"><a class="rehearse-anchor" href="#rehearse.05-registries.pull-1" aria-label="Output of c">Output</a></span><span class="rehearse-facts"><span class="rehearse-dot"> · </span><span class="rehearse-took">1.2 s</span></span></p><pre class="rehearse-output"><samp>a��b �</samp></pre><p class="rehearse-aside">Bytes that are no UTF-8 text are shown as �.</p></div>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    ```bash
    c
    ```

    ```text
    a��b �
    ```

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "##);
}

#[test]
fn counts_lines_with_and_without_a_last_newline() {
    let outputs = [
        check_output(b"\n"),
        check_output(b"\n\n"),
        check_output(b"a"),
        check_output(b"a\n"),
    ];
    assert_snapshot!(format!("{outputs:?}"), @r#"["", "&#10;", "a", "a"]"#);
}

#[test]
fn fences_an_output_that_has_fences() {
    let output = "```\n````rust\n# a\n{{#include x}} {{ \n#title x}} {{{#x}} {{.Names}} \u{202e}\n";
    assert_snapshot!(check(&chapter(ONE_STEP, vec![case(&[("c", output)])]), Renderer::Plain), @r#"
    ```bash
    c
    ```

    `````text
    ```
    ````rust
    # a
    {\{#include x}} {\{ 
    #title x}} {{\{#x}} {{.Names}} \u{202e}
    `````

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "#);
}

#[test]
fn ends_with_the_images_and_where_all_comes_from() {
    let one = format!("sha256:{}", "9f2a1c5be3c7d2b1".repeat(4));
    let chapter = Chapter {
        images: vec![
            entry("docker.io/library/alpine:latest", Some(&one), 8_311_234),
            entry("localhost:5000/tiny:1.0", Some(&one), 999_600),
            LedgerEntry {
                id: "sha256:9".to_string(),
                ..entry("docker.io/me/mine:latest", None, 999)
            },
        ],
        registries: vec![
            ("docker.io", Source::Local),
            ("ghcr.io", Source::Proxy),
            ("quay.io", Source::Local),
        ],
        ..chapter("Text.", Vec::new())
    };
    assert_snapshot!(both(&chapter), @r#"
    Text.

    <div class="rehearse tex2jax_ignore rehearse-images" role="region" aria-label="Images of this chapter" tabindex="0"><table><caption>Images of this chapter</caption><thead><tr><th scope="col">Reference</th><th scope="col">Digest</th><th scope="col" class="rehearse-number">Layers</th><th scope="col" class="rehearse-number">Size</th><th scope="col">Same image as</th></tr></thead><tbody><tr><th scope="row"><code class="nohighlight" title="docker.io/library/alpine&#58;latest">alpine&#58;latest</code></th><td data-what="Digest"><details><summary><code class="nohighlight">sha256&#58;9f2a1c5be3c7…</code></summary><code class="nohighlight rehearse-full">sha256&#58;9f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b1</code></details></td><td data-what="Layers" class="rehearse-number">1</td><td data-what="Size" class="rehearse-number">8.31MB</td><td data-what="Same image as" class="rehearse-names"><div><code class="nohighlight">localhost<wbr>&#58;5000/<wbr>tiny<wbr>&#58;1.0</code></div></td></tr><tr><th scope="row"><code class="nohighlight" title="localhost&#58;5000/tiny&#58;1.0">localhost<wbr>&#58;5000/<wbr>tiny<wbr>&#58;1.0</code></th><td data-what="Digest"><details><summary><code class="nohighlight">sha256&#58;9f2a1c5be3c7…</code></summary><code class="nohighlight rehearse-full">sha256&#58;9f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b1</code></details></td><td data-what="Layers" class="rehearse-number">1</td><td data-what="Size" class="rehearse-number">1MB</td><td data-what="Same image as" class="rehearse-names"><div><code class="nohighlight">alpine&#58;latest</code></div></td></tr><tr><th scope="row"><code class="nohighlight" title="docker.io/me/mine&#58;latest">me/mine&#58;latest</code></th><td data-what="Digest">not known</td><td data-what="Layers" class="rehearse-number">1</td><td data-what="Size" class="rehearse-number">999B</td><td data-what="Same image as" class="rehearse-names"></td></tr></tbody></table></div>

    <figure class="rehearse tex2jax_ignore rehearse-picture" id="rehearse-05-registries&#95;layers"><figcaption class="rehearse-sums">Added up&#58; 16.62MB. On disk&#58; 8.311MB, since one layer is shared.</figcaption><div class="rehearse-stacks" role="region" aria-label="Layers of alpine&#58;latest and me/mine&#58;latest" tabindex="0"><svg role="img" aria-label="Layers of alpine&#58;latest and me/mine&#58;latest. Added up&#58; 16.62MB. On disk&#58; 8.311MB, since one layer is shared." width="244" height="311" viewBox="0 0 244 311" font-family="sans-serif" font-size="12"><g class="rehearse-stack"><text class="rehearse-name" x="60" y="27" text-anchor="middle" fill="currentColor">alpine&#58;latest</text><g class="rehearse-layer rehearse-shared rehearse-hue-0"><rect x="4" y="34" width="112" height="240" rx="2" fill="none" stroke="currentColor"></rect><text class="rehearse-mark" x="12" y="158" font-weight="bold" fill="currentColor">A</text><text class="rehearse-size" x="108" y="158" text-anchor="end" fill="currentColor">8.31MB</text></g><text class="rehearse-total" x="60" y="289" text-anchor="middle" fill="currentColor">8.31MB</text><text class="rehearse-own" x="60" y="304" text-anchor="middle" fill="currentColor">0B its own</text></g><g class="rehearse-stack"><text class="rehearse-name" x="184" y="27" text-anchor="middle" fill="currentColor">me/mine&#58;latest</text><g class="rehearse-layer rehearse-shared rehearse-hue-0"><rect x="128" y="34" width="112" height="240" rx="2" fill="none" stroke="currentColor"></rect><text class="rehearse-mark" x="136" y="158" font-weight="bold" fill="currentColor">A</text><text class="rehearse-size" x="232" y="158" text-anchor="end" fill="currentColor">8.31MB</text></g><text class="rehearse-total" x="184" y="289" text-anchor="middle" fill="currentColor">8.31MB</text><text class="rehearse-own" x="184" y="304" text-anchor="middle" fill="currentColor">0B its own</text></g><path class="rehearse-ground" d="M0 274H244" fill="none" stroke="currentColor"></path></svg></div><details class="rehearse-twin"><summary>As a table</summary><div class="rehearse-images rehearse-layers" role="region" aria-label="Layers of alpine&#58;latest and me/mine&#58;latest, as a table" tabindex="0"><table><thead><tr><th scope="col">Layer</th><th scope="col">Size</th><th scope="col"><code class="nohighlight">alpine&#58;latest</code></th><th scope="col"><code class="nohighlight">me/mine&#58;latest</code></th></tr></thead><tbody><tr class="rehearse-row rehearse-shared rehearse-hue-0"><th scope="row"><b>A</b> <code class="nohighlight">sha256&#58;2</code></th><td>8.31MB</td><td class="rehearse-has"><span role="img" aria-label="yes">●</span></td><td class="rehearse-has"><span role="img" aria-label="yes">●</span></td></tr></tbody><tfoot><tr><th scope="row">Added up</th><td></td><td>8.31MB</td><td>8.31MB</td></tr><tr><th scope="row">Its own</th><td></td><td>0B</td><td>0B</td></tr></tfoot></table></div></details></figure>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64). Images of docker.io and quay.io came from local stand-ins, filled from archives of this course, not from those registries themselves. Images of ghcr.io came through a cache of the real registry.</p></div>
    =====
    Text.

    | Reference | Digest | Layers | Size | Same image as |
    |---|---|---:|---:|---|
    | `alpine:latest` | `sha256:9f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b1` | 1 | 8.31MB | `localhost:5000/tiny:1.0` |
    | `localhost:5000/tiny:1.0` | `sha256:9f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b19f2a1c5be3c7d2b1` | 1 | 1MB | `alpine:latest` |
    | `me/mine:latest` | not known | 1 | 999B |  |

    Added up\: 16.62MB. On disk\: 8.311MB, since one layer is shared.

    | Layer | Size | `alpine:latest` | `me/mine:latest` |
    |---|---:|:---:|:---:|
    | A `sha256:2` | 8.31MB | x | x |
    | Added up |  | 8.31MB | 8.31MB |
    | Its own |  | 0B | 0B |

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64). Images of docker.io and quay.io came from local stand-ins, filled from archives of this course, not from those registries themselves. Images of ghcr.io came through a cache of the real registry.
    "#);
}

#[test]
fn escapes_references_and_digests() {
    let evil = "a\"><b>|`x`{{#include y}}";
    let chapter = Chapter {
        images: vec![entry(evil, Some(evil), 1)],
        ..chapter("Text.\n", Vec::new())
    };
    assert_snapshot!(both(&chapter), @r#"
    Text.

    <div class="rehearse tex2jax_ignore rehearse-images" role="region" aria-label="Images of this chapter" tabindex="0"><table><caption>Images of this chapter</caption><thead><tr><th scope="col">Reference</th><th scope="col">Digest</th><th scope="col" class="rehearse-number">Layers</th><th scope="col" class="rehearse-number">Size</th></tr></thead><tbody><tr><th scope="row"><code class="nohighlight" title="a&#34;&#62;&#60;b&#62;&#124;&#96;x&#96;&#123;&#123;&#35;include y&#125;&#125;">a&#34;&#62;&#60;b&#62;&#124;&#96;x&#96;&#123;&#123;&#35;include y&#125;&#125;<wbr>&#58;latest</code></th><td data-what="Digest"><details><summary><code class="nohighlight">a&#34;&#62;&#60;b&#62;&#124;&#96;x&#96;&#123;&#123;&#35;include y&#125;&#125;</code></summary><code class="nohighlight rehearse-full">a&#34;&#62;&#60;b&#62;&#124;&#96;x&#96;&#123;&#123;&#35;include y&#125;&#125;</code></details></td><td data-what="Layers" class="rehearse-number">1</td><td data-what="Size" class="rehearse-number">1B</td></tr></tbody></table></div>

    <div class="rehearse tex2jax_ignore rehearse-provenance"><p>Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).</p></div>
    =====
    Text.

    | Reference | Digest | Layers | Size |
    |---|---|---:|---:|
    | a\"\>\<b\>\|\`x\`\{\{\#include y\}\}\:latest | a\"\>\<b\>\|\`x\`\{\{\#include y\}\} | 1 | 1B |

    Recorded on 23 November 2026 with Docker 26.1.5 (overlay2, linux/amd64).
    "#);
}

#[test]
fn says_how_many_steps_are_newer_than_the_recording() {
    let newer = Case {
        standing: Standing::New,
        ..case(&[("c", "")])
    };
    let page = check(
        &chapter(
            &format!("{ONE_STEP}\n{ONE_STEP}"),
            vec![newer.clone(), newer],
        ),
        Renderer::Plain,
    );
    assert!(
        page.ends_with(" 2 steps of this chapter are newer than that.\n"),
        "{page}"
    );
}

#[test]
fn ends_with_nothing_if_nothing_is_recorded() {
    let newer = Case {
        standing: Standing::New,
        ..case(&[("c", "")])
    };
    let chapter = Chapter {
        is_recorded: false,
        ..chapter(ONE_STEP, vec![newer])
    };
    assert_snapshot!(both(&chapter), @r#"
    ```bash
    c
    ```

    <div class="rehearse tex2jax_ignore rehearse-blank" id="rehearse.05-registries.pull-1"><p class="rehearse-note"><strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> not recorded yet</p></div>
    =====
    ```bash
    c
    ```

    *New\: not recorded yet*
    "#);
}

#[test]
fn carries_the_style_once_unless_the_book_has_it() {
    let with = Chapter {
        assets_version: None,
        ..chapter(ONE_STEP, vec![case(&[("c", "a")])])
    };
    let page = check(&with, Renderer::Html);
    let styles: Vec<&str> = page.lines().filter(|it| it.contains("<style")).collect();
    assert_eq!(styles.len(), 1);
    assert!(styles[0].starts_with("<style>.rehearse,") && styles[0].ends_with("}</style>"));
    assert!(!styles[0].contains("/*") && !styles[0].contains("{{"));
    assert!(!check(&with, Renderer::Plain).contains("<style"));
    let without = Chapter {
        assets_version: Some("2".to_string()),
        ..with
    };
    assert!(!check(&without, Renderer::Html).contains("<style"));
}

/// Minifying takes line ends away, so nothing may need them, and a page must not load anything.
#[test]
fn has_a_style_that_survives_being_put_on_one_line() {
    let lines = STYLE.lines().map(str::trim).filter(|it| !it.is_empty());
    let mut is_comment = false;
    for line in lines {
        is_comment |= line.starts_with("/*");
        assert!(is_comment || line.ends_with(['{', '}', ';', ',']), "{line}");
        is_comment &= !line.ends_with("*/");
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains("</"));
}

/// Share of light that a color like `#a40e26` gives back, as WCAG counts it.
fn luminance(color: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.03928 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn has_colors_that_can_be_read_in_all_themes() {
    // `--bg` of light and rust, and of ayu, coal and navy, from mdBook's `variables.css`.
    let themes = [
        vec!["#ffffff", "#e1e1db"],
        vec!["#0f1419", "#131516", "#161923"],
    ];
    let colors = STYLE.lines().filter_map(|it| it.split_once("light-dark("));
    let colors: Vec<&str> = colors.map(|(_, it)| it.trim_end_matches(");")).collect();
    assert_eq!(colors.len(), 16);
    for pair in colors {
        for (color, papers) in pair.split(", ").zip(&themes) {
            for paper in papers {
                let (a, b) = (luminance(color), luminance(paper));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{color} on {paper}: {contrast:.2}");
            }
        }
    }
}

/// Every element that a page may have, found by how mdBook reads the page: raw HTML, never text.
fn raw_html(markdown: &str) -> String {
    let events = new_cmark_parser(markdown, &MarkdownOptions::default());
    let html = events.filter_map(|it| match it {
        Event::Html(html) | Event::InlineHtml(html) => Some(html.to_string()),
        _ => None,
    });
    html.collect()
}

/// The chapter's own headings, links, images and code, which no output may add to.
fn outline(markdown: &str) -> Vec<String> {
    let events = new_cmark_parser(markdown, &MarkdownOptions::default());
    let marks = events.filter_map(|it| match it {
        Event::Start(
            tag @ (Tag::Heading { .. } | Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_)),
        ) => Some(format!("{tag:?}")),
        Event::Start(tag @ (Tag::List(_) | Tag::Item | Tag::BlockQuote(_) | Tag::Table(_))) => {
            Some(format!("{tag:?}"))
        }
        _ => None,
    });
    marks.collect()
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("</samp></pre><script>".to_string()),
        Just("{{#include x}}".to_string()),
        Just("{{".to_string()),
        Just("\n\n".to_string()),
        Just("\n```\n".to_string()),
        Just("~~~~".to_string()),
        Just("\n# h\n".to_string()),
        Just("-->".to_string()),
        Just("\x1b[31m".to_string()),
        Just("\x1b]8;;x".to_string()),
        Just("\r".to_string()),
        Just("&lt;&#60;".to_string()),
        any::<String>(),
    ];
    let text = proptest::collection::vec(part, 0..8).prop_map(|it| it.concat().into_bytes());
    prop_oneof![text, proptest::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    // A case that fails is to be written down as a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_output_becomes_markup(output in hostile(), is_quoted in any::<bool>(), n_commands in 1..3usize) {
        let (markdown, prefix) = match is_quoted {
            true => ("# A\n\n> ```bash\n> c\n> ```\n> ## B\n\n[l](m)\n", "> "),
            false => ("# A\n\n- i\n\n  ```bash\n  c\n  ```\n\n  ## B\n\n[l](m)\n", "  "),
        };
        let mut step = Case { prefix, ..case(&[]) };
        step.commands = vec![(String::from_utf8_lossy(&output).to_string(), output, 1, 10); n_commands];
        let chapter = Chapter { fold_lines: 2, ..chapter(markdown, vec![step]) };
        let page = check(&chapter, Renderer::Html);
        prop_assert_eq!(outline(&page), outline(markdown));
        let added: Vec<&str> = page.lines().filter(|it| it.contains("rehearse-head")).collect();
        prop_assert_eq!(added.len(), 1);
        prop_assert!(!page.contains("<script") && !page.contains("{{") && !page.contains("-->"));
        let html = raw_html(&page);
        let names = ["div", "p", "pre", "samp", "span", "kbd", "details", "summary"];
        for tag in html.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
            let is_anchor = tag.starts_with(r##"a class="rehearse-anchor" href="#rehearse."##) || tag.starts_with("/a>");
            prop_assert!(names.contains(&name) || is_anchor, "{tag}");
        }
        prop_assert!(!added[0].chars().any(|it| it.is_control()));
    }

    #[test]
    fn a_plain_page_has_no_html_and_one_more_fence(output in hostile()) {
        let markdown = "# A\n\n```bash\nc\n```\n\n## B\n";
        let mut step = case(&[("c", ""), ("d", "")]);
        step.commands[0].1 = output;
        let page = check(&chapter(markdown, vec![step]), Renderer::Plain);
        prop_assert_eq!(raw_html(&page), "");
        prop_assert_eq!(outline(&page).len(), outline(markdown).len() + 1);
        let mut rest = page.as_str();
        while let Some((_, after)) = rest.split_once("{{") {
            prop_assert!(!after.trim_start().starts_with('#'));
            rest = after;
        }
    }

    #[test]
    fn all_but_the_edits_is_as_it_came(head in "[a-zé\r\n \t]{0,20}", tail in "[a-zé\r\n]{0,20}") {
        let markdown = format!("{head}\n\n```bash\nc\n```\n{tail}");
        let page = check(&Chapter { is_recorded: false, ..chapter(&markdown, vec![case(&[])]) }, Renderer::Html);
        prop_assert_eq!(page, markdown);
    }
}
