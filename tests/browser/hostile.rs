//! Hostile outputs: on the page they are text, and the page is as it was without them.

use insta::assert_debug_snapshot;

use super::book::{PAGES, faults_of, source, visit};
use super::page::DESK;

#[test]
fn no_element_and_no_attribute_comes_from_an_output() {
    for page in PAGES {
        visit(page, DESK, |page| {
            for call in ["wild()", "handlers()", "schemes()", "tidied()", "untold()"] {
                let found: Vec<String> = page.look(call);
                assert_eq!(found, [""; 0], "{call}");
            }
            assert!(!page.look::<bool>("pwned()"));
        });
    }
}

#[test]
fn hostile_outputs_are_text() {
    let texts: Vec<String> = visit("hostile.html", DESK, |page| page.look("texts('samp')"));
    let texts = texts.join("\n");
    for text in [
        "</samp></pre></div><script>window.pwned = 1</script>",
        "<img src=x onerror=\"window.pwned = 1\">",
        "![image](x.png) [link](javascript:pwned) <https://example.org> https://example.org",
        "{{#include ../secret.txt}} {{#title pwned}} {{#playground x.rs}}",
        "$$ x $$ \\( y \\) \\[ z \\] &lt;script&gt; &#60;script&#62;",
        "# hidden? ~ hidden?",
    ] {
        assert_eq!(texts.matches(text).count(), 3, "{text} in:\n{texts}");
    }
    assert!(
        !texts.contains(['\u{202e}', '\u{1b}', '\u{200b}']),
        "{texts}"
    );
    // Nor is there anything for a browser without scripts, or for a program that reads pages.
    let page = source("hostile.html");
    assert!(!page.contains("<script>window") && !page.contains("<img src=x"));
    assert!(!page.contains("SECRET"));
}

#[test]
fn blocks_stay_in_their_list_and_quote() {
    let blocks: [usize; 3] = visit("hostile.html", DESK, |page| {
        page.look("['li .rehearse', 'blockquote .rehearse', '.rehearse-head'].map(count)")
    });
    assert_eq!(blocks, [1, 1, 6]);
}

#[test]
fn the_printed_book_has_all_outputs() {
    let (n_heads, texts): (usize, Vec<String>) = visit("print.html", DESK, |page| {
        page.look("[count('.rehearse-head'), texts('samp')]")
    });
    assert_eq!(n_heads, 14);
    let hostile = "</samp></pre></div><script>window.pwned = 1</script>";
    assert!(texts.iter().any(|it| it.contains(hostile)));
}

#[test]
fn whatever_goes_wrong_on_a_page_is_told() {
    let page = "<!doctype html><main></main><img src='missing.png'><img src='http://127.0.0.1:9/'>\
        <script>console.error('wrong'); console.warn('doubtful'); console.log('fine'); missing()</script>";
    assert_debug_snapshot!(faults_of(page), @r#"
    [
        "console.error: \"wrong\"",
        "console.warning: \"doubtful\"",
        "exception: ReferenceError: missing is not defined",
        "failed: net::ERR_FILE_NOT_FOUND",
        "failed: net::ERR_UNSAFE_PORT",
        "log: Failed to load resource: net::ERR_FILE_NOT_FOUND",
        "log: Failed to load resource: net::ERR_UNSAFE_PORT",
        "request: http://127.0.0.1:9/",
    ]
    "#);
}
