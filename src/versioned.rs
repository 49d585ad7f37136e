//! JSON files of ours that begin with the number of their format: read as a whole, or refused with what to do.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a reader knows of a kind of file.
pub(crate) struct Kind<'a> {
    /// The number of the format that it reads.
    pub(crate) format: u64,
    /// What to do with a file that cannot be read.
    pub(crate) unreadable: &'a str,
    /// What to do with one in another format.
    pub(crate) foreign: &'a str,
}

/// Reads one. `Err` is a fragment that follows the name of the file.
pub(crate) fn read<T: DeserializeOwned>(text: &str, kind: Kind<'_>) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    let trouble = |it: serde_json::Error| format!("cannot be read: {it}; {}", kind.unreadable);
    let head: Head = serde_json::from_str(text).map_err(trouble)?;
    if head.format != kind.format {
        return Err(format!(
            "is in format {}, and this mdbook-rehearse knows format {}; {}",
            head.format, kind.format, kind.foreign
        ));
    }
    serde_json::from_str(text).map_err(trouble)
}
