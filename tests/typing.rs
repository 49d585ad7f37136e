//! What is typed at a terminal and what is seen there, without a terminal.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use mdbook_rehearse::sandbox::typing::{
    self, Answers, LINE_LIMIT, LONG, MIDDLE, SHORT, has_prompt_again, is_shell, last_line, seen,
    shell_lines,
};

/// What is seen of a drawing, with colors as `<…>`.
fn look(drawn: &str) -> String {
    String::from_utf8(seen(drawn.as_bytes()))
        .unwrap()
        .replace('\x1b', "<")
        .replace('m', ">")
}

/// The keys that a command gets which stands at one line after the other, each for so long.
fn keys(lines: &[&str], standing: &[(&str, Duration)]) -> String {
    let lines: Vec<String> = lines.iter().map(|it| it.to_string()).collect();
    let mut answers = Answers::new(&lines);
    let keys = standing.iter().map(|(line, quiet)| {
        let keys = answers.next(line.as_bytes(), *quiet).unwrap_or_default();
        format!("{line:?}: {:?}\n", String::from_utf8(keys).unwrap())
    });
    keys.collect()
}

/// What a shell prints between the marks when the lines are its input, and the status in the mark.
fn between_marks(shell: &str, command: &str, last_status: i32) -> (String, i32) {
    let lines = shell_lines(command, last_status, "WORD");
    let mut child = Command::new(shell)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all((lines.join("\n") + "\n").as_bytes())
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap().stdout;
    let begin = typing::mark('B', "WORD");
    let begin = typing::find(&output, &begin).unwrap() + begin.len();
    let mark = typing::end_mark(&output, "WORD").unwrap();
    let said = String::from_utf8(output[begin..mark.begin].to_vec()).unwrap();
    (said, mark.status)
}

#[test]
fn a_plain_output_is_seen_as_it_is() {
    assert_eq!(look(""), "");
    assert_eq!(look("one\r\n\ttwo  \r\n\r\n"), "one\n\ttwo  \n\n");
    assert_eq!(look("no end"), "no end");
    assert_eq!(seen(b"\xff\r\n"), b"\xff\n");
}

#[test]
fn a_drawing_is_seen_where_it_ends() {
    assert_eq!(look("10%\r20%\r100%\r\ndone\r\n"), "100%\ndone\n");
    assert_eq!(look("typo\x08\x08\x08\x08text\r\n"), "text\n");
    assert_eq!(
        look("a: waiting\r\nb: waiting\r\n\x1b[2A\x1b[2Ka: done\r\n\x1b[1Bb\r\n"),
        "a: done\nb: waiting\nb\n"
    );
    assert_eq!(
        look("\x1b]0;title\x07\x1b[?2004h\x1b[32mgreen\x1b[0m plain\r\n"),
        "<[32>green<[> plain\n"
    );
    assert_eq!(look("\x1b[31mred"), "<[31>red<[>");
    assert_eq!(
        look("before\r\n\x1b[?1049h\x1b[Hediting\x1b[?1049lafter\r\n"),
        "before\nafter\n"
    );
    assert_eq!(look("before\r\n\x1b[?1049h\x1b[Hcut short"), "before\n");
    assert_eq!(look("gone\r\n\x1b[H\x1b[2Jcleared\r\n"), "cleared\n");
}

#[test]
fn lines_are_seen_whole_however_many_and_long_they_are() {
    let long = "x".repeat(500);
    let lines: String = (1..=200).map(|it| format!("{it} {long}\r\n")).collect();
    let drawn = format!("\x1b[0m{lines}\r\nend\r\n\r\n");
    let wanted = format!("{}\nend\n\n", lines.replace('\r', ""));
    assert_eq!(look(&drawn), wanted);
    assert_eq!(
        look(&format!("{}\x1b[0m\r\n", "y".repeat(120))),
        format!("{}\n", "y".repeat(120))
    );
}

#[test]
fn the_last_line_is_what_stands_at_the_cursor() {
    assert_eq!(last_line(b"hello\r\n/ # \x1b[6n"), "/ # ");
    assert_eq!(
        last_line(b"\x1b]0;title\x07\x1b[01;32muser\x1b[00m$ "),
        "user$ "
    );
    assert_eq!(
        last_line(b"\r127.0.0.1:6379> \x1b[0K\r\x1b[16C"),
        "127.0.0.1:6379> "
    );
    assert_eq!(last_line(b"done\r\n"), "");
}

#[test]
fn a_shell_is_known_by_its_prompt() {
    for prompt in [
        "/ # ",
        "# ",
        "$ ",
        "root@4ac0ffee:/app# ",
        "bash-5.1# ",
        "sh-5.2$ ",
        "~ $ ",
        "host% ",
    ] {
        assert!(is_shell(prompt), "{prompt}");
    }
    for prompt in [
        "postgres=# ",
        "shop-# ",
        "shop(# ",
        "postgres=> ",
        "mysql> ",
        "127.0.0.1:6379> ",
        ">>> ",
        "Password: ",
        "",
        "50%",
    ] {
        assert!(!is_shell(prompt), "{prompt}");
    }
}

