//! One use of the tool: what it may do, whom it tells, when it has to stop. It leads a book's exercises through the stages
//! and the edges, the same way for a build and for the command line.

mod workers;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mdbook_preprocessor::book::{Book, Chapter};
use mdbook_preprocessor::config::Config as BookConfig;
use tokio::runtime::Runtime;

use crate::config::{self, Config};
use crate::digests::{self, Answer, Digests, Question, Whom};
use crate::exercise;
use crate::plan::{Circumstances, in_run_order};
use crate::problem::{Class, Fault, Level};
use crate::report;
use crate::run::{self, Rehearsal, Subject, Survey, could_be_flaky};
use crate::sandbox::{self, Event, OuterEngine, Stop, Stopped, Surroundings, workspace};
use crate::schedule;
use crate::session::workers::{lock, side_by_side};
use crate::store::{self, Store};
use crate::upstream;

/// How long to wait for another process that writes snapshots of the same book. Writing takes no time; one that is
/// stopped could hold the lock for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a registry may take to answer a question.
const ANSWER: Duration = Duration::from_secs(20);

/// What the tool may do, whom it tells, when it has to stop.
pub struct Session {
    /// Whether snapshots are written.
    pub writing: Writing,
    /// What the user grants to exercises that ask for it: `open-network`.
    pub granted: BTreeSet<String>,
    /// Gets everything that is to be told. Of one exercise in order; exercises that run side by side tell at once.
    pub tell: Box<dyn Fn(Notice<'_>) + Send + Sync>,
    /// Turns true on a signal.
    pub stop: Stop,
    /// Runs what is asynchronous.
    pub runtime: Runtime,
}

/// How hard exercises are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// How many at once; `None` for as many as the engine's machine takes.
    pub jobs: Option<NonZeroUsize>,
    /// How often one that went wrong is run again, each time from an empty engine.
    pub n_retries: usize,
}

/// Whether there still is an engine to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EngineAnswers {
    Yes,
    No,
}

