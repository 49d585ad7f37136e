//! What authors can say: words, comments, files, the copy beside a chapter; and what is made of it before anything runs.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use mdbook_rehearse::config::{self, Config};
use mdbook_rehearse::exercise::{self, Chapter, Exercise};
use mdbook_rehearse::plan::{Circumstances, Decision, Lasts, Manner, Plan, Retry};
use mdbook_rehearse::problem::{Origin, Problem};
use mdbook_rehearse::{plan, run};
use serde_json::json;

/// A chapter and what lies beside it.
struct Case<'a> {
    text: &'a str,
    copy: Option<&'a str>,
    workspace: &'a [&'a str],
    config: Config,
}

fn case(text: &str) -> Case<'_> {
    Case {
        text,
        copy: None,
        workspace: &[],
        config: Config::default(),
    }
}

fn read(case: &Case<'_>) -> (Option<Exercise>, Vec<Problem>) {
    let workspace: BTreeSet<String> = case.workspace.iter().map(|it| it.to_string()).collect();
    let chapter = Chapter {
        path: "a.md",
        text: case.text,
        copy: case.copy,
        workspace: &workspace,
    };
    exercise::parse(chapter, &case.config)
}

/// What becomes of each step: a line for it, and one for each of its commands; then what is wrong.
#[track_caller]
fn check(case: Case<'_>) -> String {
    let (exercise, mut problems) = read(&case);
    let mut lines = Vec::new();
    if let Some(exercise) = &exercise {
        let (plan, warnings) = plan::plan(exercise, Circumstances::bare(&case.config));
        problems.extend(warnings);
        lines = show(&plan, exercise);
    }
    lines.extend(problems.iter().map(|it| {
        let file = it.origin.path("a.md");
        format!("{:?} {file}:{}: {}", it.level, it.line, it.message)
    }));
    lines.join("\n")
}

fn show(plan: &Plan, exercise: &Exercise) -> Vec<String> {
    let mut lines = Vec::new();
    for (step, planned) in exercise.steps.iter().zip(&plan.steps) {
        let mut line = format!("{} {} {:?}", step.line, step.id, step.words.role);
        if step.origin == Origin::Copy {
            line += " in the copy";
        }
        if let Decision::Skip(skip) = &planned.decision {
            line += &format!(" skipped: {}", skip.reason());
        }
        lines.push(line);
        for command in &planned.commands {
            let manner = describe(&command.manner);
            lines.push(format!("  {}: {:?}{manner}", command.line, command.text));
        }
        lines.extend(planned.inferred.iter().map(|it| format!("  ({it})")));
        for claim in &step.claims {
            lines.push(format!("  expects {:?}", claim.pattern));
        }
        for capture in &step.captures {
            lines.push(format!("  captures {} by {}", capture.name, capture.regex));
        }
    }
    lines
}

fn describe(manner: &Manner) -> String {
    let mut text = String::new();
    if let Some(name) = &manner.inside {
        text += &format!(" in {name}");
    }
    if manner.input != Default::default() {
        text += &format!(" reads {:?}", manner.input);
    }
    if manner.lasts != Lasts::ToItsEnd {
        text += &format!(" lasts {:?}", manner.lasts);
    }
    if manner.retry != Retry::Never {
        text += &format!(" retry {:?}", manner.retry);
    }
    text
}

mod words {
    use super::*;

