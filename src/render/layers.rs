//! Which images have which layers, and what that saves: in words and numbers, not yet in HTML or Markdown.

use std::collections::HashMap;

use crate::config::ImageStore;
use crate::images::{LedgerEntry, short_digest, short_name};

use super::colophon::{Digits, size};
use super::stacks::known_sizes;

/// Images and their layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layers {
    /// The images, in order.
    pub(super) columns: Vec<Column>,
    /// Every layer once, those that several images have first.
    pub(super) rows: Vec<Row>,
    /// All layers of all images.
    added: Sum,
    /// What is kept of them.
    on_disk: Sum,
    /// How many layers are kept once for several images.
    n_shared: usize,
    /// How many layers several images have, upon different ones: the engine keeps them more than once.
    n_apart: usize,
    store: ImageStore,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// As people write it.
    pub(super) name: String,
    /// All its layers.
    pub(super) total: Sum,
    /// What is kept for no other image here.
    pub(super) own: Sum,
    /// Bottom first: which of the rows.
    pub(super) layers: Vec<usize>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// `sha256:9f2a1c…`.
    pub(super) digest: String,
    /// `7.83MB`; `None` if the engine does not tell.
    pub(super) size: Option<String>,
    /// Its number among those that several images have, bottom first.
    pub(super) shared: Option<usize>,
    /// How often each image has it.
    pub(super) n_times: Vec<usize>,
}

impl Column {
    /// `16.3MB its own`; `None` where there is nothing to tell.
    pub(super) fn own(&self) -> Option<String> {
        match self.own {
            Sum::Unknown => None,
            own => Some(format!("{} its own", own.text(Digits::Three))),
        }
    }
}

impl Row {
    /// The mark of a layer that several images have: `A` to `Z`, `AA` and so on.
    pub(super) fn mark(&self) -> Option<String> {
        let mut rest = self.shared? + 1;
        let mut res = Vec::new();
        while rest > 0 {
            rest -= 1;
            res.push(char::from(b'A' + (rest % 26) as u8));
            rest /= 26;
        }
        Some(res.into_iter().rev().collect())
    }
}

/// Bytes of layers of which the engine may not tell all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// It tells all.
    Whole(u128),
    /// It tells some.
    AtLeast(u128),
    /// It tells none.
    Unknown,
}

impl Sum {
    fn of(sizes: impl Iterator<Item = Option<u64>>) -> Sum {
        let (mut sum, mut n_known, mut n_unknown) = (0, 0, 0);
        for size in sizes {
            match size {
                Some(it) => {
                    sum += u128::from(it);
                    n_known += 1;
                }
                None => n_unknown += 1,
            }
        }
        match (n_known, n_unknown) {
            (_, 0) => Sum::Whole(sum),
            (0, _) => Sum::Unknown,
            _ => Sum::AtLeast(sum),
        }
    }

    /// `288.3MB`, `at least 288.3MB`, `size unknown`.
    pub(super) fn text(self, digits: Digits) -> String {
        match self {
            Sum::Whole(it) => size(it, digits),
            Sum::AtLeast(it) => format!("at least {}", size(it, digits)),
            Sum::Unknown => "size unknown".to_string(),
        }
    }
}

