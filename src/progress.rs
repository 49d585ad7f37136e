//! What a person sees while exercises run: a bar for each on a terminal, plain lines otherwise. All of it on standard error.

#![expect(clippy::disallowed_methods, reason = "the edge to the terminal")]

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::report::visible;
use crate::sandbox::Event;
use crate::session::Notice;

/// Shows notices as they come.
#[derive(Debug)]
pub struct Progress {
    on_terminal: bool,
    /// One below the other; nothing where there is no terminal.
    bars: MultiProgress,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By chapter.
    running: BTreeMap<String, Running>,
    preparing: Showing,
}

/// An exercise that has begun.
#[derive(Debug)]
struct Running {
    began: Instant,
    showing: Showing,
}

/// What shows the events of one thing.
#[derive(Debug, Default)]
struct Showing {
    /// `None` without a terminal.
    bar: Option<ProgressBar>,
    is_building: bool,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            on_terminal: std::io::stderr().is_terminal(),
            bars: MultiProgress::new(),
            state: Mutex::default(),
        }
    }
}

impl Progress {
    /// Shows one.
    pub fn show(&self, notice: Notice<'_>) {
        let mut state = self.state();
        match notice {
            Notice::Text(text) => self.bars.suspend(|| anstream::eprint!("{text}")),
            Notice::Prepares(event) => {
                if self.on_terminal && state.preparing.bar.is_none() {
                    state.preparing.bar = Some(self.bars.add(spinner()));
                }
                self.show_event(&mut state.preparing, event);
                if *event == Event::Removing {
                    state.preparing = Showing::default();
                }
            }
            Notice::Begins {
                chapter,
                n_commands,
            } => {
                let mut showing = Showing::default();
                if self.on_terminal {
                    showing.bar = Some(self.bars.add(bar(chapter, n_commands)));
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
                let began = Instant::now();
                let running = Running { began, showing };
                state.running.insert(chapter.to_owned(), running);
            }
            Notice::BeginsAgain {
                chapter,
                attempt,
                n_attempts,
            } => {
                let bar = state
                    .running
                    .get(chapter)
                    .and_then(|it| it.showing.bar.as_ref());
                if let Some(bar) = bar {
                    bar.reset();
                }
                let text = format!("attempt {attempt} of {n_attempts}, from an empty engine");
                self.say(&format!("rehearse: {chapter}: {text}"));
            }
            Notice::Happens(chapter, event) => {
                if let Some(running) = state.running.get_mut(chapter) {
                    self.show_event(&mut running.showing, event);
                }
            }
            Notice::Ends(chapter) => {
                let Some(Running { began, showing }) = state.running.remove(chapter) else {
                    return;
                };
                // It takes its bar away.
                drop(showing);
                let took = began.elapsed().as_secs_f64();
                self.say(&format!("rehearse: {chapter}: done in {took:.1} s"));
            }
        }
    }

    /// Does something that prints, with nothing else on the terminal meanwhile.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        let _state = self.state();
        self.bars.suspend(print)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere is no reason to say nothing.
        self.state.lock().unwrap_or_else(|it| it.into_inner())
    }

    fn say(&self, line: &str) {
        self.bars.suspend(|| anstream::eprintln!("{line}"));
    }

    fn show_event(&self, showing: &mut Showing, event: &Event) {
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
        if let Some(bar) = &showing.bar {
            bar.set_message(text);
            if matches!(event, Event::Command { .. }) {
                bar.inc(1);
            }
            return;
        }
        // Without a terminal only what takes long is worth a line, and of a build only that it began.
        let begins_build = matches!(event, Event::ImageBuild { .. }) && !showing.is_building;
        showing.is_building = matches!(event, Event::ImageBuild { .. });
        let is_news = matches!(event, Event::RegistryFill { .. } | Event::Offline { .. });
        if begins_build || is_news {
            self.say(&format!("rehearse: {text}"));
        }
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
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

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.cyan} {wide_msg:.dim}");
    let style = style.expect("the template is fixed");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
