//! What a command printed, as lines of styled text. Of all escape sequences only SGR colour survives; a line that was
//! redrawn with carriage returns shows its last state. Nothing is escaped here.
//!
//! A scanner of our own: the whole output is at hand, so a sequence is a prefix of a slice, and a limit on unfinished ones is
//! a limit on that slice. `anstyle-parse` and `vte` keep an unfinished sequence for ever, and `ansi-to-html` writes HTML that
//! passes by our escaping.

/// Bytes in which an escape sequence must end; one that does not is shown, not obeyed.
const SEQUENCE_LIMIT: usize = 4096;

/// The output of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Screen {
    /// Without line ends. An output that ends without a newline has the same lines as one that ends with it.
    pub(super) lines: Vec<Line>,
    /// Whether there were bytes that are not UTF-8; they are now U+FFFD.
    pub(super) lossy: bool,
}

/// A line: neighbors differ in style.
pub(super) type Line = Vec<Run>;

/// Text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Not empty, without newlines; controls as they came.
    pub(super) text: String,
    /// How it looks.
    pub(super) style: Style,
}

/// How text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Color of the text, 0 to 15.
    pub(super) foreground: Option<u8>,
    /// Color behind the text, 0 to 15.
    pub(super) background: Option<u8>,
    /// SGR 1.
    pub(super) bold: bool,
    /// SGR 2.
    pub(super) faint: bool,
    /// SGR 3.
    pub(super) italic: bool,
    /// SGR 4.
    pub(super) underline: bool,
    /// SGR 7.
    pub(super) inverse: bool,
}

/// Reads an output.
pub(super) fn screen(output: &[u8]) -> Screen {
    let mut screen = Screen::default();
    let mut line = Line::new();
    let mut style = Style::default();
    let mut returned = false;
    let mut rest = output;
    while let Some(&first) = rest.first() {
        let taken = match first {
            b'\n' => {
                screen.lines.push(std::mem::take(&mut line));
                returned = false;
                1
            }
            b'\r' => {
                returned = true;
                1
            }
            b'\x1b' => match sequence(rest) {
                Some(found) => {
                    style = found.sgr.map_or(style, |it| restyled(style, it));
                    found.len
                }
                None => {
                    put(&mut line, &mut returned, "\x1b", style);
                    1
                }
            },
            _ => {
                let is_special = |it: &u8| matches!(it, b'\n' | b'\r' | b'\x1b');
                let len = rest.iter().position(is_special).unwrap_or(rest.len());
                for chunk in rest[..len].utf8_chunks() {
                    put(&mut line, &mut returned, chunk.valid(), style);
                    if !chunk.invalid().is_empty() {
                        screen.lossy = true;
                        put(&mut line, &mut returned, "\u{fffd}", style);
                    }
                }
                len
            }
        };
        rest = &rest[taken..];
    }
    if !line.is_empty() {
        screen.lines.push(line);
    }
    screen
}

/// Adds text to a line. After a carriage return it takes the place of the line: the last state is what counts.
fn put(line: &mut Line, returned: &mut bool, text: &str, style: Style) {
    if text.is_empty() {
        return;
    }
    if std::mem::take(returned) {
        line.clear();
    }
    match line.last_mut() {
        Some(last) if last.style == style => last.text.push_str(text),
        _ => line.push(Run {
            text: text.to_string(),
            style,
        }),
    }
}

struct Sequence<'a> {
    len: usize,
    /// Parameters of an SGR sequence; `None` for all others.
    sgr: Option<&'a str>,
}