/// Finds out who has what.
pub(super) fn layers(images: &[LedgerEntry], store: ImageStore) -> Layers {
    let sizes = known_sizes(images.iter().map(|it| it.layers.as_slice()));
    let mut rows: Vec<(&str, Row)> = Vec::new();
    let mut row_of: HashMap<&str, usize> = HashMap::new();
    // A layer is kept once if all below it are the same too, as it is a file system upon that of another one.
    let mut kept: Vec<Kept<'_>> = Vec::new();
    let mut kept_at: HashMap<(Option<usize>, &str), usize> = HashMap::new();
    let mut stacks: Vec<Vec<usize>> = Vec::new();
    for (column_idx, image) in images.iter().enumerate() {
        let mut stack = Vec::new();
        for layer in &image.layers {
            let digest = layer.digest.as_str();
            let row = *row_of.entry(digest).or_insert_with(|| {
                let row = Row {
                    digest: short_digest(digest),
                    size: sizes
                        .get(digest)
                        .map(|it| size(u128::from(*it), Digits::Three)),
                    shared: None,
                    n_times: vec![0; images.len()],
                };
                rows.push((digest, row));
                rows.len() - 1
            });
            rows[row].1.n_times[column_idx] += 1;
            let below = stack.last().copied();
            let at = *kept_at.entry((below, digest)).or_insert_with(|| {
                kept.push(Kept {
                    digest,
                    n_images: 0,
                });
                kept.len() - 1
            });
            kept[at].n_images += 1;
            stack.push(at);
        }
        stacks.push(stack);
    }
    let mut n_marks = 0;
    for (_, row) in &mut rows {
        if row.n_times.iter().filter(|it| **it > 0).count() > 1 {
            row.shared = Some(n_marks);
            n_marks += 1;
        }
    }
    rows.sort_by_key(|(_, it)| it.shared.is_none());
    let row_of: HashMap<&str, usize> = rows.iter().enumerate().map(|(n, it)| (it.0, n)).collect();
    let size_of = |it: &usize| sizes.get(kept[*it].digest).copied();
    let columns = images.iter().zip(&stacks).map(|(image, stack)| Column {
        name: short_name(&image.reference),
        total: Sum::of(stack.iter().map(size_of)),
        own: Sum::of(
            stack
                .iter()
                .filter(|it| kept[**it].n_images == 1)
                .map(size_of),
        ),
        layers: image
            .layers
            .iter()
            .map(|it| row_of[it.digest.as_str()])
            .collect(),
    });
    let is_apart = |(digest, row): &&(&str, Row)| {
        let n_kept = kept.iter().filter(|it| it.digest == *digest).count();
        row.shared.is_some() && n_kept > 1 && sizes.get(digest) != Some(&0)
    };
    Layers {
        columns: columns.collect(),
        added: Sum::of(stacks.iter().flatten().map(size_of)),
        on_disk: Sum::of((0..kept.len()).map(|it| size_of(&it))),
        n_shared: kept.iter().filter(|it| it.n_images > 1).count(),
        n_apart: rows.iter().filter(is_apart).count(),
        rows: rows.into_iter().map(|it| it.1).collect(),
        store,
    }
}

/// A layer upon those below it.
struct Kept<'a> {
    digest: &'a str,
    n_images: usize,
}

impl Layers {
    /// What all of it comes to: `Added up: 296.4MB. On disk: 288.3MB, since one layer is shared.`
    pub(super) fn sums(&self) -> String {
        let shared = match self.n_shared {
            0 => "no layer is shared".to_string(),
            1 => "one layer is shared".to_string(),
            n => format!("{n} layers are shared"),
        };
        let mut res = match (self.on_disk, self.n_shared) {
            (Sum::Unknown, _) => format!("Sizes of layers are not known here; {shared}."),
            _ if self.columns.len() == 1 => {
                format!("On disk: {}.", self.on_disk.text(Digits::Four))
            }
            (_, 0) => format!(
                "Added up: {}. On disk: the same, since {shared}.",
                self.added.text(Digits::Four)
            ),
            _ => format!(
                "Added up: {}. On disk: {}, since {shared}.",
                self.added.text(Digits::Four),
                self.on_disk.text(Digits::Four)
            ),
        };
        match self.n_apart {
            0 => {}
            1 => res.push_str(
                " One layer lies upon different ones in different images, so it is kept more than once.",
            ),
            n => res.push_str(&format!(
                " {n} layers lie upon different ones in different images, so they are kept more than once."
            )),
        }
        res
    }

    /// Why the sizes are not those that the engine tells, if so. Backticks mark code, as in Markdown.
    pub(super) fn note(&self) -> Option<&'static str> {
        match self.store {
            ImageStore::Containerd => Some(
                "`docker images` tells larger sizes: the containerd store keeps the layers compressed as well, and counts both.",
            ),
            ImageStore::GraphDriver => None,
        }
    }
}
