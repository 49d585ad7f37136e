//! Chapters as authors write them, as they are on the page: samples, solutions, checks, files, tables, how commands end.

use std::collections::BTreeSet;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::compare::standings;
use mdbook_rehearse::config::{Config, Solutions};
use mdbook_rehearse::exercise::{self, Chapter};
use mdbook_rehearse::images::LedgerEntry;
use mdbook_rehearse::plan::{self, Circumstances, Decision};
use mdbook_rehearse::render::{Page, Renderer, render};
use mdbook_rehearse::snapshot::{RecordedCommand, RecordedStep, Snapshot};
use mdbook_rehearse::transcript::{Engine, Layer};
use regex::Regex;

/// A chapter with what lies beside it.
pub(super) struct Case<'a> {
    pub(super) text: &'a str,
    pub(super) copy: Option<&'a str>,
    pub(super) config: Config,
    /// Commands with what they printed; those that are not here printed their own text.
    pub(super) printed: &'a [(&'a str, &'a str)],
    /// Steps that are not recorded.
    pub(super) unrecorded: &'a [&'a str],
    pub(super) images: Vec<LedgerEntry>,
    /// Of the engine.
    pub(super) store: &'static str,
}

pub(super) fn case(text: &str) -> Case<'_> {
    let languages = ["bash", "console"].map(str::to_string);
    Case {
        text,
        copy: None,
        config: Config {
            languages: languages.to_vec(),
            assets_version: Some("2".to_string()),
            ..Config::default()
        },
        printed: &[],
        unrecorded: &[],
        images: Vec::new(),
        store: "overlay2",
    }
}

/// The page in short, for HTML and for other renderers, without what says where all comes from.
#[track_caller]
pub(super) fn check(case: &Case<'_>) -> String {
    let (html, plain) = pages(case);
    format!("{}\n=====\n{}", in_short(&html), without_provenance(&plain))
}

#[track_caller]
pub(super) fn pages(case: &Case<'_>) -> (String, String) {
    let none = BTreeSet::new();
    let chapter = Chapter {
        path: "a.md",
        text: case.text,
        copy: case.copy,
        workspace: &none,
    };
    let (exercise, problems) = exercise::parse(chapter, &case.config);
    assert_eq!(problems, []);
    let exercise = exercise.unwrap();
    let (plan, _) = plan::plan(&exercise, Circumstances::bare(&case.config));
    let runs = plan
        .steps
        .iter()
        .filter(|it| it.decision == Decision::Run && !case.unrecorded.contains(&it.id.as_str()));
    let steps = runs.map(|step| RecordedStep {
        id: step.id.clone(),
        commands: step
            .commands
            .iter()
            .map(|it| {
                let printed = case.printed.iter().find(|(text, _)| *text == it.text);
                let output =
                    printed.map_or_else(|| format!("{}\n", it.text), |it| it.1.to_string());
                RecordedCommand {
                    text: it.text.clone(),
                    output: output.into_bytes(),
                    status: 0,
                    took: Duration::from_millis(1200),
                }
            })
            .collect(),
    });
    let snapshot = Snapshot {
        exercise: "a".to_string(),
        recorded: date(2026, 11, 23),
        engine: Engine {
            version: "26.1.5".to_string(),
            store: case.store.to_string(),
            platform: "linux/amd64".to_string(),
        },
        registries: Default::default(),
        left: None,
        steps: steps.collect(),
        images: case.images.clone(),
    };
    let standings = standings(&plan, Some(&snapshot));
    let page = Page {
        markdown: case.text,
        exercise: &exercise,
        plan: &plan,
        standings: &standings,
        snapshot: Some(&snapshot),
        config: &case.config,
        overview: None,
    };
    (render(page, Renderer::Html), render(page, Renderer::Plain))
}

