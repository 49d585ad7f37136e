//! The agent's shell, against the bash of this machine and without an engine. The agent is built as its image builds it:
//! by plain `rustc`.

#[path = "agent/keyboard.rs"]
mod keyboard;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::sandbox::wire::{self, End, Order, Report, Start, Streams};
use proptest::prelude::*;
use tempfile::TempDir;

/// Far more than anything here takes; only a hang meets it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs commands one after the other in one shell and writes down what a reader would see: each command, what it printed
/// until the end, and how it ended unless with status 0.
#[track_caller]
fn check(commands: &[&str]) -> String {
    let mut agent = Agent::start(|_| {});
    let mut ends = Vec::new();
    for command in commands {
        let end = agent.run(command, PATIENCE);
        let is_last = !matches!(end, Ok(End::Exited(_)));
        ends.push(end);
        if is_last {
            break;
        }
    }
    let mut shown = String::new();
    for (idx, (command, end)) in commands.iter().zip(&ends).enumerate() {
        shown.push_str(&format!("$ {}\n", command.replace('\n', "\n> ")));
        let output = agent.output(idx as u32 + 1);
        shown.push_str(&output);
        if !output.is_empty() && !output.ends_with('\n') {
            shown.push('\n');
        }
        match end {
            Ok(End::Exited(0)) => {}
            Ok(end) => shown.push_str(&format!("[{end:?}]\n")),
            Err(message) => shown.push_str(&format!("[{message}]\n")),
        }
    }
    for (folder, word) in [(agent.scratch(), "SCRATCH"), (agent.workspace(), "WORK")] {
        shown = shown.replace(&folder.display().to_string(), word);
    }
    shown
}

/// A running agent.
struct Agent {
    child: Child,
    stdin: Option<ChildStdin>,
    reports: Receiver<Report>,
    folder: TempDir,
    outputs: BTreeMap<u32, Vec<u8>>,
    closed: BTreeMap<u32, Option<i32>>,
    last_command: u32,
}

impl Agent {
    #[track_caller]
    fn start(change: impl FnOnce(&mut Start)) -> Agent {
        Agent::start_by(Command::new(program()), change)
    }

