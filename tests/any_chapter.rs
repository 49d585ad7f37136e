//! Whatever a chapter and its author's copy say: reading, planning and rendering come to an end, and edits have their places.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::date;
use mdbook_markdown::pulldown_cmark::{Event, Tag};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use mdbook_rehearse::compare::standings;
use mdbook_rehearse::config::{Config, Solutions};
use mdbook_rehearse::coverage::coverage;
use mdbook_rehearse::exercise::{self, Chapter, Exercise, Step, Visibility};
use mdbook_rehearse::lint::hints;
use mdbook_rehearse::plan::{self, Circumstances, Decision, Plan};
use mdbook_rehearse::problem::{Level, Origin};
use mdbook_rehearse::render::{Page, Renderer, render};
use mdbook_rehearse::run::Subject;
use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::Engine;
use proptest::prelude::*;

/// What lines of courses begin with: nothing mostly, a quote, a list, an indent.
const BEGINNINGS: [&str; 12] = [
    "", "", "", "", "", "> ", "- ", "1. ", "  ", "   ", "    ", "> - ",
];

/// What stands on them.
const LINES: [&str; 62] = [
    "",
    "",
    "",
    "# Heading",
    "## Cleanup",
    "## Your challenge: é",
    "Text with `docker ps` to run.",
    "Create a file `Dockerfile`:",
    "Inside the container:",
    "!!! note \"Note\"",
    "??? tip",
    "=== \"Linux\"",
    "```",
    "```",
    "```",
    "```",
    "~~~",
    "````",
    "```bash",
    "```bash",
    "```bash solution",
    "```bash hide",
    "```bash setup",
    "```bash check=\"é\"",
    "```bash,fails=1, id=x",
    "```bash opens=box",
    "```bash in=box",
    "```bash for=2s stdin=\"a\\nb\"",
    "```bash save-as=é",
    "~~~bash skip=\"`\"",
    "```console",
    "```dockerfile",
    "```yaml save-as=compose.yaml",
    "``` {.bash}",
    "$ docker ps",
    "$ docker run -it alpine",
    "$ docker images \\",
    "> more",
    "/ # ls",
    "# docker info",
    "PS C:\\> dir",
    "CONTAINER ID   IMAGE",
    "Continue? [y/N] y",
    "^C",
    "docker run -d <name>",
    "cat <<'EOF'",
    "EOF",
    "echo 'é",
    "#~hidden é",
    "FROM alpine",
    "services:",
    "exit",
    "<!-- rehearse: hide -->",
    "<!-- rehearse: skip=\"why\" -->",
    "<!-- rehearse: run docker ps -->",
    "<!-- rehearse: expect \"é\" --> é <!-- rehearse: capture name /(.)/ -->",
    "<!-- rehearse: value name=é -->",
    "<!-- rehearse: images alpine nginx --> <!-- rehearse: layers alpine -->",
    "<!-- rehearse: step 1 hide -->",
    "<!-- rehearse: requires other",
    "-->",
    "| a | <!-- rehearse: images alpine --> |\n|---|---|\n| `x` | b |",
];

fn line() -> impl Strategy<Value = String> {
    let beginning = prop::sample::select(BEGINNINGS.to_vec());
    let content = prop_oneof![
        12 => prop::sample::select(LINES.to_vec()).prop_map(str::to_string),
        1 => "[ -~é\t\u{feff}\u{202e}]{0,12}",
    ];
    (beginning, content).prop_map(|it| format!("{}{}", it.0, it.1))
}

fn text() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(line(), 0..24);
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n"]);
    let last = any::<bool>();
    (lines, end, last).prop_map(|(lines, end, is_ended)| {
        let text = lines.join("\n").replace('\n', end);
        match is_ended {
            true => text + end,
            false => text,
        }
    })
}

fn config() -> impl Strategy<Value = Config> {
    let languages = prop::sample::select(vec![
        vec!["bash"],
        vec!["bash", "console", "untagged"],
        vec!["bash", "console", "untagged", "indented"],
    ]);
    let solutions = prop::sample::select(vec![Solutions::Fold, Solutions::Hide, Solutions::Show]);
    (languages, solutions).prop_map(|(languages, solutions)| Config {
        languages: languages.into_iter().map(str::to_string).collect(),
        solutions,
        hidelines: [("bash".to_string(), "#~".to_string())].into(),
        assets_version: Some("1".to_string()),
        ..Config::default()
    })
}

