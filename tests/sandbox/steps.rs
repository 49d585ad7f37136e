//! Steps as authors write them: chapters go in, and what a reader would see comes out, with what is wrong with it.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use mdbook_rehearse::compare::{Verdict, compare};
use mdbook_rehearse::config;
use mdbook_rehearse::exercise::Chapter;
use mdbook_rehearse::plan::{Circumstances, Plan};
use mdbook_rehearse::run;
use mdbook_rehearse::sandbox::workspace::start_folder;
use serde_json::{Value, json};

use crate::{alone, hub, rehearse, show};

/// Rehearses the last of these chapters after those that it requires; the transcript, and what became of steps that are not well.
#[track_caller]
fn check(chapters: &[&str], table: Value) -> String {
    let plan = plan_of(chapters, &table);
    let transcript = rehearse(&plan, table);
    let mut text = show(&transcript);
    let comparison = compare(&plan, None, &transcript);
    for step in &comparison.steps {
        let file = step.origin.path(&comparison.chapter);
        match &step.verdict {
            Verdict::New | Verdict::Ran => {}
            it => text += &format!("{file}:{}: {it:?}\n", step.line),
        }
    }
    if let Some(it) = &comparison.blocked {
        let output = String::from_utf8_lossy(&it.output);
        text += &format!(
            "blocked at {}:{}: {:?} {:?} {output:?}\n",
            it.chapter, it.line, it.command, it.ending
        );
    }
    text
}

/// The plan of the last of chapters `0.md`, `1.md` …, in which nothing is wrong.
#[track_caller]
fn plan_of(chapters: &[&str], table: &Value) -> Plan {
    let config = config::parse(table).unwrap();
    let environment = |name: &str| (name == "TOKEN").then(|| "s3cr3t".to_string());
    let around = Circumstances {
        environment: &environment,
        ..Circumstances::bare(&config)
    };
    let paths: Vec<String> = (0..chapters.len()).map(|it| format!("{it}.md")).collect();
    let chapters = paths.iter().zip(chapters);
    let chapters = chapters.map(|(path, text)| Chapter::alone(path, text));
    let mut survey = run::survey(chapters, around, |_| Ok(None)).unwrap();
    assert_eq!(survey.problems, []);
    survey.subjects.pop().unwrap().plan
}

