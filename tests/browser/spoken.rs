//! Names: what a screen reader hears of our blocks, and what a link can go to.

use std::collections::{BTreeMap, HashMap, HashSet};

use chromiumoxide::cdp::browser_protocol::accessibility::{AxNode, AxNodeId, AxValue};
use insta::assert_snapshot;

use super::book::{PAGES, visit};
use super::page::{DESK, Reader, TELEPHONE};

#[test]
fn ids_are_unique_and_links_lead_to_them() {
    let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut links = Vec::new();
    for page in PAGES {
        let (here, there): (Vec<String>, Vec<(String, String)>) =
            visit(page, DESK, |page| page.look("[ids(), links()]"));
        links.extend(there.into_iter().map(|it| (page, it)));
        ids.insert(page, here);
    }
    for (page, ids) in &ids {
        let mut known = HashSet::new();
        let twice: Vec<&String> = ids.iter().filter(|it| !known.insert(*it)).collect();
        assert_eq!(twice, [""; 0], "of {page}");
    }
    assert!(links.len() > 4, "{links:?}");
    for (from, (page, id)) in &links {
        let is_there = ids.get(page.as_str()).is_some_and(|it| it.contains(id));
        assert!(is_there, "{from} has a link to {page}#{id}");
    }
}

/// Roles that say nothing to a listener.
const UNSPOKEN: [&str; 4] = ["none", "generic", "InlineTextBox", "StaticText"];

/// Roles that only say again what the name around them says.
const ECHOES: [&str; 3] = ["code", "caption", "image"];

/// What a screen reader has of the page's text: role and name of every node, as an outline. Text that is in no name is a
/// line of its own.
#[track_caller]
fn spoken(page: &str, reader: Reader) -> String {
    let nodes = visit(page, reader, |page| page.spoken());
    let by_id: Nodes<'_> = nodes.iter().map(|it| (&it.node_id, it)).collect();
    let main = nodes.iter().find(|it| text(it.role.as_ref()) == "main");
    let mut lines = Vec::new();
    speak(main.unwrap(), &by_id, 0, &mut lines);
    lines.join("\n")
}

type Nodes<'a> = HashMap<&'a AxNodeId, &'a AxNode>;

fn speak(node: &AxNode, by_id: &Nodes<'_>, depth: usize, lines: &mut Vec<String>) {
    let around = text(node.name.as_ref());
    let children = node.child_ids.iter().flatten();
    for child in children.filter_map(|it| by_id.get(it)) {
        let (role, name) = (text(child.role.as_ref()), text(child.name.as_ref()));
        let indent = "  ".repeat(depth);
        if child.ignored || UNSPOKEN.contains(&role.as_str()) {
            let is_text = role == "StaticText" && !name.trim().is_empty();
            if is_text && !around.contains(name.trim()) {
                lines.push(format!("{indent}{name:?}"));
            }
            speak(child, by_id, depth, lines);
        } else if around.is_empty() || !ECHOES.contains(&role.as_str()) {
            match name.is_empty() {
                true => lines.push(format!("{indent}{role}")),
                false => lines.push(format!("{indent}{role} {name:?}")),
            }
            speak(child, by_id, depth + 1, lines);
        }
    }
}

fn text(value: Option<&AxValue>) -> String {
    let value = value.and_then(|it| it.value.as_ref());
    value
        .and_then(|it| it.as_str())
        .unwrap_or_default()
        .to_string()
}

