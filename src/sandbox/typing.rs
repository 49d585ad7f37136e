//! Which keys are pressed at a terminal and when, and what is seen there: pure functions of what was drawn and for how long
//! it has been standing.

use std::time::Duration;

use vt100::capture::{BasicFormattedCaptureRange, BasicFormattedCaptureState, RowContents};

use crate::sandbox::wire;

/// Enter, as the key sends it.
pub const ENTER: &str = "\r";
/// Ctrl-C, as the keys send it.
pub const CTRL_C: &[u8] = b"\x03";
/// Ctrl-D, as the keys send it.
pub const CTRL_D: &[u8] = b"\x04";

/// Quiet after which an unfinished line that looks like a question is one.
pub const SHORT: Duration = Duration::from_millis(150);

/// Quiet after which any unfinished line is a question.
pub const MIDDLE: Duration = Duration::from_secs(1);

/// Quiet after which whoever says nothing waits for somebody.
pub const LONG: Duration = Duration::from_secs(2);

/// How often Ctrl-D is pressed: a line that was begun takes two.
const MAX_CTRL_D: usize = 3;

/// The longest line typed in a shell; a line editor of BusyBox takes 1023 bytes.
pub const LINE_LIMIT: usize = 1000;

/// The answers to a command that asks.
#[derive(Debug)]
pub struct Answers<'a> {
    lines: std::slice::Iter<'a, String>,
    n_ctrl_d: usize,
}

impl<'a> Answers<'a> {
    /// None given yet.
    pub fn new(lines: &'a [String]) -> Answers<'a> {
        Answers {
            lines: lines.iter(),
            n_ctrl_d: 0,
        }
    }

    /// The keys to press now that this line has been standing there for so long.
    pub fn next(&mut self, line: &[u8], quiet: Duration) -> Option<Vec<u8>> {
        let line = last_line(line);
        // A password prompt throws away what was typed before it, so that nothing is typed ahead.
        if !asks(&line, quiet) {
            return None;
        }
        if let Some(answer) = self.lines.next() {
            return Some(format!("{answer}{ENTER}").into_bytes());
        }
        // One that works in silence is not asked to stop.
        if self.n_ctrl_d >= MAX_CTRL_D || (line.is_empty() && quiet < LONG) {
            return None;
        }
        self.n_ctrl_d += 1;
        Some(CTRL_D.to_vec())
    }
}

/// Whether a line that has been standing there for so long is a question.
pub fn asks(line: &str, quiet: Duration) -> bool {
    let is_question = line
        .trim_end()
        .ends_with([':', '?', ']', ')', '>', '#', '$', '%']);
    match (is_question, line.is_empty()) {
        (true, _) => quiet >= SHORT,
        (false, false) => quiet >= MIDDLE,
        (false, true) => quiet >= LONG,
    }
}

/// Whether an opening is at its prompt: `# `, `$ `, `% `, `> ` at the end of an unfinished line, or any after a while.
pub fn has_prompt(line: &str, quiet: Duration) -> bool {
    let is_known = is_shell(line) || line.ends_with("> ") || line.ends_with("# ");
    match (is_known, line.is_empty()) {
        (true, _) => quiet >= SHORT / 3,
        (false, false) => quiet >= LONG,
        (false, true) => false,
    }
}

/// Whether a prompt is a shell's. That of `psql` ends with `# ` too, after a mark of its own.
pub fn is_shell(prompt: &str) -> bool {
    let Some(before) = prompt.strip_suffix("# ") else {
        return prompt.ends_with("$ ") || prompt.ends_with("% ");
    };
    !before.ends_with(['=', '-', '(', '*', '\'', '"', '!', '^'])
}

/// Whether a shell is at its prompt without having told the end of the command: its own, or that of another.
pub fn has_shell_again(drawn: &[u8], prompt: &str, quiet: Duration) -> bool {
    let line = last_line(drawn);
    match line == prompt {
        true => quiet >= SHORT && !line.is_empty(),
        false => quiet >= MIDDLE && is_shell(&line),
    }
}

/// Whether a program is at its prompt again after what was typed, which is a line and its end.
pub fn has_prompt_again(drawn: &[u8], n_before: usize, prompt: &str, quiet: Duration) -> bool {
    if !drawn[n_before.min(drawn.len())..].contains(&b'\n') {
        return false;
    }
    let line = last_line(drawn);
    if prompt.is_empty() {
        return quiet >= LONG;
    }
    // `mysql> ` may become `    -> `, and `postgres=# ` `shop=# `: what stays is how they end.
    let ending = prompt.trim_end().chars().next_back();
    let is_alike = prompt.ends_with(' ') == line.ends_with(' ')
        && line.trim_end().chars().next_back() == ending;
    match (line == prompt, is_alike) {
        (true, _) => quiet >= SHORT / 3,
        (_, true) => quiet >= SHORT,
        // The continuation of Python.
        _ => line.starts_with("...") && quiet >= SHORT,
    }
}

/// Without the first line, where the prompt and what was typed at it stand.
pub fn without_echo(text: &[u8]) -> &[u8] {
    match text.iter().position(|it| *it == b'\n') {
        Some(at) => &text[at + 1..],
        None => &[],
    }
}

/// A word that no command says by chance.
pub fn word() -> String {
    let random = std::hash::RandomState::new();
    format!("{:016x}", std::hash::BuildHasher::hash_one(&random, 0))
}

/// A mark as the shell prints it. What it echoes has no such characters in it, however it is redrawn.
pub fn mark(kind: char, word: &str) -> Vec<u8> {
    format!("\x1e{kind}{word}\x1e").into_bytes()
}

/// The mark of a command's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndMark {
    /// Where it begins, and the output ends.
    pub begin: usize,
    /// Where it ends, and the prompt begins.
    pub end: usize,
    /// The status of the command.
    pub status: i32,
}