#[test]
fn what_goes_on_is_waited_for() {
    let chapter = r#"
```bash until="ready to serve"
(echo starting; sleep 1; echo ready to serve; exec sleep 600)
```

```bash
docker run --rm --name by-port -p 8080:80 nginx >/dev/null 2>&1
```

```bash until=http://localhost:8081/
docker run --rm --name by-address -p 8081:80 nginx >/dev/null 2>&1
```

```bash background
(sleep 1; echo late; exec sleep 600)
```

```bash
docker ps --format '{{.Names}}' | sort
curl -s localhost:8080 localhost:8081 | grep -c '<title>'
sleep 2
```

## Cleanup

```bash
docker rm -f by-port by-address
```
"#;
    assert_snapshot!(check(&[chapter], hub()), @"
    -- step-1
    $ (echo starting; sleep 1; echo ready to serve; exec sleep 600)
    starting
    ready to serve
    [GoesOn]
    -- step-2
    $ docker run --rm --name by-port -p 8080:80 nginx >/dev/null 2>&1
    [GoesOn]
    -- step-3
    $ docker run --rm --name by-address -p 8081:80 nginx >/dev/null 2>&1
    [GoesOn]
    -- step-4
    $ (sleep 1; echo late; exec sleep 600)
    late
    [GoesOn]
    -- step-5
    $ docker ps --format '{{.Names}}' | sort
    by-address
    by-port
    $ curl -s localhost:8080 localhost:8081 | grep -c '<title>'
    2
    $ sleep 2
    -- cleanup-1
    $ docker rm -f by-port by-address
    by-port
    by-address
    ");
}

#[test]
fn what_never_ends_is_watched_and_then_gets_ctrl_c() {
    let chapter = r#"
```bash for=2s
while true; do echo tick; sleep 0.2; done | head -3; sleep 600
```

```bash
docker run -dq --name teller busybox sh -c 'echo told; exec sleep 600' >/dev/null
docker logs -f teller
echo after
```

```bash for=1s fails
sleep 600
```

## Cleanup

```bash
docker rm -f teller
```
"#;
    assert_snapshot!(check(&[chapter], hub()), @r#"
    -- step-1
    $ while true; do echo tick; sleep 0.2; done | head -3; sleep 600
    tick
    tick
    tick
    [Interrupted]
    -- step-2
    $ docker run -dq --name teller busybox sh -c 'echo told; exec sleep 600' >/dev/null
    $ docker logs -f teller
    told
    [Interrupted]
    $ echo after
    after
    -- step-3
    $ sleep 600
    [Interrupted]
    -- cleanup-1
    $ docker rm -f teller
    teller
    0.md:13: Failed { how: "still running when its time was over, should fail", command: "sleep 600", output: "" }
    "#);
}

#[test]
fn what_is_read_is_typed() {
    let chapter = r#"
```bash stdin="one\ntwo"
cat -n
```

```bash tty stdin="Ada\ny"
read -p "Name: " name; read -p "Sure? [y/N] " sure; echo "$name $sure"
```

```bash
docker volume create data
docker volume prune -a
docker volume ls -q
wc -c
```
"#;
    assert_snapshot!(check(&[chapter], alone()), @r#"
    -- step-1
    $ cat -n
         1	one
         2	two
    -- step-2
    $ read -p "Name: " name; read -p "Sure? [y/N] " sure; echo "$name $sure"
    Name: Ada
    Sure? [y/N] y
    Ada y
    -- step-3
    $ docker volume create data
    data
    $ docker volume prune -a
    WARNING! This will remove all local volumes not used by at least one container.
    Are you sure you want to continue? [y/N] y
    Deleted Volumes:
    data

    Total reclaimed space: 0B
    $ docker volume ls -q
    $ wc -c
    0
    "#);
}

#[test]
fn what_was_just_started_is_asked_again() {
    let chapter = r#"
```bash
(sleep 2; docker run -d --name web -p 8080:80 nginx) >/dev/null 2>&1 &
curl -sS localhost:8080 | grep -c '<title>'
curl -sS localhost:8080 >/dev/null
```

```bash retry=20s
echo x >>tries; test $(wc -l <tries) -ge 3 || { echo not yet; false; }
```

```bash
wc -l <tries
```

```bash retry=1s
echo never; false
```

## Cleanup

```bash
docker rm -f web
```
"#;
    assert_snapshot!(check(&[chapter], hub()), @r#"
    -- step-1
    $ (sleep 2; docker run -d --name web -p 8080:80 nginx) >/dev/null 2>&1 &
    $ curl -sS localhost:8080 | grep -c '<title>'
    1
    $ curl -sS localhost:8080 >/dev/null
    -- step-2
    $ echo x >>tries; test $(wc -l <tries) -ge 3 || { echo not yet; false; }
    -- step-3
    $ wc -l <tries
    3
    -- step-4
    $ echo never; false
    never
    [Exited(1)]
    -- cleanup-1
    $ docker rm -f web
    web
    0.md:17: Failed { how: "status 1, should be 0", command: "echo never; false", output: "never\n" }
    "#);
}

#[test]
fn values_come_from_outputs_and_go_in_as_text() {
    let chapter = r#"
<!-- rehearse: value full-name="it's \ $HOME & a `b`" -->

```bash
docker run -dq --name web busybox sleep 600
```

<!-- rehearse: capture id /^([0-9a-f]{64})$/ -->

```bash
docker inspect --format '{{.Name}}' <id>
echo <full-name> "<full-name>" '<full-name>'
cat <<END
<full-name>
END
```

<!-- rehearse: expect /^it's/ -->
<!-- rehearse: expect "it's \ $HOME" -->

```bash
printf 'one\ntwo\n'
```

<!-- rehearse: capture first-lines /(one\ntwo)/ -->

```bash
echo before
cat <<END
<first-lines>
END
```

```bash
echo never
```

## Cleanup

```bash
docker rm -f web
```
"#;
    let said = check(&[chapter], hub());
    let id = regex(r"[0-9a-f]{64}");
    assert_snapshot!(id.replace_all(&said, "ID"), @r#"
    -- step-1
    $ docker run -dq --name web busybox sleep 600
    ID
    -- step-2
    $ docker inspect --format '{{.Name}}' <id>
    /web
    $ echo <full-name> "<full-name>" '<full-name>'
    it's \ $HOME & a `b` it's \ $HOME & a `b` it's \ $HOME & a `b`
    $ cat <<END
    <full-name>
    END
    it's \ $HOME & a `b`
    -- step-3
    $ printf 'one\ntwo\n'
    one
    two
    -- step-4
    $ echo before
    before
    $ cat <<END
    <first-lines>
    END
    the value of <first-lines> cannot be put into this command without being run
    [NotTyped]
    -- cleanup-1
    $ docker rm -f web
    web
    0.md:29: Failed { how: "was not typed", command: "cat <<END\n<first-lines>\nEND", output: "the value of <first-lines> cannot be put into this command without being run\n" }
    0.md:34: NotRun
    "#);
}

#[test]
fn a_value_that_cannot_be_put_is_no_failure_that_was_wanted() {
    let chapter = r#"
```bash
printf 'one\ntwo\n'
```

<!-- rehearse: capture first-lines /(one\ntwo)/ -->

```bash fails
cat <<END
<first-lines>
END
```
"#;
    assert_snapshot!(check(&[chapter], alone()), @r#"
    -- step-1
    $ printf 'one\ntwo\n'
    one
    two
    -- step-2
    $ cat <<END
    <first-lines>
    END
    the value of <first-lines> cannot be put into this command without being run
    [NotTyped]
    0.md:9: Failed { how: "was not typed", command: "cat <<END\n<first-lines>\nEND", output: "the value of <first-lines> cannot be put into this command without being run\n" }
    "#);
}

#[test]
fn what_does_not_hold_is_told_where_it_is_said() {
    let claim = "```bash\necho one\n```\n\n<!-- rehearse: expect \"one\" -->\n<!-- rehearse: expect /^two$/ -->\n\n```bash\necho after\n```\n";
    assert_snapshot!(check(&[claim], alone()), @r#"
    -- step-1
    $ echo one
    one
    -- step-2
    $ echo after
    after
    0.md:6: Failed { how: "the output has no /^two$/", command: "echo one", output: "one\n" }
    "#);
    let capture = "```bash\necho one\n```\n\n<!-- rehearse: capture id /^([0-9]+)$/ -->\n\n```bash\necho <id>\n```\n\n## Cleanup\n\n```bash\necho clean\n```\n";
    assert_snapshot!(check(&[capture], alone()), @r#"
    -- step-1
    $ echo one
    one
    -- cleanup-1
    $ echo clean
    clean
    0.md:5: Failed { how: "the output has nothing for `id`: no /^([0-9]+)$/", command: "echo one", output: "one\n" }
    0.md:7: NotRun
    "#);
}

#[test]
fn a_terminal_is_opened_typed_in_and_left() {
    let chapter = r#"
```bash setup
docker pull -q busybox
```

```console
$ docker run -it --rm busybox
/ # cd /tmp
/tmp # echo here >file; cat file
/tmp # exit
$ echo outside
```

```bash opens=box
docker run -it --name box busybox
```

```bash in=box
pwd
echo "$HOSTNAME" >/host; ls /host
```

```bash in=box fails
ls /nothing
```

```bash
docker ps --format '{{.Names}}'
```

```bash in=box
echo never
```
"#;
    let mut table = hub();
    table["languages"] = json!(["bash", "console"]);
    assert_snapshot!(check(&[chapter], table), @r#"
    -- step-1
    $ docker pull -q busybox
    docker.io/library/busybox:latest
    -- step-2
    $ docker run -it --rm busybox


    BusyBox v1.37.0 (Debian 1:1.37.0-6+b9) built-in shell (ash)
    Enter 'help' for a list of built-in commands.

    [GoesOn]
    $ cd /tmp
    $ echo here >file; cat file
    here
    $ exit
    $ echo outside
    outside
    -- step-3
    $ docker run -it --name box busybox


    BusyBox v1.37.0 (Debian 1:1.37.0-6+b9) built-in shell (ash)
    Enter 'help' for a list of built-in commands.

    [GoesOn]
    -- step-4
    $ pwd
    /
    $ echo "$HOSTNAME" >/host; ls /host
    /host
    -- step-5
    $ ls /nothing
    ls: /nothing: No such file or directory
    [Exited(1)]
    -- step-6
    $ docker ps --format '{{.Names}}'
    box
    -- step-7
    $ echo never
    never
    "#);
}

#[test]
fn a_terminal_that_was_closed_is_not_typed_in() {
    let chapter = r#"
```bash setup
docker pull -q busybox
```

```bash opens=box
docker run -it --name box busybox
```

```bash
docker rm -f box
```

```bash in=box fails
echo never
```

## Cleanup

```bash
docker ps -aq
```
"#;
    assert_snapshot!(check(&[chapter], hub()), @r#"
    -- step-1
    $ docker pull -q busybox
    docker.io/library/busybox:latest
    -- step-2
    $ docker run -it --name box busybox


    BusyBox v1.37.0 (Debian 1:1.37.0-6+b9) built-in shell (ash)
    Enter 'help' for a list of built-in commands.

    [GoesOn]
    -- step-3
    $ docker rm -f box
    box
    -- step-4
    $ echo never
    the terminal `box` is closed
    [NotTyped]
    -- cleanup-1
    $ docker ps -aq
    0.md:15: Failed { how: "was not typed", command: "echo never", output: "the terminal `box` is closed\n" }
    "#);
}

#[test]
fn what_comes_first_makes_what_is_required() {
    let first = r#"
```bash
mkdir app && cd app
echo made >file
docker pull -q busybox
docker tag busybox mine
docker run -d --name web busybox sleep 600
```

<!-- rehearse: capture id /^([0-9a-f]{64})$/ -->

```bash
docker inspect --format '{{.Name}}' <id>
docker logs -f web
```

```bash check="it fails here"
test -e missing
```

## Cleanup

```bash
docker rm -f web
```
"#;
    let second = "<!-- rehearse: requires 0 -->\n\n```bash\npwd\ndocker rm -f web\ndocker run -d --name other mine true >/dev/null\n```\n";
    let third = "<!-- rehearse: requires 1 -->\n\n```bash\ncat app/file\ndocker ps -a --format '{{.Names}} {{.Image}}'\n```\n";
    assert_snapshot!(check(&[first, second, third], hub()), @"
    -- step-1
    $ cat app/file
    made
    $ docker ps -a --format '{{.Names}} {{.Image}}'
    other mine
    ");
}

#[test]
fn nothing_runs_after_what_comes_first_and_fails() {
    let first = "```bash\necho fine\necho s3cr3t <token>; (exit 3)\n```\n";
    let second = "<!-- rehearse: requires 0 -->\n\n```bash\necho never\n```\n";
    let mut table = alone();
    table["values"] = json!({ "token": { "env": "TOKEN" } });
    assert_snapshot!(check(&[first, second], table), @r#"
    1.md:3: NotRun
    blocked at 0.md:3: "echo s3cr3t <token>; (exit 3)" Exited(3) "<token> <token>\n"
    "#);
}

#[test]
fn secrets_are_seen_in_no_output() {
    let chapter = "```bash\necho <token>\necho \"a<token>b\" >&2; printf '%s' s3cr s3cr3t\n```\n\n\
                   ```bash tty\necho s3cr3t\n```\n\n```bash background\necho s3cr3t; exec sleep 600\n```\n";
    let mut table = alone();
    table["values"] = json!({ "token": { "env": "TOKEN" } });
    assert_snapshot!(check(&[chapter], table), @r#"
    -- step-1
    $ echo <token>
    <token>
    $ echo "a<token>b" >&2; printf '%s' s3cr s3cr3t
    a<token>b
    s3cr<token>
    -- step-2
    $ echo s3cr3t
    <token>
    -- step-3
    $ echo s3cr3t; exec sleep 600
    <token>
    [GoesOn]
    "#);
}

#[test]
fn the_shell_starts_in_the_chapters_folder_of_the_workspace() {
    let course = tempfile::tempdir().unwrap();
    for file in ["book/src/labs/chapter.txt", "book/src/top.txt"] {
        let file = course.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    let table = json!({ "network": "none", "workspace": course.path() });
    let config = config::parse(&table).unwrap();
    let root = course.path().join("book");
    let folder =
        |chapter: &str| start_folder(&root, Path::new("src"), Path::new(chapter), Path::new(".."));
    let around = Circumstances {
        folder: &folder,
        ..Circumstances::bare(&config)
    };
    let chapters = [
        ("labs/one.md", "```bash\ncd /tmp\n```\n"),
        (
            "two.md",
            "<!-- rehearse: requires one -->\n\n```bash\npwd; ls\n```\n",
        ),
        ("labs/three.md", "```bash\npwd; ls\n```\n"),
    ];
    let chapters = chapters.iter().map(|it| Chapter::alone(it.0, it.1));
    let survey = run::survey(chapters, around, |_| Ok(None)).unwrap();
    let shown = survey.subjects[1..]
        .iter()
        .map(|it| show(&rehearse(&it.plan, table.clone())));
    assert_snapshot!(shown.collect::<String>(), @"
    -- step-1
    $ pwd; ls
    /home/learner/work/book/src
    labs
    top.txt
    -- step-1
    $ pwd; ls
    /home/learner/work/book/src/labs
    chapter.txt
    ");
}

#[test]
fn cleanup_comes_after_all_that_leaves_a_shell_to_do_it() {
    let never_ready = "```bash until=\"never said\" timeout=2s\necho other; exec sleep 600\n```\n\n```bash\necho never\n```\n\n## Cleanup\n\n```bash\necho clean\n```\n";
    assert_snapshot!(check(&[never_ready], alone()), @r#"
    -- step-1
    $ echo other; exec sleep 600
    other
    [NeverReady]
    -- cleanup-1
    $ echo clean
    clean
    0.md:2: Failed { how: "not ready within its time; `until=…` after the language says when it is, `timeout=…` gives it more", command: "echo other; exec sleep 600", output: "other\n" }
    0.md:5: NotRun
    "#);
    let fails = "```bash\nls missing\necho never\n```\n\n## Cleanup\n\n```bash\nls missing\n```\n\n```bash\necho clean\n```\n";
    assert_snapshot!(check(&[fails], alone()), @r#"
    -- step-1
    $ ls missing
    ls: cannot access 'missing': No such file or directory
    [Exited(2)]
    -- cleanup-1
    $ ls missing
    ls: cannot access 'missing': No such file or directory
    [Exited(2)]
    -- cleanup-2
    $ echo clean
    clean
    0.md:2: Failed { how: "status 2, should be 0", command: "ls missing", output: "ls: cannot access 'missing': No such file or directory\n" }
    0.md:9: Failed { how: "status 2, should be 0", command: "ls missing", output: "ls: cannot access 'missing': No such file or directory\n" }
    "#);
    let hangs = "```bash timeout=1s\nsleep 600\n```\n\n## Cleanup\n\n```bash\necho clean\n```\n";
    assert_snapshot!(check(&[hangs], alone()), @r#"
    -- step-1
    $ sleep 600
    [TimedOut]
    0.md:2: TimedOut { command: "sleep 600", output: "" }
    0.md:7: NotRun
    "#);
}

fn regex(text: &str) -> regex::Regex {
    regex::Regex::new(text).unwrap()
}