/// The complete escape sequence that `bytes` begin with.
fn sequence(bytes: &[u8]) -> Option<Sequence<'_>> {
    let bytes = &bytes[..bytes.len().min(SEQUENCE_LIMIT)];
    let dropped = |len| Some(Sequence { len, sgr: None });
    match *bytes.get(1)? {
        b'[' => {
            let len = 2 + bytes[2..]
                .iter()
                .position(|it| !matches!(it, 0x20..=0x3f))?;
            let parameters = &bytes[2..len];
            match bytes[len] {
                b'm' if parameters
                    .iter()
                    .all(|it| matches!(it, b'0'..=b'9' | b';' | b':')) =>
                {
                    let sgr = std::str::from_utf8(parameters).ok();
                    Some(Sequence { len: len + 1, sgr })
                }
                0x40..=0x7e => dropped(len + 1),
                _ => None,
            }
        }
        // A string: it ends with BEL or `ESC \`; another escape sequence cuts it short.
        b']' | b'P' | b'X' | b'^' | b'_' => {
            let len = 2 + bytes[2..].iter().position(|it| matches!(it, 0x07 | 0x1b))?;
            match (bytes[len], bytes.get(len + 1)) {
                (0x07, _) => dropped(len + 1),
                (_, Some(b'\\')) => dropped(len + 2),
                (_, Some(_)) => dropped(len),
                (_, None) => None,
            }
        }
        0x20..=0x2f => {
            let len = 1 + bytes[1..]
                .iter()
                .position(|it| !matches!(it, 0x20..=0x2f))?;
            match bytes[len] {
                0x30..=0x7e => dropped(len + 1),
                _ => None,
            }
        }
        0x30..=0x7e => dropped(2),
        _ => None,
    }
}

/// The style after an SGR sequence with these parameters.
fn restyled(style: Style, parameters: &str) -> Style {
    let mut style = style;
    let mut groups = parameters.split(';');
    while let Some(group) = groups.next() {
        let mut parts = group.split(':');
        let code = number(parts.next());
        let parts: Vec<&str> = parts.collect();
        match code {
            0 => style = Style::default(),
            1 => style.bold = true,
            2 => style.faint = true,
            3 => style.italic = true,
            4 => style.underline = parts.first() != Some(&"0"),
            7 => style.inverse = true,
            21 => style.underline = true,
            22 => (style.bold, style.faint) = (false, false),
            23 => style.italic = false,
            24 => style.underline = false,
            27 => style.inverse = false,
            30..=37 => style.foreground = Some((code - 30) as u8),
            39 => style.foreground = None,
            40..=47 => style.background = Some((code - 40) as u8),
            49 => style.background = None,
            90..=97 => style.foreground = Some((code - 90 + 8) as u8),
            100..=107 => style.background = Some((code - 100 + 8) as u8),
            38 | 48 => {
                let color = match parts.as_slice() {
                    [] => extended(&mut groups),
                    // `38:2:space:r:g:b`, where the color space may be missing.
                    ["2", rest @ ..] if rest.len() > 3 => {
                        extended(&mut std::iter::once("2").chain(rest[1..].iter().copied()))
                    }
                    parts => extended(&mut parts.iter().copied()),
                };
                match code {
                    38 => style.foreground = color.or(style.foreground),
                    _ => style.background = color.or(style.background),
                }
            }
            _ => {}
        }
    }
    style
}

/// The nearest of the 16 colors to what `5;n` or `2;r;g;b` says.
fn extended<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<u8> {
    match number(parts.next()) {
        5 => match u8::try_from(number(parts.next())).ok()? {
            index @ 0..=15 => Some(index),
            index @ 16..=231 => {
                let level = |it: u8| if it == 0 { 0 } else { 55 + 40 * it };
                let cube = index - 16;
                Some(nearest([
                    level(cube / 36),
                    level(cube / 6 % 6),
                    level(cube % 6),
                ]))
            }
            index => Some(nearest([8 + 10 * (index - 232); 3])),
        },
        2 => {
            let mut part = || u8::try_from(number(parts.next())).ok();
            Some(nearest([part()?, part()?, part()?]))
        }
        _ => None,
    }
}

/// An absent parameter counts as 0, one too big for us as none that we know.
fn number(part: Option<&str>) -> u16 {
    match part {
        None | Some("") => 0,
        Some(part) => part.parse().unwrap_or(u16::MAX),
    }
}

/// xterm's 16 colors.
const PALETTE: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

fn nearest(color: [u8; 3]) -> u8 {
    let distance = |other: [u8; 3]| -> u32 {
        let squares = color
            .iter()
            .zip(other)
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
        squares.sum()
    };
    let index = (0..16u8).min_by_key(|it| distance(PALETTE[usize::from(*it)]));
    index.expect("there are 16 colors")
}
