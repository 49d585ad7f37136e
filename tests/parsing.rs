//! From `book.toml` and chapters to plans: everything that is decided before anything runs.

use insta::assert_snapshot;
use mdbook_rehearse::config::Config;
use mdbook_rehearse::exercise::{Chapter, Exercise, Visibility};
use mdbook_rehearse::plan::Circumstances;
use mdbook_rehearse::problem::Problem;
use mdbook_rehearse::{bash, config, exercise, placeholder, plan};

fn problem_lines(problems: &[Problem]) -> Vec<String> {
    let line = |it: &Problem| format!("{:?} at {}: {}", it.level, it.line, it.message);
    problems.iter().map(line).collect()
}

mod configs {
    use super::*;

    /// Says what differs from the default, or what is wrong.
    #[track_caller]
    fn check(table: &str) -> String {
        let table: serde_json::Value = toml::from_str(table).unwrap();
        let default = format!("{:#?}", Config::default());
        let default: Vec<_> = default.lines().collect();
        match config::parse(&table) {
            Ok(config) => {
                let config = format!("{config:#?}");
                let lines = config.lines().filter(|it| !default.contains(it));
                lines.map(str::trim).collect::<Vec<_>>().join("\n")
            }
            Err(problems) => problems.join("\n"),
        }
    }

    #[test]
    fn nothing_is_the_default() {
        assert_eq!(
            config::parse(&serde_json::Value::Null),
            Ok(Config::default())
        );
        assert_snapshot!(check(""), @"");
    }

    #[test]
    fn keys_of_the_host_are_not_ours() {
        assert_snapshot!(check("command = 'x'\nbefore = ['links']\nafter = []\nrenderers = ['html']\noptional = true"), @"");
    }

