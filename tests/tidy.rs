//! What holds for the files of the project, whatever they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files of the project, from its root, without what is built.
fn files() -> Vec<String> {
    let mut folders = vec![Path::new(ROOT).to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(ROOT).unwrap().to_str().unwrap();
            match name {
                "target" | ".git" | "book/book" => {}
                _ if path.is_dir() => folders.push(path),
                _ => files.push(name.to_string()),
            }
        }
    }
    files.sort();
    files
}

/// Names of the modules that a file declares, in order.
fn modules(text: &str) -> Vec<&str> {
    let declared = text.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    declared.collect()
}

/// First names after `crate::` in a file, with their lines.
fn imports(text: &str) -> Vec<(usize, &str)> {
    let mut imports = Vec::new();
    for (idx, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let end = part.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            imports.push((idx + 1, &part[..end.unwrap_or(part.len())]));
        }
    }
    imports
}

#[test]
fn a_module_imports_only_modules_above_it() {
    let lib = read("src/lib.rs");
    let modules = modules(&lib);
    assert!(modules.len() > 10, "lib.rs declares {modules:?}");
    let rank: BTreeMap<&str, usize> = modules.iter().enumerate().map(|(n, it)| (*it, n)).collect();
    let mut wrong = Vec::new();
    let mut n_imports = 0;
    for file in files() {
        let Some(inside) = file
            .strip_prefix("src/")
            .and_then(|it| it.strip_suffix(".rs"))
        else {
            continue;
        };
        let own = inside.split('/').next().unwrap_or(inside);
        let Some(own_rank) = rank.get(own) else {
            assert!(
                matches!(own, "lib" | "main" | "cli"),
                "lib.rs does not declare {file}"
            );
            continue;
        };
        let text = read(&file);
        for (line, module) in imports(&text) {
            n_imports += 1;
            match rank.get(module) {
                Some(it) if it < own_rank || module == own => {}
                Some(_) => wrong.push(format!("{file}:{line}: `{module}` stands below `{own}`")),
                None => wrong.push(format!("{file}:{line}: `{module}` is no module of lib.rs")),
            }
        }
    }
    assert!(n_imports > 50, "found only {n_imports} imports");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_import_is_found_wherever_it_stands() {
    let text =
        "use crate::plan::Plan;\nfn f() -> crate::run::Survey {} // crate::not\nuse crate::{a, b};";
    assert_eq!(imports(text), [(1, "plan"), (2, "run"), (3, "")]);
}

#[test]
fn the_version_is_in_the_changelog() {
    let manifest: toml_edit::DocumentMut = read("Cargo.toml").parse().unwrap();
    let version = manifest["package"]["version"].as_str().unwrap();
    let is_heading = |line: &str| line.starts_with("## ") && line.contains(version);
    let changelog = read("CHANGELOG.md");
    assert!(
        changelog.lines().any(is_heading),
        "CHANGELOG.md has no heading for {version}"
    );
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    // Built here, so that this file does not name them.
    let folders = [
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["/wo", "rk/"],
        ["/tm", "p/h/"],
    ]
    .map(|it| it.concat());
    // Neutral homes that documentation and images have.
    let known = [
        "you", "user", "learner", "student", "node", "rootless", "me",
    ];
    let mut wrong = Vec::new();
    for file in files() {
        let Ok(text) = fs::read_to_string(Path::new(ROOT).join(&file)) else {
            continue;
        };
        for (idx, line) in text.lines().enumerate() {
            for folder in &folders {
                let named = line.split(folder.as_str()).skip(1).any(|after| {
                    let end = after
                        .find(|it: char| !it.is_alphanumeric())
                        .unwrap_or(after.len());
                    !after[..end].is_empty() && !known.contains(&&after[..end])
                });
                // `…/work/…` inside a longer path is a folder of that path.
                let is_absolute = |at: usize| {
                    !line[..at].ends_with(|it: char| it.is_alphanumeric() || "._-}~)".contains(it))
                };
                if named
                    && line
                        .match_indices(folder.as_str())
                        .any(|it| is_absolute(it.0))
                {
                    wrong.push(format!("{file}:{}: {}", idx + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_begins_with_what_it_answers_for() {
    for file in files()
        .iter()
        .filter(|it| it.starts_with("src/") && it.ends_with(".rs"))
    {
        let text = read(file);
        assert!(
            text.starts_with("//! "),
            "{file} begins otherwise than with `//! `"
        );
    }
}

#[test]
fn every_script_is_in_the_list() {
    let list = read("scripts/README.md");
    for file in files() {
        let script = file
            .strip_prefix("scripts/")
            .filter(|it| it.ends_with(".sh"));
        if let Some(script) = script.filter(|it| !it.contains('/')) {
            assert!(
                list.contains(&format!("`{script}")),
                "scripts/README.md does not list {script}"
            );
        }
    }
}