/// Writes blocks of outputs and notes as what they say.
fn in_short(html: &str) -> String {
    let block = regex(
        r#"<div class="rehearse tex2jax_ignore[^"]*" id="rehearse\.a\.([^"]*)"(?: role="group" aria-label="[^"]*")?>(.*)</div>"#,
    );
    let said = regex(
        r#"<kbd[^>]*>(.*?)</kbd>|rehearse-status[^>]*>(.*?)</span>|<samp>(.*?)</samp>|rehearse-note">(.*?)</p>|>(No output)<"#,
    );
    let uncopied = regex(
        r#"<span class="rehearse-(prompt|sample)" data-text="([^"]*)"><span class="rehearse-uncopied">([^<]*)</span></span>"#,
    );
    let html = uncopied.replace_all(html, |it: &regex::Captures<'_>| {
        assert_eq!(it[2], it[3], "it says the same with the style and without");
        format!("[{}: {}]", &it[1], &it[2])
    });
    let html = html.as_ref();
    let shown = block.replace_all(html, |it: &regex::Captures<'_>| {
        let parts = said.captures_iter(&it[2]);
        let parts = parts.map(|it| it.iter().skip(1).flatten().map(|it| it.as_str()).collect());
        let parts: Vec<String> = parts.collect();
        format!("({}: {})", &it[1], parts.join(" | "))
    });
    without_provenance(&shown)
}

fn without_provenance(page: &str) -> String {
    let last = regex(
        r#"\n\n(?:<div class="rehearse tex2jax_ignore rehearse-provenance"><p>)?Recorded on .*\n"#,
    );
    last.replace(page, "\n").to_string()
}

