//! Which characters nobody sees: the one list for pages, snapshots and the terminal.

/// Whether a character shows nothing, or acts on its surroundings: controls (tab and newline too), soft hyphen, bidi and
/// zero-width characters, invisible fillers, tags.
pub fn is_unseen(char: char) -> bool {
    match char {
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' => true,
        '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' => true,
        '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => true,
        it => it.is_control(),
    }
}