    #[track_caller]
    fn start_by(command: Command, change: impl FnOnce(&mut Start)) -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let mut agent = Agent::spawn(command, folder);
        assert_eq!(
            agent.report().unwrap(),
            Report::Hello {
                version: wire::VERSION
            }
        );
        let mut start = Start {
            scratch: agent.scratch().display().to_string(),
            workspace: agent.workspace().display().to_string(),
            environment: vec!["PATH=/usr/bin:/bin".to_string(), "LANG=C".to_string()],
            output_limit: 1 << 20,
            lifetime: 120_000,
            ..Start::default()
        };
        change(&mut start);
        agent.order(&Order::Start(start));
        assert!(matches!(agent.report().unwrap(), Report::Ready { .. }));
        agent
    }

    fn spawn(mut command: Command, folder: TempDir) -> Agent {
        fs::create_dir(folder.path().join("work")).unwrap();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, reports) = channel();
        std::thread::spawn(move || {
            use std::io::Read;
            let (mut buffer, mut bytes) = (Vec::new(), vec![0; 1 << 16]);
            while let Ok(n @ 1..) = stdout.read(&mut bytes) {
                buffer.extend(&bytes[..n]);
                while let Some(frame) = wire::take_frame(&mut buffer).unwrap() {
                    let _ = sender.send(wire::parse_report(&frame).unwrap());
                }
            }
        });
        Agent {
            stdin: child.stdin.take(),
            child,
            reports,
            folder,
            outputs: BTreeMap::new(),
            closed: BTreeMap::new(),
            last_command: 0,
        }
    }

    fn scratch(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn order(&mut self, order: &Order) {
        wire::write_order(self.stdin.as_mut().unwrap(), order).unwrap();
    }

    /// The next report; an error is the agent's own, or that it went away.
    #[track_caller]
    fn report(&mut self) -> Result<Report, String> {
        match self.reports.recv_timeout(PATIENCE) {
            Ok(Report::Failed { message }) => Err(message),
            Ok(report) => Ok(report),
            Err(error) => Err(format!("no report: {error}")),
        }
    }

    #[track_caller]
    fn run(&mut self, script: &str, timeout: Duration) -> Result<End, String> {
        self.begin(script, nothing_to_read(), timeout, Duration::ZERO);
        self.done()
    }

    /// Begins to run a command; gives its number.
    fn begin(
        &mut self,
        script: &str,
        streams: Streams,
        timeout: Duration,
        interrupt: Duration,
    ) -> u32 {
        self.last_command += 1;
        self.order(&Order::Run {
            id: self.last_command,
            timeout: timeout.as_millis() as u64,
            interrupt: interrupt.as_millis() as u64,
            streams,
            script: script.as_bytes().to_vec(),
        });
        self.last_command
    }

    /// How the running command ends.
    #[track_caller]
    fn done(&mut self) -> Result<End, String> {
        loop {
            if let Report::Done { id, end, .. } = self.hear()? {
                assert_eq!(id, self.last_command);
                return Ok(end);
            }
        }
    }

    /// The next report, with what it says of outputs and ends taken in.
    #[track_caller]
    fn hear(&mut self) -> Result<Report, String> {
        let report = self.report()?;
        match &report {
            Report::Output { id, bytes } => self.outputs.entry(*id).or_default().extend(bytes),
            Report::Closed { id, status } => drop(self.closed.insert(*id, *status)),
            Report::Done { .. } => {}
            report => panic!("unexpected {report:?}"),
        }
        Ok(report)
    }

    fn output(&self, id: u32) -> String {
        let bytes = self.outputs.get(&id).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn unpack(&mut self, archive: &[u8]) -> String {
        for piece in archive.chunks(1 << 20) {
            self.order(&Order::Files(piece.to_vec()));
        }
        self.order(&Order::Files(Vec::new()));
        match self.report() {
            Ok(Report::Unpacked { message }) => message,
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The most memory that the agent ever had, in KiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        line.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // What a command left behind outlives an agent that is no PID 1, but not in its session.
        drop(self.stdin.take());
        let below = descendants(self.child.id());
        for pid in below.into_iter().chain(living_in(self.folder.path())) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// A pipe out, and in nothing.
fn nothing_to_read() -> Streams {
    Streams::Pipe { input: Vec::new() }
}

/// All processes below one.
fn descendants(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children: Vec<u32> = children
        .unwrap_or_default()
        .split_whitespace()
        .map(|it| it.parse().unwrap())
        .collect();
    let below = children.iter().flat_map(|it| descendants(*it));
    let below: Vec<u32> = below.collect();
    children.into_iter().chain(below).collect()
}

/// All processes whose working folder is in this one: what an agent that has ended left behind has no parent to be found by.
fn living_in(folder: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lives_there = |it: &fs::DirEntry| {
        fs::read_link(it.path().join("cwd")).is_ok_and(|it| it.starts_with(folder))
    };
    processes
        .filter(lives_there)
        .filter_map(|it| it.file_name().to_str()?.parse().ok())
        .collect()
}

/// The agent, built once for all tests.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/agent.rs");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = folder.join("agent");
        // Built under a name of this process, so that two test runs do not write to one file.
        let fresh = folder.join(format!("agent-{}", std::process::id()));
        let status = Command::new("rustc")
            .args(["--edition", "2021", "-O", "-A", "dead_code", "-o"])
            .args([&fresh, &source])
            .status();
        assert!(status.unwrap().success(), "rustc failed");
        fs::rename(fresh, &program).unwrap();
        program
    })
}

#[test]
fn b04_state_goes_from_command_to_command() {
    assert_snapshot!(check(&[
        "mkdir inner; cd inner; pwd",
        "pwd; name='two words' list=(a b c)",
        "echo \"$name\" \"${list[1]}\" ${#list[@]}; greet() { echo \"hello $1\"; }",
        "greet you; alias loud='echo LOUD'",
        "loud voice; umask 027",
        "umask; shopt -s extglob nullglob; readonly fixed=1",
        "shopt -q extglob && echo extglob; echo *.none; fixed=2",
        "echo still $fixed; export SHOWN=yes; exec 7>seven; set -o pipefail",
        "env | grep SHOWN; echo seven >&7; cat seven; false | true",
        "pushd / >/dev/null; dirs; cd - >/dev/null; hash -r; echo $OLDPWD",
    ]), @r#"
    $ mkdir inner; cd inner; pwd
    WORK/inner
    $ pwd; name='two words' list=(a b c)
    WORK/inner
    $ echo "$name" "${list[1]}" ${#list[@]}; greet() { echo "hello $1"; }
    two words b 3
    $ greet you; alias loud='echo LOUD'
    hello you
    $ loud voice; umask 027
    LOUD voice
    $ umask; shopt -s extglob nullglob; readonly fixed=1
    0027
    $ shopt -q extglob && echo extglob; echo *.none; fixed=2
    extglob

    SCRATCH/7: line 1: fixed: readonly variable
    [Exited(1)]
    $ echo still $fixed; export SHOWN=yes; exec 7>seven; set -o pipefail
    still 1
    $ env | grep SHOWN; echo seven >&7; cat seven; false | true
    SHOWN=yes
    seven
    [Exited(1)]
    $ pushd / >/dev/null; dirs; cd - >/dev/null; hash -r; echo $OLDPWD
    / WORK/inner
    /
    "#);
}

#[test]
fn b01_exit_ends_the_shell_with_its_status() {
    assert_snapshot!(check(&["echo before; exit 3", "echo never"]), @r#"
    $ echo before; exit 3
    before
    [ShellExited(3)]
    "#);
}

#[test]
fn b02_exec_ends_the_shell() {
    assert_snapshot!(check(&["exec sh -c 'echo other program; exit 5'", "echo never"]), @r#"
    $ exec sh -c 'echo other program; exit 5'
    other program
    [ShellExited(5)]
    "#);
}

#[test]
fn b03_set_e_ends_the_shell_at_the_failing_command() {
    assert_snapshot!(check(&["set -e", "! true || echo alive", "echo on; (exit 2); echo never"]), @r#"
    $ set -e
    $ ! true || echo alive
    alive
    $ echo on; (exit 2); echo never
    on
    [ShellExited(2)]
    "#);
    // Not as at a prompt, where bash knows that a negation is no failure: it is one command to the driver.
    assert_snapshot!(check(&["set -e", "! true", "echo never"]), @r#"
    $ set -e
    $ ! true
    [ShellExited(1)]
    "#);
}

#[test]
fn b05_status_goes_from_command_to_command() {
    assert_snapshot!(check(&["(exit 42)", "echo $?", "echo $?", "false", "if [ $? = 1 ]; then (exit 7); fi", "echo $?"]), @r#"
    $ (exit 42)
    [Exited(42)]
    $ echo $?
    42
    $ echo $?
    0
    $ false
    [Exited(1)]
    $ if [ $? = 1 ]; then (exit 7); fi
    [Exited(7)]
    $ echo $?
    7
    "#);
}

#[test]
fn b06_standard_input_is_at_its_end() {
    assert_snapshot!(check(&["cat; read line; echo \"read: $?\"", "echo next"]), @r#"
    $ cat; read line; echo "read: $?"
    read: 1
    $ echo next
    next
    "#);
}

#[test]
fn b07_background_output_belongs_to_its_own_command() {
    assert_snapshot!(check(&[
        "mkfifo gate; { echo early; read < gate; echo late; echo \"late status: $?\"; } &",
        "echo clean",
        "echo > gate; wait; echo waited",
    ]), @r#"
    $ mkfifo gate; { echo early; read < gate; echo late; echo "late status: $?"; } &
    early
    late
    late status: 0
    $ echo clean
    clean
    $ echo > gate; wait; echo waited
    waited
    "#);
}

#[test]
fn b08_a_background_job_does_not_hold_up_its_command() {
    assert_snapshot!(check(&["sleep 600 &", "(sleep 600; echo never) & echo after", "kill %1 %2"]), @r#"
    $ sleep 600 &
    $ (sleep 600; echo never) & echo after
    after
    $ kill %1 %2
    "#);
}

#[test]
fn b09_jobs_can_be_waited_for() {
    assert_snapshot!(check(&["sh -c 'exit 9' & job=$!", "[ $! = $job ] && wait $job", "sleep 600 &", "jobs -r", "kill %%; wait $! 2>/dev/null"]), @r#"
    $ sh -c 'exit 9' & job=$!
    $ [ $! = $job ] && wait $job
    [Exited(9)]
    $ sleep 600 &
    $ jobs -r
    [1]+  Running                 sleep 600 &
    $ kill %%; wait $! 2>/dev/null
    [Exited(143)]
    "#);
}

#[test]
fn b10_an_endless_loop_meets_its_time_limit() {
    for script in [
        "echo begun; while :; do :; done",
        "echo begun; kill -STOP $$",
        "echo begun; trap '' TERM INT; sleep 600",
    ] {
        let mut agent = Agent::start(|_| {});
        assert_eq!(
            agent.run(script, Duration::from_millis(500)),
            Ok(End::TimedOut)
        );
        assert_eq!(agent.output(1), "begun\n", "{script}");
    }
}

#[test]
fn b12_a_signal_that_kills_the_shell_is_told() {
    assert_snapshot!(check(&["echo before; kill -9 $$", "echo never"]), @r#"
    $ echo before; kill -9 $$
    before
    [ShellKilled(9)]
    "#);
}

#[test]
fn b14_an_exit_trap_prints_into_the_command_that_exits() {
    assert_snapshot!(check(&["trap 'echo bye' EXIT", "echo calm", "exit 1"]), @r#"
    $ trap 'echo bye' EXIT
    $ echo calm
    calm
    $ exit 1
    bye
    [ShellExited(1)]
    "#);
}

#[test]
fn b15_traces_and_traps_show_only_lines_of_the_exercise() {
    assert_snapshot!(check(&["set -x", "echo traced", "false", "echo $?; set +x", "set -v", "echo verbose", "set +v", "echo quiet"]), @r#"
    $ set -x
    $ echo traced
    ++ echo traced
    traced
    $ false
    ++ false
    [Exited(1)]
    $ echo $?; set +x
    ++ echo 1
    1
    ++ set +x
    $ set -v
    $ echo verbose
    echo verbose
    verbose
    $ set +v
    set +v
    $ echo quiet
    quiet
    "#);
    assert_snapshot!(check(&["trap 'echo debug' DEBUG", "echo one; echo two", "trap - DEBUG; trap 'echo err' ERR", "false", "echo three"]), @r#"
    $ trap 'echo debug' DEBUG
    $ echo one; echo two
    one
    two
    $ trap - DEBUG; trap 'echo err' ERR
    $ false
    err
    [Exited(1)]
    $ echo three
    three
    "#);
}

#[test]
fn b16_a_redirection_by_exec_ends_with_its_command() {
    assert_snapshot!(check(&["exec >file; echo hidden", "echo shown; cat file"]), @r#"
    $ exec >file; echo hidden
    $ echo shown; cat file
    shown
    hidden
    "#);
}

#[test]
fn b17_closing_every_descriptor_ends_the_shell() {
    let closing = "for fd in /proc/$$/fd/*; do fd=${fd##*/}; eval \"exec $fd>&-\"; done";
    assert_snapshot!(check(&["echo before", closing, "echo never"]), @r#"
    $ echo before
    before
    $ for fd in /proc/$$/fd/*; do fd=${fd##*/}; eval "exec $fd>&-"; done
    [ShellExited(2)]
    "#);
}

#[test]
fn b18_what_looks_like_a_frame_is_output() {
    let mut frame = Vec::new();
    let done = Report::Done {
        id: 1,
        end: End::Exited(0),
        micros: 1,
        forked: false,
        interrupted: false,
    };
    wire::write_report(&mut frame, &done).unwrap();
    let octal: String = frame.iter().map(|it| format!("\\{it:03o}")).collect();
    let mut agent = Agent::start(|_| {});
    let script = format!("printf '{octal}'; printf '1 0\\n'; false");
    assert_eq!(agent.run(&script, PATIENCE), Ok(End::Exited(1)));
    assert_eq!(agent.outputs[&1], [&frame[..], b"1 0\n"].concat());
}

#[test]
fn b19_a_forged_completion_never_makes_a_verdict() {
    // Bash's own descriptors while a command runs, by number and by path, and the control channel itself.
    for target in [">&10", ">&11", ">&12", ">/proc/$$/fd/10", ">/proc/$$/fd/11"] {
        let script = format!(
            "for id in 0 1; do echo \"$id 0\"; done 2>/dev/null {target}; sleep 0.2; false"
        );
        let mut agent = Agent::start(|_| {});
        match agent.run(&script, PATIENCE) {
            Ok(End::Exited(1)) | Err(_) => {}
            end => panic!("{target}: {end:?}"),
        }
    }
    assert_snapshot!(check(&["echo '1 0' >../scratch/control; sleep 0.2; false"]), @r#"
    $ echo '1 0' >../scratch/control; sleep 0.2; false
    [a command wrote to the shell's control channel]
    "#);
    assert_snapshot!(check(&["(sleep 0.3; echo '2 0' >../scratch/control) & true", "sleep 600"]), @r#"
    $ (sleep 0.3; echo '2 0' >../scratch/control) & true
    $ sleep 600
    [a command wrote to the shell's control channel]
    "#);
}

#[test]
fn b20_redefinitions_do_not_confuse_the_driver() {
    for script in [
        "printf() { echo mine; }; source() { echo mine; }; read() { echo mine; }; exit() { echo mine; }; wait() { echo mine; }",
        "alias builtin='echo mine' printf='echo mine' source='echo mine'",
        "IFS=/0123456789",
        "set -o posix",
        "PATH=",
        "set -C; set -f; set -u; set +B; set -b; set -k",
        "readonly IFS=x PATH=/usr/bin:/bin BASH_ENV=x",
        "unset -v PATH IFS HOME PWD; unset BASH_COMMAND LINENO",
        "builtin() { command builtin \"$@\"; }",
        "shopt -u expand_aliases sourcepath; enable -n printf; enable printf",
        "LC_ALL=tr_TR.UTF-8; POSIXLY_CORRECT=1",
    ] {
        let mut agent = Agent::start(|_| {});
        assert_eq!(agent.run(script, PATIENCE), Ok(End::Exited(0)), "{script}");
        assert_eq!(
            agent.run("return 3", PATIENCE),
            Ok(End::Exited(3)),
            "{script}"
        );
        assert_eq!(
            agent.run("echo \"$?\"; echo next", PATIENCE),
            Ok(End::Exited(0))
        );
        assert_eq!(agent.output(3), "3\nnext\n", "{script}");
    }
    // There is no way around this one; it costs the command that did it its time limit.
    let mut agent = Agent::start(|_| {});
    let end = agent.run("echo before; builtin() { :; }", Duration::from_millis(500));
    assert_eq!(
        (end, agent.output(1).as_str()),
        (Ok(End::TimedOut), "before\n")
    );
}

#[test]
fn b21_prompts_and_start_files_have_no_effect() {
    assert_snapshot!(check(&[
        "PS1='prompt> ' PS2='more> ' PROMPT_COMMAND='echo prompted' HISTFILE=history",
        "echo 'echo started' > env; export BASH_ENV=$PWD/env",
        "echo plain; ls",
    ]), @r#"
    $ PS1='prompt> ' PS2='more> ' PROMPT_COMMAND='echo prompted' HISTFILE=history
    $ echo 'echo started' > env; export BASH_ENV=$PWD/env
    $ echo plain; ls
    plain
    env
    "#);
}

#[test]
fn b22_return_and_errors_of_eval_leave_the_shell_alive() {
    assert_snapshot!(check(&["echo a; return 4; echo b", "eval 'if'", "eval 'echo )'; echo go on", "echo alive"]), @r#"
    $ echo a; return 4; echo b
    a
    [Exited(4)]
    $ eval 'if'
    SCRATCH/2: eval: line 2: syntax error: unexpected end of file
    [Exited(2)]
    $ eval 'echo )'; echo go on
    SCRATCH/3: eval: line 1: syntax error near unexpected token `)'
    SCRATCH/3: eval: line 1: `echo )'
    go on
    $ echo alive
    alive
    "#);
}

#[test]
fn a_syntax_error_stays_in_its_command() {
    assert_snapshot!(check(&["for", "echo 'open", "cat <<END\nhere", "echo )", "echo alive"]), @r#"
    $ for
    SCRATCH/1: line 1: syntax error near unexpected token `newline'
    SCRATCH/1: line 1: `for'
    [Exited(2)]
    $ echo 'open
    SCRATCH/2: line 1: unexpected EOF while looking for matching `''
    [Exited(2)]
    $ cat <<END
    > here
    SCRATCH/3: line 2: warning: here-document at line 1 delimited by end-of-file (wanted `END')
    here
    $ echo )
    SCRATCH/4: line 1: syntax error near unexpected token `)'
    SCRATCH/4: line 1: `echo )'
    [Exited(2)]
    $ echo alive
    alive
    "#);
}

#[test]
fn b24_both_streams_come_in_the_order_of_writing() {
    let mut agent = Agent::start(|_| {});
    let script = "for i in {1..1000}; do echo out $i; echo err $i >&2; done; echo >/dev/stderr; echo >/dev/stdout";
    assert_eq!(agent.run(script, PATIENCE), Ok(End::Exited(0)));
    let mut wanted: String = (1..=1000).map(|i| format!("out {i}\nerr {i}\n")).collect();
    wanted.push_str("\n\n");
    assert_eq!(agent.output(1), wanted);
}

#[test]
fn a_broken_pipe_is_silent_as_at_a_prompt() {
    assert_snapshot!(check(&["yes | head -1"]), @r#"
    $ yes | head -1
    y
    "#);
}

#[test]
fn c07_the_middle_of_a_long_output_is_left_out() {
    let mut agent = Agent::start(|start| start.output_limit = 11);
    for script in [
        "printf 0123456789",
        "printf 0123456789a",
        "printf 0123456789ab",
        "seq 1 9999",
    ] {
        assert_eq!(agent.run(script, PATIENCE), Ok(End::Exited(0)));
    }
    assert_eq!(agent.output(1), "0123456789");
    assert_eq!(agent.output(2), "0123456789a");
    assert_eq!(agent.output(3), "012345\n[1 bytes omitted]\n789ab");
    assert_eq!(agent.output(4), "1\n2\n3\n\n[48877 bytes omitted]\n9999\n");
}

#[test]
fn c08_an_endless_printer_takes_no_memory() {
    let mut agent = Agent::start(|start| start.output_limit = 1000);
    agent.run("head -c 10000000 /dev/zero", PATIENCE).unwrap();
    let before = agent.peak();
    assert_eq!(agent.run("yes", Duration::from_secs(2)), Ok(End::TimedOut));
    let output = agent.output(2);
    assert!(
        output.len() < 1100 && output.contains("bytes omitted]"),
        "{output}"
    );
    let grown = agent.peak() - before;
    assert!(grown < 4096, "grew by {grown} KiB");
}

#[test]
fn a_command_that_closes_its_output_does_not_keep_the_agent_busy() {
    let mut agent = Agent::start(|_| {});
    agent
        .run("exec >/dev/null 2>&1; sleep 2", PATIENCE)
        .unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", agent.child.id())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // In hundredths of a second, user and system.
    let used: u64 = fields[11..13]
        .iter()
        .map(|it| it.parse::<u64>().unwrap())
        .sum();
    assert!(used < 50, "used {used}");
}

#[test]
fn a_tar_stream_is_unpacked_into_the_workspace() {
    let mut agent = Agent::start(|_| {});
    let mut archive = tar::Builder::new(Vec::new());
    for (name, n_bytes) in [("small", 3), ("folder/big", 3 << 20)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(n_bytes);
        header.set_mode(0o640);
        // A date to come makes `tar` warn, which is no failure.
        header.set_mtime(99_999_999_999 / 10);
        archive
            .append_data(&mut header, name, &vec![b'x'; n_bytes as usize][..])
            .unwrap();
    }
    let archive = archive.into_inner().unwrap();
    assert_eq!(agent.unpack(&archive), "");
    agent
        .run("stat -c '%n %a %s' small folder/big", PATIENCE)
        .unwrap();
    assert_eq!(agent.output(1), "small 640 3\nfolder/big 640 3145728\n");
    let message = agent.unpack(&vec![b'?'; 3 << 20]);
    assert!(
        message.contains("does not look like a tar archive"),
        "{message}"
    );
    // Each name is an error line, more of them than a pipe holds.
    let mut archive = tar::Builder::new(Vec::new());
    for idx in 0..3000 {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        archive
            .append_data(&mut header, format!("small/{idx}"), &[][..])
            .unwrap();
    }
    let message = agent.unpack(&archive.into_inner().unwrap());
    assert!(message.contains("small/0: Cannot open"), "{message}");
    assert_eq!(agent.run("echo alive", PATIENCE), Ok(End::Exited(0)));
}

#[test]
fn the_agent_ends_with_its_wire() {
    let mut agent = Agent::start(|_| {});
    agent.begin("sleep 600", nothing_to_read(), PATIENCE, Duration::ZERO);
    drop(agent.stdin.take());
    // Not held up by the command that still runs.
    assert!(agent.child.wait().unwrap().success());
}

#[test]
fn the_agent_ends_at_the_end_of_its_time() {
    let mut agent = Agent::start(|start| start.lifetime = 300);
    assert_eq!(
        agent.report(),
        Err("the sandbox's time is over".to_string())
    );
}

#[test]
fn a_broken_frame_is_told_before_the_end() {
    for (bytes, message) in [
        (
            &[0, 0, 0, 1, 99][..],
            "broken wire: an order of unknown kind",
        ),
        (&[255, 255, 255, 255, 0], "broken wire: a frame is too long"),
        (
            &[0, 0, 0, 6, 2, 0, 0, 0, 9, 0],
            "broken wire: a field is longer than its frame",
        ),
        (
            &[0, 0, 0, 6, 4, 0, 0, 0, 1, 255],
            "broken wire: a text that is not UTF-8",
        ),
        (
            &[0, 0, 0, 6, 2, 0, 0, 0, 0, 7],
            "broken wire: bytes after the last field",
        ),
        (&[0, 0, 0, 2, 3, 0], "failed to fill whole buffer"),
    ] {
        let mut agent = Agent::start(|_| {});
        agent.stdin.as_mut().unwrap().write_all(bytes).unwrap();
        assert_eq!(agent.report(), Err(message.to_string()));
        assert!(!agent.child.wait().unwrap().success());
    }
}

fn text() -> impl Strategy<Value = String> {
    ".{0,20}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..200)
}

fn streams() -> impl Strategy<Value = Streams> {
    prop_oneof![
        bytes().prop_map(|input| Streams::Pipe { input }),
        Just(Streams::Terminal),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let texts = || proptest::collection::vec(text(), 0..4);
    let start = (
        (texts(), text(), text(), text(), text()),
        (texts(), text(), any::<u64>(), any::<u64>()),
    );
    prop_oneof![
        start.prop_map(
            |(
                (engine, socket, user, scratch, workspace),
                (environment, authority, limit, life),
            )| {
                Order::Start(Start {
                    engine,
                    socket,
                    user,
                    scratch,
                    workspace,
                    environment,
                    authority,
                    output_limit: limit,
                    lifetime: life,
                })
            }
        ),
        bytes().prop_map(Order::Files),
        (any::<u32>(), any::<u64>(), any::<u64>(), streams(), bytes()).prop_map(
            |(id, timeout, interrupt, streams, script)| Order::Run {
                id,
                timeout,
                interrupt,
                streams,
                script
            }
        ),
        (any::<u32>(), streams(), bytes()).prop_map(|(id, streams, script)| Order::Open {
            id,
            streams,
            script
        }),
        (any::<u32>(), bytes()).prop_map(|(id, bytes)| Order::Type { id, bytes }),
        any::<u32>().prop_map(|id| Order::Interrupt { id }),
        text().prop_map(|path| Order::Get { path }),
        (any::<u16>(), text()).prop_map(|(port, path)| Order::Probe { port, path }),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    let end = prop_oneof![
        any::<i32>().prop_map(End::Exited),
        any::<i32>().prop_map(End::ShellExited),
        any::<i32>().prop_map(End::ShellKilled),
        Just(End::TimedOut),
    ];
    prop_oneof![
        any::<u32>().prop_map(|version| Report::Hello { version }),
        any::<u64>().prop_map(|micros| Report::Ready { micros }),
        text().prop_map(|message| Report::Unpacked { message }),
        (any::<u32>(), bytes()).prop_map(|(id, bytes)| Report::Output { id, bytes }),
        (
            any::<u32>(),
            end,
            any::<u64>(),
            any::<bool>(),
            any::<bool>()
        )
            .prop_map(|(id, end, micros, forked, interrupted)| Report::Done {
                id,
                end,
                micros,
                forked,
                interrupted,
            }),
        (any::<u32>(), any::<Option<i32>>()).prop_map(|(id, status)| Report::Closed { id, status }),
        (any::<bool>(), any::<u16>())
            .prop_map(|(listens, status)| Report::Probed { listens, status }),
        (any::<u16>(), bytes()).prop_map(|(status, body)| Report::Got { status, body }),
        text().prop_map(|message| Report::Failed { message }),
    ]
}

proptest! {
    #[test]
    fn orders_come_out_as_they_went_in(orders in proptest::collection::vec(order(), 0..5)) {
        let mut buffer = Vec::new();
        for it in &orders {
            wire::write_order(&mut buffer, it).unwrap();
        }
        for it in &orders {
            let frame = wire::take_frame(&mut buffer).unwrap().unwrap();
            prop_assert_eq!(&wire::parse_order(&frame).unwrap(), it);
        }
        prop_assert_eq!(wire::take_frame(&mut buffer).unwrap(), None);
    }

    #[test]
    fn reports_come_out_as_they_went_in(it in report(), cut in any::<prop::sample::Index>()) {
        let mut buffer = Vec::new();
        wire::write_report(&mut buffer, &it).unwrap();
        let rest = buffer.split_off(cut.index(buffer.len()));
        prop_assert_eq!(wire::take_frame(&mut buffer).unwrap(), None);
        buffer.extend(rest);
        let frame = wire::take_frame(&mut buffer).unwrap().unwrap();
        prop_assert_eq!(wire::parse_report(&frame).unwrap(), it);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(kind in 0u8..11, mut frame in bytes()) {
        frame.insert(0, kind);
        let _ = wire::parse_order(&frame);
        let _ = wire::parse_report(&frame);
        let _ = wire::take_frame(&mut frame);
    }
}