fn regex(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

pub(super) fn entry(reference: &str, digit: &str, layers: &[&str]) -> LedgerEntry {
    LedgerEntry {
        reference: reference.to_string(),
        digest: Some(format!("sha256:{}", digit.repeat(64))),
        id: format!("sha256:{digit}"),
        size: 8_311_234,
        layers: layers
            .iter()
            .map(|it| Layer {
                digest: format!("sha256:{}", it.repeat(64)),
                size: Some(1_000_000),
            })
            .collect(),
        ..LedgerEntry::default()
    }
}

#[test]
fn samples_make_way_for_what_was_seen() {
    let text = "```console\n$ docker ps\nCONTAINER ID   IMAGE\n0123456789ab   old\n\n$ docker images \\\n>   -q\nabc\n$ true\n```\n\n\
                - in a list\n\n  ```console\n  $ docker ps -q\n  0123\n  ```\n\n> ```console\n> $ docker ps -a\n> sample\n> ```\n";
    let printed = [("docker ps", "seen\n"), ("true", "")];
    assert_snapshot!(check(&Case { printed: &printed, ..case(text) }), @r#"
    <pre><code class="language-console">[prompt: &#36; ]docker ps&#10;&#10;[prompt: &#36; ]docker images &#92;&#10;[prompt: &#62; ]  -q&#10;[prompt: &#36; ]true&#10;</code></pre>

    (step-1: &#36; docker ps | seen | &#36; docker images … | docker images &#92;&#10;  -q | &#36; true)

    - in a list

      <pre><code class="language-console">[prompt: &#36; ]docker ps -q&#10;</code></pre>

      (step-2: docker ps -q)

    > <pre><code class="language-console">[prompt: &#36; ]docker ps -a&#10;</code></pre>
    >
    > (step-3: docker ps -a)

    =====
    ```console
    $ docker ps

    $ docker images \
    >   -q
    $ true
    ```

    ```text
    $ docker ps
    seen
    $ docker images …
    docker images \
      -q
    $ true
    ```

    - in a list

      ```console
      $ docker ps -q
      ```

      ```text
      docker ps -q
      ```

    > ```console
    > $ docker ps -a
    > ```
    >
    > ```text
    > docker ps -a
    > ```
    "#);
}

#[test]
fn what_is_copied_of_a_console_is_what_is_typed() {
    let text = "```bash hidelines=~\n~$ cd /tmp\n$ # a comment\n[me@host ~]$ docker ps\n$ docker run -it alpine\n/ # ls\nbin\netc\n/ # exit\n$ cat <<EOF\n> <b>\n> EOF\n$\n```\n\n\
                    !!! note\n\n    ```console\n    $ docker ps\n    ```\n";
    let copy = "```console\n$ docker ps\nold\n```\n";
    let seen = Case {
        copy: Some(copy),
        ..case(text)
    };
    let unseen = ["step-1", "step-2", "step-copy-1"];
    assert_snapshot!(in_short(&pages(&seen).0));
    assert_snapshot!(in_short(
        &pages(&Case {
            unrecorded: &unseen,
            ..seen
        })
        .0
    ));
}

#[test]
fn samples_stay_where_nothing_was_seen() {
    let text = "# A\n\n```console\n$ docker ps\nsample 1\n```\n\n```console skip=\"no account\"\n$ docker push x/y\nsample 2\n```\n";
    let unrecorded = ["a-1"];
    assert_snapshot!(check(&Case { unrecorded: &unrecorded, ..case(text) }), @r#"
    # A

    <pre><code class="language-console">[prompt: &#36; ]docker ps&#10;[sample: sample 1&#10;]</code></pre>

    (a-1: <strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> not recorded yet)

    <pre><code class="language-console">[prompt: &#36; ]docker push x/y&#10;[sample: sample 2&#10;]</code></pre>

    (a-2: <strong class="rehearse-badge rehearse-idle">not run</strong><span class="rehearse-dot">:</span> no account)

    =====
    # A

    ```console
    $ docker ps
    sample 1
    ```

    *New\: not recorded yet*

    ```console
    $ docker push x/y
    sample 2
    ```

    *Not run\: no account*
    "#);
}

const SOLUTIONS: &str = "Try it.\n\n```bash solution\ndocker ps\n```\n\n1. One\n\n   ```bash solution\n   docker images\n   ```\n\n- ```bash solution\n  docker info\n  ```\n\n\
                         > ```bash solution\n> docker version\n> ```\n\nEnd.\n";

#[test]
fn solutions_are_folded_where_they_stand() {
    assert_snapshot!(check(&case(SOLUTIONS)), @r#"
    Try it.

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker ps
    ```

    (step-1: docker ps)

    </details>

    1. One

       <details class="rehearse-solution"><summary>Solution</summary>

       ```bash
       docker images
       ```

       (step-2: docker images)

       </details>

    - <details class="rehearse-solution"><summary>Solution</summary>

      ```bash
      docker info
      ```

      (step-3: docker info)

      </details>

    > <details class="rehearse-solution"><summary>Solution</summary>
    >
    > ```bash
    > docker version
    > ```
    >
    > (step-4: docker version)
    >
    > </details>

    End.

    =====
    Try it.

    *Solution:*

    ```bash
    docker ps
    ```

    ```text
    docker ps
    ```

    1. One

       *Solution:*

       ```bash
       docker images
       ```

       ```text
       docker images
       ```

    - *Solution:*

      ```bash
      docker info
      ```

      ```text
      docker info
      ```

    > *Solution:*
    >
    > ```bash
    > docker version
    > ```
    >
    > ```text
    > docker version
    > ```

    End.
    "#);
}

#[test]
fn solutions_are_hidden_or_shown_on_request() {
    for (solutions, n_blocks) in [(Solutions::Hide, 0), (Solutions::Show, 4)] {
        let mut case = case(SOLUTIONS);
        case.config.solutions = solutions;
        let (html, plain) = pages(&case);
        assert!(!html.contains("rehearse-solution"), "{html}");
        for page in [html, plain] {
            assert_eq!(page.matches("```bash\n").count(), n_blocks, "{page}");
            let is_shown = |it: &&str| {
                it.trim_start_matches([' ', '>']).starts_with("docker ")
                    || it.contains("<samp>docker ")
            };
            let n_shown = page.lines().filter(is_shown).count();
            assert_eq!(n_shown, 2 * n_blocks, "{page}");
            assert!(
                page.contains("Try it.") && page.contains("1. One"),
                "{page}"
            );
        }
    }
}

#[test]
fn a_fold_holds_markdown_in_lists_and_quotes() {
    use mdbook_markdown::pulldown_cmark::{Event, Tag};
    use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
    let (html, _) = pages(&case(SOLUTIONS));
    let mut depth = Vec::new();
    let mut seen = Vec::new();
    for event in new_cmark_parser(&html, &MarkdownOptions::default()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => seen.push(format!("{depth:?} code")),
            Event::Start(tag @ (Tag::List(_) | Tag::Item | Tag::BlockQuote(_))) => {
                depth.push(format!("{tag:?}").split('(').next().unwrap().to_string());
            }
            Event::End(tag) => {
                let is_same = depth
                    .last()
                    .is_some_and(|it| format!("{tag:?}").starts_with(it.as_str()));
                if is_same {
                    depth.pop();
                }
            }
            Event::Html(it) if it.contains("rehearse-solution") => {
                seen.push(format!("{depth:?} fold"))
            }
            Event::Html(it) if it.trim() == "</details>" => seen.push(format!("{depth:?} end")),
            _ => {}
        }
    }
    assert_snapshot!(seen.join("\n"), @r#"
    [] fold
    [] code
    [] end
    ["List", "Item"] fold
    ["List", "Item"] code
    ["List", "Item"] end
    ["List", "Item"] fold
    ["List", "Item"] code
    ["List", "Item"] end
    ["BlockQuote"] fold
    ["BlockQuote"] code
    ["BlockQuote"] end
    "#);
}

#[test]
fn what_only_the_copy_has_stands_at_the_end_of_its_section() {
    let text = "# A\n\n## One\n\n```bash\ndocker ps\n```\n\nYour challenge: more.\n\n## Two\n\nText.\n\n\n## Three\n\nLast.";
    let copy = "## Two\n\n```bash\ndocker info\n```\n\n<!-- rehearse: check=\"`info` is there\" -->\n```bash\ntest -e x\n```\n\n## One\n\n```bash setup\ntouch x\n```\n\n\
                ```bash\ndocker ps -a\ndocker ps -q\n```\n\n<!-- rehearse: run docker images -->\n\n## Three\n\n```bash\ndocker version\n```\n";
    assert_snapshot!(check(&Case { copy: Some(copy), ..case(text) }), @r#"
    # A

    ## One

    ```bash
    docker ps
    ```

    (one-1: docker ps)

    Your challenge: more.

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker ps -a
    docker ps -q
    ```

    (one-copy-2: &#36; docker ps -a | docker ps -a | &#36; docker ps -q | docker ps -q)

    </details>

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker images
    ```

    (one-copy-3: docker images)

    </details>

    ## Two

    Text.

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker info
    ```

    (two-copy-1: docker info)

    </details>

    <div class="rehearse tex2jax_ignore rehearse-check rehearse-holds"><p><span class="rehearse-tick" aria-hidden="true">✓</span> Checked: <code>info</code> is there</p></div>


    ## Three

    Last.

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker version
    ```

    (three-copy-1: docker version)

    </details>

    =====
    # A

    ## One

    ```bash
    docker ps
    ```

    ```text
    docker ps
    ```

    Your challenge: more.

    *Solution:*

    ```bash
    docker ps -a
    docker ps -q
    ```

    ```text
    $ docker ps -a
    docker ps -a
    $ docker ps -q
    docker ps -q
    ```

    *Solution:*

    ```bash
    docker images
    ```

    ```text
    docker images
    ```

    ## Two

    Text.

    *Solution:*

    ```bash
    docker info
    ```

    ```text
    docker info
    ```

    *Checked: \`info\` is there*


    ## Three

    Last.

    *Solution:*

    ```bash
    docker version
    ```

    ```text
    docker version
    ```
    "#);
}

#[test]
fn checks_are_ticked_off_once_they_were_seen_to_hold() {
    let text = "# A\n\n~~~bash check=\"it <runs> & `answers`\"\ntest -e x\n~~~\n\n```bash check\ntest -e y\n```\n\n- ```bash check=\"later\"\n  test -e z\n  ```\n";
    let unrecorded = ["a-3"];
    assert_snapshot!(check(&Case { unrecorded: &unrecorded, ..case(text) }), @r#"
    # A



    <div class="rehearse tex2jax_ignore rehearse-check rehearse-holds"><p><span class="rehearse-tick" aria-hidden="true">✓</span> Checked: it &#60;runs&#62; &#38; <code>answers</code></p></div>



    <div class="rehearse tex2jax_ignore rehearse-check rehearse-holds"><p><span class="rehearse-tick" aria-hidden="true">✓</span> Checked: this task</p></div>

    - [rehearse-hidden]: #

      <div class="rehearse tex2jax_ignore rehearse-check rehearse-blank"><p><span class="rehearse-tick" aria-hidden="true">○</span> Not checked yet: later</p></div>

    =====
    # A



    *Checked: it \<runs\> \& \`answers\`*



    *Checked: this task*

    - [rehearse-hidden]: #

      *Not checked yet: later*
    "#);
}

#[test]
fn files_are_shown_as_they_are() {
    let text = "```python save-as=app.py title=\"app.py\"\nprint(1)\n```\n\nCreate a `Dockerfile`:\n\n```dockerfile\nFROM alpine\n```\n\n```bash\ndocker build .\n```\n\n\
                ```yaml save-as=x.yaml hide\na: 1\n```\n\nEnd.\n";
    assert_snapshot!(check(&case(text)), @r#"
    ```python title="app.py"
    print(1)
    ```

    Create a `Dockerfile`:

    ```dockerfile
    FROM alpine
    ```

    ```bash
    docker build .
    ```

    (step-3: docker build .)



    End.

    =====
    ```python title="app.py"
    print(1)
    ```

    Create a `Dockerfile`:

    ```dockerfile
    FROM alpine
    ```

    ```bash
    docker build .
    ```

    ```text
    docker build .
    ```



    End.
    "#);
}

#[test]
fn tables_stand_where_their_comments_do() {
    let text = "Text.\n\n<!-- rehearse: images alpine docker.io/library/mine:1 missing -->\n\n- item\n\n  <!-- rehearse: layers alpine mine:1 -->\n\n  more\n\n\
                > <!-- rehearse: images missing -->\n\n```bash\ndocker ps\n```\n\n<!-- rehearse: layers missing -->\n";
    let images = vec![
        entry("docker.io/library/alpine:latest", "a", &["1"]),
        entry("docker.io/library/mine:1", "b", &["1", "2"]),
        entry("docker.io/library/other:1", "c", &["3"]),
    ];
    assert_snapshot!(check(&Case { images, ..case(text) }), @r#"
    Text.

    <!-- rehearse: images alpine docker.io/library/mine:1 missing -->

    <div class="rehearse tex2jax_ignore rehearse-images" role="region" aria-label="Images" tabindex="0"><table><caption>Images</caption><thead><tr><th scope="col">Reference</th><th scope="col">Digest</th><th scope="col" class="rehearse-number">Layers</th><th scope="col" class="rehearse-number">Size</th></tr></thead><tbody><tr><th scope="row"><code class="nohighlight" title="docker.io/library/alpine&#58;latest">alpine&#58;latest</code></th><td data-what="Digest"><details><summary><code class="nohighlight">sha256&#58;aaaaaaaaaaaa…</code></summary><code class="nohighlight rehearse-full">sha256&#58;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</code></details></td><td data-what="Layers" class="rehearse-number">1</td><td data-what="Size" class="rehearse-number">8.31MB</td></tr><tr><th scope="row"><code class="nohighlight" title="docker.io/library/mine&#58;1">mine&#58;1</code></th><td data-what="Digest"><details><summary><code class="nohighlight">sha256&#58;bbbbbbbbbbbb…</code></summary><code class="nohighlight rehearse-full">sha256&#58;bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb</code></details></td><td data-what="Layers" class="rehearse-number">2</td><td data-what="Size" class="rehearse-number">8.31MB</td></tr></tbody></table></div>

    <div class="rehearse tex2jax_ignore rehearse-blank"><p class="rehearse-note"><strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> <code>missing&#58;latest</code> is not recorded yet</p></div>

    - item

      <!-- rehearse: layers alpine mine:1 -->

      <figure class="rehearse tex2jax_ignore rehearse-picture" id="rehearse-a&#95;layers-2"><figcaption class="rehearse-sums">Added up&#58; 3MB. On disk&#58; 2MB, since one layer is shared.</figcaption><div class="rehearse-stacks" role="region" aria-label="Layers of alpine&#58;latest and mine&#58;1" tabindex="0"><svg role="img" aria-label="Layers of alpine&#58;latest and mine&#58;1. Added up&#58; 3MB. On disk&#58; 2MB, since one layer is shared." width="244" height="313" viewBox="0 0 244 313" font-family="sans-serif" font-size="12"><g class="rehearse-stack"><text class="rehearse-name" x="60" y="149" text-anchor="middle" fill="currentColor">alpine&#58;latest</text><g class="rehearse-layer rehearse-shared rehearse-hue-0"><rect x="4" y="156" width="112" height="120" rx="2" fill="none" stroke="currentColor"></rect><text class="rehearse-mark" x="12" y="220" font-weight="bold" fill="currentColor">A</text><text class="rehearse-size" x="108" y="220" text-anchor="end" fill="currentColor">1MB</text></g><text class="rehearse-total" x="60" y="291" text-anchor="middle" fill="currentColor">1MB</text><text class="rehearse-own" x="60" y="306" text-anchor="middle" fill="currentColor">0B its own</text></g><g class="rehearse-stack"><text class="rehearse-name" x="184" y="27" text-anchor="middle" fill="currentColor">mine&#58;1</text><g class="rehearse-layer rehearse-shared rehearse-hue-0"><rect x="128" y="156" width="112" height="120" rx="2" fill="none" stroke="currentColor"></rect><text class="rehearse-mark" x="136" y="220" font-weight="bold" fill="currentColor">A</text><text class="rehearse-size" x="232" y="220" text-anchor="end" fill="currentColor">1MB</text></g><g class="rehearse-layer"><rect x="128" y="34" width="112" height="120" rx="2" fill="none" stroke="currentColor"></rect><text class="rehearse-size" x="232" y="98" text-anchor="end" fill="currentColor">1MB</text></g><text class="rehearse-total" x="184" y="291" text-anchor="middle" fill="currentColor">2MB</text><text class="rehearse-own" x="184" y="306" text-anchor="middle" fill="currentColor">1MB its own</text></g><path class="rehearse-ground" d="M0 276H244" fill="none" stroke="currentColor"></path></svg></div><details class="rehearse-twin"><summary>As a table</summary><div class="rehearse-images rehearse-layers" role="region" aria-label="Layers of alpine&#58;latest and mine&#58;1, as a table" tabindex="0"><table><thead><tr><th scope="col">Layer</th><th scope="col">Size</th><th scope="col"><code class="nohighlight">alpine&#58;latest</code></th><th scope="col"><code class="nohighlight">mine&#58;1</code></th></tr></thead><tbody><tr class="rehearse-row rehearse-shared rehearse-hue-0"><th scope="row"><b>A</b> <code class="nohighlight">sha256&#58;111111111111…</code></th><td>1MB</td><td class="rehearse-has"><span role="img" aria-label="yes">●</span></td><td class="rehearse-has"><span role="img" aria-label="yes">●</span></td></tr><tr class="rehearse-row"><th scope="row"><code class="nohighlight">sha256&#58;222222222222…</code></th><td>1MB</td><td></td><td class="rehearse-has"><span role="img" aria-label="yes">●</span></td></tr></tbody><tfoot><tr><th scope="row">Added up</th><td></td><td>1MB</td><td>2MB</td></tr><tr><th scope="row">Its own</th><td></td><td>0B</td><td>1MB</td></tr></tfoot></table></div></details></figure>

      more

    > <!-- rehearse: images missing -->
    >
    > <div class="rehearse tex2jax_ignore rehearse-blank"><p class="rehearse-note"><strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> these images are not recorded yet</p></div>

    ```bash
    docker ps
    ```

    (step-1: docker ps)

    <!-- rehearse: layers missing -->

    <div class="rehearse tex2jax_ignore rehearse-blank"><p class="rehearse-note"><strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> these images are not recorded yet</p></div>

    =====
    Text.

    <!-- rehearse: images alpine docker.io/library/mine:1 missing -->

    | Reference | Digest | Layers | Size |
    |---|---|---:|---:|
    | `alpine:latest` | `sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` | 1 | 8.31MB |
    | `mine:1` | `sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` | 2 | 8.31MB |

    *New\: \`missing\:latest\` is not recorded yet*

    - item

      <!-- rehearse: layers alpine mine:1 -->

      Added up\: 3MB. On disk\: 2MB, since one layer is shared.

      | Layer | Size | `alpine:latest` | `mine:1` |
      |---|---:|:---:|:---:|
      | A `sha256:111111111111…` | 1MB | x | x |
      | `sha256:222222222222…` | 1MB |  | x |
      | Added up |  | 1MB | 2MB |
      | Its own |  | 0B | 1MB |

      more

    > <!-- rehearse: images missing -->
    >
    > *New\: these images are not recorded yet*

    ```bash
    docker ps
    ```

    ```text
    docker ps
    ```

    <!-- rehearse: layers missing -->

    *New\: these images are not recorded yet*
    "#);
}

#[test]
fn it_says_how_what_did_not_end_by_itself_went_on() {
    let text = "```bash\ndocker logs -f web\n```\n\n```bash for=1500ms\nsleep 600\n```\n\n```bash\ndocker run -p 80:80 nginx\n```\n\n\
                ```console\n$ docker run -it alpine\n/ # ls\nbin\n/ # exit\n```\n";
    let printed = [("sleep 600", ""), ("docker run -p 80:80 nginx", "")];
    assert_snapshot!(check(&Case { printed: &printed, ..case(text) }), @r#"
    ```bash
    docker logs -f web
    ```

    (step-1: Ctrl-C after 3.0 s | docker logs -f web)

    ```bash
    sleep 600
    ```

    (step-2: No output | Ctrl-C after 1.5 s)

    ```bash
    docker run -p 80:80 nginx
    ```

    (step-3: No output | goes on in the background)

    <pre><code class="language-console">[prompt: &#36; ]docker run -it alpine&#10;[prompt: / &#35; ]ls&#10;[prompt: / &#35; ]exit&#10;</code></pre>

    (step-4: &#36; docker run -it alpine | stays open | docker run -it alpine | &#35; ls | ls | &#35; exit | exit)

    =====
    ```bash
    docker logs -f web
    ```

    ```text
    docker logs -f web
    [Ctrl-C after 3.0 s]
    ```

    ```bash
    sleep 600
    ```

    ```text
    [Ctrl-C after 1.5 s]
    ```

    ```bash
    docker run -p 80:80 nginx
    ```

    ```text
    [goes on in the background]
    ```

    ```console
    $ docker run -it alpine
    / # ls
    / # exit
    ```

    ```text
    $ docker run -it alpine
    docker run -it alpine
    [stays open]
    # ls
    ls
    # exit
    exit
    ```
    "#);
}

#[test]
fn outputs_in_other_makers_admonitions_come_after_them() {
    let text = "!!! note \"Try\"\n    ```bash\n    docker ps\n    ```\n\n    More.\n\nAfter.\n\n!!! tip\n    ```bash solution\n    docker info\n    ```\n\n    <!-- rehearse: run docker version -->\n\nLast.\n\n  ```bash solution\n  docker images\n  ```\n";
    assert_snapshot!(check(&case(text)), @r#"
    !!! note "Try"
        ```bash
        docker ps
        ```

        More.

    (step-1: docker ps)

    After.

    !!! tip
        ```bash
        docker info
        ```

        <!-- rehearse: run docker version -->

    (step-2: docker info)

    (step-3: &#36; docker version | docker version)

    Last.

      <details class="rehearse-solution"><summary>Solution</summary>

      ```bash
      docker images
      ```

      (step-4: docker images)

      </details>

    =====
    !!! note "Try"
        ```bash
        docker ps
        ```

        More.

    ```text
    docker ps
    ```

    After.

    !!! tip
        ```bash
        docker info
        ```

        <!-- rehearse: run docker version -->

    ```text
    docker info
    ```

    ```text
    $ docker version
    docker version
    ```

    Last.

      *Solution:*

      ```bash
      docker images
      ```

      ```text
      docker images
      ```
    "#);
}

#[test]
fn what_prose_asks_for_is_shown_with_its_command() {
    let text = "Run `docker ps`.\n\n<!-- rehearse: run docker ps -->\n\n1. Then `docker info`.\n   <!-- rehearse: run docker info -->\n2. Last.\n";
    assert_snapshot!(check(&case(text)), @"
    Run `docker ps`.

    <!-- rehearse: run docker ps -->

    (step-1: &#36; docker ps | docker ps)

    1. Then `docker info`.
       <!-- rehearse: run docker info -->

       (step-2: &#36; docker info | docker info)

    2. Last.

    =====
    Run `docker ps`.

    <!-- rehearse: run docker ps -->

    ```text
    $ docker ps
    docker ps
    ```

    1. Then `docker info`.
       <!-- rehearse: run docker info -->

       ```text
       $ docker info
       docker info
       ```

    2. Last.
    ");
}

#[test]
fn what_the_copy_says_first_stands_below_the_title() {
    let copy = "```bash\ndocker ps\n```\n";
    let text = "# Title\n\nText.\n";
    assert_snapshot!(check(&Case { copy: Some(copy), ..case(text) }), @r#"
    # Title

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker ps
    ```

    (step-copy-1: docker ps)

    </details>

    Text.

    =====
    # Title

    *Solution:*

    ```bash
    docker ps
    ```

    ```text
    docker ps
    ```

    Text.
    "#);
    let text = "Title\n=====\nText.\n\n## More\n";
    assert_snapshot!(check(&Case { copy: Some(copy), ..case(text) }), @r#"
    Title
    =====

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker ps
    ```

    (step-copy-1: docker ps)

    </details>

    Text.

    ## More

    =====
    Title
    =====

    *Solution:*

    ```bash
    docker ps
    ```

    ```text
    docker ps
    ```

    Text.

    ## More
    "#);
    let text = "Before.\n\n# Title\n";
    assert_snapshot!(check(&Case { copy: Some(copy), ..case(text) }), @r#"
    Before.

    <details class="rehearse-solution"><summary>Solution</summary>

    ```bash
    docker ps
    ```

    (step-copy-1: docker ps)

    </details>

    # Title

    =====
    Before.

    *Solution:*

    ```bash
    docker ps
    ```

    ```text
    docker ps
    ```

    # Title
    "#);
}

#[test]
fn code_by_indent_stays_what_it_is() {
    let text = "1. One\n\n       # docker info\n       Server:\n        Version: 1\n\nTwo:\n\n    $ docker ps\n    sample\n";
    let mut case = case(text);
    case.config.languages.push("indented".to_string());
    assert_snapshot!(check(&case), @"
    1. One

           # docker info

       (step-1: docker info)

    Two:

        $ docker ps

    (step-2: docker ps)

    =====
    1. One

           # docker info

       ```text
       docker info
       ```

    Two:

        $ docker ps

    ```text
    docker ps
    ```
    ");
}

#[test]
fn what_a_comment_asks_for_comes_after_its_line() {
    let text = "- See `docker info`. <!-- rehearse: run docker info --> <!-- rehearse: images alpine -->\n- Last.\n\n> 1. And <!-- rehearse: run docker ps -->\n>    more.\n";
    assert_snapshot!(check(&case(text)), @r#"
    - See `docker info`. <!-- rehearse: run docker info --> <!-- rehearse: images alpine -->

      (step-1: &#36; docker info | docker info)


      <div class="rehearse tex2jax_ignore rehearse-blank"><p class="rehearse-note"><strong class="rehearse-badge rehearse-fresh">new</strong><span class="rehearse-dot">:</span> these images are not recorded yet</p></div>

    - Last.

    > 1. And <!-- rehearse: run docker ps -->
    >
    >    (step-2: &#36; docker ps | docker ps)
    >
    >    more.

    =====
    - See `docker info`. <!-- rehearse: run docker info --> <!-- rehearse: images alpine -->

      ```text
      $ docker info
      docker info
      ```


      *New\: these images are not recorded yet*

    - Last.

    > 1. And <!-- rehearse: run docker ps -->
    >
    >    ```text
    >    $ docker ps
    >    docker ps
    >    ```
    >
    >    more.
    "#);
}

#[test]
fn a_file_can_be_a_solution_and_programs_keep_their_prompt() {
    let mut case = case(
        "## Task\n\nYour task: write it.\n\n```console\n$ docker exec -it db psql\npostgres=# select 1;\npostgres=# select 2;\n```\n",
    );
    case.copy = Some("## Task\n\n```dockerfile save-as=Dockerfile solution\nFROM alpine\n```\n");
    assert_snapshot!(check(&case));
}
