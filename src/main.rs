//! The command line: arguments, signals, what is printed, and the exit status. Everything else is the library's.

mod cli;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow, bail};
use clap::{CommandFactory, Parser, Subcommand};
use mdbook_driver::MDBook;
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::config::Config as BookConfig;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use mdbook_rehearse::config::Config;
use mdbook_rehearse::digests::{self, Counts};
use mdbook_rehearse::exercise::NEEDS;
use mdbook_rehearse::install::{self, Installed, STYLE_FILE};
use mdbook_rehearse::listing::listing;
use mdbook_rehearse::preprocess::{self, Rehearse};
use mdbook_rehearse::problem::{Class, Fault};
use mdbook_rehearse::progress::Progress;
use mdbook_rehearse::sandbox::leftovers::{self, Kind, Role};
use mdbook_rehearse::sandbox::{self, OuterEngine, Stopped};
use mdbook_rehearse::session::{Notice, Session, Shelf, Writing};
use mdbook_rehearse::{render, report, store};
use mdbook_renderer::{RenderContext, Renderer};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::cli::check::{CheckOptions, STRICT};
use crate::cli::merge::merge;
use crate::cli::reports::Reports;
use crate::cli::run::RunOptions;

/// Rehearse every command of a course before your students do.
///
/// Runs the shell blocks of a book's chapters in a Docker engine of their own, puts what was printed into the book, and
/// keeps it in `snapshots/` beside book.toml. Without a command it is mdBook's preprocessor and expects mdBook on its
/// standard input.
#[derive(Parser)]
#[command(version, after_help = EXIT_STATUSES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_STATUSES: &str = "\
Exit status: 0 well; 1 outputs or images differ from what is recorded; 2 arguments or configuration; 3 a chapter is wrong; \
4 a step ended otherwise than it should; 5 engine or sandbox; 6 a registry cannot be asked; 7 snapshots; 8 something was not \
granted, and 10 something is left after a cleanup, both only with `check --strict`; 130 and 143 stopped by a signal. \
Where several apply it is the first of these: 8, 7, 5, 6, 4, 3, 2, 1, 10.";

#[derive(Subcommand)]
enum Command {
    /// Tell mdBook whether a renderer gets outputs (exit status 0: yes)
    Supports {
        /// Name of the renderer
        renderer: String,
    },
    /// Build the book as `mdbook build` does, with this preprocessor in it
    Build {
        #[command(flatten)]
        book: BookArgument,
        #[command(flatten)]
        grants: Grants,
    },
    /// Run what is new or edited, and record it
    Run {
        #[command(flatten)]
        book: BookArgument,
        #[command(flatten)]
        options: RunOptions,
        #[command(flatten)]
        grants: Grants,
    },
    /// Run everything afresh and compare with what is recorded; nothing is written
    #[command(after_help = STRICT)]
    Check {
        #[command(flatten)]
        book: BookArgument,
        #[command(flatten)]
        options: CheckOptions,
        #[command(flatten)]
        reports: Reports,
        #[command(flatten)]
        grants: Grants,
    },
    /// Make reports of what checks found
    Report {
        #[command(subcommand)]
        command: ReportCommand,
    },
    /// Tell what would happen to each step, and why, and what to look at; nothing is run
    List {
        #[command(flatten)]
        book: BookArgument,
        /// How to tell it
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
        #[command(flatten)]
        grants: Grants,
    },
    /// Ask registries which of the recorded images have moved since; nothing is run, and no pull is counted
    Digests {
        #[command(flatten)]
        book: BookArgument,
        /// How to tell it
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
        /// Write what was found into `snapshots/digests.json` too
        #[arg(long)]
        save: bool,
    },
    /// Add this preprocessor and its style file to book.toml
    Install {
        #[command(flatten)]
        book: BookArgument,
    },
    /// Remove what runs left behind with the engine
    Clean {
        /// Only tell what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Also remove what is kept between runs: the sandbox image, filled registries, caches
        #[arg(long)]
        all: bool,
    },
    /// Look at the engine and try a sandbox
    Doctor {
        #[command(flatten)]
        book: BookArgument,
    },
}

#[derive(Subcommand)]
enum ReportCommand {
    /// Join the JSON reports of all shards of a check; says of the whole what `check` says, and ends with its exit status
    Merge {
        /// What `check --report json=FILE` wrote, a file for each shard
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        reports: Reports,
    },
}

#[derive(clap::Args)]
struct BookArgument {
    /// Folder of the book (with book.toml)
    #[arg(value_name = "BOOK", default_value = ".")]
    root: PathBuf,
}

