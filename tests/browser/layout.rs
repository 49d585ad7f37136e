//! Where our blocks lie on a page, as boxes and not as pixels.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::book::{PAGES, visit};
use super::page::{DESK, PAPER, Reader, TELEPHONE};

/// The boxes of the course's blocks as an outline; those that are alike in a row are counted.
#[track_caller]
fn boxes(reader: Reader) -> String {
    let boxes: String = visit("course.html", reader, |page| {
        let () = page.look("open('.rehearse-solution')");
        page.look("boxes()")
    });
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for line in boxes.lines() {
        match counted.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ => counted.push((line, 1)),
        }
    }
    let lines = counted.into_iter().map(|(line, count)| match count {
        1 => format!("{line}\n"),
        _ => format!("{line} ({count} times)\n"),
    });
    lines.collect()
}

#[test]
fn no_box_lies_on_another_or_outside_its_column() {
    for page in PAGES {
        // First the telephone: mdBook decides when it loads whether there is room for its sidebar.
        visit(page, TELEPHONE, |page| {
            let () = page.look("open('details')");
            for reader in [TELEPHONE, DESK, PAPER] {
                page.show_to(reader);
                let width = reader.width;
                assert_eq!(page.look::<i64>("overflow()"), 0, "at {width}");
                assert_eq!(page.look::<Vec<String>>("cut()"), [""; 0], "at {width}");
                let boxes: String = page.look("boxes()");
                assert!(boxes.lines().count() > 2, "{boxes}");
                for wrong in ["unknown", "sticks out", "the one before"] {
                    assert!(!boxes.contains(wrong), "at {width}:\n{boxes}");
                }
            }
        });
    }
}

#[test]
fn a_shared_layer_is_at_one_height_in_all_stacks() {
    let tops: BTreeMap<String, Vec<f64>> = visit("course.html", DESK, |page| page.look("tops()"));
    let marks: Vec<&str> = tops.keys().map(String::as_str).collect();
    assert_eq!(marks, ["A", "B", "C", "D", "E", "F"]);
    assert!(tops.values().all(|it| it.len() == 1), "{tops:?}");
}

#[test]
fn boxes_of_a_course_at_a_desk() {
    assert_snapshot!(boxes(DESK), @"
    outputs: full width
      heading: full width
        command: left
        facts: right, beside
      output: full width, fits
      heading: full width
        command: left
        facts: right, beside
      output: full width, fits
      heading: full width
        command: left
        silence: inside, beside
        facts: right, beside
      heading: full width
        command: left
        silence: inside, beside
        facts: right, beside
    note: full width (2 times)
    solution: full width, open
      summary: full width
      block: inside
      outputs: inside
        heading: full width
          label: left
          facts: right, beside
        output: full width, fits
    solution: full width, open
      summary: full width
      block: inside
      outputs: inside
        heading: full width
          label: left
          facts: right, beside
        output: full width, fits
    check: full width (2 times)
    outputs: full width
      heading: full width
        label: left
        facts: right, beside
      output: full width, fits
    outputs: full width
      heading: full width
        label: left
        facts: right, beside
      output: full width, fits
      fold: full width, closed
        summary: left
      output: full width, fits
    picture: full width
      sums: full width
      stacks: full width, fits
        drawing: inside
      twin: full width, closed
        summary: left
    images: full width, fits
      table: full width
        summary: inside (2 times)
    note: full width (2 times)
    provenance: full width
    ");
}

#[test]
fn boxes_of_a_course_on_a_telephone() {
    assert_snapshot!(boxes(TELEPHONE), @"
    outputs: full width
      heading: full width
        command: left
        facts: right, beside
      output: full width, fits
      heading: full width
        command: left
        facts: right, beside
      output: full width, fits
      heading: full width
        command: left
        silence: inside, beside
        facts: right, beside
      heading: full width
        command: left
        silence: inside, beside
        facts: right
    note: full width (2 times)
    solution: full width, open
      summary: full width
      block: inside
      outputs: inside
        heading: full width
          label: left
          facts: right, beside
        output: full width, fits
    solution: full width, open
      summary: full width
      block: inside
      outputs: inside
        heading: full width
          label: left
          facts: right, beside
        output: full width, fits
    check: full width (2 times)
    outputs: full width
      heading: full width
        label: left
        facts: right, beside
      output: full width, fits
    outputs: full width
      heading: full width
        label: left
        facts: right, beside
      output: full width, fits
      fold: full width, closed
        summary: left
      output: full width, fits
    picture: full width
      sums: full width
      stacks: full width, scrolls
        drawing: scrolled
      twin: full width, closed
        summary: left
    images: full width, fits
      table: full width
        summary: inside (2 times)
    note: full width (2 times)
    provenance: full width
    ");
}
