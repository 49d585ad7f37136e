//! What the agent does as a person does at a keyboard: hand over input, sit at a terminal, press Ctrl-C, leave things
//! running, look whether a server answers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use mdbook_rehearse::sandbox::wire::{End, Order, Report, Streams};

use crate::{Agent, PATIENCE, nothing_to_read, program};

impl Agent {
    fn with_input(&mut self, script: &str, input: &str) -> String {
        let input = input.as_bytes().to_vec();
        let id = self.begin(script, Streams::Pipe { input }, PATIENCE, Duration::ZERO);
        assert_eq!(self.done(), Ok(End::Exited(0)), "{script}");
        self.output(id)
    }

    /// Runs a command at a terminal.
    fn at_terminal(&mut self, script: &str) -> u32 {
        self.begin(script, Streams::Terminal, PATIENCE, Duration::ZERO)
    }

    fn type_at(&mut self, id: u32, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.order(&Order::Type { id, bytes });
    }

    /// Waits until a command has printed something.
    #[track_caller]
    fn wait_for(&mut self, id: u32, text: &str) {
        while !self.output(id).contains(text) {
            self.hear().unwrap();
        }
    }

    /// Opens a command beside the shell; gives its number.
    #[track_caller]
    fn open(&mut self, script: &str, streams: Streams) -> u32 {
        self.last_command += 1;
        let id = self.last_command;
        let script = script.as_bytes().to_vec();
        self.order(&Order::Open {
            id,
            streams,
            script,
        });
        assert_eq!(self.done(), Ok(End::Exited(0)));
        id
    }

    /// The status of an opened command at its end.
    #[track_caller]
    fn closed(&mut self, id: u32) -> Option<i32> {
        while !self.closed.contains_key(&id) {
            self.hear().unwrap();
        }
        self.closed[&id]
    }

    /// Presses Ctrl-C as soon as a command has printed `begun`; what it printed then, how it ended, and whether it was
    /// interrupted.
    #[track_caller]
    fn interrupted(&mut self, script: &str, streams: Streams) -> String {
        let id = self.begin(script, streams, PATIENCE, PATIENCE);
        self.wait_for(id, "begun");
        self.order(&Order::Interrupt { id });
        self.ending(id)
    }

    /// What a command printed after `begun`, how it ends, and whether it was interrupted.
    #[track_caller]
    fn ending(&mut self, id: u32) -> String {
        loop {
            if let Report::Done {
                end, interrupted, ..
            } = self.hear().unwrap()
            {
                let how = if interrupted {
                    "interrupted"
                } else {
                    "on its own"
                };
                let output = self.output(id).replace('\r', "");
                let output = output.trim_start_matches("begun\n");
                return format!("{output}{end:?}, {how}");
            }
        }
    }