/// What chapters may ask for and only the user can grant.
#[derive(clap::Args)]
struct Grants {
    /// Grant what chapters ask for with a comment `needs`; as often as needed, or in MDBOOK_REHEARSE_ALLOW with commas
    #[arg(
        long = "allow",
        value_name = "NEED",
        env = "MDBOOK_REHEARSE_ALLOW",
        value_delimiter = ',',
        value_parser = NEEDS
    )]
    granted: Vec<String>,
}

/// How what was found is told.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let signal = Arc::new(AtomicI32::new(0));
    match dispatch(arguments, &signal) {
        Ok(code) => code,
        Err(error) => {
            if error.downcast_ref::<Stopped>().is_some() {
                anstream::eprintln!("rehearse: stopped; the sandbox is removed");
                return ExitCode::from(
                    u8::try_from(128 + signal.load(Ordering::SeqCst)).unwrap_or(143),
                );
            }
            tell_error(&error);
            ExitCode::from(class_of(&error) as u8)
        }
    }
}

fn tell_error(error: &anyhow::Error) {
    for line in format!("{error:#}").lines() {
        anstream::eprintln!("rehearse: error: {}", report::visible(line));
    }
}

fn class_of(error: &anyhow::Error) -> Class {
    let fault = error.chain().find_map(|it| it.downcast_ref::<Fault>());
    fault.map_or(Class::Usage, |it| it.class)
}

fn dispatch(arguments: Arguments, signal: &Arc<AtomicI32>) -> Result<ExitCode> {
    match arguments.command {
        None if io::stdin().is_terminal() => {
            Arguments::command().print_help()?;
            Ok(ExitCode::SUCCESS)
        }
        None => preprocess(signal),
        Some(Command::Supports { renderer }) => Ok(if preprocess::supports(&renderer) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }),
        Some(Command::Build { book, grants }) => build(&book.root, grants, signal),
        Some(Command::Run {
            book,
            options,
            grants,
        }) => {
            let mut stage = stage(signal, grants)?;
            if options.accept {
                stage.session.writing = Writing::Allowed;
            }
            cli::run::run(&stage, &book.root, &options)
        }
        Some(Command::Check {
            book,
            options,
            reports,
            grants,
        }) => cli::check::check(&stage(signal, grants)?, &book.root, &options, reports),
        Some(Command::Report {
            command: ReportCommand::Merge { files, reports },
        }) => merge(&files, reports),
        Some(Command::List {
            book,
            format,
            grants,
        }) => list(&granting(session(signal)?.0, grants), &book.root, format),
        Some(Command::Digests { book, format, save }) => {
            let save = if save {
                Saving::Asked
            } else {
                Saving::NotAsked
            };
            digests(&session(signal)?.0, &book.root, format, save)
        }
        Some(Command::Install { book }) => install(&book.root),
        Some(Command::Clean { dry_run, all }) => clean(&session(signal)?.0.runtime, dry_run, all),
        Some(Command::Doctor { book }) => doctor(&session(signal)?.0, &book.root),
    }
}

fn preprocess(signal: &Arc<AtomicI32>) -> Result<ExitCode> {
    let (session, stop) = session(signal)?;
    let (context, book) = preprocess::read_input(io::stdin().lock())?;
    watch_mdbook(stop, signal.clone());
    let book = Rehearse {
        session: Arc::new(session),
    }
    .run(&context, book)?;
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &book).context("failed to write the book to mdBook")?;
    out.flush().context("failed to write the book to mdBook")?;
    Ok(ExitCode::SUCCESS)
}

fn granting(session: Session, grants: Grants) -> Session {
    Session {
        granted: grants.granted.into_iter().collect(),
        ..session
    }
}

