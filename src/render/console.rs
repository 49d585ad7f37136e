//! Blocks in which commands stand behind prompts, for HTML: on the page they look as their author wrote them, and what is
//! copied of them is the commands alone. mdBook copies what is displayed as text, and so prompts and samples are displayed by
//! the style; without it they are text like the rest.

use super::Samples;
use super::escape::html as escaped;
use crate::console::{Line, Speaker};
use crate::exercise::Console;

/// Makes the block on one physical line; `None` if mdBook's own way with a fence does as well.
pub(super) fn html(console: &Console, samples: Samples) -> Option<String> {
    let lines = console.lines.iter().enumerate();
    let is_shown = |it: &(usize, &Line)| match samples {
        Samples::Kept => true,
        Samples::Replaced => it.1.speaker == Speaker::Person,
    };
    let lines: Vec<(usize, &Line)> = lines.filter(is_shown).collect();
    let is_only_typed =
        |it: &(usize, &Line)| it.1.speaker == Speaker::Person && it.1.prompt.is_empty();
    if lines.iter().all(is_only_typed) {
        return None;
    }
    let lines = lines.iter().map(|(idx, line)| {
        let shown = shown(line);
        match console.hidden.contains(idx) {
            // As mdBook writes its own hidden lines.
            true => format!(r#"<span class="boring">{shown}</span>"#),
            false => shown,
        }
    });
    let class = match console.language.as_str() {
        "" => String::new(),
        language => format!(r#" class="language-{}""#, escaped(language)),
    };
    let lines: String = lines.collect();
    Some(format!("<pre><code{class}>{lines}</code></pre>"))
}

fn shown(line: &Line) -> String {
    let Line { prompt, text, .. } = line;
    match (line.speaker, prompt.is_empty()) {
        (Speaker::Program, _) => uncopied("rehearse-sample", &format!("{prompt}{text}\n")),
        (Speaker::Person, true) => format!("{}&#10;", escaped(text)),
        (Speaker::Person, false) if text.is_empty() => {
            uncopied("rehearse-prompt", &format!("{prompt}\n"))
        }
        (Speaker::Person, false) => {
            let prompt = uncopied("rehearse-prompt", prompt);
            format!("{prompt}{}&#10;", escaped(text))
        }
    }
}

/// Text that the style displays from the attribute, and hides where it stands.
fn uncopied(class: &str, text: &str) -> String {
    let text = escaped(text);
    format!(
        r#"<span class="{class}" data-text="{text}"><span class="rehearse-uncopied">{text}</span></span>"#
    )
}