    /// Asks for a page; whether there is a server, and the page's status.
    fn probe(&mut self, port: u16, path: &str) -> (bool, u16) {
        let path = path.to_owned();
        self.order(&Order::Probe { port, path });
        match self.report() {
            Ok(Report::Probed { listens, status }) => (listens, status),
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[test]
fn a_command_reads_its_input_and_no_other_does() {
    let mut agent = Agent::start(|_| {});
    assert_eq!(agent.with_input("cat", "one\ntwo"), "one\ntwo");
    let script = "read a; read b; echo \"$b $a\"; read c || echo end";
    assert_eq!(agent.with_input(script, "one\ntwo\n"), "two one\nend\n");
    let long = "x".repeat(3 << 20);
    assert_eq!(agent.with_input("wc -c", &long), "3145728\n");
    assert_eq!(agent.run("cat; echo $a", PATIENCE), Ok(End::Exited(0)));
    assert_eq!(agent.output(4), "one\n");
}

#[test]
fn a_terminal_is_one_and_leaves_no_trace_in_the_shell() {
    let mut agent = Agent::start(|_| {});
    let script = "[ -t 0 ] && [ -t 1 ] && [ -t 2 ]; echo $?; stty size; cd /; x=1; declare y=2; export z=3; a=(p q); f() { echo f; }";
    let id = agent.at_terminal(script);
    assert_eq!(agent.done(), Ok(End::Exited(0)));
    assert_eq!(agent.output(id), "0\r\n40 120\r\n");
    let script = "pwd; echo $x $y $z ${a[1]} $(f); env | grep '^[xyz]='; [ -t 0 ] || [ -t 1 ] || echo none; exit 3";
    agent.run(script, PATIENCE).unwrap();
    assert_eq!(agent.output(2), "/\n1 2 3 q f\nz=3\nnone\n");
}

#[test]
fn what_is_typed_is_read_and_echoed_as_the_terminal_says() {
    let mut agent = Agent::start(|_| {});
    let script = "read -p 'name: ' name; read -s -p 'password: ' word; echo; echo \"$name $word\"; cat; echo end";
    let id = agent.at_terminal(script);
    agent.wait_for(id, "name: ");
    agent.type_at(id, "me\n");
    agent.wait_for(id, "password: ");
    agent.type_at(id, "secret\n");
    agent.wait_for(id, "me secret");
    agent.type_at(id, "line\n\u{4}");
    assert_eq!(agent.done(), Ok(End::Exited(0)));
    assert_snapshot!(agent.output(id).replace('\r', ""), @"
    name: me
    password: 
    me secret
    line
    line
    end
    ");
    // Nobody is there any more, and nothing comes of it.
    agent.type_at(id, "late\n");
    assert_eq!(agent.run("echo $name", PATIENCE), Ok(End::Exited(0)));
    assert_eq!(agent.output(2), "me\n");
}

#[test]
fn all_that_was_printed_at_a_terminal_comes_before_its_end() {
    let mut agent = Agent::start(|_| {});
    for _ in 0..20 {
        let id = agent.at_terminal("seq 1 2000");
        assert_eq!(agent.done(), Ok(End::Exited(0)));
        let output = agent.output(id);
        assert_eq!(output.lines().count(), 2000);
        assert!(output.ends_with("\r\n2000\r\n"));
    }
}

#[test]
fn late_output_at_a_terminal_belongs_to_its_command() {
    let mut agent = Agent::start(|_| {});
    let id = agent.at_terminal("mkfifo gate; { read x <gate; echo late; } & echo early");
    assert_eq!(agent.done(), Ok(End::Exited(0)));
    agent.run("echo > gate; wait", PATIENCE).unwrap();
    agent.wait_for(id, "late");
    assert_eq!(agent.output(id), "early\r\nlate\r\n");
    assert_eq!(agent.output(2), "");
}

#[test]
fn more_is_typed_than_a_terminal_takes_at_once() {
    let mut agent = Agent::start(|_| {});
    let id = agent.at_terminal("stty -echo -icanon; echo ready; sleep 1; head -c 100000 | wc -c");
    agent.wait_for(id, "ready");
    agent.type_at(id, &"x".repeat(100_000));
    assert_eq!(agent.done(), Ok(End::Exited(0)));
    assert_eq!(agent.output(id), "ready\r\n100000\r\n");
}

#[test]
fn a_prompt_after_a_long_output_is_not_held_back() {
    let mut agent = Agent::start(|start| start.output_limit = 100);
    let id = agent.at_terminal("seq 1 9999; read -p '? ' x; seq 1 9; read -p '! ' x");
    agent.wait_for(id, "? ");
    let begin = agent.output(id).len();
    assert!(begin < most_shown(100) && agent.output(id).contains("bytes omitted"));
    agent.type_at(id, "a\n");
    agent.wait_for(id, "! ");
    assert_eq!(
        &agent.output(id)[begin..],
        "a\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\n! "
    );
    agent.type_at(id, "b\n");
    assert_eq!(agent.done(), Ok(End::Exited(0)));
}

#[test]
fn an_endless_printer_at_a_terminal_meets_its_limits() {
    let mut agent = Agent::start(|start| start.output_limit = 1000);
    let id = agent.begin(
        "yes",
        Streams::Terminal,
        Duration::from_secs(2),
        Duration::ZERO,
    );
    assert_eq!(agent.done(), Ok(End::TimedOut));
    assert!(agent.output(id).len() < most_shown(1000));
}

#[test]
fn an_interrupt_ends_the_command_and_not_the_shell() {
    let mut agent = Agent::start(|_| {});
    agent.run("sleep 600 & x=kept", PATIENCE).unwrap();
    let pipe = nothing_to_read;
    // By itself, in a subshell, as a pipeline, and one that takes it as a wish to end well.
    let ends = [
        agent.interrupted("echo begun; sleep 600", pipe()),
        agent.interrupted("(echo begun; sleep 600; echo never)", pipe()),
        agent.interrupted("sleep 600 | { echo begun >&2; cat; }", pipe()),
        agent.interrupted(
            "sh -c 'trap \"echo bye; exit 3\" INT; sleep 600 & echo begun; wait'",
            pipe(),
        ),
        agent.interrupted("echo begun; sleep 600", Streams::Terminal),
    ];
    assert_snapshot!(ends.join("\n"), @"
    Exited(130), interrupted
    Exited(130), interrupted
    Exited(130), interrupted
    bye
    Exited(3), interrupted
    Exited(130), interrupted
    ");
    agent.run("echo $x $(jobs -r); trap", PATIENCE).unwrap();
    assert_eq!(agent.output(7), "kept [1]+ Running sleep 600 &\n");
}

#[test]
fn a_command_is_interrupted_after_its_time_and_not_before_it_has_begun() {
    let mut agent = Agent::start(|_| {});
    // What one leaves as its status is set again before the next, and that is not what is interrupted.
    agent.run("false", PATIENCE).unwrap();
    for streams in [nothing_to_read(), Streams::Terminal] {
        for script in ["sleep 600", "while :; do :; done", "read line <gate"] {
            agent
                .run("[ -p gate ] || mkfifo gate; false", PATIENCE)
                .unwrap();
            let id = agent.begin(script, streams.clone(), PATIENCE, Duration::from_millis(1));
            assert_eq!(agent.ending(id), "Exited(130), interrupted", "{script}");
        }
    }
    let id = agent.begin("echo quick", nothing_to_read(), PATIENCE, PATIENCE);
    assert_eq!(agent.ending(id), "quick\nExited(0), on its own");
}

#[test]
fn an_interrupt_is_pressed_once_for_what_ends_well() {
    let mut agent = Agent::start(|_| {});
    // What it begins on its way out, for longer than the shell gets to follow it, is not interrupted either.
    let cleanup =
        "trap 'trap \"echo again\" INT; sleep 0.5; sh -c \"sleep 0.1; echo cleaned\"; exit 3' INT";
    let script = format!(
        "sh -c '{}; echo begun; while :; do sleep 0.1; done'",
        cleanup.replace('\'', "'\\''")
    );
    for _ in 0..3 {
        let end = agent.interrupted(&script, nothing_to_read());
        assert_eq!(end, "cleaned\nExited(3), interrupted");
    }
    let id = agent.open(&script, nothing_to_read());
    agent.wait_for(id, "begun");
    agent.order(&Order::Interrupt { id });
    assert_eq!(agent.closed(id), Some(3));
    assert_eq!(agent.output(id), "begun\ncleaned\n");
}

#[test]
fn an_interrupt_ends_a_loop_of_the_shell() {
    let mut agent = Agent::start(|_| {});
    for script in [
        "echo begun; while true; do sleep 0.01; done; echo never",
        "sleep 600 & echo begun; while :; do :; done; echo never",
        "echo begun; for i in 1 2 3; do sleep 600; done; echo never",
    ] {
        let end = agent.interrupted(script, nothing_to_read());
        assert_eq!(end, "Exited(130), interrupted", "{script}");
    }
    assert_eq!(agent.run("echo alive", PATIENCE), Ok(End::Exited(0)));
}

#[test]
fn what_ignores_an_interrupt_is_killed_after_its_grace() {
    let mut agent = Agent::start(|_| {});
    let began = Instant::now();
    let end = agent.interrupted(
        "bash -c 'trap \"\" INT; echo begun; sleep 600; true'",
        nothing_to_read(),
    );
    assert_eq!(end, "Exited(130), interrupted");
    assert!(began.elapsed() >= mdbook_rehearse::sandbox::wire::GRACE);
    assert_eq!(agent.run("echo alive", PATIENCE), Ok(End::Exited(0)));
}

#[test]
fn signals_are_heard_where_the_agent_was_started_deaf_to_them() {
    let mut deaf = Command::new("sh");
    deaf.args(["-c", "trap '' HUP INT QUIT TSTP TTIN TTOU; exec \"$0\""]);
    deaf.arg(program());
    let mut agent = Agent::start_by(deaf, |_| {});
    let script = "for it in HUP INT QUIT; do sh -c 'kill -$0 $$' $it; echo $?; done 2>/dev/null";
    agent.run(script, PATIENCE).unwrap();
    assert_eq!(agent.output(1), "129\n130\n131\n");
}

#[test]
fn an_interrupt_is_typed_where_a_program_reads_letters() {
    let mut agent = Agent::start(|_| {});
    let script = "stty raw -echo; printf 'begun\\n'; key=$(head -c 1 | od -An -tu1); stty sane; echo key $key";
    let end = agent.interrupted(script, Streams::Terminal);
    assert_eq!(end, "key 3\nExited(0), interrupted");
}

#[test]
fn an_opened_command_has_the_shell_as_it_was_and_leaves_it_alone() {
    let mut agent = Agent::start(|_| {});
    agent
        .run(
            "mkdir inner; cd inner; x=1; f() { echo \"f $1\"; }; (exit 5)",
            PATIENCE,
        )
        .unwrap();
    let script = "f \"$x $?\"; pwd | sed 's/.*work/WORK/'; read line; echo got $line; x=2; cd /; echo $-; exit 7";
    let input = b"in\n".to_vec();
    let id = agent.open(script, Streams::Pipe { input });
    assert_eq!(agent.closed(id), Some(7));
    assert_snapshot!(agent.output(id), @"
    f 1 0
    WORK/inner
    got in
    hBs
    ");
    agent
        .run("echo $x ${PWD##*/} [$!] [$(jobs)]", PATIENCE)
        .unwrap();
    assert_eq!(agent.output(3), "1 inner [] []\n");
}

#[test]
fn the_shell_goes_on_beside_an_opened_command() {
    let mut agent = Agent::start(|_| {});
    let id = agent.open(
        "mkfifo gate; echo open; cat gate; exec sh -c 'kill -9 $$'",
        nothing_to_read(),
    );
    agent.wait_for(id, "open");
    assert_eq!(agent.run("wait; echo beside", PATIENCE), Ok(End::Exited(0)));
    assert!(agent.closed.is_empty());
    agent.run("echo through >gate", PATIENCE).unwrap();
    assert_eq!(agent.closed(id), Some(137));
    assert_eq!(agent.output(id), "open\nthrough\n");
}

#[test]
fn an_opened_command_is_closed_when_all_that_prints_for_it_has_ended() {
    let mut agent = Agent::start(|_| {});
    let id = agent.open(
        "mkfifo gate; { cat gate; echo last; } & exec sh -c 'echo first; exit 4'",
        nothing_to_read(),
    );
    agent.wait_for(id, "first");
    agent.run("sleep 0.3", PATIENCE).unwrap();
    assert!(agent.closed.is_empty());
    agent.run("echo through >gate", PATIENCE).unwrap();
    assert_eq!(agent.closed(id), Some(4));
    assert_eq!(agent.output(id), "first\nthrough\nlast\n");
}

#[test]
fn opened_commands_end_by_an_interrupt() {
    let mut agent = Agent::start(|_| {});
    let ids = [
        agent.open("echo begun; sleep 600", nothing_to_read()),
        agent.open("echo begun; sleep 600", Streams::Terminal),
        agent.open(
            "trap 'echo bye; exit 3' INT; echo begun; while :; do sleep 0.1; done",
            nothing_to_read(),
        ),
        agent.open(
            "stty raw -echo; echo begun; head -c 1 | od -An -tu1; stty sane; exit 5",
            Streams::Terminal,
        ),
    ];
    for id in ids {
        agent.wait_for(id, "begun");
        agent.order(&Order::Interrupt { id });
    }
    let ends: Vec<_> = ids.iter().map(|it| agent.closed(*it)).collect();
    assert_eq!(ends, [Some(130), Some(130), Some(3), Some(5)]);
    assert_eq!(agent.output(ids[2]), "begun\nbye\n");
    assert_eq!(agent.output(ids[3]), "begun\n   3\n");
    assert_eq!(agent.run("echo alive", PATIENCE), Ok(End::Exited(0)));
}

#[test]
fn one_types_at_an_opened_terminal_between_commands() {
    let mut agent = Agent::start(|_| {});
    let id = agent.open("PS1='ready> ' sh -i", Streams::Terminal);
    agent.wait_for(id, "ready> ");
    agent.type_at(id, "x=typed; echo $((6*7))\n");
    agent.wait_for(id, "42");
    assert_eq!(agent.run("echo between", PATIENCE), Ok(End::Exited(0)));
    agent.type_at(id, "echo still $((7*7)) $x; exit 9\n");
    agent.wait_for(id, "still 49 typed");
    assert_eq!(agent.closed(id), Some(9));
}

#[test]
fn a_shell_that_ends_takes_no_opened_command_with_it() {
    let mut agent = Agent::start(|_| {});
    let id = agent.open("mkfifo gate; echo open; cat gate", nothing_to_read());
    agent.wait_for(id, "open");
    assert_eq!(agent.run("exit 3", PATIENCE), Ok(End::ShellExited(3)));
    std::fs::write(agent.workspace().join("gate"), "through\n").unwrap();
    assert_eq!(agent.closed(id), Some(0));
    assert_eq!(agent.output(id), "open\nthrough\n");
}

#[test]
fn a_server_is_asked_whether_it_listens_and_for_a_page() {
    let mut agent = Agent::start(|_| {});
    let (silent, hanging) = (listener(), listener());
    let server = listener();
    let (silent_port, hanging_port, port) = (of(&silent), of(&hanging), of(&server));
    std::thread::spawn(move || {
        // As a published port without a server behind it does.
        for stream in hanging.incoming() {
            drop(stream);
        }
    });
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 512];
            let n = stream.read(&mut request).unwrap_or(0);
            let status = match request[..n].starts_with(b"GET /there ") {
                true => "200 OK",
                false => "404 Not Found",
            };
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\npage").as_bytes());
        }
    });
    let closed_port = of(&listener());
    assert_eq!(agent.probe(closed_port, ""), (false, 0));
    assert_eq!(agent.probe(closed_port, "/"), (false, 0));
    assert_eq!(agent.probe(hanging_port, ""), (false, 0));
    assert_eq!(agent.probe(hanging_port, "/"), (false, 0));
    assert_eq!(agent.probe(port, ""), (true, 0));
    assert_eq!(agent.probe(port, "/there"), (true, 200));
    assert_eq!(agent.probe(port, "/other"), (true, 404));
    let began = Instant::now();
    assert_eq!(agent.probe(silent_port, ""), (true, 0));
    assert_eq!(agent.probe(silent_port, "/"), (true, 0));
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// The most that is shown of what prints at a terminal without end: half of the limit, with a line about what was left out,
/// at first, at each of 16 pauses that a busy machine may give it, and at the end.
fn most_shown(limit: usize) -> usize {
    18 * (limit / 2 + 40)
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn of(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}