/// What a run would leave in which every second step ended with 1.
fn snapshot(exercise: &Exercise, plan: &Plan) -> Snapshot {
    let runs = plan.steps.iter().filter(|it| it.decision == Decision::Run);
    let steps = runs.enumerate().map(|(idx, step)| RecordedStep {
        id: step.id.clone(),
        commands: step
            .commands
            .iter()
            .map(|it| RecordedCommand {
                text: it.text.clone(),
                output: b"seen\n".to_vec(),
                status: (idx % 2) as i32,
                took: Duration::from_secs(1),
            })
            .collect(),
    });
    Snapshot {
        exercise: exercise.id.clone(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "26.1.5".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        left: None,
        steps: steps.collect(),
        images: Vec::new(),
    }
}

/// Fails unless every edit that rendering makes has a place of its own, on whole characters.
fn check_places(markdown: &str, exercise: &Exercise) -> Result<(), TestCaseError> {
    let is_whole = |it: &Range<usize>| it.start <= it.end && markdown.get(it.clone()).is_some();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for step in &exercise.steps {
        prop_assert!(
            is_whole(&step.span) && markdown.is_char_boundary(step.after),
            "{step:?}"
        );
        prop_assert!(step.after >= step.span.end, "{step:?}");
        let mut inside: Vec<Range<usize>> = step
            .words_spans
            .iter()
            .chain(&step.samples)
            .cloned()
            .collect();
        inside.sort_by_key(|it| it.start);
        for it in &inside {
            prop_assert!(
                is_whole(it) && it.start >= step.span.start && it.end <= step.span.end,
                "{step:?}"
            );
        }
        prop_assert!(
            inside.windows(2).all(|it| it[0].end <= it[1].start),
            "{step:?}"
        );
        if step.origin == Origin::Copy {
            prop_assert!(step.span.is_empty() && inside.is_empty(), "{step:?}");
        }
        if !step.span.is_empty() {
            spans.push(step.span.clone());
        }
    }
    spans.sort_by_key(|it| it.start);
    prop_assert!(
        spans.windows(2).all(|it| it[0].end <= it[1].start),
        "{spans:?}"
    );
    let steps = exercise.steps.iter().map(|it| it.after);
    for after in exercise.tables.iter().map(|it| it.after).chain(steps) {
        prop_assert!(markdown.is_char_boundary(after));
        let is_inside = |it: &Range<usize>| it.start < after && after < it.end;
        prop_assert!(!spans.iter().any(is_inside), "{after} in {spans:?}");
    }
    Ok(())
}

/// Headings, list items, quotes and tables, in order.
fn structure(markdown: &str) -> Vec<String> {
    let events = new_cmark_parser(markdown, &MarkdownOptions::default());
    let tags = events.filter_map(|it| match it {
        Event::Start(
            tag @ (Tag::Heading { .. } | Tag::Item | Tag::BlockQuote(_) | Tag::Table(_)),
        ) => Some(format!("{tag:?}")),
        _ => None,
    });
    tags.collect()
}

proptest! {
    // A case that fails is to be written down as a test of its own.
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn is_read_planned_and_rendered(markdown in text(), copy in prop::option::weighted(0.3, text()), config in config()) {
        let workspace = BTreeSet::new();
        let chapter = Chapter {
            path: "a/É.md",
            text: &markdown,
            copy: copy.as_deref(),
            workspace: &workspace,
        };
        let (exercise, problems) = exercise::parse(chapter, &config);
        let n_lines = markdown.lines().count().max(1);
        for it in &problems {
            prop_assert!(it.line >= 1 && (it.origin == Origin::Copy || it.line <= n_lines), "{it:?}");
        }
        let Some(exercise) = exercise else { return Ok(()) };
        let ids: BTreeSet<&str> = exercise.steps.iter().map(|it| it.id.as_str()).collect();
        prop_assert_eq!(ids.len(), exercise.steps.len());
        let (plan, _) = plan::plan(&exercise, Circumstances::bare(&config));
        let recorded = snapshot(&exercise, &plan);
        let counted = coverage(&exercise, &plan);
        prop_assert!(counted.covered + counted.uncovered.len() == counted.tasks);
        // A book with an error is not rendered.
        if problems.iter().any(|it| it.level == Level::Error) {
            return Ok(());
        }
        check_places(&markdown, &exercise)?;
        for recorded in [None, Some(recorded)] {
            let subject = Subject {
                markdown: markdown.clone(),
                standings: standings(&plan, recorded.as_ref()),
                exercise: exercise.clone(),
                plan: plan.clone(),
                recorded,
            };
            hints(&subject, &config);
            let page = Page {
                markdown: &markdown,
                exercise: &subject.exercise,
                plan: &subject.plan,
                standings: &subject.standings,
                snapshot: subject.recorded.as_ref(),
                config: &config,
                overview: None,
            };
            let html = render(page, Renderer::Html);
            let plain = render(page, Renderer::Plain);
            let is_hidden = |it: &Step| it.words.visibility == Visibility::Hidden;
            let is_all_shown = !exercise.steps.iter().any(is_hidden);
            if is_all_shown && config.solutions != Solutions::Hide && copy.is_none() {
                prop_assert_eq!(structure(&html), structure(&markdown), "{}", html);
            }
            prop_assert!(!plain.contains("<div") && !plain.contains("<details"), "{plain}");
        }
    }
}
