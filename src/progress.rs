//! What a person sees while exercises run: bars on a terminal, plain lines otherwise. All of it on standard error.

#![expect(clippy::disallowed_methods, reason = "the edge to the terminal")]

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::visible;
use crate::sandbox::Event;
use crate::session::Notice;

/// Shows notices as they come.
#[derive(Debug)]
pub struct Progress {
    on_terminal: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bar: Option<ProgressBar>,
    chapter: String,
    began: Option<Instant>,
    is_building: bool,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            on_terminal: std::io::stderr().is_terminal(),
            state: Mutex::default(),
        }
    }
}

impl Progress {
    /// Shows one.
    pub fn show(&self, notice: Notice<'_>) {
        // A panic elsewhere is no reason to say nothing.
        let mut state = self.state.lock().unwrap_or_else(|it| it.into_inner());
        match notice {
            Notice::Text(text) => match &state.bar {
                Some(bar) => bar.suspend(|| anstream::eprint!("{text}")),
                None => anstream::eprint!("{text}"),
            },
            Notice::Begins {
                chapter,
                n_commands,
            } => {
                state.chapter = chapter.to_owned();
                state.began = Some(Instant::now());
                if self.on_terminal {
                    state.bar = Some(bar(chapter, n_commands));
                } else {
                    let word = if n_commands == 1 {
                        "command"
                    } else {
                        "commands"
                    };
                    anstream::eprintln!(
                        "rehearse: {chapter}: running {n_commands} {word} in a sandbox"
                    );
                }
            }
            Notice::Happens(event) => self.show_event(&mut state, event),
            Notice::Ends => {
                if let Some(bar) = state.bar.take() {
                    bar.finish_and_clear();
                }
                let took = state.began.take().map_or(Duration::ZERO, |it| it.elapsed());
                anstream::eprintln!(
                    "rehearse: {}: done in {:.1} s",
                    state.chapter,
                    took.as_secs_f64()
                );
            }
        }
    }

    fn show_event(&self, state: &mut State, event: &Event) {
        let text = match event {
            Event::ImageBuild { line } => {
                format!("building the sandbox image: {}", visible(line.trim()))
            }
            Event::RegistryFill { host, n_images } => {
                format!("filling registry {host} with {n_images} images")
            }
            Event::Offline { host, why } => {
                let why = visible(why.lines().last().unwrap_or_default());
                format!("{host} cannot be reached; only images of earlier runs are there ({why})")
            }
            Event::Starting => "starting the engine".to_owned(),
            Event::Ready { boot } => format!("engine ready in {:.2} s", boot.as_secs_f64()),
            Event::Command { text, .. } => {
                format!("$ {}", visible(text.lines().next().unwrap_or_default()))
            }
            Event::Removing => "removing the sandbox".to_owned(),
        };
        if let Some(bar) = &state.bar {
            bar.set_message(text);
            if matches!(event, Event::Command { .. }) {
                bar.inc(1);
            }
            return;
        }
        // Without a terminal only what takes long is worth a line, and of a build only that it began.
        let begins_build = matches!(event, Event::ImageBuild { .. }) && !state.is_building;
        state.is_building = matches!(event, Event::ImageBuild { .. });
        let is_news = matches!(event, Event::RegistryFill { .. } | Event::Offline { .. });
        if begins_build || is_news {
            anstream::eprintln!("rehearse: {text}");
        }
    }
}

fn bar(chapter: &str, n_commands: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{spinner:.cyan} {prefix} [{bar:20.cyan/dim}] {pos}/{len} {wide_msg:.dim}",
    );
    let style = style.expect("the template is fixed").progress_chars("━╸─");
    let bar = ProgressBar::new(n_commands as u64)
        .with_style(style)
        .with_prefix(chapter.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