#[test]
fn a_program_is_done_when_its_prompt_comes_again() {
    let again = |drawn: &str, prompt, quiet| {
        let n_before = drawn.find('|').unwrap();
        has_prompt_again(drawn.replace('|', "").as_bytes(), n_before, prompt, quiet)
    };
    assert!(again(
        "mysql> |select 1;\r\n1\r\nmysql> ",
        "mysql> ",
        SHORT / 2
    ));
    assert!(!again("mysql> |select 1;", "mysql> ", LONG));
    assert!(!again("mysql> |select sleep(9);\r\n", "mysql> ", LONG));
    assert!(again("mysql> |select\r\n    -> ", "mysql> ", SHORT));
    assert!(!again("mysql> |select\r\n    -> ", "mysql> ", SHORT / 2));
    assert!(again(
        "postgres=# |\\c shop\r\nshop=# ",
        "postgres=# ",
        SHORT
    ));
    assert!(again(">>> |for x in y:\r\n... ", ">>> ", SHORT));
    assert!(!again("|line\r\nline\r\n", "", SHORT));
    assert!(again("|line\r\nline\r\n", "", LONG));
}

#[test]
fn a_line_is_typed_when_there_is_a_question() {
    let ms = Duration::from_millis;
    let standing = [
        ("Username: ", ms(100)),
        ("Username: ", SHORT),
        ("Pass", SHORT),
        ("Pass", MIDDLE),
        ("", MIDDLE),
        ("", LONG),
        ("", MIDDLE),
        ("Sure? [y/N] ", SHORT),
        ("", LONG),
        ("Sure? [y/N] ", SHORT),
        ("Sure? [y/N] ", LONG),
    ];
    assert_snapshot!(keys(&["me", "secret", "third"], &standing), @r#"
    "Username: ": ""
    "Username: ": "me\r"
    "Pass": ""
    "Pass": "secret\r"
    "": ""
    "": "third\r"
    "": ""
    "Sure? [y/N] ": "\u{4}"
    "": "\u{4}"
    "Sure? [y/N] ": "\u{4}"
    "Sure? [y/N] ": ""
    "#);
    assert_snapshot!(keys(&[], &[("Continue? ", SHORT)]), @r#""Continue? ": "\u{4}""#);
}

#[test]
fn a_command_comes_through_a_shell_as_it_is() {
    let long: String = (0..400).map(|it| format!("echo 'line -{it}'\n")).collect();
    let wanted: String = (0..400).map(|it| format!("line -{it}\n")).collect();
    for shell in ["sh", "bash"] {
        for (command, output) in [
            ("echo \"it's\" '\"quoted\"' \\\\", "it's \"quoted\" \\\n"),
            (
                "printf '%s\\n' 100% '!!' '^a^b' '-n' '\\t'",
                "100%\n!!\n^a^b\n-n\n\\t\n",
            ),
            ("printf 'a\tb'; printf 'Grüße'", "a\tbGrüße"),
            ("for i in 1 2\ndo\n  echo $i\ndone", "1\n2\n"),
            ("cat <<END\n  here\nEND", "  here\n"),
            ("echo one # comment", "one\n"),
            ("-n 2>/dev/null || echo none", "none\n"),
            ("echo ${rehearse_command-unset}", "unset\n"),
            (&long, &wanted),
        ] {
            assert_eq!(
                between_marks(shell, command, 0),
                (output.to_owned(), 0),
                "{shell}: {command}"
            );
        }
        assert_eq!(between_marks(shell, "(exit 7)", 0).1, 7);
        assert_eq!(between_marks(shell, "echo $?", 3), ("3\n".to_owned(), 0));
        assert_eq!(
            between_marks(
                shell,
                &format!("{long}echo ${{rehearse_command-unset}} $?"),
                3
            )
            .1,
            0
        );
    }
}

#[test]
fn no_line_is_longer_than_a_line_editor_takes() {
    let newlines = "\n".repeat(3000);
    let command = format!("echo {}", "ü".repeat(3000));
    for command in [&newlines, &command, "true"] {
        let lines = shell_lines(command, 255, "0123456789abcdef");
        let longest = lines.iter().map(String::len).max().unwrap();
        assert!(longest <= LINE_LIMIT, "{longest} in {}", lines.len());
        assert!(
            lines
                .iter()
                .all(|it| it.bytes().all(|it| matches!(it, b' '..=b'~') && it != b'!'))
        );
    }
}

#[test]
fn marks_are_found_whole_and_only_where_they_were_printed() {
    let echo = r" printf '\036BWORD\036'; eval x; printf '\036E%s:%s\036' WORD $?";
    assert_eq!(typing::end_mark(echo.as_bytes(), "WORD"), None);
    assert_eq!(typing::end_mark(b"out\x1eEWORD:13", "WORD"), None);
    assert_eq!(typing::end_mark(b"out\x1eEOTHER:1\x1e", "WORD"), None);
    let mark = typing::end_mark(b"out\x1eEWORD:130\x1e/ # ", "WORD").unwrap();
    assert_eq!((mark.begin, mark.end, mark.status), (3, 14, 130));
    assert_eq!(
        typing::without_marks(b"a\x1eEWORD:1\x1eb\x1eBWORD\x1ec"),
        b"abc"
    );
    assert_eq!(typing::without_echo(b"/ # ls\nfile\n"), b"file\n");
}

#[test]
fn a_shell_that_forgot_the_rest_of_the_line_is_at_its_prompt() {
    let again = |drawn: &str, quiet| typing::has_shell_again(drawn.as_bytes(), "/ # ", quiet);
    assert!(again("^C\r\n/ # ", SHORT));
    assert!(!again("^C\r\n/ # ", SHORT / 2));
    assert!(!again("inner\r\n$ ", SHORT));
    assert!(again("inner\r\n$ ", MIDDLE));
    assert!(!again("Password: ", LONG));
    assert!(!again("output\r\n", LONG));
}