    #[test]
    fn each_says_how_a_step_is_run() {
        let text = "```bash until=\"ready to\"\necho a\n```\n```bash until=port:8080\necho b\n```\n```bash until=http://localhost:80/x\necho c\n```\n\
                    ```bash for=5s\necho d\n```\n```bash background\necho e\n```\n```bash stdin=\"one\\ntwo\"\necho f\n```\n\
                    ```bash tty,stdin=\"y\"\necho g\n```\n```bash retry=5s\necho h\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn what_asks_a_server_that_was_just_started_is_tried_again() {
        let text = "```bash\ncurl localhost:80\ncurl -s http://localhost | grep -o x | head -1\nsleep 1; wget -qO- 127.0.0.1:80\n\
                    docker run -d -p 80:80 nginx && curl localhost\ncurl localhost && docker ps\ncurl example.com\n```\n\
                    ```bash fails\ncurl localhost:80\n```\n";
        assert_snapshot!(check(case(text)), @r#"
        1 step-1 Task
          2: "curl localhost:80" retry Unanswered(10s)
          3: "curl -s http://localhost | grep -o x | head -1" retry For(10s)
          4: "sleep 1; wget -qO- 127.0.0.1:80" retry Unanswered(10s)
          5: "docker run -d -p 80:80 nginx && curl localhost"
          6: "curl localhost && docker ps" retry Unanswered(10s)
          7: "curl example.com"
        9 step-2 Task
          10: "curl localhost:80"
        "#);
    }

    #[test]
    fn they_concern_the_last_command() {
        assert_snapshot!(check(case("```bash for=5s stdin=x\necho a\necho b\n```\n")));
    }

    #[test]
    fn a05_what_is_ill_typed_is_refused() {
        let text = "```bash until=port:x retry=soon for in=A_b\necho a\n```\n```bash until=http://example.com\necho b\n```\n\
                    ```bash save-as=../x\necho c\n```\n```bash until=x for=5s background\necho d\n```\n```bash stdin=\"x\necho e\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn a_terminal_is_named_and_typed_in() {
        let text = "```bash opens=box\ndocker run -it alpine\n```\n```bash in=box\nls\n```\n```bash in=other\nls\n```\n";
        assert_snapshot!(check(case(text)));
    }
}

mod comments {
    use super::*;

    #[test]
    fn words_before_a_block_are_its_words() {
        let text = "<!-- rehearse: skip=\"no account\" -->\n```bash\necho a\n```\n\n<!-- rehearse: hide -->\n<!-- rehearse: fails=3 -->\n\n```\necho b\n```\n\n\
                    - item\n\n  <!-- rehearse: setup -->\n  ```bash\n  echo c\n  ```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn words_without_a_block_are_refused() {
        assert_snapshot!(check(case(
            "```bash\necho a\n```\n\n<!-- rehearse: hide -->\n\nText.\n\n<!-- rehearse: skip -->\n"
        )));
    }

    #[test]
    fn what_prose_asks_for_is_a_step() {
        assert_snapshot!(check(case(
            "# Look\n\nRun `docker images` now.\n\n<!-- rehearse: run docker images -->\n"
        )));
    }

    #[test]
    fn claims_and_captures_are_about_the_step_above() {
        let text = "```bash\ndocker run -d nginx\n```\n\n<!-- rehearse: capture id /^([0-9a-f]{64})$/ -->\nYou see an ID.\n\n\
                    <!-- rehearse: expect /[0-9a-f]/ -->\n<!-- rehearse: expect \"abc\" -->\n\n```bash\ndocker rm -f <id>\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn values_fill_placeholders() {
        let mut with = case(
            "<!-- rehearse: value user-name=learner -->\n<!-- rehearse: value <pass>=\"a b\" -->\n\n```bash\necho <user-name> <pass> <port> <other>\n```\n",
        );
        let table = json!({ "values": { "port": 80 } });
        with.config = config::parse(&table).unwrap();
        assert_snapshot!(check(with));
    }

