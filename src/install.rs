//! What `install` makes of a `book.toml`: the same text with our table and our style file in it, comments and all. Done
//! twice it changes nothing more.

use anyhow::{Context, Result};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::problem::{Class, Fault};
use crate::render::ASSETS_VERSION;

/// Name of the style file, beside `book.toml`.
pub const STYLE_FILE: &str = "mdbook-rehearse.css";

/// The style file that a book has, as far as there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// None, or ours of this version.
    Ours,
    /// Another one: changed by its user, or of another version.
    Other,
}

/// Adds the preprocessor and its style file to the text of a `book.toml`. The version of a file that stays stays too.
pub fn install(book_toml: &str, installed: Installed) -> Result<String> {
    let mut document: DocumentMut = book_toml
        .parse()
        .map_err(|error| Fault::new(Class::Usage, format!("book.toml: {error}")))?;
    let rehearse = table(
        table(document.as_table_mut(), "preprocessor", Shown::No)?,
        "rehearse",
        Shown::Yes,
    )?;
    if !rehearse.contains_key("after") {
        // The text that `links` includes is rehearsed too, and outputs come too late to be expanded by it.
        rehearse["after"] = Item::Value(Value::Array(Array::from_iter(["links"])));
    }
    let keeps = installed == Installed::Other && rehearse.contains_key("assets-version");
    let version = rehearse.get("assets-version").and_then(Item::as_str);
    if !keeps && version != Some(ASSETS_VERSION) {
        rehearse["assets-version"] = Item::Value(Value::from(ASSETS_VERSION));
        if let Some(value) = rehearse["assets-version"].as_value_mut() {
            value
                .decor_mut()
                .set_suffix(" # written by `mdbook-rehearse install`");
        }
    }
    let html = table(
        table(document.as_table_mut(), "output", Shown::No)?,
        "html",
        Shown::Yes,
    )?;
    let styles = html
        .entry("additional-css")
        .or_insert_with(|| Item::Value(Value::Array(Array::new())));
    let styles = styles
        .as_array_mut()
        .context("book.toml: `additional-css` is no list; write `additional-css = [\"…\"]`")?;
    let is_ours = |it: &Value| {
        it.as_str()
            .is_some_and(|it| it.trim_start_matches("./") == STYLE_FILE)
    };
    if !styles.iter().any(is_ours) {
        styles.push(STYLE_FILE);
    }
    Ok(document.to_string())
}

/// Whether a new table gets a heading of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

fn table<'a>(parent: &'a mut Table, name: &str, shown: Shown) -> Result<&'a mut Table> {
    let item = parent.entry(name).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(shown == Shown::No);
        Item::Table(table)
    });
    let message = format!(
        "book.toml: `{name}` is not a table with a heading of its own; write it as `[{}{name}]`",
        match shown {
            Shown::Yes if name == "html" => "output.",
            Shown::Yes => "preprocessor.",
            Shown::No => "",
        }
    );
    item.as_table_mut()
        .ok_or_else(|| Fault::new(Class::Usage, message).into())
}