/// Finds the mark of a command's end, once it is whole.
pub fn end_mark(drawn: &[u8], word: &str) -> Option<EndMark> {
    let head = format!("\x1eE{word}:").into_bytes();
    let begin = find(drawn, &head)?;
    let rest = &drawn[begin + head.len()..];
    let len = rest.iter().position(|it| *it == b'\x1e')?;
    let status = std::str::from_utf8(&rest[..len]).ok()?.parse().ok()?;
    let end = begin + head.len() + len + 1;
    Some(EndMark { begin, end, status })
}

/// Without any marks: a shell that was left while another had its place tells the end of an earlier command.
pub fn without_marks(drawn: &[u8]) -> Vec<u8> {
    let parts = drawn.split(|it| *it == b'\x1e').enumerate();
    let kept = parts.filter(|(idx, _)| idx % 2 == 0);
    kept.flat_map(|(_, it)| it.to_vec()).collect()
}

/// Where something is for the first time.
pub fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|it| it == what)
}

/// The lines that have a shell run a command between two marks and with the status of the one before. Every POSIX shell
/// understands them; they begin with a blank, which keeps them out of some histories.
pub fn shell_lines(command: &str, last_status: i32, word: &str) -> Vec<String> {
    // With the blank it is no option of `eval`.
    let text = match last_status {
        0 => format!(" {command}"),
        status => format!("(exit {status})\n{command}"),
    };
    let mut pieces = printf_pieces(&text, LINE_LIMIT - 250);
    let last = pieces.pop().unwrap_or_default();
    let (begin, end) = (
        format!(" printf '\\036B%s\\036' {word}; eval"),
        end_line(word),
    );
    if pieces.is_empty() {
        return vec![format!("{begin} \"$(printf '{last}')\";{end}")];
    }
    let name = "rehearse_command";
    let mut lines = Vec::new();
    for piece in pieces {
        // With the letter at the end it keeps its newlines there.
        lines.push(format!(
            " {name}=\"${name}$(printf '{piece}x')\"; {name}=\"${{{name}%x}}\"; printf '\\036P%s\\036' {word}"
        ));
    }
    lines.push(format!(
        "{begin} \"unset {name};${name}$(printf '{last}')\";{end}"
    ));
    lines
}

