//! The table of the whole course: what is in it, where it goes, and what stays as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::config::Config;
use mdbook_rehearse::digests::{Digests, Finding, Today};
use mdbook_rehearse::exercise::{Chapter, spots};
use mdbook_rehearse::images::{LedgerEntry, Move};
use mdbook_rehearse::plan::Circumstances;
use mdbook_rehearse::render::{Overview, Page, Renderer, STYLE, render, render_overview};
use mdbook_rehearse::run::{self, Subject};
use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::status::{Place, Status, status};
use mdbook_rehearse::transcript::Engine;

/// A snapshot of November's third day; each step has one command.
fn recorded(exercise: &str, steps: &[(&str, &str)]) -> Snapshot {
    let steps = steps.iter().map(|(id, text)| RecordedStep {
        id: id.to_string(),
        commands: vec![RecordedCommand {
            text: text.to_string(),
            output: b"seen\n".to_vec(),
            status: 0,
            took: Duration::from_secs(1),
        }],
    });
    Snapshot {
        exercise: exercise.to_string(),
        recorded: date(2026, 11, 3),
        engine: Engine {
            version: "26.1.5+dfsg1".to_string(),
            store: "overlay2".to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        left: None,
        steps: steps.collect(),
        images: Vec::new(),
    }
}

fn image(name: &str, digit: &str, moved: Option<Move>) -> LedgerEntry {
    LedgerEntry {
        reference: format!("docker.io/library/{name}:latest"),
        digest: Some(digest(digit)),
        moved,
        ..LedgerEntry::default()
    }
}

fn digest(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

fn asked(references: Vec<Finding>) -> Digests {
    Digests {
        format: 1,
        asked: date(2026, 11, 23),
        references,
    }
}

fn subjects(chapters: &[(&str, &str)], snapshots: &[Snapshot]) -> Vec<Subject> {
    let config = Config::default();
    let chapters = chapters.iter().map(|it| Chapter::alone(it.0, it.1));
    let load = |id: &str| Ok(snapshots.iter().find(|it| it.exercise == id).cloned());
    let survey = run::survey(chapters, Circumstances::bare(&config), load).unwrap();
    survey.subjects
}

/// Every chapter is called after its path, in capitals.
fn places(subjects: &[Subject]) -> BTreeMap<String, Place> {
    let places = subjects.iter().map(|it| {
        let page = it.exercise.chapter.clone();
        let title = page.trim_end_matches(".md").to_uppercase();
        (page.clone(), Place { title, page })
    });
    places.collect()
}

/// A course in which about everything can be seen that there is to see.
fn course(asked: Option<&Digests>) -> Status {
    let chapters = [
        (
            "well.md",
            "# Well\n\n```bash\nls\n```\n\n## Two\n\n```bash skip=\"why\"\nls\n```\n\n```bash\ndocker stop <name>\n```\n",
        ),
        ("part/moved.md", "# Moved\n\n```bash\nls\n```\n"),
        ("read.md", "# Read\n\n```bash skip\nls\n```\n"),
        (
            "edited.md",
            "# Edited\n\n```bash\nls -l\n```\n\n```bash\nls -a\n```\n",
        ),
        ("new.md", "# New\n\n```bash\nls\n```\n"),
    ];
    let mut moved = recorded("part-moved", &[("moved-1", "ls")]);
    let on = date(2026, 11, 2);
    moved.images = vec![
        image("alpine", "1", None),
        image(
            "nginx",
            "2",
            Some(Move {
                on,
                from: digest("3"),
            }),
        ),
        image("redis", "4", None),
    ];
    let mut well = recorded("well", &[("well-1", "ls")]);
    well.recorded = date(2026, 11, 24);
    let edited = recorded(
        "edited",
        &[("edited-1", "ls"), ("edited-2", "ls -a"), ("gone-1", "ls")],
    );
    let subjects = subjects(&chapters, &[well, moved, edited]);
    status(&subjects, &places(&subjects), asked)
}

/// A chapter without a step, with the table in it.
fn page(markdown: &str, status: &Status, page: &str, renderer: Renderer) -> String {
    let overview = Overview {
        status,
        spots: &spots(markdown),
        page,
    };
    let config = Config {
        assets_version: Some("1".to_string()),
        ..Config::default()
    };
    render_overview(markdown, overview, &config, renderer)
}

const COMMENT: &str = "<!-- rehearse: status -->";

#[test]
fn what_needs_attention_comes_first() {
    assert_snapshot!(page(COMMENT, &course(None), "status.md", Renderer::Plain), @r"
    5 exercises, 2 as recorded, 1 changed since, 1 not recorded, 1 skipped altogether\; oldest recording 3 November 2026.

    | Exercise | Verdict | Coverage | Recorded | Engine | Images moved |
    |---|---|---|---|---|---|
    | [NEW](new.md) | **not recorded** | 1 of 1 task | never |  |  |
    | [EDITED](edited.md) | **1 step newer, 1 gone** | 1 of 1 task | 3 November 2026 | 26.1.5\+dfsg1, overlay2 |  |
    | [WELL](well.md) | as recorded | 1 of 2 tasks · 2 skipped\: 1 by the author, 1 for want of a value | 24 November 2026 | 26.1.5\+dfsg1, overlay2 |  |
    | [PART/MOVED](part/moved.md) | as recorded | 1 of 1 task | 3 November 2026 | 26.1.5\+dfsg1, overlay2 | nginx\:latest on 2 November 2026 |
    | [READ](read.md) | skipped altogether | 0 of 1 task · 1 skipped\: by the author | never |  |  |
    ");
}

#[test]
fn an_image_that_moved_since_then_is_something_to_look_at() {
    let finding = |name: &str, digit: &str, today| Finding {
        reference: format!("docker.io/library/{name}:latest"),
        recorded: digest(digit),
        exercises: vec!["part-moved".to_string()],
        today,
    };
    let moved = || Today::Moved {
        current: digest("8"),
    };
    let asked = asked(vec![
        finding("alpine", "1", moved()),
        // Recorded anew since the registry was asked.
        finding("nginx", "9", moved()),
        finding("redis", "4", Today::Gone),
    ]);
    let course = course(Some(&asked));
    let table = page(COMMENT, &course, "part/status.md", Renderer::Plain);
    let (summary, rows) = table.split_once('\n').unwrap();
    assert_snapshot!(summary, @r"5 exercises, 2 as recorded, 1 changed since, 1 not recorded, 1 skipped altogether\; oldest recording 3 November 2026\; 2 images have moved since, as registries said on 23 November 2026.");
    assert_snapshot!(rows.lines().nth(5).unwrap(), @r"| [PART/MOVED](moved.md) | as recorded | 1 of 1 task | 3 November 2026 | 26.1.5\+dfsg1, overlay2 | **alpine\:latest since then**, nginx\:latest on 2 November 2026, **redis\:latest gone since then** |");
    let html = page(COMMENT, &course, "part/status.md", Renderer::Html);
    assert_snapshot!(html.split("<tr").nth(4).unwrap(), @r#" role="row" class="rehearse-attention"><th scope="row" role="rowheader"><a href="moved.md">PART/MOVED</a></th><td role="cell" data-what="Verdict"><span class="rehearse-tick" aria-hidden="true">✓</span> as recorded</td><td role="cell" data-what="Coverage">1 of 1 task</td><td role="cell" data-what="Recorded"><time datetime="2026-11-03">3 November 2026</time></td><td role="cell" data-what="Engine">26.1.5+dfsg1<span class="rehearse-dot"> · </span><span class="rehearse-more">overlay2</span></td><td role="cell" data-what="Images moved"><code class="nohighlight">alpine&#58;latest</code> <strong class="rehearse-badge rehearse-alert">since then</strong><br><code class="nohighlight">nginx&#58;latest</code> on 2 November 2026<br><code class="nohighlight">redis&#58;latest</code> <strong class="rehearse-badge rehearse-alert">gone since then</strong></td></tr>"#);
}

#[test]
fn what_is_well_is_said_in_few_words() {
    let chapters = [
        ("a.md", "```bash\nls\n```\n"),
        ("b.md", "```bash\nls\n```\n"),
    ];
    let snapshots = [
        recorded("a", &[("step-1", "ls")]),
        recorded("b", &[("step-1", "ls")]),
    ];
    let well = subjects(&chapters, &snapshots);
    let asked = asked(Vec::new());
    let well = status(&well, &places(&well), Some(&asked));
    assert_snapshot!(page(COMMENT, &well, "status.md", Renderer::Plain), @r"
    2 exercises, all as recorded\; oldest recording 3 November 2026\; no image has moved since, as registries said on 23 November 2026.

    | Exercise | Verdict | Coverage | Recorded | Engine |
    |---|---|---|---|---|
    | [A](a.md) | as recorded | 1 of 1 task | 3 November 2026 | 26.1.5\+dfsg1, overlay2 |
    | [B](b.md) | as recorded | 1 of 1 task | 3 November 2026 | 26.1.5\+dfsg1, overlay2 |
    ");
    let none = page(COMMENT, &Status::default(), "status.md", Renderer::Plain);
    assert_eq!(none, "No exercise.");
    let none = page(COMMENT, &Status::default(), "status.md", Renderer::Html);
    assert!(
        none.contains("No exercise.") && !none.contains("<table"),
        "{none}"
    );
}

#[test]
fn only_the_comment_goes() {
    let none = Status::default();
    let text = "\u{feff}# A\r\n<!-- rehearse: status -->\r\nText &  more.\n\n<!--rehearse:status-->\n\n- a\n- <!-- rehearse:\n  status -->\n  - b\n\n> q\n> <!-- rehearse: status -->\n\nNo end";
    assert_snapshot!(page(text, &none, "a.md", Renderer::Plain).escape_debug().to_string().replace("\\n", "\n"), @r"
    \u{feff}# A\r

    No exercise.
    \r
    Text &  more.

    No exercise.

    - a
    - No exercise.

      - b

    > q
    > 
    > No exercise.

    No end
    ");
    for text in [
        "# A\n\nText.\n",
        "`<!-- rehearse: status -->`\n",
        "```html\n<!-- rehearse: status -->\n```\n",
    ] {
        assert_eq!(page(text, &none, "a.md", Renderer::Html), text);
    }
}

#[test]
fn the_style_comes_along_once() {
    let two = format!("{COMMENT}\n\nText.\n\n{COMMENT}\n");
    let overview = Overview {
        status: &Status::default(),
        spots: &spots(&two),
        page: "a.md",
    };
    let styled = render_overview(&two, overview, &Config::default(), Renderer::Html);
    assert_eq!(styled.matches("<style>").count(), 1);
    assert_eq!(styled.lines().count(), two.lines().count());
    let plain = render_overview(&two, overview, &Config::default(), Renderer::Plain);
    assert!(!plain.contains('<'), "{plain}");
    assert!(STYLE.contains(".rehearse-course"));
}

#[test]
fn a_chapter_with_steps_can_have_it() {
    let text = "# A\n\n```bash\nls\n```\n\n<!-- rehearse: status -->\n";
    let subjects = subjects(&[("a.md", text)], &[recorded("a", &[("a-1", "ls")])]);
    let (course, config) = (
        status(&subjects, &places(&subjects), None),
        Config::default(),
    );
    let subject = &subjects[0];
    let page = Page {
        markdown: text,
        exercise: &subject.exercise,
        plan: &subject.plan,
        standings: &subject.standings,
        snapshot: subject.recorded.as_ref(),
        config: &config,
        overview: Some(Overview {
            status: &course,
            spots: &spots(text),
            page: "a.md",
        }),
    };
    assert_snapshot!(render(page, Renderer::Plain), @r"
    # A

    ```bash
    ls
    ```

    ```text
    seen
    ```

    1 exercise, 1 as recorded\; oldest recording 3 November 2026.

    | Exercise | Verdict | Coverage | Recorded | Engine |
    |---|---|---|---|---|
    | [A](a.md) | as recorded | 1 of 1 task | 3 November 2026 | 26.1.5\+dfsg1, overlay2 |

    Recorded on 3 November 2026 with Docker 26.1.5\+dfsg1 (overlay2, linux/amd64).
    ");
    assert_eq!(render(page, Renderer::Html).matches("<style>").count(), 1);
}

#[test]
fn links_lead_from_page_to_page() {
    let chapters = [
        ("a.md", "# A\n\n```bash\nls\n```\n"),
        ("p/q/b (1) é.md", "# B\n\n```bash\nls\n```\n"),
    ];
    let subjects = subjects(&chapters, &[]);
    let mut places = places(&subjects);
    places.get_mut("a.md").unwrap().title = "*A* <b>|</b>".to_string();
    let course = status(&subjects, &places, None);
    let links = |from: &str, renderer| {
        let page = page(COMMENT, &course, from, renderer);
        let links = regex::Regex::new(r#"<a href="([^"]*)">|\]\(([^ ]*)\)"#).unwrap();
        let links = links.captures_iter(&page);
        let links = links.map(|it| it.get(1).or(it.get(2)).unwrap().as_str().to_string());
        links.collect::<Vec<_>>().join(" ")
    };
    assert_snapshot!(links("s.md", Renderer::Plain), @"a.md p/q/b%20%281%29%20%C3%A9.md");
    assert_snapshot!(links("p/s.md", Renderer::Html), @"../a.md q/b%20%281%29%20%C3%A9.md");
    assert_snapshot!(links("p/r/s.md", Renderer::Plain), @"../../a.md ../q/b%20%281%29%20%C3%A9.md");
    let html = page(COMMENT, &course, "s.md", Renderer::Html);
    assert!(
        html.contains("&#42;A&#42; &#60;b&#62;&#124;&#60;/b&#62;"),
        "{html}"
    );
    let plain = page(COMMENT, &course, "s.md", Renderer::Plain);
    assert!(plain.contains(r"[\*A\* \<b\>\|\</b\>]"), "{plain}");
}
