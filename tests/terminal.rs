//! Terminals that stay open, against a real engine and the stand-ins: shells and programs in containers, and what is typed
//! there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::config;
use mdbook_rehearse::exercise::Role;
use mdbook_rehearse::plan::{Input, Lasts, Manner, Plan, PlannedCommand, PlannedStep};
use mdbook_rehearse::sandbox::{self, Surroundings};
use mdbook_rehearse::transcript::{CommandTranscript, Ending};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is typed at a terminal.
#[derive(Clone, Copy)]
struct Typed<'a> {
    text: &'a str,
    limit: Duration,
    interrupt: Option<Duration>,
}

/// Opens a command at a terminal, types there, and writes down what a reader would see.
#[track_caller]
fn check(script: &str, texts: &[&str]) -> String {
    let typed: Vec<Typed<'_>> = texts.iter().map(|it| typed(it)).collect();
    show(&talk(script, &[], &typed))
}

fn typed(text: &str) -> Typed<'_> {
    Typed {
        text,
        limit: PATIENCE,
        interrupt: None,
    }
}

/// Opens a command and types; what came of each.
#[track_caller]
fn talk(script: &str, lines: &[String], typed: &[Typed<'_>]) -> Vec<CommandTranscript> {
    let opening = Manner {
        input: Input::Terminal(lines.to_vec()),
        lasts: Lasts::Opens("box".to_owned()),
        ..Manner::default()
    };
    let mut steps = vec![step(script, opening, PATIENCE)];
    for it in typed {
        let manner = Manner {
            inside: Some("box".to_owned()),
            lasts: it.interrupt.map_or(Lasts::ToItsEnd, Lasts::For),
            ..Manner::default()
        };
        steps.push(step(it.text, manner, it.limit));
    }
    rehearse(steps)
}

/// Runs a command at a terminal with answers; what is seen, and its end.
#[track_caller]
fn answered(script: &str, lines: &[String]) -> (String, Ending) {
    let manner = Manner {
        input: Input::Terminal(lines.to_vec()),
        ..Manner::default()
    };
    let mut ran = rehearse(vec![step(script, manner, PATIENCE)]);
    let ran = ran.remove(0);
    (String::from_utf8(ran.output).unwrap(), ran.ending)
}

/// A step that runs whatever came of those before it.
fn step(text: &str, manner: Manner, timeout: Duration) -> PlannedStep {
    let command = PlannedCommand {
        manner,
        ..PlannedCommand::plain(1, text)
    };
    PlannedStep {
        role: Role::Cleanup,
        commands: vec![command],
        timeout,
        ..PlannedStep::default()
    }
}

#[track_caller]
fn rehearse(steps: Vec<PlannedStep>) -> Vec<CommandTranscript> {
    let images = ["alpine", "busybox", "nginx", "postgres", "redis"];
    let images = images.map(|it| format!("docker.io/{it}.tar"));
    let table = json!({ "registries": { "docker.io": { "mode": "local", "images": images } } });
    let config = config::parse(&table).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if runtime.block_on(sandbox::outer_engine()).is_err() {
        panic!("no Docker engine answers; start one with `make engine`");
    }
    if !stand_ins().join("built.json").exists() {
        panic!("the stand-ins are missing; make them with `make stand-ins`");
    }
    let plan = Plan {
        chapter: "a.md".to_owned(),
        timeout: 4 * PATIENCE,
        steps,
        ..Plan::default()
    };
    let root = stand_ins();
    let surroundings = Surroundings {
        root: &root,
        build_folder: &root.join("book"),
    };
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let run = sandbox::rehearse(&plan, &config, surroundings, &|_| {}, stop);
    let transcript = runtime.block_on(run).unwrap();
    let steps = transcript.steps.into_iter();
    steps.flat_map(|it| it.commands).collect()
}

fn stand_ins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/stand-ins")
}

fn show(ran: &[CommandTranscript]) -> String {
    let mut shown = String::new();
    for (idx, it) in ran.iter().enumerate() {
        let output = String::from_utf8_lossy(&it.output).replace('\x1b', "ESC");
        if idx > 0 {
            shown.push_str(&format!("> {}\n", it.text));
        }
        shown.push_str(&output);
        if !output.is_empty() && !output.ends_with('\n') {
            shown.push('\n');
        }
        if it.ending != Ending::Exited(0) {
            shown.push_str(&format!("[{:?}]\n", it.ending));
        }
    }
    let banner = regex::Regex::new("\n\nBusyBox v.*\nEnter .*\n\n").unwrap();
    banner.replace_all(&shown, "").into_owned()
}

/// Without the progress of a pull.
fn pulled(image: &str, command: &str) -> String {
    format!("docker pull -q {image} >/dev/null; {command}")
}

fn alpine() -> String {
    pulled("alpine", "docker run -it --rm alpine sh")
}

/// Bash with its line editor, in an image made of what the sandbox has.
fn bash() -> String {
    let files =
        "/bin/bash /bin/cat /bin/stty $(ldd /bin/bash /bin/cat | grep -o '/[^ :]* ' | sort -u)";
    let import = format!("tar -ch {files} 2>/dev/null | docker import - bash >/dev/null");
    format!("{import}; docker run -it --rm -w /etc bash /bin/bash --norc")
}

