//! The picture of layers for mdBook's HTML renderer: an SVG without ids, scripts or need of a style, and the same as a table. As
//! in `html` each block is one line, and all text goes through `escape::html`.

use super::colophon::Digits;
use super::escape::html;
use super::html::{BLOCK_CLASS, name, with_code};
use super::layers::{Column, Layers, Row};
use super::stacks::{self, LayerBox, Picture, Stack};

/// How many colors the theme has for layers that several images have.
const N_HUES: usize = 6;

/// From the edge of a box to its text.
const PADDING: u64 = 8;

/// Makes the picture; `stacks` are those of `layers`.
pub(super) fn picture(id: &str, layers: &Layers, stacks: &[Stack<'_>]) -> String {
    let sums = html(&layers.sums());
    let note = layers.note().map(|it| format!(" {}", with_code(it)));
    let note = note.unwrap_or_default();
    let names: Vec<&str> = stacks.iter().map(|it| it.name).collect();
    let label = html(&format!("Layers of {}", super::colophon::listed(&names)));
    format!(
        r#"<figure class="{BLOCK_CLASS} rehearse-picture" id="{}"><figcaption class="rehearse-sums">{sums}{note}</figcaption><div class="rehearse-stacks" role="region" aria-label="{label}" tabindex="0">{}</div><details class="rehearse-twin"><summary>As a table</summary>{}</details></figure>"#,
        html(id),
        svg(
            layers,
            &stacks::picture(stacks),
            &format!("{label}. {sums}")
        ),
        table(layers, &label)
    )
}

/// Without a style it is black lines and letters on nothing. An `xmlns` is not needed inside HTML.
fn svg(layers: &Layers, picture: &Picture, label: &str) -> String {
    let Picture { width, height, .. } = picture;
    let columns = layers.columns.iter().zip(&picture.columns);
    let columns = columns.map(|(column, place)| stack(layers, column, place, picture));
    let columns: String = columns.collect();
    let ground = picture.ground;
    format!(
        r#"<svg role="img" aria-label="{label}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">{columns}<path class="rehearse-ground" d="M0 {ground}H{width}" fill="none" stroke="currentColor"></path></svg>"#
    )
}

fn stack(layers: &Layers, column: &Column, place: &stacks::Column, picture: &Picture) -> String {
    let middle = place.left + stacks::WIDTH / 2;
    let centered = |class: &str, base_line: u64, text: &str| {
        format!(
            r#"<text class="{class}" x="{middle}" y="{base_line}" text-anchor="middle" fill="currentColor">{}</text>"#,
            html(text)
        )
    };
    let mut res = String::from(r#"<g class="rehearse-stack">"#);
    let mut below = picture.ground;
    for LayerBox { top, height } in &place.boxes {
        // Where a box hangs higher than what its image has below it, a stem holds it.
        if below - (top + height) > stacks::GAP {
            res.push_str(&format!(
                r#"<path class="rehearse-stem" d="M{middle} {}V{below}" fill="none" stroke="currentColor" stroke-dasharray="2 3"></path>"#,
                top + height
            ));
        }
        below = *top;
    }
    for (base_line, line) in &place.name {
        res.push_str(&centered("rehearse-name", *base_line, line));
    }
    for (row, place_of) in column.layers.iter().zip(&place.boxes) {
        res.push_str(&layer(&layers.rows[*row], place.left, place_of));
    }
    let [first, second] = picture.footer();
    res.push_str(&centered(
        "rehearse-total",
        first,
        &column.total.text(Digits::Three),
    ));
    if let Some(own) = column.own() {
        res.push_str(&centered("rehearse-own", second, &own));
    }
    res.push_str("</g>");
    res
}

fn layer(row: &Row, left: u64, place: &LayerBox) -> String {
    let LayerBox { top, height } = place;
    let (width, base_line) = (stacks::WIDTH, top + height / 2 + 4);
    let mark = row.mark().map(|it| {
        let left = left + PADDING;
        format!(
            r#"<text class="rehearse-mark" x="{left}" y="{base_line}" font-weight="bold" fill="currentColor">{it}</text>"#
        )
    });
    let size = row.size.as_deref().unwrap_or("size unknown");
    let right = left + width - PADDING;
    format!(
        r#"<g class="rehearse-layer{}"><rect x="{left}" y="{top}" width="{width}" height="{height}" rx="2" fill="none" stroke="currentColor"></rect>{}<text class="rehearse-size" x="{right}" y="{base_line}" text-anchor="end" fill="currentColor">{}</text></g>"#,
        hue(row),
        mark.unwrap_or_default(),
        html(size)
    )
}

/// Classes of what several images have.
fn hue(row: &Row) -> String {
    match row.shared {
        Some(it) => format!(" rehearse-shared rehearse-hue-{}", it % N_HUES),
        None => String::new(),
    }
}

fn table(layers: &Layers, label: &str) -> String {
    let heads = layers.columns.iter().map(|it| {
        let name = name(&it.name);
        format!(r#"<th scope="col"><code class="nohighlight">{name}</code></th>"#)
    });
    let heads: String = heads.collect();
    let rows: String = layers.rows.iter().map(row).collect();
    let sums = |head: &str, text: &dyn Fn(&Column) -> String| {
        let cells = layers
            .columns
            .iter()
            .map(|it| format!("<td>{}</td>", html(&text(it))));
        let cells: String = cells.collect();
        format!(r#"<tr><th scope="row">{head}</th><td></td>{cells}</tr>"#)
    };
    let total = sums("Added up", &|it| it.total.text(Digits::Three));
    let own = sums("Its own", &|it| it.own.text(Digits::Three));
    format!(
        r#"<div class="rehearse-images rehearse-layers" role="region" aria-label="{label}, as a table" tabindex="0"><table><thead><tr><th scope="col">Layer</th><th scope="col">Size</th>{heads}</tr></thead><tbody>{rows}</tbody><tfoot>{total}{own}</tfoot></table></div>"#
    )
}

fn row(row: &Row) -> String {
    let mark = row.mark().map(|it| format!("<b>{it}</b> "));
    let cells = row.n_times.iter().map(|n_times| match n_times {
        0 => "<td></td>".to_string(),
        1 => r#"<td class="rehearse-has"><span role="img" aria-label="yes">●</span></td>"#
            .to_string(),
        n => format!(
            r#"<td class="rehearse-has"><span role="img" aria-label="{n} times">● {n}×</span></td>"#
        ),
    });
    let cells: String = cells.collect();
    format!(
        r#"<tr class="rehearse-row{}"><th scope="row">{}<code class="nohighlight">{}</code></th><td>{}</td>{cells}</tr>"#,
        hue(row),
        mark.unwrap_or_default(),
        html(&row.digest),
        html(row.size.as_deref().unwrap_or("unknown"))
    )
}
