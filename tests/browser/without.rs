//! Pages without scripts and without style: all is there, and nothing runs into its neighbor.

use insta::assert_snapshot;

use super::book::visit;
use super::page::{DESK, Reader, Scripts};

/// With a browser that runs no scripts.
const QUIET: Reader = Reader {
    scripts: Scripts::Off,
    ..DESK
};

#[test]
fn without_scripts_the_page_says_the_same() {
    let texts = |reader: Reader| -> Vec<String> {
        visit("course.html", reader, |page| {
            page.look("shown('.rehearse, .rehearse-solution > summary')")
        })
    };
    let with = texts(DESK);
    assert!(with.len() > 10, "{with:?}");
    assert_eq!(texts(QUIET), with);
}

#[test]
fn without_scripts_folds_open() {
    let seen: [usize; 2] = visit("course.html", QUIET, |page| {
        page.click(".rehearse-solution > summary", 0);
        page.look(
            "['.rehearse-solution[open]', '.rehearse-solution samp'].map((it) => shown(it).length)",
        )
    });
    assert_eq!(seen, [1, 1]);
}

#[test]
fn without_style_all_is_text_with_something_between() {
    let texts: Vec<String> = visit("course.html", QUIET, |page| {
        let () = page.look("unstyle()");
        let () = page.look("open('.rehearse-solution, .rehearse-images details')");
        page.look("shown('.rehearse, .rehearse-solution > summary')")
    });
    let texts: Vec<String> = texts.iter().map(|it| it.replace("\n\n", "\n")).collect();
    assert_snapshot!(texts.join("\n---\n"), @"
    $ docker ps · 1.2 s
    seen
    $ ls nothing · status 2 · 1.2 s
    no such file
    $ true · ✓ no output · 1.2 s
    $ false · ✓ no output · fails as it should (status 1) · 1.2 s
    ---
    not run: it wants a <screen>
    ---
    new: not recorded yet
    ---
    Solution
    ---
    Output · 1.2 s
    seen
    ---
    Solution
    ---
    Output · 1.2 s
    seen
    ---
    ✓ Checked: it answers <b>at once</b>
    ---
    ○ Not checked yet: later
    ---
    Output · Ctrl-C after 2.0 s
    seen
    ---
    Output · 1.2 s
    1
    2
    3
    4
    5
    6
    7
    8
    9
    10
    11
    12
    13
    14
    15
    16
    … 76 more lines
    93
    94
    95
    96
    97
    98
    99
    100
    ---
    Added up: 740.7MB. On disk: 211.6MB, since 6 layers are shared.
    one:latest
    A
    17.6MB
    B
    17.6MB
    C
    17.6MB
    D
    17.6MB
    E
    17.6MB
    F
    17.6MB
    17.6MB
    123MB
    17.6MB its own
    two:latest
    A
    17.6MB
    B
    17.6MB
    C
    17.6MB
    D
    17.6MB
    E
    17.6MB
    F
    17.6MB
    17.6MB
    123MB
    17.6MB its own
    three:latest
    A
    17.6MB
    B
    17.6MB
    C
    17.6MB
    D
    17.6MB
    E
    17.6MB
    F
    17.6MB
    17.6MB
    123MB
    17.6MB its own
    four:latest
    A
    17.6MB
    B
    17.6MB
    C
    17.6MB
    D
    17.6MB
    E
    17.6MB
    F
    17.6MB
    17.6MB
    123MB
    17.6MB its own
    five:latest
    A
    17.6MB
    B
    17.6MB
    C
    17.6MB
    D
    17.6MB
    E
    17.6MB
    F
    17.6MB
    17.6MB
    123MB
    17.6MB its own
    six:latest
    A
    17.6MB
    B
    17.6MB
    C
    17.6MB
    D
    17.6MB
    E
    17.6MB
    F
    17.6MB
    17.6MB
    123MB
    17.6MB its own
    As a table
    ---
    Images
    Reference	Digest	Layers	Size
    one:latest	
    sha256:000000000000…
    sha256:0000000000000000000000000000000000000000000000000000000000000000
    	7	123MB
    two:latest	
    sha256:111111111111…
    sha256:1111111111111111111111111111111111111111111111111111111111111111
    	7	123MB
    ---
    new: none:latest is not recorded yet
    ---
    new: these images are not recorded yet
    ---
    Recorded on 23 November 2026 with Docker 28.5.2 (containerd, linux/amd64). Images of docker.io came from a local stand-in, filled from archives of this course, not from that registry itself. 2 steps of this chapter are newer than that.
    ");
}