    #[test]
    fn every_key_is_read() {
        let table = r#"
            languages = ["sh", "console"]
            run = "never"
            cleanup-headings = ["Aufräumen"]
            timeout = "1m 30s"
            exercise-timeout = "500ms"
            output-limit = "64KiB"
            fold-lines = 0
            network = "none"
            workspace = "../app"
            base-image = "debian:bookworm-slim"
            image-store = "containerd"
            image-summary = false
            assets-version = "0.1.0"
        "#;
        assert_snapshot!(check(table), @r#"
          "sh",
          "console",
          run: Never,
          "Aufräumen",
          timeout: 90s,
          exercise_timeout: 500ms,
          output_limit: 65536,
          fold_lines: 0,
          image_summary: Absent,
          network: None,
          workspace: Some(
          "../app",
          ),
          base_image: "debian:bookworm-slim",
          image_store: Some(
          Containerd,
          ),
          assets_version: Some(
          "0.1.0",
          ),
        "#);
    }

    #[test]
    fn registries_replace_the_default_ones() {
        let table = r#"
            registries."localhost:5000" = { mode = "local", images = ["images/a.tar", "images"] }
            registries."quay.io" = { mode = "proxy", upstream = "https://mirror.example.com" }
            registries."ghcr.io" = { mode = "local", login = { user = "learner", password = "a: b" } }
        "#;
        assert_snapshot!(check(table), @r#"
          "ghcr.io": Local {
          images: [],
          login: Some(
          Login {
          user: "learner",
          password: "a: b",
          },
          ),
          "localhost:5000": Local {
          images: [
          "images/a.tar",
          "images",
          ],
          login: None,
          upstream: Some(
          "https://mirror.example.com",
          ),
        "#);
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_known_one() {
        assert_snapshot!(check("tiemout = '2m'"), @"unknown key `tiemout`; did you mean `timeout`?");
        assert_snapshot!(check("colour = 1"), @"unknown key `colour`; known: `languages`, `run`, `cleanup-headings`, `timeout`, `exercise-timeout`, `output-limit`, `fold-lines`, `solutions`, `image-summary`, `values`, `network`, `registries`, `workspace`, `base-image`, `image-store`, `assets-version`");
        assert_snapshot!(check("registries.'docker.io' = { mode = 'local', imgaes = [] }"), @r#"unknown key `registries."docker.io".imgaes`; did you mean `images`?"#);
    }

    #[test]
    fn all_that_is_wrong_is_listed_at_once() {
        let table = r#"
            languages = "bash"
            run = "sometimes"
            timeout = 90
            exercise-timeout = "soon"
            output-limit = "1 parsec"
            fold-lines = -1
            network = true
            workspace = ""
            base-image = "a b"
            image-store = "overlay2"
            image-summary = "none"
        "#;
        assert_snapshot!(check(table), @r#"
          `base-image` is "a b"; write a string without spaces
          `exercise-timeout` is `soon`, which is no time; write it like `90s` or `2m`
          `fold-lines` is -1; write a number of lines
          `image-store` is "overlay2"; write "containerd" or "graph-driver"
          `image-summary` is "none"; write true or false
          `languages` is "bash"; write a list of strings, such as ["…"]
          `network` is true; write "registries" or "none"
          `output-limit` is "1 parsec"; write a number of bytes, or "64KiB", "1MiB"
          `run` is "sometimes"; write "stale", "never" or "always"
          `timeout` is 90; write it with its unit, "90s"
          `workspace` is ""; write the path of a folder, such as ".."
        "#);
    }

    #[test]
    fn times_and_sizes_have_bounds() {
        assert_snapshot!(check("timeout = '0s'\nexercise-timeout = '9999h'\noutput-limit = 0"), @"
          `exercise-timeout` is `9999h`; it can be at most `24h`
          `output-limit` is 0; it can be 1 to 64MiB
          `timeout` is `0s`; it must be longer than nothing
        ");
    }

    #[test]
    fn languages_are_words() {
        assert_snapshot!(check("languages = []"), @"`languages` is empty; name at least one language, such as `bash`");
        assert_snapshot!(check("languages = ['a,b']"), @"`languages` has `a,b`; a language is one word without comma or space");
    }

    #[test]
    fn registries_are_checked() {
        let table = r#"
            registries."Docker.IO" = { mode = "proxy" }
            registries."https://quay.io" = { mode = "proxy" }
            registries."a.io:0" = { mode = "proxy" }
            registries."b.io" = {}
            registries."c.io" = { mode = "cache" }
            registries."d.io" = { mode = "local", upstream = "https://x" }
            registries."e.io" = { mode = "proxy", images = [] }
            registries."f.io" = { mode = "proxy", upstream = "ftp://x" }
            registries."g.io" = "proxy"
            registries."h.io" = { mode = "proxy", login = { user = "me" } }
            registries."i.io" = { mode = "local", login = { user = "a:b", password = 1, passwrod = "secret" } }
            registries."j.io" = { mode = "local", login = "learner" }
        "#;
        assert_snapshot!(check(table), @r#"
          `registries."Docker.IO"` must be lower case; write `docker.io`
          `registries."a.io:0"` is no registry host; write it without scheme and path, like `quay.io` or `localhost:5000`
          `registries."b.io".mode` is missing; write "local" or "proxy"
          `registries."c.io".mode` is "cache"; write "local" or "proxy"
          `registries."d.io".upstream` goes with mode "proxy" only; remove it
          `registries."e.io".images` goes with mode "local" only; remove it
          `registries."f.io".upstream` is "ftp://x"; write a URL that begins with `https://` or `http://`
          `registries."g.io"` is "proxy"; write { mode = "proxy" } or { mode = "local", images = ["…"] }
          `registries."h.io".login.password` is missing; write { user = "…", password = "…" }
          `registries."h.io".login` goes with mode "local" only; remove it
          `registries."https://quay.io"` is no registry host; write it without scheme and path, like `quay.io` or `localhost:5000`
          unknown key `registries."i.io".login.passwrod`; did you mean `password`?
          `registries."i.io".login.user` must be a string of one line without a colon
          `registries."i.io".login.password` must be a string of one line
          `registries."j.io".login` must be a table; write { user = "…", password = "…" }
        "#);
    }
}

mod splitting {
    use super::*;

    /// Puts a rule under each command.
    #[track_caller]
    fn check(script: &str) -> String {
        match bash::split(script) {
            Ok(spans) => {
                let commands = spans.into_iter().map(|it| script[it].replace('\r', "␍"));
                commands.collect::<Vec<_>>().join("\n--\n")
            }
            Err((line, message)) => format!("line {line}: {message}"),
        }
    }

    #[test]
    fn a_line_is_a_command() {
        assert_snapshot!(check("docker pull a\n\ndocker pull b\n"), @"
          docker pull a
          --
          docker pull b
        ");
    }

    #[test]
    fn commands_of_one_line_stay_together() {
        assert_snapshot!(check("a; b && c || d\ne &\nf |\n  g\n"), @"
          a; b && c || d
          --
          e &
          --
          f |
            g
        ");
    }

    #[test]
    fn comments_around_a_command_are_not_its_own() {
        assert_snapshot!(check("# first\na # kept\n# after\n\n# more\nb\n# last\n"), @"
          a # kept
          --
          b
        ");
    }

    #[test]
    fn continued_lines_stay_together() {
        assert_snapshot!(check("docker run \\\n  -d \\\n  nginx\nls\n"), @r"
          docker run \
            -d \
            nginx
          --
          ls
        ");
    }

    #[test]
    fn heredocs_keep_their_bodies() {
        assert_snapshot!(check("cat <<A > x <<-'B'\n1\nA\n\t# 2\n\tB\nls\n"), @"
          cat <<A > x <<-'B'
          1
          A
          	# 2
          	B
          --
          ls
        ");
        assert_snapshot!(check("cat <<EOF\né\n# no comment\nEOF"), @"
          cat <<EOF
          é
          # no comment
          EOF
        ");
    }

    #[test]
    fn loops_and_functions_stay_together() {
        assert_snapshot!(check("f() {\n  ls\n}\n\nfor i in 1 2; do\n  # inside\n  f\ndone\nif a; then\n  b\nfi\n"), @"
          f() {
            ls
          }
          --
          for i in 1 2; do
            # inside
            f
          done
          --
          if a; then
            b
          fi
        ");
    }

    #[test]
    fn quoted_lines_that_look_like_comments_stay() {
        assert_snapshot!(check("echo 'a\n# b'\n# c\nls\n"), @"
          echo 'a
          # b'
          --
          ls
        ");
    }

    #[test]
    fn positions_are_bytes_not_characters() {
        assert_snapshot!(check("echo 'äöü → 🐳'\nls\n"), @"
          echo 'äöü → 🐳'
          --
          ls
        ");
    }

    #[test]
    fn commands_that_the_grammar_does_not_place_are_found() {
        assert_snapshot!(check("! a\n> b\n> c d\nwhile e; do\n  > f\ndone\n> g\nh\n"), @"
          ! a
          --
          > b
          --
          > c d
          --
          while e; do
            > f
          done
          --
          > g
          --
          h
        ");
    }

    #[test]
    fn carriage_returns_do_not_count() {
        assert_snapshot!(check("a \\\r\n  b\r\n# c\r\nd\r\n"), @r"
          a \␍
            b
          --
          d
        ");
    }

    #[test]
    fn what_is_not_closed_is_told_with_its_line() {
        assert_snapshot!(check("ls\necho 'x\n"), @"line 2: the quote `'` is never closed");
        assert_snapshot!(check("ls\necho \"x\n"), @r#"line 2: the quote `"` is never closed"#);
        assert_snapshot!(check("ls\ncat <<EOF\nx\n"), @"line 2: the heredoc is never closed; a line `EOF` must end it");
        assert_snapshot!(check("ls\nif a; then\n"), @"line 2: the last command is not complete; is there a `fi`, `done`, `}` or `)` missing?");
        assert_snapshot!(check("ls\nfi\n"), @"line 2: the shell does not understand this line");
        assert_snapshot!(check("ls\necho $(ls\n"), @"line 2: the substitution `$(` is never closed");
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert_snapshot!(check(&format!("ls\n{}", "(".repeat(10_000))), @"line 2: this is nested more than 40 deep; split it up");
    }

    #[test]
    fn simple_commands_are_found_wherever_they_stand() {
        let script = "A=1 a \"b c\" > x | d 'e'\nf() { g; }\nif h; then (i $(j \"k\")); fi\nexport B=2 \"`l`\"\nm <(n)\n";
        let commands = bash::simple_commands(script);
        assert_snapshot!(commands.iter().map(|it| it.join("|")).collect::<Vec<_>>().join("\n"), @"
          a|b c
          d|e
          g
          h
          j|k
          i|$()
          l
          export|B=2|$()
          n
          m|/dev/fd/63
        ");
    }
}

mod placeholders {
    use super::*;

    #[track_caller]
    fn check(text: &str) -> String {
        let found = placeholder::placeholders(text);
        for (span, name) in &found {
            assert_eq!(text[span.clone()], format!("<{name}>"));
        }
        assert_eq!(placeholder::mask(text).len(), text.len());
        let names: Vec<_> = found.into_iter().map(|(_, name)| name).collect();
        names.join(", ")
    }

    #[test]
    fn values_to_be_supplied_are_found() {
        assert_snapshot!(check("docker stop <registry-container-name>"), @"registry-container-name");
        assert_snapshot!(check("docker run -p <port>:80 <user>/app:<tag> --name=<container name>"), @"port, user, tag, container name");
        assert_snapshot!(check("ssh root@<ip> cat /etc/<file>.conf; a <nom-du-conteneur-été>"), @"ip, file, nom-du-conteneur-été");
        assert_snapshot!(check("curl http://<ip>:<port>/; docker logs <name>|less; docker tag a <your-name>app"), @"ip, port, name, your-name");
        assert_snapshot!(check("a $(b <c>) `d <e>` \"$(f <g>)\""), @"c, e, g");
    }

    #[test]
    fn redirections_are_none() {
        assert_snapshot!(check("sort <in>out; sort <in >out; sort < in > out; a <in>>out; b <in>./out"), @"");
        assert_snapshot!(check("wc -l <file >out; diff <(a) <(b); cat <<EOF >x\nEOF\ncat <<<word>x"), @"");
        assert_snapshot!(check("echo $((1<a && b>2)); (( a<b )); c 2>&1 <x 3<>y"), @"");
    }

    #[test]
    fn in_quotes_and_heredocs_html_is_text() {
        assert_snapshot!(check("echo '<h1>Hi</h1>' \"<b>x</b>\""), @"");
        assert_snapshot!(check("cat > x <<EOF\n<html><p>it's</p></html>\nEOF\ndocker rm <id>"), @"id");
        assert_snapshot!(check("cat <<EOF\n<script async>x</script><input disabled>\n<my-tag>x</my-tag>\nEOF"), @"");
        assert_snapshot!(check("cat <<-EOF\n\t<p>\n\tEOF\ndocker rm <id>"), @"id");
    }

    #[test]
    fn in_quotes_a_name_must_look_like_one() {
        assert_snapshot!(check("echo \"<your token>\" '<user-name>' \"<MYSECRET>\" '<my_id>' '<p>'"), @"your token, user-name, MYSECRET, my_id");
    }

    #[test]
    fn comments_and_escapes_have_none() {
        assert_snapshot!(check("ls # use <name>\necho \\<name> a#<b>"), @"b");
    }
}

mod chapters {
    use super::*;

    /// A line a step, its commands below it, then what is wrong.
    #[track_caller]
    fn check(markdown: &str) -> String {
        check_with(markdown, &Config::default())
    }

    #[track_caller]
    fn check_with(markdown: &str, config: &Config) -> String {
        let (exercise, problems) = exercise::parse(Chapter::alone("a.md", markdown), config);
        let mut lines = Vec::new();
        for step in exercise.iter().flat_map(|it| &it.steps) {
            let words = &step.words;
            let mut line = format!("{} {} {:?}", step.line, step.id, words.role);
            if words.visibility == Visibility::Hidden {
                line += " hidden";
            }
            if let Some(it) = &words.skip {
                line += &format!(" skip {it:?}");
            }
            if let Some(it) = words.fails {
                line += &format!(" fails {it:?}");
            }
            if let Some(it) = words.timeout {
                line += &format!(" timeout {it:?}");
            }
            if !step.prefix.is_empty() {
                line += &format!(" prefix {:?}", step.prefix);
            }
            let spans = step.words_spans.iter().map(|it| &markdown[it.clone()]);
            let spans: Vec<_> = spans.collect();
            if !spans.is_empty() {
                line += &format!(" off {spans:?}");
            }
            lines.push(line);
            for it in &step.commands {
                lines.push(format!("  {}: {:?}", it.line, it.text));
            }
        }
        lines.extend(problem_lines(&problems));
        lines.join("\n")
    }

    /// The bytes of the first step's fence.
    #[track_caller]
    fn span(markdown: &str) -> &str {
        let (exercise, _) = exercise::parse(Chapter::alone("a.md", markdown), &Config::default());
        &markdown[exercise.unwrap().steps[0].span.clone()]
    }

    #[test]
    fn fences_of_the_language_are_steps() {
        assert_snapshot!(check("# Pull it\n\n```bash\ndocker pull a\n```\n\n```text\nx\n```\n\n~~~bash\nls\nps\n~~~\n"), @r#"
          3 pull-it-1 Task
            4: "docker pull a"
          11 pull-it-2 Task
            12: "ls"
            13: "ps"
        "#);
    }

    #[test]
    fn other_code_is_none() {
        assert_snapshot!(check("```\necho a\n```\n\n    b\n\n`c`\n\n```sh\necho d\n```\n\n```bash,ignore skp\necho e\n```\n"), @"");
    }

    #[test]
    fn words_are_taken_and_those_of_the_host_stay() {
        assert_snapshot!(check("```bash,skip=\"no, not now\" editable hide\tfails=125 {.a b} timeout=90s\necho a\n```\n"), @r#"
        1 step-1 Task hidden skip "no, not now" fails Status(125) timeout 90s off [",skip=\"no, not now\"", " hide\tfails=125", " timeout=90s"]
          2: "echo a"
        "#);
        assert_snapshot!(check("```bash setup hidelines=#~\necho a\n```\n```bash cleanup,fails\necho b\n```\n```Bash id=x skip\necho c\n```\n"), @r#"
        1 step-1 Setup hidden off [" setup"]
          2: "echo a"
        4 step-2 Cleanup fails Any off [" cleanup,fails"]
          5: "echo b"
        7 x Task skip "" off [" id=x skip"]
          8: "echo c"
        "#);
    }

    #[test]
    fn words_that_are_not_known_are_refused() {
        assert_snapshot!(check("\n```bash skp\necho a\n```\n"), @r#"
        2 step-1 Task off [" skp"]
          3: "echo a"
        Error at 2: unknown word `skp`; did you mean `skip`?
        "#);
        assert_snapshot!(check("```bash title=x\necho a\n```\n"), @r#"
        1 step-1 Task
          2: "echo a"
        "#);
        assert_snapshot!(check("```bash skip hide skip\necho a\n```\n"), @r#"
        1 step-1 Task hidden skip "" off [" skip hide skip"]
          2: "echo a"
        Error at 1: word `skip` stands twice; remove one
        "#);
        assert_snapshot!(check("```bash setup cleanup\necho a\n```\n"), @r#"
        1 step-1 Cleanup hidden off [" setup cleanup"]
          2: "echo a"
        Error at 1: a block cannot be both `setup` and `cleanup`; remove one
        "#);
        assert_snapshot!(check("```bash fails=no hide=1 timeout timeout=x id=A_b skip=\"x\necho a\n```\n"), @r#"
        1 step-1 Task off [" fails=no hide=1 timeout timeout=x id=A_b skip=\"x"]
          2: "echo a"
        Error at 1: `fails` is `no`, which is no status; write 1 to 255, or `fails` alone
        Error at 1: word `hide` has no value; write `hide` alone
        Error at 1: word `timeout` needs a time; write it like `timeout=90s`
        Error at 1: word `timeout` stands twice; remove one
        Error at 1: `timeout` is `x`, which is no time; write it like `90s` or `2m`
        Error at 1: word `id` needs a name of a-z, 0-9 and `-`; write it like `id=first-pull`
        Error at 1: the quote after `skip=` is never closed; write `skip="…"`
        "#);
    }

    #[test]
    fn ids_come_from_headings_and_are_unique() {
        assert_snapshot!(check("```bash\necho a\n```\n## 1. `docker` pull & Größe!\n```bash\necho b\n```\n```bash\necho c\n```\n## Task\n```bash id=task-2\necho d\n```\n```bash\necho e\n```\n## Task\n```bash\necho f\n```\n"), @r#"
        1 step-1 Task
          2: "echo a"
        5 1-docker-pull-gr-e-1 Task
          6: "echo b"
        8 1-docker-pull-gr-e-2 Task
          9: "echo c"
        12 task-2 Task off [" id=task-2"]
          13: "echo d"
        15 task-3 Task
          16: "echo e"
        19 task-4 Task
          20: "echo f"
        "#);
        assert_snapshot!(check("```bash id=x\necho a\n```\n```bash id=x\necho b\n```\n"), @r#"
        1 x Task off [" id=x"]
          2: "echo a"
        4 step-2 Task off [" id=x"]
          5: "echo b"
        Error at 4: `id=x` is already at line 1; give one of them another name
        "#);
    }

    #[test]
    fn steps_below_a_cleanup_heading_are_cleanup() {
        assert_snapshot!(check("## 7. 🧹 Clean-up!\n```bash\necho a\n```\n### More\n```bash\necho b\n```\n## Next\n```bash\necho c\n```\n# Cleaning up\n```bash setup\necho d\n```\n"), @r#"
        2 7-clean-up-1 Cleanup
          3: "echo a"
        6 more-1 Cleanup
          7: "echo b"
        10 next-1 Task
          11: "echo c"
        14 cleaning-up-1 Setup hidden off [" setup"]
          15: "echo d"
        "#);
    }

    #[test]
    fn steps_in_lists_and_quotes_keep_their_lines_and_prefixes() {
        assert_snapshot!(check("1. One\n\n   ```bash\n   echo a \\\n     echo b\n\n   echo c\n   ```\n2. - ```bash\n     echo d\n     ```\n\n> ```bash\n> echo e\n> ```\n>\n> - ```bash\n>   echo f\n>   ```\n\n<details>\n\n```bash\necho g\n```\n\n</details>\n"), @r#"
        3 step-1 Task prefix "   "
          4: "echo a \\\n  echo b"
          7: "echo c"
        9 step-2 Task prefix "     "
          10: "echo d"
        13 step-3 Task prefix "> "
          14: "echo e"
        17 step-4 Task prefix ">   "
          18: "echo f"
        23 step-5 Task
          24: "echo g"
        "#);
    }

    #[test]
    fn spans_are_exact() {
        assert_snapshot!(span("a\n\n````bash\necho '\n```'\n````  \n\nb\n"), @"
          ````bash
          echo '
          ```'
          ````
        ");
        assert_snapshot!(span("> ```bash\r\n> echo a\r\n> ```\r\n"), @"
        ```bash
        > echo a
        > ```
        ");
        assert_snapshot!(span("\u{feff}```bash\necho a\n```"), @"
        ```bash
        echo a
        ```
        ");
        assert_snapshot!(span("-\t```bash\n\techo a\n\t```\n-\tb\n"), @"
        ```bash
        	echo a
        	```
        ");
    }

    #[test]
    fn line_endings_and_byte_order_marks_change_nothing() {
        assert_snapshot!(check("\u{feff}# H\r\n\r\n```bash skip\r\na \\\r\n  echo b\r\n\r\necho c\r\n```\r\n"), @r#"
        3 h-1 Task skip "" off [" skip"]
          4: "a \\\n  echo b"
          7: "echo c"
        "#);
    }

    #[test]
    fn a_fence_that_is_not_closed_is_an_error() {
        assert_snapshot!(check("```bash\necho a\n"), @r#"
          1 step-1 Task
          Error at 1: the block is never closed; put a line "```" after it
        "#);
        assert_snapshot!(check("> ```bash\n> echo a\n\necho b\n"), @r#"
          1 step-1 Task prefix "> "
          Error at 1: the block is never closed; put a line "```" after it
        "#);
        assert_snapshot!(check("```bash"), @r#"
          1 step-1 Task
          Error at 1: the block is never closed; put a line "```" after it
        "#);
        assert_snapshot!(check("```bash\necho a\n\n# H\n\n```bash\necho b\n```\n"), @r#"
          1 step-1 Task
          Error at 1: the block is never closed, and swallows the one at line 6; put a line "```" between them, or open and close this one with "````"
        "#);
        assert_snapshot!(check("```text\necho a\n\n```bash\necho b\n```\n"), @r#"Warning at 1: the block is never closed, and swallows the one at line 4; put a line "```" between them, or open and close this one with "````""#);
    }

    #[test]
    fn what_the_shell_does_not_understand_is_one_command() {
        assert_snapshot!(check("```bash\nls\necho 'x\n```\n"), @r#"
          1 step-1 Task
            2: "ls\necho 'x"
          Warning at 3: the quote `'` is never closed; the block is run as one command
        "#);
        assert_snapshot!(check("```bash skip\nls\necho 'x\n```\n"), @r#"
          1 step-1 Task skip "" off [" skip"]
            2: "ls\necho 'x"
        "#);
    }

    #[test]
    fn placeholders_are_no_syntax_errors() {
        assert_snapshot!(check("```bash\ndocker stop <name>\ndocker rm <name>\n```\n"), @r#"
          1 step-1 Task
            2: "docker stop <name>"
            3: "docker rm <name>"
        "#);
    }

    #[test]
    fn prompts_are_told() {
        assert_snapshot!(check("```bash\n$ docker ps\nCONTAINER ID\n```\n"), @r#"
        1 step-1 Task
          2: "docker ps"
        "#);
    }

    #[test]
    fn characters_that_cannot_be_seen_are_refused() {
        assert_snapshot!(check("```bash\nls\necho \u{202e}a\u{200b}b\u{7}\u{202e}\n```\n"), @r#"
          1 step-1 Task
            2: "ls"
            3: "echo \u{202e}a\u{200b}b\u{7}\u{202e}"
          Error at 3: the line has U+202E, U+200B, U+0007, which a reader cannot see; remove it
        "#);
        assert_snapshot!(check("```bash\necho \0 \u{fffd}\n```\n"), @r#"
          1 step-1 Task
            2: "echo \0 �"
          Error at 2: the line has U+0000, U+FFFD, which a reader cannot see; remove it
        "#);
        assert_snapshot!(check("```bash\necho 👩\u{200d}💻 é\t→\n```\n"), @r#"
          1 step-1 Task
            2: "echo 👩\u{200d}💻 é\t→"
        "#);
    }

    #[test]
    fn blocks_without_commands_have_none() {
        assert_snapshot!(check("```bash\n```\n\n```bash\n# only this\n\n```\n"), @"
          1 step-1 Task
          4 step-2 Task
        ");
    }

    #[test]
    fn data_too_large_for_the_grammar_is_refused() {
        let markdown = format!("```bash\necho {}\n```\n", "x".repeat(300 * 1024));
        assert_snapshot!(check(&markdown), @"
          1 step-1 Task
          Error at 1: the block has 300 KiB and can have 256; put the data into a file
        ");
    }

    #[test]
    fn many_blocks_and_deep_nesting_are_read() {
        let many = "```bash\nls\n```\n\n".repeat(10_000);
        let (exercise, problems) =
            exercise::parse(Chapter::alone("a.md", &many), &Config::default());
        assert_eq!((exercise.unwrap().steps.len(), problems), (10_000, vec![]));
        let quote = "> ".repeat(200);
        let deep = format!("{quote}```bash\n{quote}ls\n{quote}```\n");
        assert_eq!(check(&deep).lines().last(), Some("  2: \"ls\""));
    }

    #[test]
    fn languages_are_configured() {
        let config = Config {
            languages: ["console", "untagged", "indented"]
                .map(str::to_string)
                .to_vec(),
            ..Config::default()
        };
        assert_snapshot!(check_with("```bash\necho a\n```\n```console\necho b\n```\n```\necho c\n```\n\n    d\n", &config), @r#"
        4 step-1 Task
          5: "echo b"
        7 step-2 Task
          8: "echo c"
        "#);
    }

    #[track_caller]
    fn parsed(chapter: &str) -> Exercise {
        let (exercise, _) = exercise::parse(
            Chapter::alone(chapter, "```bash\nls\n```\n"),
            &Config::default(),
        );
        exercise.unwrap()
    }

    #[test]
    fn exercises_are_named_after_their_chapters() {
        let long = format!("{}.md", "x".repeat(300));
        let paths = [
            "course/05-registries.md",
            "folder/README.md",
            "README.md",
            "a_b.md",
            "A.md",
            "a.md",
            "a b.md",
            "$(rm -rf).md",
            "-x.md",
            "ü.md",
            "🐳.md",
            "a.markdown",
            &long,
        ];
        let ids = paths.map(|it| parsed(it).id);
        assert!(ids.iter().all(|it| it.len() <= 64));
        assert_snapshot!(ids.join("\n"), @"
          course-05-registries
          folder-readme
          readme
          a-b
          a-2d63174e
          a
          a-b-10ad72d8
          rm-rf-420ca2c1
          x-02468acd
          chapter-3650542a
          chapter-ef7ee7e9
          a-markdown-b50246c0
          xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-9569758f
        ");
    }

    #[test]
    fn chapters_that_would_share_a_name_are_told() {
        let exercises = ["a/b.md", "a-b.md", "c.md", "c.md"].map(parsed);
        let clashes = exercise::clashes(&exercises);
        let clashes = clashes
            .into_iter()
            .map(|(chapter, it)| format!("{chapter}: {}", problem_lines(&[it])[0]));
        assert_snapshot!(clashes.collect::<Vec<_>>().join("\n"), @"a-b.md: Error at 1: chapters `a/b.md` and `a-b.md` would share the snapshot `a-b`; rename one of them");
    }
}

mod plans {
    use super::*;

    /// What is decided for each step, then what is warned of.
    #[track_caller]
    fn check(markdown: &str) -> String {
        let config = Config::default();
        let (exercise, problems) = exercise::parse(Chapter::alone("a.md", markdown), &config);
        assert_eq!(problems, []);
        let Some(exercise) = exercise else {
            return "left alone".to_string();
        };
        let (plan, problems) = plan::plan(&exercise, Circumstances::bare(&config));
        let steps = plan.steps.iter();
        let steps = steps.map(|it| format!("{:?} {:?} {:?}", it.decision, it.expect, it.timeout));
        let lines: Vec<_> = steps.chain(problem_lines(&problems)).collect();
        lines.join("\n")
    }

    /// Why a script waits for a person, a line each script.
    #[track_caller]
    fn waits(scripts: &[&str]) -> String {
        let mut lines = Vec::new();
        for script in scripts {
            let decisions = check(&format!("```bash\n{script}\n```\n"));
            let decision = decisions.split(" Success").next().unwrap();
            lines.push(format!("{script:?}: {decision}"));
        }
        lines.join("\n")
    }

    #[test]
    fn steps_run_under_their_limits() {
        assert_snapshot!(check("```bash timeout=5s\nls\n```\n```bash fails=3\nls\n```\n"), @"
          Run Success 5s
          Run Failure(Status(3)) 120s
        ");
    }

    #[test]
    fn authors_can_skip() {
        assert_snapshot!(check("```bash skip\ndocker login <host>\n```\n```bash skip=\"needs an account\"\nls\n```\n"), @r#"
          Skip(Author("")) Success 120s
          Skip(Author("needs an account")) Success 120s
        "#);
    }

    #[test]
    fn empty_blocks_do_not_run() {
        assert_snapshot!(check("```bash\n# nothing\n```\n"), @r#"Skip(Author("the block has no command")) Success 120s"#);
    }

    #[test]
    fn placeholders_need_values() {
        assert_snapshot!(check("\n```bash\nls\ndocker stop \\\n  <name>\ndocker rm <name> <other>\n```\n"), @r#"
        Skip(NeedsValue(["name", "other"])) Success 120s
        Warning at 5: step is skipped: `<name>` needs a value; give it one with `<!-- rehearse: value name=… -->` or `[preprocessor.rehearse.values]`, or write `skip="why"` after the fence's language
        "#);
    }

    #[test]
    fn what_waits_for_a_person_is_warned_of() {
        assert_snapshot!(check("\n```bash\nls\ndocker login\n```\n"), @r#"
        Skip(Interactive("`docker login` asks for a user name and password of `docker.io`")) Success 120s
        Warning at 4: step is skipped: `docker login` asks for a user name and password of `docker.io`; give the registry a `login` in book.toml, script it with `tty stdin="…"`, or write `skip="why"` after the fence's language
        "#);
    }

    #[test]
    fn logins_ask_for_a_password() {
        assert_snapshot!(waits(&[
            "docker login ghcr.io -u me",
            "sudo -u root docker --context x login",
            "if a; then b | docker login; fi",
            "docker login -u a -p b",
            "echo $T | docker login --password-stdin",
            "docker logs login",
        ]), @r#"
        "docker login ghcr.io -u me": Skip(Interactive("`docker login` asks for a user name and password of `ghcr.io`"))
        "sudo -u root docker --context x login": Skip(Interactive("`docker login` asks for a user name and password of `docker.io`"))
        "if a; then b | docker login; fi": Skip(Interactive("`docker login` asks for a user name and password of `docker.io`"))
        "docker login -u a -p b": Run
        "echo $T | docker login --password-stdin": Run
        "docker logs login": Run
        "#);
    }

    #[test]
    fn terminals_are_interactive_unless_detached() {
        assert_snapshot!(waits(&[
            "docker run -it alpine",
            "docker run --rm -ti -e A=1 alpine",
            "docker container exec --tty c sh",
            "docker exec -u root -t c ls",
            "docker start -ai c",
            "docker attach c",
            "docker compose -f x.yml exec web sh",
            "docker-compose run --rm web bash",
            "X=$(docker run -it a)",
        ]), @r#"
        "docker run -it alpine": Run
        "docker run --rm -ti -e A=1 alpine": Run
        "docker container exec --tty c sh": Run
        "docker exec -u root -t c ls": Run
        "docker start -ai c": Skip(Interactive("`docker start` with `-i` attaches the keyboard"))
        "docker attach c": Run
        "docker compose -f x.yml exec web sh": Run
        "docker-compose run --rm web bash": Run
        "X=$(docker run -it a)": Run
        "#);
        assert_snapshot!(waits(&[
            "docker run -itd alpine",
            "docker run -d -it alpine",
            "docker run --detach --tty=true alpine",
            "docker run alpine ls -t",
            "docker run --name -t alpine",
            "docker run -i alpine cat",
            "docker run -v /a:/t alpine",
            "docker build -t a .",
            "docker start -a c",
            "docker compose exec -T web sh",
            "docker compose exec web ls",
            "docker compose run -d web sh",
        ]), @r#"
          "docker run -itd alpine": Run
          "docker run -d -it alpine": Run
          "docker run --detach --tty=true alpine": Run
          "docker run alpine ls -t": Run
          "docker run --name -t alpine": Run
          "docker run -i alpine cat": Run
          "docker run -v /a:/t alpine": Run
          "docker build -t a .": Run
          "docker start -a c": Run
          "docker compose exec -T web sh": Run
          "docker compose exec web ls": Run
          "docker compose run -d web sh": Run
        "#);
    }

    #[test]
    fn programs_for_people_are_interactive() {
        assert_snapshot!(waits(&[
            "vim x", "nano", "ls | less", "top", "watch ls", "read a", "passwd", "su -", "sudo /usr/bin/vi x",
        ]), @r#"
        "vim x": Skip(Interactive("`vim` opens an editor"))
        "nano": Skip(Interactive("`nano` opens an editor"))
        "ls | less": Skip(Interactive("`less` waits for the reader's keys"))
        "top": Skip(Interactive("`top` runs until a key is pressed"))
        "watch ls": Run
        "read a": Skip(Interactive("`read` waits for someone to type"))
        "passwd": Skip(Interactive("`passwd` asks for a password"))
        "su -": Skip(Interactive("`su` asks for a password"))
        "sudo /usr/bin/vi x": Skip(Interactive("`vi` opens an editor"))
        "#);
        assert_snapshot!(waits(&[
            "top -bn1",
            "docker top c",
            "read a < x",
            "echo x | while read a; do b; done",
            "read a <<< x",
            "while read a; do b; done < x",
            "command -v vim",
            "echo vim",
            "apt-get install -y vim",
        ]), @r#"
        "top -bn1": Run
        "docker top c": Run
        "read a < x": Run
        "echo x | while read a; do b; done": Run
        "read a <<< x": Run
        "while read a; do b; done < x": Run
        "command -v vim": Run
        "echo vim": Run
        "apt-get install -y vim": Skip(OutOfScope("`apt-get` installs on the reader's own machine"))
        "#);
    }
}

mod laws {
    use super::*;
    use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag};
    use proptest::prelude::*;

    /// Text that is likely to have fences in odd places.
    fn markdown() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => Just("```bash\n"), 4 => Just("```\n"), 1 => Just("~~~bash skip hide\n"), 1 => Just("~~~"),
            1 => Just("````bash hidelines=# id=a\r\n"), 2 => Just("\n"), 1 => Just("\r\n"), 2 => Just("> "), 2 => Just("- "),
            1 => Just("1. "), 2 => Just("  "), 1 => Just("\t"), 1 => Just("    "), 1 => Just("# H\n"), 1 => Just("## Cleanup\n"),
            3 => Just("ls\n"), 1 => Just("echo 'é\n# x'\n"), 1 => Just("cat <<EOF\n"), 1 => Just("EOF\n"), 1 => Just("<a b>"),
            1 => Just("🐳"), 1 => Just("\""), 1 => Just("<details>\n"), 1 => Just("\u{feff}"), 1 => Just("[^1]: "), 1 => Just("$("),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|it| it.concat())
    }

    fn script() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            6 => Just("ls"), 6 => Just("\n"), 3 => Just(" "), 2 => Just("# é\n"), 1 => Just("'"), 1 => Just("\""), 2 => Just("cat <<E\n"),
            2 => Just("\nE\n"), 1 => Just("\\\n"), 1 => Just("; "), 1 => Just(" && "), 1 => Just("> f"), 1 => Just("{ "), 1 => Just("; }"),
            1 => Just("if "), 1 => Just("; then\n"), 1 => Just("\nfi\n"), 1 => Just("! "), 1 => Just("$("), 1 => Just(")"), 1 => Just("é"),
            1 => Just("f() "), 1 => Just("\r\n"), 1 => Just("<a b>"), 1 => Just("((1<2))"), 1 => Just("[[ a ]]"), 1 => Just(" &"), 1 => Just("x=1"),
        ];
        prop::collection::vec(piece, 0..16).prop_map(|it| it.concat())
    }

    /// Texts of the steps' fences, as the Markdown parser tells them.
    fn texts(markdown: &str) -> Vec<String> {
        let markdown = markdown.strip_prefix('\u{feff}').unwrap_or(markdown);
        let options = mdbook_markdown::MarkdownOptions::default();
        let mut texts: Vec<String> = Vec::new();
        let mut inside = false;
        for event in mdbook_markdown::new_cmark_parser(markdown, &options) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    inside = info.split(' ').next() == Some("bash");
                    texts.extend(inside.then(String::new));
                }
                Event::End(_) => inside = false,
                Event::Text(it) if inside => texts.last_mut().unwrap().push_str(&it),
                _ => {}
            }
        }
        texts
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        #[test]
        fn arbitrary_text_does_no_harm(text in any::<String>(), chapter in any::<String>()) {
            let config = Config::default();
            let fenced = format!("```bash {text}\n{text}\n```\n");
            for text in [&text, &fenced] {
                if let (Some(exercise), _) = exercise::parse(Chapter::alone(&chapter, text), &config) {
                    plan::plan(&exercise, Circumstances::bare(&config));
                    prop_assert!((1..=64).contains(&exercise.id.len()));
                }
            }
            let _ = bash::split(&text);
            let _ = bash::invocations(&text);
        }

        #[test]
        fn splicing_nothing_changes_nothing(text in markdown()) {
            let (exercise, _) = exercise::parse(Chapter::alone("a.md", &text), &Config::default());
            let mut spliced = String::new();
            let mut end = 0;
            for step in exercise.iter().flat_map(|it| &it.steps) {
                prop_assert!(end <= step.span.start);
                spliced.push_str(&text[end..step.span.start]);
                spliced.push_str(&text[step.span.clone()]);
                end = step.span.end;
                prop_assert!(text[step.span.clone()].starts_with(['`', '~']));
                prop_assert!(text[end..].is_empty() || text[end..].starts_with(['\n', '\r']), "{:?}", &text[end..]);
            }
            spliced.push_str(&text[end..]);
            prop_assert_eq!(spliced, text);
        }

        #[test]
        fn commands_are_what_the_fence_says(text in markdown()) {
            let (exercise, _) = exercise::parse(Chapter::alone("a.md", &text), &Config::default());
            let exercise = exercise.unwrap_or_default();
            let mut bodies = texts(&text).into_iter();
            let mut lines: Vec<usize> = exercise.steps.iter().map(|it| it.line).collect();
            lines.extend(exercise.asides.iter().map(|it| it.line));
            lines.sort();
            for line in lines {
                let Some(body) = bodies.next() else { break };
                let steps = exercise.steps.iter().filter(|it| it.line == line);
                for (step, command) in steps.flat_map(|it| it.commands.iter().map(move |command| (it, command))) {
                    let first = command.line - step.line - 1;
                    let rest: Vec<_> = body.split('\n').skip(first).collect();
                    let rest = rest.join("\n");
                    prop_assert!(rest.contains(&command.text), "{:?} in {:?}", command.text, rest);
                    let source = text.lines().nth(command.line - 1).unwrap();
                    prop_assert!(source.trim_end().ends_with(command.text.lines().next().unwrap().trim()));
                }
            }
        }

        #[test]
        fn without_our_words_the_info_string_is_the_host_s(words in prop::collection::vec((prop::sample::select(
            vec!["skip", "editable", "hide", "hidelines=#", "fails=2", "{.a b}", "id=x", "timeout=\"1m 2s\""]), prop::sample::select(vec![" ", ",", ", ", "\t"])), 0..6)) {
            let info: String = words.iter().map(|(word, separator)| format!("{separator}{word}")).collect();
            let mut text = format!("> ```bash{info}\n> ls\n> ```\n");
            let parse = |text: &str| exercise::parse(Chapter::alone("a.md", text), &Config::default()).0.unwrap().steps.remove(0);
            for span in parse(&text).words_spans.into_iter().rev() {
                text.replace_range(span, "");
            }
            let ours = ["skip", "hide", "fails=2", "id=x", "timeout=\"1m 2s\""];
            let host: String = words.iter().filter(|(it, _)| !ours.contains(it)).map(|(word, separator)| format!("{separator}{word}")).collect();
            let wanted = format!("> ```bash{host}\n> ls\n> ```\n");
            prop_assert_eq!(&text, &wanted);
            prop_assert_eq!(parse(&text).words, exercise::Words::default());
        }

        #[test]
        fn each_command_is_one_and_the_rest_is_idle(script in script()) {
            let Ok(spans) = bash::split(&script) else { return Ok(()) };
            let mut end = 0;
            for span in spans {
                let between = &script[end..span.start];
                prop_assert!(between.lines().all(|it| it.trim().is_empty() || it.trim_start().starts_with('#') || it.trim() == "\\"), "{between:?}");
                end = span.end;
                let command = &script[span];
                let again = bash::split(command).unwrap();
                prop_assert_eq!(again.iter().map(|it| &command[it.clone()]).collect::<Vec<_>>(), [command]);
            }
        }

        #[test]
        fn masked_text_has_no_placeholders(script in script()) {
            let masked = placeholder::mask(&script);
            prop_assert_eq!(masked.len(), script.len());
            prop_assert_eq!(placeholder::placeholders(&masked), vec![]);
        }
    }
}