/// Whether snapshots are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// They are.
    Allowed,
    /// They are not: this is a CI job.
    Refused,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice<'a> {
    /// Whole lines of text.
    Text(&'a str),
    /// Something is made that all exercises share.
    Prepares(&'a Event),
    /// An exercise begins.
    Begins {
        /// Path of its chapter.
        chapter: &'a str,
        /// Number of its commands.
        n_commands: usize,
    },
    /// An exercise that went wrong begins again, from an empty engine.
    BeginsAgain {
        /// Path of its chapter.
        chapter: &'a str,
        /// Which attempt this is, from 1.
        attempt: usize,
        /// Number of attempts that it has.
        n_attempts: usize,
    },
    /// Something happens in the exercise of this chapter.
    Happens(&'a str, &'a Event),
    /// The exercise of this chapter is over.
    Ends(&'a str),
}

/// A book as the stages need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The book's root.
    pub root: PathBuf,
    /// Folder of its chapters.
    pub source: PathBuf,
    /// Folder that it is built in.
    pub build_folder: PathBuf,
    /// Its `[preprocessor.rehearse]` table.
    pub config: Config,
    /// Its snapshots.
    pub store: Store,
    /// Its exercises.
    pub survey: Survey,
}

impl Session {
    /// Looks at a book and tells its problems; an error if one of them is an error.
    pub fn survey(&self, root: &Path, book_config: &BookConfig, book: &Book) -> Result<Shelf> {
        let table: Option<serde_json::Value> = book_config
            .get("preprocessor.rehearse")
            .context("failed to read `[preprocessor.rehearse]`")?;
        let mut config = config::parse(&table.unwrap_or_default()).map_err(|messages| {
            let lines: Vec<String> = messages
                .iter()
                .map(|it| format!("book.toml: [preprocessor.rehearse]: {it}"))
                .collect();
            Fault::new(Class::Usage, lines.join("\n"))
        })?;
        config.hidelines = book_config
            .get("output.html.code.hidelines")
            .context("failed to read `[output.html.code.hidelines]`")?
            .unwrap_or_default();
        let store = Store::of_book(root, &book_config.book.src)?;
        let mut seen = HashSet::new();
        let chapters = book
            .chapters()
            .filter_map(|it| Some((chapter_path(it)?, it.content.as_str())));
        // A file may be listed twice; it is one exercise.
        let chapters: Vec<(String, &str)> =
            chapters.filter(|it| seen.insert(it.0.clone())).collect();
        let source = root.join(&book_config.book.src);
        let mut copies = Vec::new();
        for (path, _) in &chapters {
            copies.push(store::read_copy(&source, path)?);
        }
        let build_folder = root.join(&book_config.build.build_dir);
        let workspace = match &config.workspace {
            Some(folder) => workspace::paths(&root.join(folder), &build_folder),
            None => BTreeSet::new(),
        };
        let chapters = chapters.iter().zip(&copies);
        let chapters = chapters.map(|((path, text), copy)| exercise::Chapter {
            path,
            text,
            copy: copy.as_deref(),
            workspace: &workspace,
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the book names the variables whose values it asks for"
        )]
        let environment = |name: &str| std::env::var(name).ok();
        let around = Circumstances {
            config: &config,
            environment: &environment,
            granted: &self.granted,
            folder: &|chapter| match &config.workspace {
                Some(folder) => {
                    let source = &book_config.book.src;
                    workspace::start_folder(root, source, Path::new(chapter), folder)
                }
                None => PathBuf::new(),
            },
        };
        let survey = run::survey(chapters, around, |exercise| store.read(exercise))?;
        if !survey.problems.is_empty() {
            (self.tell)(Notice::Text(&report::problems(&survey.problems)));
        }
        let n_errors = survey
            .problems
            .iter()
            .filter(|it| it.problem.level == Level::Error)
            .count();
        if n_errors > 0 {
            let word = if n_errors == 1 { "error" } else { "errors" };
            return Err(Fault::new(
                Class::Input,
                format!("{n_errors} {word} in the chapters; nothing was run"),
            )
            .into());
        }
        Ok(Shelf {
            root: root.to_owned(),
            source,
            build_folder,
            config,
            store,
            survey,
        })
    }

    /// Runs exercises, several side by side; `done` gets each as it is over, never two at once, and can say that no further
    /// one begins: what has begun then goes to its end. One that breaks, or that the engine lets down, takes nothing from the
    /// others; but once no engine answers any more, none begins. Gives those that never began.
    pub fn rehearse<'a>(
        &self,
        subjects: &[&'a Subject],
        shelf: &Shelf,
        effort: Effort,
        done: impl FnMut(&Subject, Result<Rehearsal, Fault>) -> Result<ControlFlow<()>> + Send,
    ) -> Result<Vec<&'a Subject>> {
        let outer_engine = self.runtime.block_on(self.prepare(shelf));
        let outer_engine = outer_engine.map_err(engine_fault)?;
        let jobs = effort
            .jobs
            .unwrap_or_else(|| schedule::jobs(outer_engine.n_cpu, outer_engine.memory));
        let loads = schedule::loads(subjects, &shelf.survey.subjects);
        let queue = schedule::order(&loads, jobs).into_iter();
        let queue: Vec<&Subject> = queue.map(|it| subjects[it]).collect();
        let done = Mutex::new(done);
        let not_begun = side_by_side(queue, jobs, |subject| {
            let (res, alive) = self
                .runtime
                .block_on(self.rehearse_or_fail(subject, shelf, effort))?;
            let flow = lock(&done)(subject, res)?;
            Ok(match alive {
                EngineAnswers::Yes => flow,
                EngineAnswers::No => ControlFlow::Break(()),
            })
        })?;
        let is_left = |it: &&&Subject| not_begun.iter().any(|left| std::ptr::eq(*left, **it));
        Ok(subjects.iter().filter(is_left).copied().collect())
    }

    /// Looks whether there is an engine, and makes there what all sandboxes stand on.
    async fn prepare(&self, shelf: &Shelf) -> Result<OuterEngine> {
        let outer_engine = sandbox::outer_engine().await?;
        // What an earlier run could not take along goes first; trouble with it shows where it matters.
        let _ = sandbox::leftovers::sweep().await;
        let watch = |event: Event| (self.tell)(Notice::Prepares(&event));
        sandbox::prepare(&shelf.config, &shelf.root, &watch, self.stop.clone()).await?;
        Ok(outer_engine)
    }

    /// Runs one exercise, and tells whether the engine still answers; an error only if it was told to stop.
    async fn rehearse_or_fail(
        &self,
        subject: &Subject,
        shelf: &Shelf,
        effort: Effort,
    ) -> Result<(Result<Rehearsal, Fault>, EngineAnswers)> {
        let error = match self.rehearse_one(subject, shelf, effort).await {
            Ok(it) => return Ok((Ok(it), EngineAnswers::Yes)),
            Err(error) if error.is::<Stopped>() => return Err(error),
            Err(error) => error,
        };
        let class = error
            .downcast_ref::<Fault>()
            .map_or(Class::Engine, |it| it.class);
        let fault = Fault::new(class, format!("{error:#}"));
        let alive = match sandbox::outer_engine().await {
            Ok(_) => EngineAnswers::Yes,
            Err(_) => EngineAnswers::No,
        };
        Ok((Err(fault), alive))
    }

    /// Runs one exercise, again and again from an empty engine while it goes wrong and may be tried.
    async fn rehearse_one(
        &self,
        subject: &Subject,
        shelf: &Shelf,
        effort: Effort,
    ) -> Result<Rehearsal> {
        let chapter = &subject.exercise.chapter;
        let steps = in_run_order(&subject.plan);
        (self.tell)(Notice::Begins {
            chapter,
            n_commands: steps.iter().map(|it| it.commands.len()).sum(),
        });
        let watch = |event: Event| (self.tell)(Notice::Happens(chapter, &event));
        let surroundings = Surroundings {
            root: &shelf.root,
            build_folder: &shelf.build_folder,
        };
        #[expect(clippy::disallowed_methods, reason = "reports tell how long it took")]
        let began = Instant::now();
        let mut attempts = Vec::new();
        let res = loop {
            let rehearsal = run::rehearse(subject, today(), async |plan| {
                let stop = self.stop.clone();
                sandbox::rehearse(plan, &shelf.config, surroundings, &watch, stop).await
            })
            .await;
            match rehearsal {
                Ok(it) if attempts.len() < effort.n_retries && could_be_flaky(&it.comparison) => {
                    attempts.push(it.comparison);
                    (self.tell)(Notice::BeginsAgain {
                        chapter,
                        attempt: attempts.len() + 1,
                        n_attempts: effort.n_retries + 1,
                    });
                }
                res => break res,
            }
        };
        (self.tell)(Notice::Ends(chapter));
        Ok(Rehearsal {
            attempts,
            took: began.elapsed(),
            ..res?
        })
    }

    /// Asks registries what they have now of the images that are recorded. Nothing is run.
    pub fn digests(&self, shelf: &Shelf) -> Result<Digests> {
        let snapshots = shelf.survey.subjects.iter();
        let snapshots = snapshots.filter_map(|it| it.recorded.as_ref());
        let questions = digests::questions(snapshots, &shelf.config);
        let mut urls = BTreeMap::new();
        let mut manifests = BTreeMap::new();
        for Question {
            reference, whom, ..
        } in &questions
        {
            match whom {
                Whom::Upstream { url } => {
                    urls.insert(reference.clone(), url.clone());
                }
                Whom::Local { host, path } => {
                    manifests.insert(reference.clone(), (host.clone(), path.clone()));
                }
                Whom::Nobody { .. } => {}
            }
        }
        let n_asked = urls.len() + manifests.len();
        if n_asked > 0 {
            let word = if n_asked == 1 { "image" } else { "images" };
            let text = format!("rehearse: asking the registries of {n_asked} {word}\n");
            (self.tell)(Notice::Text(&text));
        }
        let answers = self.runtime.block_on(async {
            let mut stop = self.stop.clone();
            let upstream = async {
                tokio::select! {
                    answers = upstream::ask(urls, ANSWER) => Ok(answers),
                    _ = stop.wait_for(|it| *it) => Err(anyhow!(Stopped)),
                }
            };
            // Both to their end: what the second one made has to be removed.
            let (upstream, local) =
                tokio::join!(upstream, self.ask_local_registries(manifests, shelf));
            let mut answers = upstream?;
            answers.extend(local?);
            Ok::<_, anyhow::Error>(answers)
        })?;
        Ok(digests::findings(questions, &answers, today()))
    }

    /// Writes what registries have now.
    pub fn save(&self, digests: &Digests, shelf: &Shelf) -> Result<()> {
        let _lock = shelf.store.lock(PATIENCE)?;
        shelf.store.write_digests(digests).map(|_| ())
    }

    /// Asks the book's own registries; without an engine none of them has an answer.
    async fn ask_local_registries(
        &self,
        manifests: BTreeMap<String, (String, String)>,
        shelf: &Shelf,
    ) -> Result<BTreeMap<String, Answer>> {
        if manifests.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ask = async {
            sandbox::outer_engine().await?;
            let _ = sandbox::leftovers::sweep().await;
            let watch = |event: Event| (self.tell)(Notice::Prepares(&event));
            let stop = self.stop.clone();
            sandbox::ask_registries(&manifests, &shelf.config, &shelf.root, &watch, stop).await
        };
        match ask.await {
            Err(error) if !error.is::<Stopped>() => {
                let nothing = Answer::Nothing(format!("{error:#}"));
                let references = manifests.into_keys();
                Ok(references.map(|it| (it, nothing.clone())).collect())
            }
            res => res,
        }
    }

    /// Writes the snapshot of an exercise that went well, if that is allowed and something differs.
    pub fn record(&self, rehearsal: &Rehearsal, shelf: &Shelf) -> Result<Recorded> {
        match &rehearsal.snapshot {
            Some(snapshot) if self.writing == Writing::Allowed => {
                let _lock = shelf.store.lock(PATIENCE)?;
                match shelf.store.write(snapshot)? {
                    true => Ok(Recorded::Written),
                    false => Ok(Recorded::Unchanged),
                }
            }
            _ => Ok(Recorded::Unchanged),
        }
    }
}

/// What became of a snapshot's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is another than before.
    Written,
    /// It is as before.
    Unchanged,
}

/// Path of a chapter's file inside the book's source folder, with `/`; `None` for a draft.
pub fn chapter_path(chapter: &Chapter) -> Option<String> {
    let path = chapter.source_path.as_ref()?;
    Some(path.to_string_lossy().replace('\\', "/"))
}

fn today() -> Date {
    #[expect(
        clippy::disallowed_methods,
        reason = "the day is all that the files say of the clock"
    )]
    let now = Timestamp::now();
    now.to_zoned(TimeZone::UTC).date()
}

/// Gives trouble with the engine its class; what has one already keeps it, and being told to stop is none.
fn engine_fault(error: anyhow::Error) -> anyhow::Error {
    match error.is::<Stopped>() || error.is::<Fault>() {
        true => error,
        false => Fault::new(Class::Engine, format!("{error:#}")).into(),
    }
}