/// Has a shell tell the status of the last command.
pub fn end_line(word: &str) -> String {
    format!(" printf '\\036E%s:%s\\036' {word} \"$?\"")
}

/// A text as formats for `printf` between single quotes, none longer than `limit`. What a line editor, a history or a
/// terminal may take for its own is there by number, and so is a `-` in front.
fn printf_pieces(text: &str, limit: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for byte in text.bytes() {
        let code = match byte {
            b'%' => "%%".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\'' | b'!' | 0..=0x1f | 0x7f.. => format!("\\{byte:03o}"),
            _ => char::from(byte).to_string(),
        };
        match pieces.last_mut() {
            Some(piece) if piece.len() + code.len() <= limit => piece.push_str(&code),
            _ if byte == b'-' => pieces.push("\\055".to_owned()),
            _ => pieces.push(code),
        }
    }
    pieces
}

/// Keeps what was printed since the last newline.
pub fn keep_last_line(line: &mut Vec<u8>, bytes: &[u8]) {
    line.extend(bytes);
    line.drain(..start_of_last_line(line));
}

/// Where the unfinished line at the end begins.
pub fn start_of_last_line(drawn: &[u8]) -> usize {
    drawn
        .iter()
        .rposition(|it| *it == b'\n')
        .map_or(0, |it| it + 1)
}

/// The unfinished line at the end as it is seen, without colors.
pub fn last_line(drawn: &[u8]) -> String {
    let line = seen(&drawn[start_of_last_line(drawn)..]);
    let line = String::from_utf8_lossy(&line);
    let line: String = vt100::capture::basic_formatted_to_plain(&line).collect();
    line.rsplit('\n').next().unwrap_or_default().to_owned()
}

/// What a person sees of a drawing in the end: lines without the movements that made them, with their colors. What was
/// shown on another screen, as by an editor, has gone with it.
pub fn seen(drawn: &[u8]) -> Vec<u8> {
    let lines = drawn.split(|it| *it == b'\n');
    let lines: Vec<&[u8]> = lines
        .map(|it| it.strip_suffix(b"\r").unwrap_or(it))
        .collect();
    let is_plain = |it: &u8| *it == b'\t' || !it.is_ascii_control();
    if lines.iter().all(|it| it.iter().all(is_plain)) {
        return lines.join(&b'\n');
    }
    let (rows, columns) = wire::TERMINAL_SIZE;
    let size = |it: u16| std::num::NonZeroU16::new(it).unwrap_or(std::num::NonZeroU16::MIN);
    let mut parser =
        vt100::Parser::new_with_callbacks(size(rows), size(columns), 0, Capture::default());
    parser.process(drawn);
    parser.process(b"\x1b[?47l");
    let n_below = usize::from(rows - 1 - parser.screen().cursor_position().0);
    let (screen, capture) = parser.screen_and_callbacks_mut();
    let Capture { text, state } = capture;
    // To a text it cannot fail.
    let _ = screen.write_contents_formatted_basic(text, BasicFormattedCaptureRange::Full(state));
    let ended = text.trim_end_matches('\n');
    let n_newlines = (text.len() - ended.len()).saturating_sub(n_below);
    let reset = match ended.rfind('\x1b') {
        Some(at) if !ended[at..].starts_with("\x1b[m") => "\x1b[m",
        _ => "",
    };
    format!("{ended}{reset}{}", "\n".repeat(n_newlines)).into_bytes()
}

/// The lines that have scrolled off the screen.
#[derive(Default)]
struct Capture {
    text: String,
    state: BasicFormattedCaptureState,
}

impl vt100::Callbacks for Capture {
    fn on_scroll(&mut self, contents: RowContents<'_>, alternate_screen: bool) {
        if !alternate_screen {
            let _ = contents.write_formatted_basic(&mut self.text, &mut self.state);
        }
    }
}
