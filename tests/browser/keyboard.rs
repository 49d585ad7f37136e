//! Keys and the clipboard: where the keyboard goes on a page, what it opens, and what is copied.

use insta::assert_snapshot;

use super::book::visit;
use super::page::{DESK, Key, Page, TELEPHONE};

/// Everything that the Tab key goes to in the text of a page, in that order; what is folded is opened when met, closed and
/// opened again.
#[track_caller]
fn walk(page: &Page<'_>) -> Vec<String> {
    let () = page.look("begin()");
    let mut stops = Vec::new();
    loop {
        page.press(Key::Tab);
        let Some(mut stop) = page.look::<Option<String>>("stop()") else {
            return stops;
        };
        if stop.starts_with("summary") {
            for key in [Key::Enter, Key::Space, Key::Enter] {
                page.press(key);
                let state = match page.look("isOpen()") {
                    true => "open",
                    false => "closed",
                };
                stop.push_str(&format!(", {key:?}: {state}"));
            }
        }
        stops.push(stop);
        assert!(stops.len() < 200, "{}", stops.join("\n"));
    }
}

#[test]
fn the_keyboard_goes_through_the_page_and_opens_what_is_folded() {
    let stops = visit("course.html", DESK, walk);
    assert_snapshot!(stops.join("\n"), @r#"
    a "Course"
    a "below"
    button "Copy to clipboard"
    a "$ docker ps"
    a "$ ls nothing"
    a "$ true"
    a "$ false"
    button "Copy to clipboard"
    button "Copy to clipboard"
    summary "Solution", Enter: open, Space: closed, Enter: open
    button "Copy to clipboard"
    a "Output of docker ps"
    summary "Solution", Enter: open, Space: closed, Enter: open
    button "Copy to clipboard"
    a "Output of docker ps"
    button "Copy to clipboard"
    a "Output of sleep 9"
    button "Copy to clipboard"
    a "Output of seq 100"
    summary "… 76 more lines", Enter: open, Space: closed, Enter: open
    a "The end"
    stacks "Layers of one:latest, two:late"
    summary "As a table", Enter: open, Space: closed, Enter: open
    layers "Layers of one:latest, two:late"
    images "Images"
    summary "sha256:000000000000…", Enter: open, Space: closed, Enter: open
    summary "sha256:111111111111…", Enter: open, Space: closed, Enter: open
    "#);
}

#[test]
fn the_keyboard_gets_to_all_that_scrolls() {
    for page in ["hostile.html", "course.html"] {
        let (scrollers, stops) = visit(page, TELEPHONE, |page| {
            let () = page.look("open('details')");
            let scrollers: Vec<String> = page.look("scrollers()");
            // The walk opens them again.
            let () = page.look("shut('details')");
            (scrollers, walk(page))
        });
        assert!(!scrollers.is_empty());
        let mut stops = stops.iter();
        for it in &scrollers {
            assert!(
                stops.any(|stop| stop.starts_with(it)),
                "{it} of {scrollers:?}"
            );
        }
    }
}

/// What the copy button of a block copies, pressed by `how`; `nth` counts the blocks of the page that have one.
#[track_caller]
fn copied(page: &Page<'_>, nth: usize, how: Press) -> String {
    page.copied(|page| match how {
        Press::Keyboard => {
            let () = page.look(&format!("all('.clip-button')[{nth}].focus()"));
            page.press(Key::Enter);
        }
        Press::Mouse => page.click(".clip-button", nth),
    })
}

/// How a button is pressed.
#[derive(Debug, Clone, Copy)]
enum Press {
    Keyboard,
    Mouse,
}

#[test]
fn a_block_is_copied_as_commands_only() {
    visit("course.html", DESK, |page| {
        for how in [Press::Keyboard, Press::Mouse] {
            let copied = copied(page, 0, how);
            assert_eq!(copied, "docker ps\nls nothing\ntrue\nfalse\n", "{how:?}");
        }
    });
}

#[test]
fn an_output_has_no_copy_button() {
    let buttons: usize = visit("course.html", DESK, |page| {
        page.look("count('.rehearse button')")
    });
    assert_eq!(buttons, 0);
}

#[test]
fn neither_prompts_nor_samples_are_copied() {
    let all = "$ docker ps\nCONTAINER ID\n\n$ docker images \\\n>   -q\n0a1b2c3d\n# of mine\n";
    let typed = "docker ps\n\ndocker images \\\n  -q\n# of mine\n";
    visit("status.html", DESK, |page| {
        assert_eq!(page.look::<Vec<String>>("texts('pre code')"), [all.trim()]);
        for how in [Press::Keyboard, Press::Mouse] {
            assert_eq!(copied(page, 0, how), typed, "{how:?}");
        }
        // Nor are they by who marks the block.
        let marked = "getSelection().selectAllChildren(all('pre code')[0]) ?? `${getSelection()}`";
        assert_eq!(page.look::<String>(marked), typed.trim_end());
    });
}
