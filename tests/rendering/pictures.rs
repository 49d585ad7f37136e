//! Pictures of layers: where their boxes stand, and what is said of them; and what the table of images says where it has something
//! special to say.

use insta::assert_snapshot;
use jiff::civil::date;
use mdbook_rehearse::config::{Config, ImageSummary};
use mdbook_rehearse::images::{ImageOrigin, LedgerEntry, Move};
use mdbook_rehearse::render::stacks::{Column, FLOOR, LayerBox, Picture, Stack, TALL, picture};
use mdbook_rehearse::transcript::Layer;
use proptest::prelude::*;

use super::written::{Case, case, check, entry, pages};

/// Layers, bottom first, each as its name and its size: `a10 b`; without a number the size is unknown.
fn layers(text: &str) -> Vec<Layer> {
    let layer = |it: &str| {
        let end = it.find(|it: char| it.is_ascii_digit()).unwrap_or(it.len());
        Layer {
            digest: format!("sha256:{}", it[..end].repeat(64)),
            size: it[end..].parse().ok(),
        }
    };
    text.split_whitespace().map(layer).collect()
}

fn drawn(images: &[Vec<Layer>]) -> Picture {
    let stacks = images.iter().map(|it| Stack {
        name: "docker.io/me/mine:1",
        layers: it,
    });
    picture(&stacks.collect::<Vec<Stack<'_>>>())
}

/// Where the boxes stand: a line an image, and for each layer how high above the ground it begins and how high it is.
#[track_caller]
fn check_places(images: &[&str]) -> String {
    let all: Vec<Vec<Layer>> = images.iter().map(|it| layers(it)).collect();
    let picture = drawn(&all);
    let lines = picture.columns.iter().zip(images).map(|(column, image)| {
        let boxes = column.boxes.iter().zip(image.split_whitespace());
        let boxes = boxes
            .map(|(it, name)| format!("{name} {}+{}", picture.ground - it.bottom(), it.height));
        boxes.collect::<Vec<String>>().join(", ")
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn a_layer_is_as_high_as_it_is_big_and_no_lower_than_its_label() {
    assert_snapshot!(check_places(&["a100", "a100 b300", "a100 c0 d"]), @"
    a100 0+60
    a100 0+60, b300 62+180
    a100 0+60, c0 62+22, d 86+22
    ");
}

#[test]
fn shared_layers_are_at_one_height_wherever_they_lie() {
    assert_snapshot!(check_places(&["s50", "a100 s50", "b20 c30 s50 a100"]), @"
    s50 98+48
    a100 0+96, s50 98+48
    b20 0+22, c30 24+28, s50 98+48, a100 148+96
    ");
}

#[test]
fn a_layer_may_be_there_twice() {
    assert_snapshot!(check_places(&["a100 e0 b100 e0", "a100 e0 e0", "e0"]), @"
    a100 0+120, e0 122+22, b100 146+120, e0 268+22
    a100 0+120, e0 122+22, e0 268+22
    e0 122+22
    ");
}

#[test]
fn orders_that_contradict_each_other_do_not_align() {
    assert_snapshot!(check_places(&["a100 b100", "b100 a100", "a100 b100"]), @"
    a100 0+80, b100 82+80
    b100 82+80, a100 164+80
    a100 0+80, b100 82+80
    ");
}

#[test]
fn names_break_where_they_have_a_seam() {
    let names = [
        "alpine:latest",
        "public.ecr.aws/aws-observability/aws-for-fluent-bit:latest",
        "localhost:5000/nginx@sha256:0123456789ab…",
        "an-extraordinarily-long.name_without/aseamanywhereatallinit",
        "",
    ];
    let stacks = names.map(|name| Stack { name, layers: &[] });
    let columns = picture(&stacks).columns.into_iter();
    let names = columns.map(|it| {
        let lines: Vec<String> = it.name.into_iter().map(|it| it.1).collect();
        lines.join(" | ")
    });
    assert_snapshot!(names.collect::<Vec<String>>().join("\n"), @"
    alpine:latest
    public.ecr.aws/ | aws-observability/ | aws-for-fluent-bit | :latest
    localhost:5000/ | nginx@sha256 | :0123456789ab…
    an- | extraordinarily- | long.name_without/ | aseamanywhereatall | init
    ");
}

/// Bottom first.
fn image() -> impl Strategy<Value = Vec<Layer>> {
    let size = prop_oneof![
        Just(None),
        Just(Some(0)),
        Just(Some(u64::MAX)),
        (0..200_000_000u64).prop_map(Some)
    ];
    let layer = (0..8u8, size).prop_map(|(name, size)| Layer {
        digest: format!("sha256:{name}"),
        size,
    });
    proptest::collection::vec(layer, 0..12)
}

/// Images whose layers are in one order, and none of them twice.
fn agreeing() -> impl Strategy<Value = Vec<Vec<Layer>>> {
    proptest::collection::vec(image(), 1..6).prop_map(|mut images| {
        for image in &mut images {
            image.sort_by(|one, other| one.digest.cmp(&other.digest));
            image.dedup_by(|one, other| one.digest == other.digest);
        }
        images
    })
}

/// A layer's digest and where it stands.
fn places<'a>(
    images: &'a [Vec<Layer>],
    columns: &'a [Column],
) -> impl Iterator<Item = (&'a str, LayerBox)> {
    let columns = images.iter().zip(columns);
    columns.flat_map(|(image, column)| {
        let digests = image.iter().map(|it| it.digest.as_str());
        digests.zip(column.boxes.iter().copied())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn boxes_are_in_order_and_in_the_picture(images in proptest::collection::vec(image(), 0..6)) {
        let picture = drawn(&images);
        prop_assert_eq!(picture.columns.len(), images.len());
        for (image, column) in images.iter().zip(&picture.columns) {
            prop_assert_eq!(column.boxes.len(), image.len());
            prop_assert!(column.boxes.windows(2).all(|it| it[1].bottom() < it[0].top));
            prop_assert!(column.boxes.iter().all(|it| it.height >= FLOOR && it.bottom() <= picture.ground));
            let top = column.boxes.last().map_or(picture.ground, |it| it.top);
            prop_assert!(column.name.iter().all(|it| it.0 < top && it.0 > 8));
        }
        let [_, last] = picture.footer();
        prop_assert!(last < picture.height);
    }

    #[test]
    fn one_layer_has_one_size(images in proptest::collection::vec(image(), 0..6)) {
        let picture = drawn(&images);
        for (digest, place) in places(&images, &picture.columns) {
            prop_assert!(places(&images, &picture.columns).all(|it| it.0 != digest || it.1.height == place.height));
        }
    }

    #[test]
    fn no_size_makes_a_picture_endless(images in proptest::collection::vec(image(), 0..6)) {
        let picture = drawn(&images);
        let n_layers: usize = images.iter().map(Vec::len).sum();
        prop_assert!(picture.height <= TALL + n_layers as u64 * (FLOOR + 2) + 120, "{}", picture.height);
    }

    #[test]
    fn shared_layers_align_where_orders_agree(images in agreeing()) {
        let picture = drawn(&images);
        for (digest, place) in places(&images, &picture.columns) {
            prop_assert!(places(&images, &picture.columns).all(|it| it.0 != digest || it.1 == place));
        }
    }
}

fn of_layers(reference: &str, digit: &str, text: &str) -> LedgerEntry {
    LedgerEntry {
        layers: layers(text),
        ..entry(reference, digit, &[])
    }
}

/// What other renderers get, which is what the picture says.
#[track_caller]
fn check_words(images: &[&str], store: &'static str) -> String {
    let entries = images.iter().enumerate().map(|(idx, text)| {
        let name = format!("docker.io/library/i{idx}:1");
        of_layers(&name, &idx.to_string(), text)
    });
    let names = (0..images.len()).map(|it| format!(" i{it}:1"));
    let text = format!(
        "```bash\ndocker images\n```\n\n<!-- rehearse: layers{} -->\n",
        names.collect::<String>()
    );
    let images = entries.collect();
    let (html, plain) = pages(&Case {
        images,
        store,
        ..case(&text)
    });
    let plain = plain.split("\n\nRecorded").next().unwrap();
    let plain = plain.split_once("-->\n\n").unwrap().1.to_string();
    let sums = plain.lines().next().unwrap().replace('\\', "");
    let start: String = sums.chars().take(20).collect();
    assert!(html.contains(&start.replace(':', "&#58;")), "{html}");
    plain
}

#[test]
fn sums_tell_what_sharing_saves() {
    let five = [
        "a2028274",
        "a2028274 b16285778",
        "a2028274 c25835797",
        "a2028274 d114141398",
        "a2028274 e130015961",
    ];
    assert_snapshot!(check_words(&five, "overlay2"), @r"
    Added up\: 296.4MB. On disk\: 288.3MB, since one layer is shared.

    | Layer | Size | `i0:1` | `i1:1` | `i2:1` | `i3:1` | `i4:1` |
    |---|---:|:---:|:---:|:---:|:---:|:---:|
    | A `sha256:aaaaaaaaaaaa…` | 2.03MB | x | x | x | x | x |
    | `sha256:bbbbbbbbbbbb…` | 16.3MB |  | x |  |  |  |
    | `sha256:cccccccccccc…` | 25.8MB |  |  | x |  |  |
    | `sha256:dddddddddddd…` | 114MB |  |  |  | x |  |
    | `sha256:eeeeeeeeeeee…` | 130MB |  |  |  |  | x |
    | Added up |  | 2.03MB | 18.3MB | 27.9MB | 116MB | 132MB |
    | Its own |  | 0B | 16.3MB | 25.8MB | 114MB | 130MB |
    ");
}

#[test]
fn with_containerd_the_engine_tells_other_sizes() {
    assert_snapshot!(check_words(&["a1000 b20", "a1000 b20 c3"], "overlayfs"), @r"
    Added up\: 2.043kB. On disk\: 1.023kB, since 2 layers are shared. `docker images` tells larger sizes: the containerd store keeps the layers compressed as well, and counts both.

    | Layer | Size | `i0:1` | `i1:1` |
    |---|---:|:---:|:---:|
    | A `sha256:aaaaaaaaaaaa…` | 1kB | x | x |
    | B `sha256:bbbbbbbbbbbb…` | 20B | x | x |
    | `sha256:cccccccccccc…` | 3B |  | x |
    | Added up |  | 1.02kB | 1.02kB |
    | Its own |  | 0B | 3B |
    ");
}

#[test]
fn a_layer_upon_other_ones_is_kept_again() {
    assert_snapshot!(check_words(&["a5000000 b40000000", "b40000000"], "overlay2"), @r"
    Added up\: 85MB. On disk\: the same, since no layer is shared. One layer lies upon different ones in different images, so it is kept more than once.

    | Layer | Size | `i0:1` | `i1:1` |
    |---|---:|:---:|:---:|
    | A `sha256:bbbbbbbbbbbb…` | 40MB | x | x |
    | `sha256:aaaaaaaaaaaa…` | 5MB | x |  |
    | Added up |  | 45MB | 40MB |
    | Its own |  | 45MB | 40MB |
    ");
    // What is empty takes no room.
    assert_snapshot!(check_words(&["a5000000 e0 b1000 e0", "c1000 e0"], "overlay2"), @r"
    Added up\: 5.002MB. On disk\: the same, since no layer is shared.

    | Layer | Size | `i0:1` | `i1:1` |
    |---|---:|:---:|:---:|
    | A `sha256:eeeeeeeeeeee…` | 0B | 2 x | x |
    | `sha256:aaaaaaaaaaaa…` | 5MB | x |  |
    | `sha256:bbbbbbbbbbbb…` | 1kB | x |  |
    | `sha256:cccccccccccc…` | 1kB |  | x |
    | Added up |  | 5MB | 1kB |
    | Its own |  | 5MB | 1kB |
    ");
}

#[test]
fn sizes_that_are_not_known_are_no_zeros() {
    assert_snapshot!(check_words(&["a1000 b", "a c"], "overlay2"), @r"
    Added up\: at least 2kB. On disk\: at least 1kB, since one layer is shared.

    | Layer | Size | `i0:1` | `i1:1` |
    |---|---:|:---:|:---:|
    | A `sha256:aaaaaaaaaaaa…` | 1kB | x | x |
    | `sha256:bbbbbbbbbbbb…` | unknown | x |  |
    | `sha256:cccccccccccc…` | unknown |  | x |
    | Added up |  | at least 1kB | at least 1kB |
    | Its own |  | size unknown | size unknown |
    ");
    assert_snapshot!(check_words(&["a b", "a c"], "overlay2"), @r"
    Sizes of layers are not known here\; one layer is shared.

    | Layer | Size | `i0:1` | `i1:1` |
    |---|---:|:---:|:---:|
    | A `sha256:aaaaaaaaaaaa…` | unknown | x | x |
    | `sha256:bbbbbbbbbbbb…` | unknown | x |  |
    | `sha256:cccccccccccc…` | unknown |  | x |
    | Added up |  | size unknown | size unknown |
    | Its own |  | size unknown | size unknown |
    ");
    assert_snapshot!(check_words(&["a1000"], "overlay2"), @r"
    On disk\: 1kB.

    | Layer | Size | `i0:1` |
    |---|---:|:---:|
    | `sha256:aaaaaaaaaaaa…` | 1kB | x |
    | Added up |  | 1kB |
    | Its own |  | 1kB |
    ");
}

#[test]
fn a_chapter_whose_images_share_nothing_ends_without_a_picture() {
    let end = |one: &str, other: &str| {
        let images = vec![
            of_layers("docker.io/library/one:1", "1", one),
            of_layers("docker.io/library/other:1", "2", other),
        ];
        pages(&Case {
            images,
            ..case("```bash\ndocker images\n```\n")
        })
    };
    let (html, plain) = end("a1000 e0", "b1000 e0");
    assert!(html.contains("Images of this chapter") && !html.contains("rehearse-picture"));
    assert!(!plain.contains("On disk"));
    let (html, plain) = end("a1000 e0", "a1000 b20");
    assert!(html.contains("rehearse-picture") && plain.contains("On disk"));
}

#[test]
fn a_chapter_without_tables_ends_with_its_images() {
    let mut board = LedgerEntry {
        origin: ImageOrigin::Exercise,
        digest: None,
        ..of_layers("docker.io/library/board:1", "2", "a2028274 b22")
    };
    board.id = "sha256:other".to_string();
    let images = vec![
        LedgerEntry {
            moved: Some(Move {
                on: date(2026, 11, 24),
                from: format!("sha256:{}", "9".repeat(64)),
            }),
            ..of_layers("docker.io/library/alpine:latest", "1", "a2028274")
        },
        of_layers("localhost:5000/mine:1", "1", "a2028274"),
        board,
    ];
    let page = check(&Case {
        images: images.clone(),
        ..case("```bash\ndocker images\n```\n")
    });
    assert_snapshot!(page);
    let config = Config {
        image_summary: ImageSummary::Absent,
        ..case("").config
    };
    let page = check(&Case {
        images,
        config,
        ..case("```bash\ndocker images\n```\n")
    });
    assert!(!page.contains("alpine"), "{page}");
}