    #[test]
    fn a05_what_is_wrong_is_told_with_what_to_write() {
        let text = "```bash\necho a\n```\n<!-- rehearse: expct \"x\" -->\n<!-- rehearse: expect x -->\n<!-- rehearse: expect /(/ -->\n\
                    <!-- rehearse: capture id /x/ -->\n<!-- rehearse: capture -->\n<!-- rehearse: value x -->\n<!-- rehearse: run -->\n\
                    <!-- rehearse: images -->\n<!-- rehearse: needs root -->\n<!-- rehearse: requires a b -->\n<!-- rehearse skip -->\n\
                    <!-- rehearse: step 1 hide -->\n<!-- rehearse: value a=1 -->\n<!-- rehearse: value a=2 -->\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn a_comment_in_a_heading_counts_as_below_it() {
        assert_snapshot!(check(case("## One <!-- rehearse: fails -->\n\n```bash\nfalse\n```\n\nTwo <!-- rehearse: nonsense -->\n---\n\n```bash\ntrue\n```\n")), @r#"
        3 one-1 Task
          4: "false"
        10 two-1 Task
          11: "true"
        Error a.md:7: unknown comment `nonsense`, possibly a typo; known: `run`, `expect`, `capture`, `value`, `images`, `layers`, `status`, `requires`, `needs`, `step`, `before`, `after`, `skip`, `fails`, `hide`, `setup`, `solution`, `check`, `cleanup`, `timeout`, `retry`, `until`, `for`, `background`, `stdin`, `tty`, `in`, `opens`, `id`, `save-as`, `ignore`
        "#);
    }

    #[test]
    fn what_is_put_after_a_comment_needs_the_end_of_its_line() {
        let text = "Run it <!-- rehearse: run docker ps --> now.\n\n| a | <!-- rehearse: images alpine --> |\n|---|---|\n\n```bash\nls\n```\n";
        assert_snapshot!(check(case(text)), @r#"
        6 step-1 Task
          7: "ls"
        Error a.md:1: text follows the comment on its line; put it at the end of the line, or into a paragraph of its own
        Error a.md:3: text follows the comment on its line; put it at the end of the line, or into a paragraph of its own
        "#);
    }

    #[test]
    fn the_table_of_the_course_needs_a_paragraph_of_its_own() {
        let text = "# A\n<!-- rehearse: status -->\nText <!-- rehearse: status -->\nand <!-- rehearse: status --> more.\n\n\
                    - <!-- rehearse: status -->\n\n<!-- rehearse: status --> <!-- note -->\n\n<!-- rehearse: status now -->\n\n<!-- rehearse: statu -->\n\n\
                    > [!NOTE]\n> <!-- rehearse: status -->\n";
        let copy = "<!-- rehearse: status -->\n";
        assert_snapshot!(check(Case { copy: Some(copy), ..case(text) }), @"
        Error a.md:3: the table of the course needs a paragraph of its own; put the comment into one
        Error a.md:4: the table of the course needs a paragraph of its own; put the comment into one
        Error a.md:8: the table of the course needs a paragraph of its own; put the comment into one
        Error a.md:10: `status` stands alone; write `<!-- rehearse: status -->`
        Error a.md:12: unknown comment `statu`, possibly a typo; did you mean `status`?
        Error a.rehearse.md:1: `status` is for the chapter itself; put the comment where the table goes
        ");
    }

    #[test]
    fn those_of_others_are_none_of_ours() {
        assert_snapshot!(check(case(
            "<!-- rehearsed by me -->\n<!-- toc -->\n\n```bash\necho a\n```\n"
        )));
    }

    #[test]
    fn what_is_needed_must_be_granted() {
        let text = "<!-- rehearse: needs open-network -->\n\n```bash\necho a\n```\n";
        assert_snapshot!(check(case(text)), @r#"
        3 step-1 Task skipped: needs `open-network`, which was not granted
          4: "echo a"
        "#);
        let config = Config::default();
        let granted = BTreeSet::from(["open-network".to_string()]);
        let around = Circumstances {
            granted: &granted,
            ..Circumstances::bare(&config)
        };
        let exercise = read(&case(text)).0.unwrap();
        let plan = plan::plan(&exercise, around).0;
        assert_eq!(plan.reach, plan::Reach::World);
        assert_eq!(plan.steps[0].decision, Decision::Run);
    }
}

mod files {
    use super::*;

    #[test]
    fn save_as_writes_a_block_of_any_language() {
        let text = "```python save-as=src/app.py\nprint('EOF')\nEOF\n```\n\n<!-- rehearse: save-as=Dockerfile -->\n```\nFROM alpine\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn what_the_prose_says_to_make_is_made() {
        let text = "Create a file called `Dockerfile`:\n\n```dockerfile\nFROM alpine\nCOPY app.py /\n```\n\nSave this as `app.py`.\n\n```python\nprint(1)\n```\n\n\
                    Look at `other.py`:\n\n```python\nprint(2)\n```\n\nAnd a part of `big.py` to write:\n\n```python\n...\nprint(3)\n```\n\n```bash\ndocker build -t a .\n```\n\n\
                    Smaller:\n\n```dockerfile\nFROM scratch\n```\n\n```bash\ndocker build -t b .\n```\n";
        let (exercise, _) = read(&case(text));
        let asides: Vec<String> = exercise
            .unwrap()
            .asides
            .iter()
            .map(|it| format!("{}: {:?}", it.line, it.kind))
            .collect();
        assert_snapshot!(format!("{}\n{}", check(case(text)), asides.join("\n")));
    }

    #[test]
    fn a_file_without_a_name_before_its_dot_is_one() {
        let text = "Create a file called `.dockerignore`:\n\n```\nsecret.txt\n```\n\n```bash\ndocker build .\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn what_nothing_can_mean_is_not_saved() {
        let text =
            "Write this to `book.toml`:\n\n```toml\n[book]\n```\n\n```bash\ndocker ps\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn a_file_of_the_workspace_is_not_pasted_over() {
        let mut with = case(
            "Create `Dockerfile`:\n\n```dockerfile\nFROM alpine\n```\n\n```bash\ndocker build .\n```\n",
        );
        with.workspace = &["app/Dockerfile"];
        assert_snapshot!(check(with));
    }
}

mod copies {
    use super::*;

    const CHAPTER: &str = "# Registries\n\n## Task 1\n\n```bash\ndocker login\n```\n\n```bash\ndocker logs web\n```\n\n## Task 2\n\nYour challenge: run one.\n\n## Cleanup\n\n```bash\ndocker rm <name>\n```\n";

    fn with(copy: &str) -> Case<'_> {
        Case {
            copy: Some(copy),
            ..case(CHAPTER)
        }
    }

    #[test]
    fn its_steps_join_at_the_end_of_their_sections() {
        let copy = "<!-- rehearse: value name=registry -->\n\n## Task 2\n\n```bash\ndocker run -d --name registry registry\n```\n\n\
                    ```bash check=\"it answers\"\ncurl -s localhost:5000/v2/\n```\n\n## Task 1\n\n```bash setup\ntrue\n```\n";
        assert_snapshot!(check(with(copy)));
    }

    #[test]
    fn it_speaks_of_the_steps_of_the_chapter() {
        let copy = "## Task 1\n\n<!-- rehearse: step 1 tty stdin=\"learner\\nsecret\" -->\n<!-- rehearse: step \"docker logs\" for=2s -->\n\
                    <!-- rehearse: step 2 expect \"ready\" -->\n\n## Cleanup\n\n<!-- rehearse: step 1 skip=\"by hand\" -->\n";
        assert_snapshot!(check(with(copy)));
    }

    #[test]
    fn what_fits_nowhere_is_an_error_in_the_copy() {
        let copy = "## Task 9\n\n```bash\nls\n```\n\n## Task 1\n\n<!-- rehearse: step 7 hide -->\n<!-- rehearse: step \"docker cp\" hide -->\n<!-- rehearse: step hide -->\n\n```bash skp\nls\n```\n";
        assert_snapshot!(check(with(copy)));
    }
}

mod surroundings {
    use super::*;

    #[test]
    fn admonitions_of_other_site_makers_are_read() {
        let text = "!!! note \"Try\"\n    ```bash\n    echo a\n\n    echo b\n    ```\n\n1. One\n\n    ??? tip\n\n        Text.\n\n        ```bash\n        echo c\n        ```\n\nAfter.\n\n```bash\necho d\n```\n";
        let (exercise, _) = read(&case(text));
        let exercise = exercise.unwrap();
        let spans = exercise.steps.iter().map(|it| {
            let before_end = &text[..it.after];
            let last = before_end.lines().last().unwrap_or_default();
            format!(
                "{:?} then {:?} after {last:?}",
                &text[it.span.clone()],
                it.prefix
            )
        });
        let spans: Vec<String> = spans.collect();
        assert_snapshot!(format!("{}\n{}", check(case(text)), spans.join("\n")));
    }

    #[test]
    fn code_without_a_fence_is_read_on_request() {
        let mut with = case(
            "Type this:\n\n    $ docker ps\n    CONTAINER ID   IMAGE\n\n- item\n\n      $ docker images\n\nAnd:\n\n    not a command but words\n",
        );
        with.config.languages = vec!["indented".to_string()];
        assert_snapshot!(check(with));
    }

    #[test]
    fn hidden_lines_run_without_what_hides_them() {
        let mut with = case(
            "```bash\n#~ cd /tmp\n  #~pwd\nls\n```\n\n```bash hidelines=!!!\n!!!whoami\n```\n",
        );
        with.config.hidelines = [("bash".to_string(), "#~".to_string())].into();
        assert_snapshot!(check(with));
    }

    #[test]
    fn cleanup_headings_can_be_numbered_and_can_be_about_something_else() {
        let text = "## Step 3: Clean up\n\n```bash\ndocker rm -f a\n```\n\n## Cleaning up\n\n```bash\ndocker build -t a .\n```\n";
        assert_snapshot!(check(case(text)));
    }

    #[test]
    fn the_text_before_can_say_that_it_is_typed_inside() {
        let text = "```bash\ndocker run -it alpine\n```\n\nInside the container, look around:\n\n```bash\nls /\n```\n\nIn the container there is no docker:\n\n```bash\ndocker ps\n```\n";
        assert_snapshot!(check(case(text)));
    }
}

mod requirements {
    use super::*;

    /// The chapters that come before each, or what is wrong.
    #[track_caller]
    fn check(chapters: &[(&str, &str)]) -> String {
        let config = Config::default();
        let around = Circumstances::bare(&config);
        let chapters = chapters.iter().map(|it| Chapter::alone(it.0, it.1));
        let survey = run::survey(chapters, around, |_| Ok(None)).unwrap();
        let mut lines: Vec<String> = Vec::new();
        for subject in &survey.subjects {
            let required = subject.plan.requires.iter().map(|it| it.chapter.as_str());
            let required: Vec<&str> = required.collect();
            lines.push(format!(
                "{}: {}",
                subject.exercise.chapter,
                required.join(", ")
            ));
        }
        for it in &survey.problems {
            lines.push(format!(
                "{}:{}: {}",
                it.chapter, it.problem.line, it.problem.message
            ));
        }
        lines.join("\n")
    }

    #[test]
    fn what_comes_first_is_found_with_what_that_needs() {
        assert_snapshot!(check(&[
            ("one.md", "```bash\necho a\n```\n"),
            (
                "x/two.md",
                "<!-- rehearse: requires one -->\n```bash\necho b\n```\n"
            ),
            (
                "three.md",
                "<!-- rehearse: requires one.md -->\n<!-- rehearse: requires two -->\n```bash\necho c\n```\n"
            ),
        ]));
    }

    #[test]
    fn circles_and_names_of_nothing_are_errors() {
        assert_snapshot!(check(&[
            (
                "one.md",
                "<!-- rehearse: requires two -->\n```bash\necho a\n```\n"
            ),
            (
                "two.md",
                "<!-- rehearse: requires one -->\n<!-- rehearse: requires nine -->\n```bash\necho b\n```\n"
            ),
            ("a/z.md", "```bash\necho a\n```\n"),
            (
                "b/z.md",
                "<!-- rehearse: requires z -->\n```bash\necho a\n```\n"
            ),
        ]));
    }
}

mod hints {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use jiff::civil::date;
    use mdbook_rehearse::config::Supplied;
    use mdbook_rehearse::coverage::{self, coverage};
    use mdbook_rehearse::lint::{Topic, hints};
    use mdbook_rehearse::run::Subject;
    use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot};
    use mdbook_rehearse::transcript::{Engine, Inventory};

    use super::*;

    fn subject(case: &Case<'_>, recorded: Option<Snapshot>) -> Subject {
        let workspace = BTreeSet::new();
        let chapter = Chapter {
            path: "a.md",
            text: case.text,
            copy: case.copy,
            workspace: &workspace,
        };
        let around = Circumstances::bare(&case.config);
        let survey = run::survey([chapter].into_iter(), around, |_| Ok(recorded.clone())).unwrap();
        survey.subjects.into_iter().next().unwrap()
    }

    fn look(case: &Case<'_>, recorded: Option<Snapshot>) -> String {
        let hints = hints(&subject(case, recorded), &case.config);
        let line = |it: &mdbook_rehearse::lint::Hint| {
            let file = it.origin.path("a.md");
            format!("{file}:{} {:?}: {}", it.line, it.topic, it.message)
        };
        hints.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(text: &str) -> String {
        look(&case(text), None)
    }

    /// What a run left, in which the only command printed this.
    fn recorded(id: &str, text: &str, output: &str, left: Inventory) -> Snapshot {
        Snapshot {
            exercise: "a".to_string(),
            recorded: date(2026, 11, 23),
            engine: Engine {
                version: "26.1.5".to_string(),
                store: "overlay2".to_string(),
                platform: "linux/amd64".to_string(),
            },
            registries: Default::default(),
            left: Some(left),
            steps: vec![RecordedStep {
                id: id.to_string(),
                commands: vec![RecordedCommand {
                    text: text.to_string(),
                    output: output.as_bytes().to_vec(),
                    status: 0,
                    took: Duration::from_secs(1),
                }],
            }],
            images: Vec::new(),
        }
    }

    #[test]
    fn values_that_are_wanting_and_steps_that_wait_are_told() {
        assert_snapshot!(check("```bash\ndocker pull <name>\n```\n\n```bash\ndocker login\n```\n"), @r#"
        a.md:1 UnboundPlaceholder: not run: needs a value for <name>; `<!-- rehearse: value name=… -->` gives it one
        a.md:5 InteractiveStep: not run: `docker login` asks for a user name and password of `docker.io`; `stdin="…"`, `tty` or `for=5s` can script it
        "#);
    }

    #[test]
    fn challenges_want_a_solution_that_runs() {
        let text = "# A\n\n## Challenge: serve a page\n\nText.\n\n## Two\n\nYour turn! Stop it.\n\n```bash solution\ndocker stop web\n```\n\n\
                    ## Three\n\nSuccess criteria: it answers.\n\n```bash solution skip\ndocker ps\n```\n\n## Four\n\nA challenge for engineers is time.\n";
        assert_snapshot!(check(text), @"
        a.md:3 UnsolvedChallenge: a challenge without a solution that runs; write one in `a.rehearse.md` under the heading `Challenge: serve a page`
        a.md:15 UnsolvedChallenge: a challenge without a solution that runs; write one in `a.rehearse.md` under the heading `Three`
        ");
        let copy = "## Challenge: serve a page\n\n<!-- rehearse: run docker run nginx -->\n\n## Three\n\n```bash check\ntest -e x\n```\n";
        let case = Case {
            copy: Some(copy),
            ..case(text)
        };
        assert_snapshot!(look(&case, None), @"");
    }

    #[test]
    fn what_the_prose_asks_for_and_no_step_does_is_told_once() {
        let text = "Run `docker ps -a` and then run `docker images`. With `docker run` you start one.\n\n```bash\ndocker images\n```\n\n\
                    Try `docker run --rm alpine` or run `docker pull ...`.\n";
        assert_snapshot!(check(text), @"
        a.md:1 AskedInProse: the text asks for `docker ps -a`; `<!-- rehearse: run docker ps -a -->` after the paragraph runs it
        a.md:7 AskedInProse: the text asks for `docker run --rm alpine`; `<!-- rehearse: run docker run --rm alpine -->` after the paragraph runs it
        ");
    }

    /// What is told of prose below a step that printed this.
    #[track_caller]
    fn promised(prose: &str, output: &str) -> String {
        let text = format!("```bash id=a\ndocker images\n```\n\n{prose}\n");
        let recorded = recorded("a", "docker images", output, Inventory::default());
        look(&case(&text), Some(recorded))
    }

    #[test]
    fn what_the_text_says_of_an_output_is_offered_to_be_checked_if_it_is_true() {
        let output = "REPOSITORY  TAG  SHARED SIZE\nnginx  alpine  2MB\nDigest: sha256:0123456789abcdef\nStatus: Image is up to date\n";
        for prose in [
            "Look at the REPOSITORY column.",
            "See the column \"SHARED SIZE\"?",
            "You'll see something like `sha256:abc123...` at its end.",
            "It says \u{201c}up to date\u{201d}.",
            "The output contains: `nginx  alpine`.",
        ] {
            let told = promised(prose, output);
            assert_eq!(told.lines().count(), 1, "{prose}: {told}");
            assert!(told.contains("UncheckedClaim"), "{told}");
        }
        assert_snapshot!(promised("You should see something like `sha256:abc123...`.", output), @"a.md:5 UncheckedClaim: the text says what the reader will see; `<!-- rehearse: expect /sha256:[0-9a-f]{12,64}/ -->` below it has that checked");
        // What is checked already, what is no promise, and what cannot be known.
        let checked = "Look at the REPOSITORY column.\n\n<!-- rehearse: expect \"REPOSITORY\" -->";
        assert_eq!(promised(checked, output), "");
        assert_eq!(
            promised(
                "`nginx` is a server, and TAG is a word. See `man docker`.",
                output
            ),
            ""
        );
        assert_eq!(
            check("```bash\ndocker images\n```\n\nLook at the REPOSITORY column.\n"),
            ""
        );
    }

    #[test]
    fn what_the_text_says_of_an_output_that_has_it_not_is_told() {
        assert_snapshot!(promised("Look for something like `sha256:abc123...`", "nginx  alpine\n"), @"a.md:5 FalseClaim: the text seems to say that the output has /sha256:[0-9a-f]{12,64}/, and what is recorded has not");
        assert_snapshot!(promised("Look at the REPOSITORY column.", "IMAGE  ID\n"), @r#"a.md:5 FalseClaim: the text seems to say that the output has "REPOSITORY", and what is recorded has not"#);
        // A word may be said of anything.
        assert_eq!(promised("It says \"hello\".", "nginx  alpine\n"), "");
    }

    #[test]
    fn what_the_text_says_before_a_block_may_be_meant_of_it() {
        let text = "```bash id=a\ndocker images\n```\n\nNow look at the NAMES column:\n\n```bash id=b\ndocker ps\n```\n";
        let mut both = recorded("a", "docker images", "REPOSITORY\n", Inventory::default());
        let next = recorded("b", "docker ps", "NAMES\n", Inventory::default());
        both.steps.extend(next.steps);
        assert_eq!(look(&case(text), Some(both)), "");
    }

    #[test]
    fn builds_want_files() {
        let build = "```bash\ndocker build -t a .\n```\n";
        assert_snapshot!(check(build), @"a.md:2 MissingContext: builds in an empty folder; `workspace` in book.toml brings the course's files, and `save-as=Dockerfile` on a block writes one");
        assert_eq!(
            check(&format!(
                "```dockerfile save-as=Dockerfile\nFROM alpine\n```\n\n{build}"
            )),
            ""
        );
        assert_eq!(
            check("```bash\ngit clone https://example.com/a && cd a\ndocker build -t a .\n```\n"),
            ""
        );
        assert_eq!(
            check("```bash\ndocker build -t a - <<END\nFROM alpine\nEND\n```\n"),
            ""
        );
        let mut with = case(build);
        with.config.workspace = Some("..".into());
        assert_eq!(look(&with, None), "");
        assert_snapshot!(check("A `Dockerfile`:\n\n```dockerfile\nFROM alpine\n```\n\n```bash\ndocker ps\n```\n"), @"a.md:3 UnsavedFile: looks like `Dockerfile`, but nothing says to make it; `save-as=Dockerfile` writes it");
    }

    #[test]
    fn variables_that_nothing_set_are_told_once() {
        let text = "```bash\necho $HOME ${TAG:-1} '$SINGLE' \\$ESCAPED $lower\nexport NAME=x; echo $NAME\nread -r ANSWER <<<y; echo $ANSWER\n\
                    for IT in 1 2; do echo $IT; done\ndocker push $REGISTRY/x\ndocker pull ${REGISTRY}/x\ncat <<END\n$IN_FILE\nEND\n```\n";
        assert_snapshot!(check(text), @"a.md:6 UnsetVariable: `$REGISTRY` is set nowhere before, so the shell sees nothing there; set it in a `setup` block");
    }

    #[test]
    fn pulls_of_what_is_there_are_told() {
        let text = "```bash\ndocker pull alpine\n```\n\n```bash\ndocker image pull docker.io/library/alpine:latest\ndocker pull -q $IMAGE alpine\n```\n";
        let of_pulls = |text: String| -> String {
            let lines = text.lines().filter(|it| it.contains("NoOpPull"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(of_pulls(check(text)), @"a.md:6 NoOpPull: pulls `docker.io/library/alpine:latest`, which is there already: nothing is downloaded, whatever the text says");
        let output = "Status: Image is up to date for alpine:latest\n";
        let recorded = recorded("step-1", "docker pull alpine", output, Inventory::default());
        assert_snapshot!(of_pulls(look(&case("```bash\ndocker pull alpine\n```\n"), Some(recorded))), @"a.md:2 NoOpPull: pulls `alpine`, which is there already: nothing is downloaded, whatever the text says");
    }

    #[test]
    fn a_cleanup_that_leaves_things_is_told() {
        let text = "```bash\ndocker volume create a\n```\n\n## Clean up\n\n```bash\ndocker system prune -f\n```\n";
        for (volumes, images) in [(0, 0), (1, 0), (2, 0), (1, 3)] {
            let left = Inventory {
                volumes,
                images,
                ..Inventory::default()
            };
            let said = look(
                &case(text),
                Some(recorded("step-1", "docker volume create a", "a\n", left)),
            );
            let wanted = match (volumes, images) {
                (0, 0) => "",
                (1, 0) => "a.md:7 IncompleteCleanup: after the cleanup 1 volume is left",
                (2, 0) => "a.md:7 IncompleteCleanup: after the cleanup 2 volumes are left",
                _ => "a.md:7 IncompleteCleanup: after the cleanup 3 images and 1 volume are left",
            };
            assert_eq!(said, wanted);
        }
        let left = Inventory {
            volumes: 1,
            ..Inventory::default()
        };
        let without = "```bash\ndocker volume create a\n```\n";
        let recorded = recorded("step-1", "docker volume create a", "a\n", left);
        assert_eq!(look(&case(without), Some(recorded)), "");
    }

    #[test]
    fn topics_have_names_for_programs() {
        let name = |it: Topic| serde_json::to_string(&it).unwrap();
        assert_eq!(name(Topic::NoOpPull), "\"no-op-pull\"");
        assert_eq!(name(Topic::UnboundPlaceholder), "\"unbound-placeholder\"");
    }

    #[track_caller]
    fn count(case: &Case<'_>) -> String {
        let subject = subject(case, None);
        let counted = coverage(&subject.exercise, &subject.plan);
        let uncovered: Vec<String> = counted
            .uncovered
            .iter()
            .map(|it| format!("\n{} {}", it.line, it.title))
            .collect();
        format!("{}{}", coverage::in_words(&counted), uncovered.concat())
    }

    #[test]
    fn a_task_is_covered_when_all_of_its_steps_run() {
        let text = "# A\n\nText.\n\n```bash\ndocker ps\n```\n\n## Prose only\n\nText.\n\n## One\n\n```bash\ndocker ps\n```\n\n```bash skip\ndocker ps\n```\n\n\
                    ## Two\n\nYour task: more.\n\n## Three\n\n```bash\nkubectl get pods\n```\n\n## Cleanup\n\n```bash\ndocker rm -f a\n```\n";
        assert_snapshot!(count(&case(text)), @"
        1 of 4 tasks covered, 3 steps run, 2 skipped (1 by the author, 1 out of scope)
        13 One
        23 Two
        27 Three
        ");
        let copy =
            "## Two\n\n```bash\ndocker ps\n```\n\n## One\n\n<!-- rehearse: step 2 fails -->\n";
        assert_snapshot!(count(&Case { copy: Some(copy), ..case(text) }), @"
        2 of 4 tasks covered, 4 steps run, 2 skipped (1 by the author, 1 out of scope)
        13 One
        27 Three
        ");
    }

    #[test]
    fn values_come_from_the_chapter_before_the_book_and_the_environment() {
        let mut with = case(
            "<!-- rehearse: value tag=\"2 0\" -->\n\n```bash\ndocker pull <image>:<tag>\ndocker login -p <my-token> x\n```\n\n```bash\ndocker login -p <no-token>\n```\n",
        );
        let table = json!({ "values": { "tag": "1.0", "image": "alpine", "my-token": { "env": "TOKEN" }, "no-token": { "env": "NONE" } } });
        with.config = config::parse(&table).unwrap();
        assert_eq!(
            with.config.values["my-token"],
            Supplied::Environment("TOKEN".to_string())
        );
        let environment = |name: &str| (name == "TOKEN").then(|| "secret".to_string());
        let around = Circumstances {
            environment: &environment,
            ..Circumstances::bare(&with.config)
        };
        let (exercise, _) = read(&with);
        let (plan, problems) = plan::plan(&exercise.unwrap(), around);
        let values: Vec<String> = plan
            .values
            .iter()
            .map(|it| format!("{}={}", it.0, it.1))
            .collect();
        let problems: Vec<String> = problems
            .iter()
            .map(|it| format!("{}: {}", it.line, it.message))
            .collect();
        assert_snapshot!(format!("{}\nsecret: {:?}\n{}", values.join("\n"), plan.secrets, problems.join("\n")), @r#"
        image=alpine
        my-token=secret
        tag=2 0
        secret: {"my-token"}
        9: step is skipped: `<no-token>` needs a value; give it one with `<!-- rehearse: value no-token=… -->` or `[preprocessor.rehearse.values]`, or write `skip="why"` after the fence's language
        "#);
    }

    #[test]
    fn what_a_chapter_says_itself_is_no_secret() {
        let mut with = case("<!-- rehearse: value token=open -->\n\n```bash\necho <token>\n```\n");
        with.config = config::parse(&json!({ "values": { "token": { "env": "TOKEN" } } })).unwrap();
        let around = Circumstances {
            environment: &|_| Some("secret".to_string()),
            ..Circumstances::bare(&with.config)
        };
        let plan = plan::plan(&read(&with).0.unwrap(), around).0;
        assert_eq!(plan.values["token"], "open");
        assert!(plan.secrets.is_empty());
    }
}