#[test]
fn a_screen_reader_hears_what_each_block_is() {
    assert_snapshot!(spoken("course.html", DESK), @r#"
    heading "Course"
      link "Course"
    paragraph
      "It ends "
      link "below"
      "."
    button "Copy to clipboard"
      image
    code
      "docker ps\nls nothing\n"
      "true"
      "false"
    group "Output of 4 commands"
      link "$ docker ps"
      "1.2 s"
      "seen"
      paragraph
        link "$ ls nothing"
        "status 2"
        "1.2 s"
      "no such file"
      paragraph
        link "$ true"
        " no output"
        "1.2 s"
      paragraph
        link "$ false"
        " no output"
        "fails as it should (status 1)"
        "1.2 s"
    button "Copy to clipboard"
      image
    code
      "docker login\n"
    paragraph
      strong
        "not run"
      " it wants a <screen>"
    button "Copy to clipboard"
      image
    code
      "docker info\n"
    paragraph
      strong
        "new"
      " not recorded yet"
    paragraph
      "Your challenge: do it."
    group
      DisclosureTriangle "Solution"
    list
      listitem
        ListMarker "1. "
        paragraph
          "In a list:"
        group
          DisclosureTriangle "Solution"
    paragraph
      " Checked: it "
      code
        "answers"
      " <b>at once</b>"
    paragraph
      " Not checked yet: later"
    button "Copy to clipboard"
      image
    code
      "sleep 9\n"
    group "Output of sleep 9"
      link "Output of sleep 9"
      "Ctrl-C after 2.0 s"
      "seen"
    button "Copy to clipboard"
      image
    code
      "seq 100\n"
    group "Output of seq 100"
      link "Output of seq 100"
      "1.2 s"
      "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16"
      group
        DisclosureTriangle "… 76 more lines"
      "93\n94\n95\n96\n97\n98\n99\n100"
    heading "The end"
      link "The end"
    figure
      Figcaption
        "Added up: 740.7MB. On disk: 211.6MB, since 6 layers are shared."
      region "Layers of one:latest, two:latest, three:latest, four:latest, five:latest and six:latest"
      group
        DisclosureTriangle "As a table"
    region "Images"
      table "Images"
        rowgroup
          row
            columnheader "Reference"
            columnheader "Digest"
            columnheader "Layers"
            columnheader "Size"
        row
          rowheader "one:latest"
          cell "sha256:000000000000…"
            group
              DisclosureTriangle "sha256:000000000000…"
          cell "7"
          cell "123MB"
        row
          rowheader "two:latest"
          cell "sha256:111111111111…"
            group
              DisclosureTriangle "sha256:111111111111…"
          cell "7"
          cell "123MB"
    paragraph
      strong
        "new"
      code
        "none:latest"
      " is not recorded yet"
    paragraph
      strong
        "new"
      " these images are not recorded yet"
    paragraph
      "Recorded on 23 November 2026 with Docker 28.5.2 (containerd, linux/amd64). Images of docker.io came from a local stand-in, filled from archives of this course, not from that registry itself. 2 steps of this chapter are newer than that."
    "#);
}

#[test]
fn the_table_of_the_course_is_a_table_on_any_screen() {
    let table = |reader| {
        let page = spoken("status.html", reader);
        let table = page.split_once("table \"Exercises\"").unwrap().1;
        table.to_string()
    };
    assert_snapshot!(table(DESK), @r#"

    rowgroup
      row
        columnheader "Exercise"
        columnheader "Verdict"
        columnheader "Coverage"
        columnheader "Recorded"
        columnheader "Engine"
    rowgroup
      row
        rowheader "Chapter"
          link "Chapter"
        cell "not recorded"
          strong
            "not recorded"
        cell "1 of 1 task"
        cell "never"
        cell
      row
        rowheader "Chapter"
          link "Chapter"
        cell "2 steps newer"
          strong
            "2 steps newer"
        cell "0 of 1 task 1 skipped: by the author"
          "1 skipped: by the author"
        cell "23 November 2026"
          time
            "23 November 2026"
        cell "28.5.2 containerd"
          "containerd"
      row
        rowheader "Chapter"
          link "Chapter"
        cell " as recorded"
        cell "1 of 1 task"
        cell "23 November 2026"
          time
            "23 November 2026"
        cell "28<script>window.pwned=1</script> \"onclick=\"window.pwned=1"
          "\"onclick=\"window.pwned=1"
    "#);
    // A card's style says what each of its cells is about.
    let cards = table(TELEPHONE).replace("Verdict: ", "");
    let n_cells =
        |table: &str| ["row\n", "rowheader ", "columnheader "].map(|it| table.matches(it).count());
    assert_eq!(n_cells(&cards), n_cells(&table(DESK)));
}