/// Commands whose outputs are the same in every shell.
const COMMANDS: [&str; 8] = [
    "cd /etc; x=1",
    "pwd; echo $x; false",
    "echo $?",
    "printf 'no end'",
    "for i in 1 2; do\n\techo \"it's $i!\"\ndone",
    "cat <<END\n  50% \\n ${x}\nEND",
    "printf 'a\\tb\\n\\033[31mred\\033[m 10%%\\r20%%\\n'",
    "[ -t 0 ] && stty size; y=kept",
];

#[track_caller]
fn check_commands(script: &str) -> (String, String) {
    let long: String = (0..300)
        .map(|it| format!("echo 'line -{it}!' >/dev/null\n"))
        .collect();
    let long = format!("{long}echo long");
    let mut texts = COMMANDS.to_vec();
    texts.extend(["for", "echo alive $y", &long]);
    let shown = check(script, &texts).replace(&long, "LONG");
    let (begin, rest) = shown.split_once("> for\n").unwrap();
    let (begin, rest) = (begin.split_once("[GoesOn]\n").unwrap().1, rest.to_owned());
    (begin.to_owned(), rest)
}

#[test]
fn a_shell_in_a_container_says_what_each_command_printed_and_its_status() {
    let (same, rest) = check_commands(&alpine());
    assert_snapshot!(same, @r#"
    > cd /etc; x=1
    > pwd; echo $x; false
    /etc
    1
    [Exited(1)]
    > echo $?
    1
    > printf 'no end'
    no end
    > for i in 1 2; do
    	echo "it's $i!"
    done
    it's 1!
    it's 2!
    > cat <<END
      50% \n ${x}
    END
      50% \n 1
    > printf 'a\tb\n\033[31mred\033[m 10%%\r20%%\n'
    a       b
    20% 10%
    > [ -t 0 ] && stty size; y=kept
    40 120
    "#);
    assert_snapshot!(rest, @"
    sh: eval: syntax error: bad for loop variable
    [Exited(2)]
    > echo alive $y
    alive kept
    > LONG
    long
    ");
    let dash = pulled("nginx", "docker run -it --rm nginx sh");
    let (output, rest) = check_commands(&dash);
    assert_eq!(output, same);
    assert_snapshot!(rest, @"
    sh: 1: eval: Syntax error: Bad for loop variable
    [Exited(2)]
    > echo alive $y
    alive kept
    > LONG
    long
    ");
    let (output, rest) = check_commands(&bash());
    assert_eq!(output, same);
    assert_snapshot!(rest, @"
    bash: syntax error near unexpected token `newline'
    [Exited(2)]
    > echo alive $y
    alive kept
    > LONG
    long
    ");
}

#[track_caller]
fn check_interrupts(script: &str) -> String {
    let soon = |text| Typed {
        interrupt: Some(Duration::from_secs(1)),
        ..typed(text)
    };
    let short = |text| Typed {
        limit: Duration::from_secs(2),
        ..typed(text)
    };
    let all = [
        soon("echo begun; while :; do :; done"),
        soon("cat"),
        typed("echo $?"),
        short("cat; echo never"),
        typed("echo alive"),
        soon("echo quick"),
        typed("exit 3"),
        typed("echo never"),
    ];
    let shown = show(&talk(script, &[], &all));
    shown.split_once("[GoesOn]\n").unwrap().1.to_owned()
}

#[test]
fn an_interrupt_and_a_limit_leave_the_shell_of_a_container() {
    let ash = check_interrupts(&alpine());
    assert_snapshot!(ash, @"
    > echo begun; while :; do :; done
    begun
    ^C
    [Interrupted]
    > cat
    ^C
    [Interrupted]
    > echo $?
    130
    > cat; echo never
    ^C
    [TimedOut]
    > echo alive
    alive
    > echo quick
    quick
    > exit 3
    > echo never
    the terminal `box` is closed
    [NotTyped]
    ");
    // Bash says that it goes.
    let bash = check_interrupts(&bash());
    assert_eq!(bash.replace("> exit 3\nexit\n", "> exit 3\n"), ash);
}

#[test]
fn a_program_that_draws_is_seen_as_it_was_left() {
    let top = Typed {
        interrupt: Some(Duration::from_secs(1)),
        ..typed("top")
    };
    let conversation = talk(&alpine(), &[], &[top, typed("echo alive")]);
    let output = String::from_utf8_lossy(&conversation[1].output).into_owned();
    assert_eq!(output.matches("Load average").count(), 1, "{output}");
    assert!(
        output.contains("PID  PPID USER") && !output.contains("\x1b[H"),
        "{output}"
    );
    assert_eq!(conversation[2].output, b"alive\n");
}

#[test]
fn a_shell_in_a_shell_takes_its_place_until_it_ends() {
    let texts = [
        "x=outer; sh -c 'PS1=\"in# \" exec sh'",
        "echo inner $x; cd /tmp; false",
        "echo $?",
        "exit 5",
        "echo $? $x",
        "exit",
    ];
    assert_snapshot!(check(&alpine(), &texts), @r#"
    [GoesOn]
    > x=outer; sh -c 'PS1="in# " exec sh'
    > echo inner $x; cd /tmp; false
    inner
    [Exited(1)]
    > echo $?
    1
    > exit 5
    [Exited(5)]
    > echo $? $x
    5 outer
    > exit
    "#);
}

#[test]
fn a_program_is_typed_at_line_by_line() {
    let redis = pulled(
        "redis",
        "docker run -d --name cache redis >/dev/null; sleep 1; docker exec -it cache redis-cli",
    );
    let texts = [
        "set greeting \"hello you\"",
        "get greeting\nget nothing",
        "select 1",
        "get greeting",
        "exit",
    ];
    assert_snapshot!(check(&redis, &texts), @r#"
    [GoesOn]
    > set greeting "hello you"
    OK
    > get greeting
    get nothing
    "hello you"
    (nil)
    > select 1
    OK
    > get greeting
    (nil)
    > exit
    "#);
    let ready = "until docker exec db psql -qU postgres -h localhost -c 'select 1' >/dev/null 2>&1; do sleep 0.2; done";
    let start = "docker run -d --name db -e POSTGRES_PASSWORD=x -e POSTGRES_HOST_AUTH_METHOD=trust postgres >/dev/null";
    let postgres = pulled(
        "postgres",
        &format!("{start}; {ready}; docker exec -it db psql -qU postgres"),
    );
    let texts = [
        "select 1 as one;",
        "create database shop;",
        "\\c shop",
        "select 2\n  as two;",
        "select oops;",
        "\\q",
    ];
    let shown = check(&postgres, &texts);
    assert_snapshot!(shown.split_once("> ").unwrap().1, @r#"
    select 1 as one;
     one 
    -----
       1
    (1 row)

    > create database shop;
    > \c shop
    > select 2
      as two;
     two 
    -----
       2
    (1 row)

    > select oops;
    ERROR:  column "oops" does not exist
    LINE 1: select oops;
                   ^
    > \q
    "#);
}

#[test]
fn an_opening_may_ask_first() {
    let command = "docker run -it --rm alpine sh -c 'read -s -p \"Password: \" x; echo; echo \"it is $x\"; exec sh'";
    let conversation = talk(
        &pulled("alpine", command),
        &["secret".to_owned()],
        &[typed("echo in")],
    );
    assert_snapshot!(show(&conversation), @"
    Password: 
    it is secret
    [GoesOn]
    > echo in
    in
    ");
}

#[test]
fn an_opening_may_end_without_a_prompt() {
    let script = pulled(
        "alpine",
        "docker run -it --rm alpine sh -c 'echo over; exit 4'",
    );
    assert_snapshot!(check(&script, &["echo never"]), @"
    over
    [Exited(4)]
    > echo never
    the terminal `box` is closed
    [NotTyped]
    ");
}

#[test]
fn a_program_without_a_prompt_is_done_when_it_says_no_more() {
    let script = pulled("alpine", "docker run -it --rm alpine cat");
    assert_snapshot!(check(&script, &["echo twice", "again"]), @"
    [GoesOn]
    > echo twice
    echo twice
    > again
    again
    ");
}

#[test]
fn a_command_is_answered_where_it_asks_and_gets_the_end_where_nobody_answers() {
    let asks = "docker system prune; docker run -it --rm alpine sh -c 'read -p \"Name: \" name; read -s -p \"Password: \" word; echo; echo \"$name $word\"; cat; echo over; exit 3'";
    let lines = ["n", "me", "secret"].map(str::to_owned);
    let (output, end) = answered(&pulled("alpine", asks), &lines);
    assert_snapshot!(format!("{output}{end:?}"), @r#"
    WARNING! This will remove:
      - all stopped containers
      - all networks not used by at least one container
      - all dangling images
      - unused build cache

    Are you sure you want to continue? [y/N] n
    Name: me
    Password: 
    me secret
    over
    Exited(3)
    "#);
    let (output, end) = answered("docker system prune", &[]);
    assert_snapshot!(format!("{output}{end:?}"), @r#"
    WARNING! This will remove:
      - all stopped containers
      - all networks not used by at least one container
      - all dangling images
      - unused build cache

    Are you sure you want to continue? [y/N] Exited(0)
    "#);
}

#[test]
fn what_only_looks_like_a_shell_costs_its_commands_their_time() {
    let script = pulled(
        "alpine",
        "docker run -it --rm alpine sh -c 'printf \"# \"; cat >/dev/null'",
    );
    let long = format!("echo {}", "x".repeat(3000));
    for text in ["echo short", &long] {
        let typed = Typed {
            limit: Duration::from_secs(1),
            ..typed(text)
        };
        let conversation = talk(&script, &[], &[typed]);
        let said = &conversation[1];
        assert!(said.output.is_empty() && said.took < Duration::from_secs(10));
        assert!(
            matches!(said.ending, Ending::TimedOut | Ending::Exited(0)),
            "{said:?}"
        );
    }
}