fn build(root: &Path, grants: Grants, signal: &Arc<AtomicI32>) -> Result<ExitCode> {
    log_like_mdbook();
    let mut book = load(root)?;
    let mut session = granting(session(signal)?.0, grants);
    let n_ran = Arc::new(AtomicUsize::new(0));
    let (n_begun, tell) = (n_ran.clone(), session.tell);
    session.tell = Box::new(move |notice| {
        if matches!(notice, Notice::Begins { .. }) {
            n_begun.fetch_add(1, Ordering::SeqCst);
        }
        tell(notice);
    });
    book.with_preprocessor(Rehearse {
        session: Arc::new(session),
    });
    book.build()?;
    match n_ran.load(Ordering::SeqCst) {
        0 => anstream::println!("nothing was run"),
        1 => anstream::println!("1 exercise was run"),
        n => anstream::println!("{n} exercises were run"),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(session: &Session, root: &Path, format: Format) -> Result<ExitCode> {
    let shelf = shelf(session, root)?;
    let exercises: Vec<&str> = shelf
        .survey
        .subjects
        .iter()
        .map(|it| it.exercise.id.as_str())
        .collect();
    let orphans = shelf.store.orphans(&exercises)?;
    let listing = listing(&shelf.survey.subjects, &orphans, &shelf.config);
    match format {
        Format::Text => anstream::print!("{}", report::listing(&listing)),
        Format::Json => anstream::println!("{}", serde_json::to_string_pretty(&listing)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether what registries have is written into a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saving {
    Asked,
    NotAsked,
}

fn digests(session: &Session, root: &Path, format: Format, saving: Saving) -> Result<ExitCode> {
    let shelf = shelf(session, root)?;
    let found = session.digests(&shelf)?;
    if saving == Saving::Asked {
        session.save(&found, &shelf)?;
    }
    match format {
        Format::Text => anstream::print!("{}", report::digests::digests(&found, root)),
        Format::Json => anstream::print!("{}", digests::print(&found)),
    }
    Ok(match digests::count(&found) {
        Counts {
            not_reached: 1.., ..
        } => ExitCode::from(Class::Registry as u8),
        Counts { moved: 1.., .. } | Counts { gone: 1.., .. } => ExitCode::from(Class::Drift as u8),
        _ => ExitCode::SUCCESS,
    })
}

fn install(root: &Path) -> Result<ExitCode> {
    let book_toml = store::inside(root, "book.toml");
    let text = std::fs::read_to_string(&book_toml).with_context(|| {
        format!(
            "failed to read `{}`; name the folder of a book, or make one with `mdbook init`",
            book_toml.display()
        )
    })?;
    let style = store::inside(root, STYLE_FILE);
    let before = std::fs::read(&style).ok();
    let found = match &before {
        Some(text) if text != render::STYLE.as_bytes() => Installed::Other,
        _ => Installed::Ours,
    };
    let installed = install::install(&text, found)?;
    if installed == text {
        anstream::println!("`{}` has everything", book_toml.display());
    } else {
        store::replace(&book_toml, &installed)?;
        anstream::println!(
            "`{}` names the preprocessor and its style file",
            book_toml.display()
        );
    }
    let style_name = style.display();
    match (found, before) {
        (Installed::Other, _) => anstream::println!(
            "`{style_name}` is not ours of version {} and was kept; to compare, rename it, run \
             `mdbook-rehearse install` again and look at both with `diff`",
            render::ASSETS_VERSION
        ),
        (Installed::Ours, Some(_)) => anstream::println!("`{style_name}` is of this version"),
        (Installed::Ours, None) => {
            store::replace(&style, render::STYLE)?;
            anstream::println!("`{style_name}` is yours to restyle");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn clean(runtime: &Runtime, dry_run: bool, all: bool) -> Result<ExitCode> {
    let class = |error: anyhow::Error| Fault::new(Class::Engine, format!("{error:#}"));
    runtime.block_on(sandbox::outer_engine()).map_err(class)?;
    let things = runtime.block_on(leftovers::list()).map_err(class)?;
    let goes = |role| role == Role::LeftOver || all && role == Role::Kept;
    for thing in &things {
        let (kind, name) = (thing.kind.word(), &thing.name);
        match (goes(thing.role), thing.role) {
            (true, _) if dry_run => anstream::println!("would remove {kind} {name}"),
            (true, _) => {
                runtime.block_on(leftovers::remove(thing)).map_err(class)?;
                anstream::println!("removed {kind} {name}");
            }
            (false, Role::InUse) => anstream::println!("in use: {kind} {name}"),
            (false, _) => anstream::println!("kept: {kind} {name} (`--all` removes it)"),
        }
    }
    if things.is_empty() {
        anstream::println!("nothing of mdbook-rehearse is with this engine");
    }
    Ok(ExitCode::SUCCESS)
}

fn doctor(session: &Session, root: &Path) -> Result<ExitCode> {
    let config = match root.join("book.toml").exists() {
        true => shelf(session, root)?.config,
        false => Config::default(),
    };
    diagnose(
        "replay",
        "works everywhere: pages are made from snapshots and nothing runs",
    );
    let engine = session.runtime.block_on(sandbox::outer_engine());
    let engine = engine.map_err(|it| hopeless("engine", "none", &it))?;
    let (version, system) = (&engine.server_version, &engine.operating_system);
    let (driver, cgroup) = (&engine.driver, &engine.cgroup_version);
    diagnose(
        "engine",
        &format!("Docker {version} on {system}, {driver}, cgroup v{cgroup}"),
    );
    diagnose_kept(session, &config)?;
    diagnose_walls(&engine);
    let progress = Progress::default();
    let watch = |event: sandbox::Event| progress.show(Notice::Prepares(&event));
    let probe = sandbox::probe(&config, root, &watch, session.stop.clone());
    match session.runtime.block_on(probe) {
        Ok(probe) => {
            let sandbox::Probe { engine, boot } = probe;
            let engine = format!(
                "Docker {} ({}, {})",
                engine.version, engine.store, engine.platform
            );
            let walls = "no privilege and no capability added";
            diagnose(
                "rootless",
                &format!(
                    "works: {engine} ready in {:.2} s, {walls}",
                    boot.as_secs_f64()
                ),
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.downcast_ref::<Stopped>().is_some() => Err(error),
        Err(error) => Err(hopeless("rootless", "does not work", &error)),
    }
}

/// What is kept between runs, and what was left behind.
fn diagnose_kept(session: &Session, config: &Config) -> Result<()> {
    let tag = sandbox::image_tag(&config.base_image);
    let (things, disk) = session
        .runtime
        .block_on(async {
            anyhow::Ok((leftovers::list().await?, leftovers::disk_use(&tag).await?))
        })
        .map_err(|it| Fault::new(Class::Engine, format!("{it:#}")))?;
    let is_there = things
        .iter()
        .any(|it| it.kind == Kind::Image && it.name == tag);
    let state = if is_there {
        "is there"
    } else {
        "is not built yet; building it"
    };
    diagnose("image", &format!("{tag} {state}"));
    diagnose("disk", &disk);
    let count = |role| things.iter().filter(|it| it.role == role).count();
    let (n_kept, n_left_over) = (count(Role::Kept), count(Role::LeftOver));
    diagnose(
        "things",
        &format!("{n_kept} kept between runs, {n_left_over} left over (`mdbook-rehearse clean`)"),
    );
    Ok(())
}

/// The levels of isolation that are not used, and why.
fn diagnose_walls(engine: &OuterEngine) {
    let rootful = "not offered: it takes SYS_ADMIN and NET_ADMIN, and no exercise needs more than rootless gives";
    diagnose("rootful", rootful);
    let is_tighter = |it: &&String| {
        ["sysbox-runc", "runsc", "kata"]
            .iter()
            .any(|name| it.starts_with(name))
    };
    let tighter: Vec<&str> = engine
        .runtimes
        .keys()
        .filter(is_tighter)
        .map(String::as_str)
        .collect();
    let tighter = match tighter.as_slice() {
        [] => "no: the engine has no runtime that walls off more (sysbox, gVisor, Kata)".to_owned(),
        names => format!("{} is there, but not used yet", names.join(", ")),
    };
    diagnose("tighter", &tighter);
}

fn diagnose(what: &str, finding: &str) {
    anstream::println!("{what:<12}{finding}");
}

/// Tells why no exercise can run on this machine.
fn hopeless(what: &str, finding: &str, error: &anyhow::Error) -> anyhow::Error {
    diagnose(
        what,
        &format!("{finding}: {}", report::visible(&format!("{error:#}"))),
    );
    Fault::new(Class::Engine, "exercises cannot run here").into()
}

fn load(root: &Path) -> Result<MDBook> {
    MDBook::load(root).with_context(|| {
        format!(
            "failed to load the book in `{}`; name the folder that has its book.toml",
            root.display()
        )
    })
}

/// The exercises of a book, read as mdBook reads it: after the preprocessors that come before ours.
fn shelf(session: &Session, root: &Path) -> Result<Shelf> {
    struct Catch {
        caught: Arc<Mutex<Option<(BookConfig, Book)>>>,
    }
    impl Preprocessor for Catch {
        fn name(&self) -> &str {
            "rehearse"
        }

        fn run(&self, context: &PreprocessorContext, book: Book) -> Result<Book> {
            let mut caught = self
                .caught
                .lock()
                .map_err(|_| anyhow!("another thread panicked"))?;
            *caught = Some((context.config.clone(), book.clone()));
            Ok(book)
        }

        fn supports_renderer(&self, _renderer: &str) -> Result<bool> {
            Ok(true)
        }
    }
    /// Stands in for mdBook's own renderer, whose chapters these are; nothing is rendered.
    struct Html;
    impl Renderer for Html {
        fn name(&self) -> &str {
            "html"
        }

        fn render(&self, _context: &RenderContext) -> Result<()> {
            Ok(())
        }
    }
    let caught = Arc::new(Mutex::new(None));
    let mut book = load(root)?;
    book.with_preprocessor(Catch {
        caught: caught.clone(),
    });
    book.preprocess_book(&Html)?;
    let caught = caught
        .lock()
        .map_err(|_| anyhow!("another thread panicked"))?
        .take();
    let (config, book) = caught
        .context("mdBook did not run the preprocessor for html; see `renderers` in book.toml")?;
    session.survey(root, &config, &book)
}

/// A session, and where it shows what happens.
struct Stage {
    session: Session,
    progress: Arc<Progress>,
}

impl Stage {
    /// Prints to standard output, and not into what is shown of exercises that still run.
    fn print(&self, text: &str) {
        self.progress.suspend(|| anstream::print!("{text}"));
    }
}

fn stage(signal: &Arc<AtomicI32>, grants: Grants) -> Result<Stage> {
    let progress = Arc::new(Progress::default());
    let (session, _) = session_showing(signal, progress.clone())?;
    Ok(Stage {
        session: granting(session, grants),
        progress,
    })
}

/// A session and what stops it.
fn session(signal: &Arc<AtomicI32>) -> Result<(Session, Arc<watch::Sender<bool>>)> {
    session_showing(signal, Arc::default())
}

fn session_showing(
    signal: &Arc<AtomicI32>,
    progress: Arc<Progress>,
) -> Result<(Session, Arc<watch::Sender<bool>>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let (sender, stop) = watch::channel(false);
    let sender = Arc::new(sender);
    runtime.spawn(watch_signals(sender.clone(), signal.clone()));
    // As insta and most others read it.
    let is_ci = std::env::var("CI").is_ok_and(|it| !matches!(it.as_str(), "" | "0" | "false"));
    let writing = if is_ci {
        Writing::Refused
    } else {
        Writing::Allowed
    };
    let tell = Box::new(move |notice: Notice<'_>| progress.show(notice));
    // As for `--allow`, for when mdBook starts this program.
    let granted = std::env::var("MDBOOK_REHEARSE_ALLOW").unwrap_or_default();
    let granted = granted.split(',').filter(|it| !it.is_empty());
    if let Some(unknown) = granted.clone().find(|it| !NEEDS.contains(it)) {
        let known = NEEDS.join("`, `");
        let message =
            format!("MDBOOK_REHEARSE_ALLOW has `{unknown}`, which nothing needs; known: `{known}`");
        bail!(Fault::new(Class::Usage, message));
    }
    Ok((
        Session {
            writing,
            granted: granted.map(str::to_owned).collect(),
            tell,
            stop,
            runtime,
        },
        sender,
    ))
}

/// The first signal asks for an orderly end; the second ends the process, and the sandbox goes by itself.
async fn watch_signals(stop: Arc<watch::Sender<bool>>, signal: Arc<AtomicI32>) {
    use tokio::signal::unix::{SignalKind, signal as listen};
    let signals = (
        listen(SignalKind::interrupt()),
        listen(SignalKind::terminate()),
        listen(SignalKind::hangup()),
    );
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else {
        return;
    };
    loop {
        let number = tokio::select! {
            _ = interrupt.recv() => 2,
            _ = terminate.recv() => 15,
            _ = hangup.recv() => 15,
        };
        if signal.swap(number, Ordering::SeqCst) != 0 {
            std::process::exit(128 + number);
        }
        stop.send_replace(true);
    }
}

/// mdBook that is killed takes nobody along: its end shows as an error on our standard output, and counts as a signal.
fn watch_mdbook(stop: Arc<watch::Sender<bool>>, signal: Arc<AtomicI32>) {
    std::thread::spawn(move || {
        use rustix::event::{PollFd, PollFlags, poll};
        let out = io::stdout();
        loop {
            // Errors and hang-ups are told without being asked for.
            let mut fds = [PollFd::new(&out, PollFlags::empty())];
            match poll(&mut fds, None) {
                Ok(_) if fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
        signal.store(15, Ordering::SeqCst);
        stop.send_replace(true);
    });
}

fn log_like_mdbook() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::builder()
        .with_env_var("MDBOOK_LOG")
        .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
}
