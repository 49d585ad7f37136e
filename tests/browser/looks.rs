//! Colors, motion and paper: what readers can tell from its background, what moves, and what a printer gets.

use insta::assert_snapshot;

use super::book::{PAGES, visit};
use super::page::{DESK, PAPER, Reader};

#[test]
fn every_text_is_told_from_its_background_in_all_themes_and_on_paper() {
    for page in PAGES {
        visit(page, DESK, |page| {
            let () = page.look("open('details')");
            for reader in [DESK, PAPER] {
                page.show_to(reader);
                let (n_texts, faint): (usize, Vec<String>) =
                    page.look("[inked().length, faintInThemes()]");
                assert!(n_texts > 20, "only {n_texts}");
                assert_eq!(faint, [""; 0], "on {}", reader.media);
            }
        });
    }
}

#[test]
fn a_reader_who_prefers_dark_gets_dark_colors() {
    let readers: [(&str, Reader); 2] = [
        (
            "dark",
            Reader {
                prefers: &[("prefers-color-scheme", "dark")],
                ..DESK
            },
        ),
        (
            "light",
            Reader {
                prefers: &[("prefers-color-scheme", "light")],
                ..DESK
            },
        ),
    ];
    for (scheme, reader) in readers {
        let (schemes, faint): (Vec<String>, Vec<String>) = visit("hostile.html", reader, |page| {
            page.look("[schemesOfBlocks(), faint()]")
        });
        assert_eq!(schemes, [scheme]);
        assert_eq!(faint, [""; 0], "of {scheme}");
    }
}

#[test]
fn nothing_moves_for_a_reader_who_prefers_that() {
    let reader = Reader {
        prefers: &[("prefers-reduced-motion", "reduce")],
        ..DESK
    };
    for page in ["hostile.html", "course.html"] {
        let moving: Vec<String> = visit(page, reader, |page| {
            page.click("summary", 0);
            page.look("moving()")
        });
        assert_eq!(moving, [""; 0], "of {page}");
    }
}

#[test]
fn on_paper_digests_are_whole_and_closed_solutions_are_secret() {
    const FOLDED: &str = ".rehearse-solution, .rehearse-fold, \
        .rehearse-images:not(.rehearse-layers) td:first-of-type";
    let (closed, open): (Vec<String>, Vec<String>) = visit("course.html", PAPER, |page| {
        let closed = page.look(&format!("shown('{FOLDED}')"));
        let () = page.look("open('.rehearse-solution')");
        (closed, page.look("shown('.rehearse-solution')"))
    });
    assert_snapshot!(closed.join("\n---\n"), @"
    … 76 more lines
    ---
    sha256:0000000000000000000000000000000000000000000000000000000000000000
    ---
    sha256:1111111111111111111111111111111111111111111111111111111111111111
    ");
    assert_eq!(open.len(), 2);
    for it in open {
        assert!(it.contains("docker ps") && it.contains("seen"), "{it}");
    }
}
