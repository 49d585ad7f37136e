//! The walk through a chapter or its author's copy, item by item: sections are entered, blocks become steps, comments find
//! what they are about.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::comment::{self, Directive, Selector};
use super::file::{self, Around, Saving};
use super::outline::{self, Code, Comment, Item, Kind, Lines, Prose, outline};
use super::promise::promises;
use super::words::{Info, has_ignore, value_of};
use super::{
    Aside, AsideKind, Block, Capture, Chapter, Claim, Command, Console, Exercise, Requirement,
    Role, Section, Spot, Step, Table, Visibility, exercise_id, slug,
};
use crate::bash;
use crate::config::Config;
use crate::console::{self, Ending, Entry, Language, Place, Reading};
use crate::placeholder::mask;
use crate::problem::{Origin, Problem};
use crate::regexes::known;

/// Most bytes of a block; the shell grammar is not made for more.
const LARGEST: usize = 256 * 1024;

/// What has been read so far.
pub(super) struct Reader<'a> {
    chapter: Chapter<'a>,
    config: &'a Config,
    parts: Vec<Part>,
    drafts: Vec<Draft>,
    /// Without steps and sections until the end.
    exercise: Exercise,
    /// Paths that blocks are saved under.
    saved: BTreeSet<String>,
    /// In the author's copy, since the last heading.
    anchor: Option<Anchor>,
    problems: Vec<Problem>,
}

/// A section with what reading needs of it.
struct Part {
    section: Section,
    slug: String,
    in_cleanup: bool,
    /// Byte of the chapter at which its own text ends, before the next heading.
    end: usize,
}

/// A step whose name is not given yet.
struct Draft {
    step: Step,
    wish: Option<String>,
    /// The path of a file that nobody but a rule says to write.
    by_rule: Option<String>,
    order: Order,
}

/// Where a step comes in its section: by the step of the chapter, and before, at or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Order(usize, Side);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Before,
    At,
    After,
}

/// Where the steps of the author's copy go, if not to the end of their section.
struct Anchor {
    order: Order,
    /// Where in the chapter what comes of them is put.
    place: usize,
    prefix: String,
}

/// The file that is being read.
struct Text<'a> {
    origin: Origin,
    markdown: &'a str,
    lines: Lines,
}

/// What the items before the present one leave to it.
#[derive(Default)]
struct Before {
    /// Words of a comment for the block that follows at once, with the comment's line.
    words: Option<(usize, String)>,
    /// The paragraph before it, in the same section.
    prose: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(chapter: Chapter<'a>, config: &'a Config) -> Reader<'a> {
        Reader {
            chapter,
            config,
            parts: Vec::new(),
            drafts: Vec::new(),
            exercise: Exercise {
                id: exercise_id(chapter.path),
                chapter: chapter.path.to_string(),
                steps: Vec::new(),
                sections: Vec::new(),
                values: BTreeMap::new(),
                tables: Vec::new(),
                requires: Vec::new(),
                needs: Vec::new(),
                asides: Vec::new(),
            },
            saved: BTreeSet::new(),
            anchor: None,
            problems: Vec::new(),
        }
    }

    /// Reads the chapter itself.
    pub(super) fn read_chapter(&mut self) {
        let text = Text {
            origin: Origin::Chapter,
            markdown: self.chapter.text,
            lines: Lines::new(self.chapter.text),
        };
        let items = outline(text.markdown, &text.lines);
        self.parts = parts(&items, &text, self.config);
        let mut section = 0;
        let mut before = Before::default();
        for item in items {
            match item {
                Item::Heading { .. } => {
                    self.drop_words(&text, before.words.take());
                    before = Before::default();
                    section += 1;
                }
                item => self.read_item(item, &text, section, &mut before),
            }
        }
        self.drop_words(&text, before.words);
    }

    /// Reads the author's copy, whose sections join those of the chapter.
    pub(super) fn read_copy(&mut self, markdown: &str) {
        let text = Text {
            origin: Origin::Copy,
            markdown,
            lines: Lines::new(markdown),
        };
        let mut section = Some(0);
        let mut met: BTreeMap<String, usize> = BTreeMap::new();
        let mut before = Before::default();
        for item in outline(markdown, &text.lines) {
            match item {
                Item::Heading { title, span, .. } => {
                    self.drop_words(&text, before.words.take());
                    before = Before::default();
                    self.anchor = None;
                    let nth = met.entry(key(&title)).or_default();
                    section = self.section_titled(&title, *nth);
                    *nth += 1;
                    if section.is_none() {
                        let message = format!(
                            "no heading `{}` in `{}`; write it as the chapter has it",
                            title.trim(),
                            self.chapter.path
                        );
                        self.problem(&text, Problem::error(text.lines.of(span.start), message));
                    }
                }
                // What is below a heading that fits nowhere has nowhere to go.
                item => {
                    if let Some(section) = section {
                        self.read_item(item, &text, section, &mut before);
                    }
                }
            }
        }
        self.drop_words(&text, before.words);
    }

    /// Gives the steps their names, and everything its order.
    pub(super) fn finish(mut self) -> (Option<Exercise>, Vec<Problem>) {
        // In one file the order stays.
        self.drafts.sort_by_key(|it| (it.step.section, it.order));
        self.drop_files_of_no_use();
        let ids = names(&self.drafts, &self.parts, &mut self.problems);
        self.problems.sort_by_key(|it| (it.origin, it.line));
        self.exercise.tables.sort_by_key(|it| it.after);
        if self.drafts.is_empty() {
            return (None, self.problems);
        }
        let steps = self.drafts.into_iter().zip(ids);
        let steps = steps.map(|(draft, id)| Step { id, ..draft.step });
        self.exercise.steps = steps.collect();
        self.exercise.sections = self.parts.into_iter().map(|it| it.section).collect();
        (Some(self.exercise), self.problems)
    }

    /// Gives up files that a rule would save and that no later command can mean.
    fn drop_files_of_no_use(&mut self) {
        let mut later: Vec<String> = Vec::new();
        let mut kept = Vec::new();
        for draft in std::mem::take(&mut self.drafts).into_iter().rev() {
            let is_of_use = draft.by_rule.as_ref().is_none_or(|path| {
                let name = path.rsplit('/').next().unwrap_or(path);
                let hints = [
                    name,
                    " build",
                    "compose",
                    "stack deploy",
                    "$(pwd)",
                    "$PWD",
                    "${PWD}",
                ];
                later
                    .iter()
                    .any(|it| hints.iter().any(|hint| it.contains(hint)))
            });
            if is_of_use {
                if draft.by_rule.is_none() {
                    later.extend(draft.step.commands.iter().map(|it| it.text.clone()));
                }
                kept.push(draft);
            }
        }
        kept.reverse();
        self.drafts = kept;
    }

    fn section_titled(&self, title: &str, nth: usize) -> Option<usize> {
        let parts = self.parts.iter().enumerate().skip(1);
        let mut fitting = parts.filter(|(_, it)| key(&it.section.title) == key(title));
        fitting.nth(nth).map(|it| it.0)
    }

    fn problem(&mut self, text: &Text<'_>, problem: Problem) {
        self.problems.push(Problem {
            origin: text.origin,
            ..problem
        });
    }

    /// Reports words that no block follows.
    fn drop_words(&mut self, text: &Text<'_>, words: Option<(usize, String)>) {
        if let Some((line, words)) = words {
            let message = format!(
                "no block follows the comment `{words}`; put it right before the one that it is about"
            );
            self.problem(text, Problem::error(line, message));
        }
    }

    fn read_item(&mut self, item: Item, text: &Text<'_>, section: usize, before: &mut Before) {
        match item {
            Item::Heading { .. } => {}
            Item::Prose(prose) => {
                self.drop_words(text, before.words.take());
                self.read_prose(&prose, text, section);
                before.prose = prose.text;
            }
            Item::Comment(comment) => self.read_comment(&comment, text, section, before),
            Item::Code(code) => {
                let words = before.words.take();
                self.read_code(code, words, &before.prose, text, section);
            }
        }
    }

    fn read_prose(&mut self, prose: &Prose, text: &Text<'_>, section: usize) {
        if CHALLENGE.is_match(&prose.text) {
            self.parts[section].section.challenge = true;
        }
        if let Some(step) = self.step_above(text.origin, section) {
            let promises = promises(&prose.text).into_iter();
            step.promises.extend(promises.map(|pattern| Claim {
                origin: text.origin,
                line: prose.line,
                pattern,
            }));
        }
        for asked in ASKED.captures_iter(&prose.text) {
            let command = asked[1].trim();
            let aside = Aside {
                origin: text.origin,
                line: prose.line,
                kind: AsideKind::Asked(command.to_string()),
            };
            if is_whole(command) && !self.exercise.asides.contains(&aside) {
                self.exercise.asides.push(aside);
            }
        }
    }

    fn read_comment(
        &mut self,
        comment: &Comment,
        text: &Text<'_>,
        section: usize,
        before: &mut Before,
    ) {
        let Some(inside) = comment.text.clone() else {
            let message = "a colon is missing; write `<!-- rehearse: … -->`";
            self.problem(text, Problem::error(comment.line, message));
            return;
        };
        let directive = match comment::parse(&text.markdown[inside]) {
            Ok(it) => it,
            Err(message) => {
                self.problem(text, Problem::error(comment.line, message));
                return;
            }
        };
        if let Directive::Words(words) = directive {
            match &mut before.words {
                Some((_, all)) => all.push_str(&format!(" {words}")),
                None => before.words = Some((comment.line, words)),
            }
            return;
        }
        self.drop_words(text, before.words.take());
        self.obey(directive, comment, text, section);
    }

    /// Does what a comment says, that is not about the block after it.
    fn obey(&mut self, directive: Directive, comment: &Comment, text: &Text<'_>, section: usize) {
        let (origin, line) = (text.origin, comment.line);
        let res = match directive {
            Directive::Words(_) => Ok(()),
            Directive::Run(command) => self.place(comment, text, section).map(|place| {
                let step = self.inline_step(command, comment.line, place, text, section);
                self.draft(step, None);
            }),
            Directive::Value { name, value } => {
                match self.exercise.values.insert(name.clone(), value) {
                    None => Ok(()),
                    Some(_) => Err(format!("`{name}` has a value already; remove one of them")),
                }
            }
            Directive::Table(kind, references) => {
                self.place(comment, text, section).map(|(after, prefix)| {
                    self.exercise.tables.push(Table {
                        kind,
                        references,
                        after,
                        prefix,
                    });
                })
            }
            Directive::Status => match (origin, &comment.alone) {
                (Origin::Chapter, Some(_)) => Ok(()),
                (Origin::Chapter, None) => Err(
                    "the table of the course needs a paragraph of its own; put the comment into one".to_string(),
                ),
                (Origin::Copy, _) => Err(
                    "`status` is for the chapter itself; put the comment where the table goes".to_string(),
                ),
            },
            Directive::Requires(exercise) => {
                self.exercise.requires.push(Requirement {
                    origin,
                    line,
                    exercise,
                });
                Ok(())
            }
            Directive::Needs(need) => {
                self.exercise.needs.push(need);
                Ok(())
            }
            it @ (Directive::Expect(_) | Directive::Capture { .. }) => {
                match self.step_above(origin, section) {
                    Some(step) => {
                        note(step, it, origin, line);
                        Ok(())
                    }
                    None => Err(
                        "no step stands above this comment; put it below the step that it is about"
                            .to_string(),
                    ),
                }
            }
            Directive::Goes { side, selector } => self.go(side, &selector, text, section),
            Directive::Step { selector, what } => {
                self.obey_for(&selector, *what, comment, text, section)
            }
        };
        if let Err(message) = res {
            self.problem(text, Problem::error(line, message));
        }
    }

    /// Where in the chapter that is put which a comment asks for, and what its lines begin with.
    fn place(
        &self,
        comment: &Comment,
        text: &Text<'_>,
        section: usize,
    ) -> Result<(usize, String), String> {
        match (text.origin, comment.after) {
            (Origin::Copy, _) => Ok(self.copy_place(section)),
            (Origin::Chapter, Some(after)) => Ok((after, comment.prefix.clone())),
            (Origin::Chapter, None) => Err(
                "text follows the comment on its line; put it at the end of the line, or into a paragraph of its own"
                    .to_string(),
            ),
        }
    }

    /// The step that a comment at this place is about.
    fn step_above(&mut self, origin: Origin, section: usize) -> Option<&mut Step> {
        let fits = |it: &Step| match origin {
            Origin::Chapter => it.origin == Origin::Chapter,
            Origin::Copy => it.section == section,
        };
        let mut steps = self.drafts.iter_mut().rev().map(|it| &mut it.step);
        steps.find(|it| fits(it))
    }

    /// Finds steps of the chapter in a section, at least one.
    fn selected(&self, selector: &Selector, section: usize) -> Result<Vec<usize>, String> {
        let steps = self.drafts.iter().enumerate();
        let is_there = |it: &Step| it.section == section && it.origin == Origin::Chapter;
        let steps: Vec<usize> = steps
            .filter(|it| is_there(&it.1.step))
            .map(|it| it.0)
            .collect();
        match selector {
            Selector::Numbers(first, last) => match steps.get(first - 1..*last) {
                Some(it) => Ok(it.to_vec()),
                None => Err(format!(
                    "the chapter has {} steps in this section and no step {last}; `mdbook-rehearse list` shows them",
                    steps.len()
                )),
            },
            Selector::Text(part) => {
                let has_it = |it: &&usize| {
                    let mut commands = self.drafts[**it].step.commands.iter();
                    commands.any(|it| it.text.contains(part))
                };
                let found = steps.iter().find(has_it).copied();
                let found = found.ok_or_else(|| format!(
                    "the chapter has no step with `{part}` in this section; `mdbook-rehearse list` shows them"
                ))?;
                Ok(vec![found])
            }
        }
    }

    /// Has the steps of the author's copy that follow go before or after a step of the chapter.
    fn go(
        &mut self,
        side: comment::Side,
        selector: &Selector,
        text: &Text<'_>,
        section: usize,
    ) -> Result<(), String> {
        if text.origin == Origin::Chapter {
            return Err("`before` and `after` are for the author's copy".to_string());
        }
        let chapter = self.chapter.text;
        let selected = self.selected(selector, section)?;
        let draft = &self.drafts[selected[0]];
        let Order(step, _) = draft.order;
        let (order, place) = match side {
            comment::Side::Before => {
                let line = chapter[..draft.step.span.start].rfind('\n').unwrap_or(0);
                let place = chapter[..line].trim_end().len();
                (Order(step, Side::Before), place)
            }
            comment::Side::After => (Order(step, Side::After), draft.step.after),
        };
        let prefix = draft.step.prefix.clone();
        self.anchor = Some(Anchor {
            order,
            place,
            prefix,
        });
        Ok(())
    }

    /// Does what the author's copy says of a step of the chapter.
    fn obey_for(
        &mut self,
        selector: &Selector,
        what: Directive,
        comment: &Comment,
        text: &Text<'_>,
        section: usize,
    ) -> Result<(), String> {
        if text.origin == Origin::Chapter {
            return Err(
                "`step` is for the author's copy; here put the words on the block itself"
                    .to_string(),
            );
        }
        for idx in self.selected(selector, section)? {
            let draft = &mut self.drafts[idx];
            match &what {
                Directive::Words(words) => {
                    let mut info = Info::of_step(&draft.step.words);
                    info.take_all(words);
                    info.check();
                    draft.step.words = info.words;
                    draft.wish = info.id.or(draft.wish.take());
                    for fault in info.faults {
                        self.problem(text, Problem::error(comment.line, fault));
                    }
                }
                what => note(&mut draft.step, what.clone(), text.origin, comment.line),
            }
        }
        Ok(())
    }

    /// A step that the prose asks for in inline code.
    fn inline_step(
        &self,
        command: String,
        line: usize,
        (after, prefix): (usize, String),
        text: &Text<'_>,
        section: usize,
    ) -> Step {
        let mut step = self.empty_step(text, section);
        step.line = line;
        step.span = after..after;
        step.after = after;
        step.prefix = prefix;
        if text.origin == Origin::Copy {
            // Nobody asks for it in the chapter, so it is an answer like the blocks there.
            step.block = Some(Block {
                language: "bash".to_string(),
                text: command.clone(),
            });
            if step.words.role == Role::Task {
                step.words.role = Role::Solution;
            }
        }
        step.commands = vec![Command::plain(line, command)];
        step
    }

    fn empty_step(&self, text: &Text<'_>, section: usize) -> Step {
        let role = match self.parts[section].in_cleanup {
            true => Role::Cleanup,
            false => Role::Task,
        };
        let words = super::Words {
            role,
            ..super::Words::default()
        };
        Step {
            id: String::new(),
            origin: text.origin,
            line: 0,
            span: 0..0,
            words_spans: Vec::new(),
            after: 0,
            prefix: String::new(),
            words,
            commands: Vec::new(),
            samples: Vec::new(),
            console: None,
            section,
            claims: Vec::new(),
            promises: Vec::new(),
            captures: Vec::new(),
            block: None,
            inferred: Vec::new(),
        }
    }

    fn read_code(
        &mut self,
        code: Code,
        comment_words: Option<(usize, String)>,
        prose: &str,
        text: &Text<'_>,
        section: usize,
    ) {
        let info_text = &text.markdown[code.info.clone()];
        let is_ours = |info: &str| {
            let language = language(info, Kind::Fenced);
            let mut languages = self.config.languages.iter();
            !has_ignore(info) && languages.any(|it| it.eq_ignore_ascii_case(language))
        };
        let is_ours_here = match code.kind {
            Kind::Fenced => is_ours(info_text),
            Kind::Indented => self.config.languages.iter().any(|it| it == "indented"),
        };
        if let Some(problem) = outline::unclosed(&code, is_ours, info_text) {
            // What else would be said of it is not worth reading.
            self.problem(text, problem);
            if !is_ours_here {
                return;
            }
        }
        let is_file = value_of(info_text, "save-as").is_some();
        let mut info = match is_ours_here || is_file {
            true => Info::of_fence(text.markdown, &code.info),
            false => Info::default(),
        };
        if let Some((_, words)) = &comment_words {
            info.take_all(words);
        }
        info.check();
        for fault in std::mem::take(&mut info.faults) {
            self.problem(text, Problem::error(code.line, fault));
        }
        if let Some(path) = info.words.save_as.clone() {
            self.saved.insert(path.clone());
            self.add_file(&code, &path, info, text, section);
            return;
        }
        if !is_ours_here && comment_words.is_none() {
            if code.kind == Kind::Fenced && text.origin == Origin::Chapter {
                self.save_perhaps(&code, info_text, prose, text, section);
            }
            return;
        }
        self.add_block(code, info, prose, text, section);
    }

    /// Saves a block that is a file of the exercise by what is said of it.
    fn save_perhaps(
        &mut self,
        code: &Code,
        info_text: &str,
        prose: &str,
        text: &Text<'_>,
        section: usize,
    ) {
        let around = Around {
            info: info_text,
            prose,
            saved: &self.saved,
            workspace: self.chapter.workspace,
        };
        match file::saving(&code.text, &around) {
            None => {}
            Some(Saving::To(path, why)) => {
                self.saved.insert(path.clone());
                self.add_file(code, &path, Info::default(), text, section);
                let saved = format!("saved as `{path}`, since {why}");
                if let Some(draft) = self.drafts.last_mut() {
                    draft.step.inferred.push(saved);
                    draft.by_rule = Some(path);
                }
            }
            Some(Saving::Perhaps(path, why)) => self.exercise.asides.push(Aside {
                origin: text.origin,
                line: code.line,
                kind: AsideKind::Unsaved { path, why },
            }),
        }
    }

    fn add_file(&mut self, code: &Code, path: &str, info: Info, text: &Text<'_>, section: usize) {
        let mut step = self.step_of(code, &info, text, section);
        if step.words.visibility == Visibility::Shown {
            step.words.visibility = Visibility::Silent;
        }
        step.commands = vec![Command::plain(code.line, file::command(path, &code.text))];
        self.check_characters(code, text);
        self.draft(step, info.id);
    }

    fn draft(&mut self, step: Step, wish: Option<String>) {
        let order = match (step.origin, &self.anchor) {
            (Origin::Chapter, _) => Order(self.drafts.len(), Side::At),
            (Origin::Copy, Some(anchor)) => anchor.order,
            (Origin::Copy, None) => Order(usize::MAX, Side::After),
        };
        self.drafts.push(Draft {
            step,
            wish,
            by_rule: None,
            order,
        });
    }

    /// Where in the chapter something of the author's copy is put, and the prefix of its lines.
    fn copy_place(&self, section: usize) -> (usize, String) {
        match &self.anchor {
            Some(anchor) => (anchor.place, anchor.prefix.clone()),
            None => (self.parts[section].end, String::new()),
        }
    }

    /// A step with everything but its commands.
    fn step_of(&self, code: &Code, info: &Info, text: &Text<'_>, section: usize) -> Step {
        let empty = self.empty_step(text, section);
        let mut words = info.words.clone();
        match text.origin {
            Origin::Chapter if words.role == Role::Task => words.role = empty.words.role,
            Origin::Copy if words.role == Role::Task => {
                words.role = match (empty.words.role, words.save_as.is_some()) {
                    (Role::Cleanup, _) => Role::Cleanup,
                    (_, true) => Role::Setup,
                    _ => Role::Solution,
                };
            }
            _ => {}
        }
        if words.role == Role::Setup {
            words.visibility = Visibility::Hidden;
        }
        let (span, after, prefix) = match text.origin {
            Origin::Chapter => (code.span.clone(), code.after, code.prefix.clone()),
            Origin::Copy => {
                let (place, prefix) = self.copy_place(section);
                (place..place, place, prefix)
            }
        };
        Step {
            line: code.line,
            span,
            words_spans: match text.origin {
                Origin::Chapter => info.spans.clone(),
                Origin::Copy => Vec::new(),
            },
            after,
            prefix,
            words,
            block: (text.origin == Origin::Copy).then(|| Block {
                language: match language(&text.markdown[code.info.clone()], code.kind) {
                    "untagged" | "indented" => String::new(),
                    it => it.to_string(),
                },
                text: code.text.clone(),
            }),
            ..empty
        }
    }

    /// Takes a block in a language of ours: a step, unless it is no commands.
    fn add_block(&mut self, code: Code, info: Info, prose: &str, text: &Text<'_>, section: usize) {
        let mut step = self.step_of(&code, &info, text, section);
        self.check_characters(&code, text);
        let info_text = &text.markdown[code.info.clone()];
        let body = without_hiding(&code.text, self.hidden_by(info_text, code.kind));
        if code.unclosed.is_some() {
            self.draft(step, info.id);
            return;
        }
        if body.len() > LARGEST {
            let message = format!(
                "the block has {} KiB and can have {}; put the data into a file",
                body.len() / 1024,
                LARGEST / 1024
            );
            self.problem(text, Problem::error(code.line, message));
            self.draft(step, info.id);
            return;
        }
        let block = console::read(&body, dialect(language(info_text, code.kind)));
        step.inferred.extend(block.inferred);
        match block.reading {
            Reading::Script => step.commands = self.script(&code, &body, &step, text),
            Reading::Console(entries) => {
                let hidden_by = self.hidden_by(info_text, code.kind);
                step.console = Some(Console {
                    language: match language(info_text, code.kind) {
                        "untagged" | "indented" => String::new(),
                        it => it.to_string(),
                    },
                    lines: console::lines(&body, &entries),
                    hidden: hidden(&code.text, hidden_by),
                });
                for entry in entries {
                    if text.origin == Origin::Chapter && !entry.sample.is_empty() {
                        step.samples.push(sample(&code, &entry.sample, text));
                    }
                    step.commands.extend(typed(&code, entry));
                }
            }
            // With words of its author it is a step all the same, and they will see what comes of it.
            Reading::Output(_) | Reading::File(_) | Reading::Foreign(_) if info.is_spoken() => {
                step.commands = self.script(&code, &body, &step, text);
            }
            Reading::File(what) => {
                let n_drafts = self.drafts.len();
                if language(info_text, code.kind) == "untagged" {
                    self.save_perhaps(&code, info_text, prose, text, section);
                }
                if self.drafts.len() == n_drafts {
                    self.leave_alone(&code, what, text);
                }
                return;
            }
            Reading::Output(what) | Reading::Foreign(what) => {
                self.leave_alone(&code, what, text);
                return;
            }
        }
        take_inside(&mut step, prose);
        self.draft(step, info.id);
    }

    fn leave_alone(&mut self, code: &Code, what: String, text: &Text<'_>) {
        self.exercise.asides.push(Aside {
            origin: text.origin,
            line: code.line,
            kind: AsideKind::LeftAlone(what),
        });
    }

    /// What mdBook hides the lines of a block by.
    fn hidden_by<'b>(&'b self, info: &'b str, kind: Kind) -> Option<&'b str> {
        let of_language = || self.config.hidelines.get(language(info, kind));
        value_of(info, "hidelines").or_else(|| of_language().map(String::as_str))
    }

    /// The commands of a script.
    fn script(&mut self, code: &Code, body: &str, step: &Step, text: &Text<'_>) -> Vec<Command> {
        let lines = Lines::new(body);
        let command =
            |span: Range<usize>| Command::plain(code.line + lines.of(span.start), &body[span]);
        match bash::split(&mask(body)) {
            Ok(spans) => spans.into_iter().map(command).collect(),
            Err((line, message)) => {
                if step.words.skip.is_none() {
                    let message = format!("{message}; the block is run as one command");
                    self.problem(text, Problem::warning(code.line + line, message));
                }
                let start = body.len() - body.trim_start_matches(['\n', ' ', '\t']).len();
                let end = body.trim_end().len();
                match start < end {
                    true => vec![command(start..end)],
                    false => Vec::new(),
                }
            }
        }
    }

    /// Reports characters that make a reader see another command than the one that runs, or that no shell can get.
    fn check_characters(&mut self, code: &Code, text: &Text<'_>) {
        for (idx, line) in code.text.lines().enumerate() {
            let mut points: Vec<String> = Vec::new();
            let mut before = ' ';
            for char in line.chars() {
                // It joins the parts of an emoji.
                let joins = char == '\u{200d}' && before >= '\u{2190}';
                if is_deceptive(char) && !joins {
                    let point = format!("U+{:04X}", u32::from(char));
                    if !points.contains(&point) && points.len() < 8 {
                        points.push(point);
                    }
                }
                before = char;
            }
            if !points.is_empty() {
                let message = format!(
                    "the line has {}, which a reader cannot see; remove it",
                    points.join(", ")
                );
                self.problem(text, Problem::error(code.line + 1 + idx, message));
            }
        }
    }
}

/// Finds where a chapter asks for the table of the whole course.
pub(super) fn spots(markdown: &str) -> Vec<Spot> {
    let items = outline(markdown, &Lines::new(markdown));
    let spots = items.into_iter().filter_map(|item| {
        let Item::Comment(comment) = item else {
            return None;
        };
        match comment::parse(&markdown[comment.text?]) {
            Ok(Directive::Status) => Some(Spot {
                span: comment.alone?,
                prefix: comment.prefix,
            }),
            _ => None,
        }
    });
    spots.collect()
}

/// Attaches what a comment says to the step that it is about.
fn note(step: &mut Step, what: Directive, origin: Origin, line: usize) {
    match what {
        Directive::Expect(pattern) => step.claims.push(Claim {
            origin,
            line,
            pattern,
        }),
        Directive::Capture { name, regex } => step.captures.push(Capture {
            origin,
            line,
            name,
            regex,
        }),
        _ => {}
    }
}

/// The sections of a chapter, the first before any heading.
fn parts(items: &[Item], text: &Text<'_>, config: &Config) -> Vec<Part> {
    let cleanup_headings: Vec<String> = config.cleanup_headings.iter().map(|it| bare(it)).collect();
    let part = |title: &str, line: usize| Part {
        section: Section {
            title: title.trim().to_string(),
            line,
            challenge: CHALLENGE.is_match(title),
        },
        slug: match slug(title, 48) {
            it if it.is_empty() => "step".to_string(),
            it => it,
        },
        in_cleanup: false,
        end: 0,
    };
    let end = |at: usize| text.markdown[..at].trim_end().len();
    let mut parts = vec![part("", 1)];
    // Level of the cleanup heading that the current section is below.
    let mut cleanup_level: Option<usize> = None;
    for (idx, item) in items.iter().enumerate() {
        let Item::Heading { level, title, span } = item else {
            continue;
        };
        if cleanup_level.is_some_and(|it| *level <= it) {
            cleanup_level = None;
        }
        let bare = bare(title);
        let is_cleanup = !bare.is_empty() && cleanup_headings.contains(&bare);
        if is_cleanup && cleanup_level.is_none() && !only_makes(&items[idx + 1..], *level) {
            cleanup_level = Some(*level);
        }
        let line = text.lines.of(span.start);
        let own_end = end(text.lines.start(text.markdown, line));
        if let Some(last) = parts.last_mut() {
            // Where a chapter begins with its title, there is no place before it.
            last.end = match own_end {
                0 => span.end,
                it => it,
            };
        }
        let mut next = part(title, line);
        next.in_cleanup = cleanup_level.is_some();
        parts.push(next);
    }
    if let Some(last) = parts.last_mut() {
        last.end = end(text.markdown.len());
    }
    parts
}

/// Whether the code below a heading of this level makes things and removes none: "Cleaning up" can be about an image.
fn only_makes(items: &[Item], level: usize) -> bool {
    static MAKES: LazyLock<Regex> =
        LazyLock::new(|| known(r"\bdocker (?:image |container )?(?:build|run|pull|push|create)\b"));
    static REMOVES: LazyLock<Regex> = LazyLock::new(|| {
        known(r"\b(?:rm|rmi|stop|kill|down|prune|remove|leave|delete|destroy|logout|disconnect)\b")
    });
    let is_end = |it: &&Item| matches!(it, Item::Heading { level: other, .. } if *other <= level);
    let (mut makes, mut removes) = (false, false);
    for item in items.iter().take_while(|it| !is_end(it)) {
        if let Item::Code(code) = item {
            makes |= MAKES.is_match(&code.text);
            // What follows a command is its author's sample, or a file.
            let commands = code.text.lines().filter(|it| it.contains("docker"));
            removes |= commands.into_iter().any(|it| REMOVES.is_match(it));
        }
    }
    makes && !removes
}

/// Names of steps: the authors' wishes first, then what the headings give.
fn names(drafts: &[Draft], parts: &[Part], problems: &mut Vec<Problem>) -> Vec<String> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wishes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let wish = draft.wish.as_deref().filter(|it| match taken.get(it) {
            Some(line) => {
                let message =
                    format!("`id={it}` is already at line {line}; give one of them another name");
                problems.push(Problem {
                    origin: draft.step.origin,
                    ..Problem::error(draft.step.line, message)
                });
                false
            }
            None => true,
        });
        if let Some(it) = wish {
            taken.insert(it, draft.step.line);
        }
        wishes.push(wish);
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = Vec::with_capacity(drafts.len());
    for (draft, wish) in drafts.iter().zip(wishes) {
        let slug = &parts[draft.step.section].slug;
        // A step more in the copy does not rename those of the chapter.
        let slug = match draft.step.origin {
            Origin::Chapter => slug.clone(),
            Origin::Copy => format!("{slug}-copy"),
        };
        let count = counts.entry(slug.clone()).or_default();
        *count += 1;
        let id = match wish {
            Some(it) => it.to_string(),
            None => {
                while taken.contains_key(format!("{slug}-{count}").as_str()) {
                    *count += 1;
                }
                format!("{slug}-{count}")
            }
        };
        ids.push(id);
    }
    ids
}

/// The language of an info string, as the configuration names it.
fn language(info: &str, kind: Kind) -> &str {
    let language = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    match (kind, language) {
        (Kind::Indented, _) => "indented",
        (Kind::Fenced, "") => "untagged",
        (Kind::Fenced, it) => it,
    }
}

fn dialect(language: &str) -> Language {
    match language.to_ascii_lowercase().as_str() {
        "untagged" | "indented" | "text" | "txt" | "plaintext" => Language::Unsaid,
        "console" | "shell-session" | "sh-session" | "shellsession" | "terminal" | "term" => {
            Language::Console
        }
        _ => Language::Shell,
    }
}

/// Takes off what hides lines from mdBook's readers.
fn without_hiding(text: &str, prefix: Option<&str>) -> String {
    let Some(prefix) = prefix.filter(|it| !it.is_empty()) else {
        return text.to_string();
    };
    let bare = |line: &str| match line.trim_start().strip_prefix(prefix) {
        Some(rest) => {
            let indent = &line[..line.len() - line.trim_start().len()];
            format!("{indent}{rest}")
        }
        None => line.to_string(),
    };
    text.split_inclusive('\n').map(bare).collect()
}

/// Indexes of the lines that mdBook hides.
fn hidden(text: &str, prefix: Option<&str>) -> BTreeSet<usize> {
    let Some(prefix) = prefix.filter(|it| !it.is_empty()) else {
        return BTreeSet::new();
    };
    let lines = text.lines().enumerate();
    let hidden = lines.filter(|it| it.1.trim_start().starts_with(prefix));
    hidden.map(|it| it.0).collect()
}

/// Bytes of whole lines of a block, in the chapter.
fn sample(code: &Code, lines: &Range<usize>, text: &Text<'_>) -> Range<usize> {
    let start = |idx: usize| text.lines.start(text.markdown, code.line + 1 + idx);
    let (begin, end) = (start(lines.start), start(lines.end));
    match end <= code.span.end {
        true => begin..end,
        // A block without a last line of its own ends with its text: then the line end before goes, not the one after.
        false => text.markdown[..begin].trim_end_matches(['\n', '\r']).len()..code.span.end,
    }
}

/// The commands of what is typed at one prompt.
fn typed(code: &Code, entry: Entry) -> Vec<Command> {
    let line = code.line + 1 + entry.lines.start;
    let whole = |text: &str| Command {
        line,
        text: text.to_string(),
        place: entry.place.clone(),
        answers: entry.answers.clone(),
        ending: entry.ending,
    };
    match (&entry.place, bash::split(&mask(&entry.text))) {
        (Place::Host, Ok(spans)) => {
            let n_spans = spans.len();
            let command = |(nth, span): (usize, Range<usize>)| {
                let n_lines = entry.text[..span.start].matches('\n').count();
                let mut command = whole(&entry.text[span]);
                command.line += n_lines;
                if nth + 1 < n_spans {
                    command.answers.clear();
                    command.ending = Ending::Itself;
                }
                command
            };
            spans.into_iter().enumerate().map(command).collect()
        }
        _ => vec![whole(entry.text.trim_end())],
    }
}

/// Moves a step's commands into the container that the text before it speaks of.
fn take_inside(step: &mut Step, prose: &str) {
    let is_outer = |it: &Command| {
        let name = it.text.split_whitespace().next().unwrap_or_default();
        it.place != Place::Host || ["docker", "docker-compose", "sudo"].contains(&name)
    };
    if step.words.inside.is_some()
        || !INSIDE.is_match(prose)
        || step.commands.is_empty()
        || step.commands.iter().any(is_outer)
    {
        return;
    }
    for command in &mut step.commands {
        command.place = Place::Container;
    }
    step.inferred
        .push("typed inside the container, since the text before it says so".to_string());
}

/// Whether a command in running text has all that it needs to be typed.
fn is_whole(command: &str) -> bool {
    const GROUPS: [&str; 12] = [
        "builder",
        "compose",
        "config",
        "container",
        "context",
        "image",
        "network",
        "node",
        "service",
        "stack",
        "system",
        "volume",
    ];
    const ALONE: [&str; 15] = [
        "--version",
        "df",
        "down",
        "events",
        "images",
        "info",
        "list",
        "login",
        "logout",
        "ls",
        "prune",
        "ps",
        "stats",
        "up",
        "version",
    ];
    let words: Vec<&str> = command.split_whitespace().collect();
    let rest = match words[..] {
        ["docker", group, ref rest @ ..] if GROUPS.contains(&group) => rest,
        [_, ref rest @ ..] => rest,
        [] => return false,
    };
    let is_elided = command.contains("...") || command.contains('…');
    match rest {
        _ if is_elided => false,
        [alone] => ALONE.contains(alone) || words[0] == "curl",
        rest => rest.len() > 1,
    }
}

/// Leaves of a heading what tells it from others: no case, punctuation, emoji or numbering.
fn bare(title: &str) -> String {
    let no_codes = title
        .split_whitespace()
        .filter(|it| !(it.len() > 2 && it.starts_with(':') && it.ends_with(':')));
    let text: String = no_codes
        .flat_map(str::chars)
        .filter(|it| it.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let counted = ["step", "task", "part", "exercise", "lab", "section"]
        .iter()
        .find_map(|it| {
            text.strip_prefix(it)
                .filter(|it| it.starts_with(char::is_numeric))
        });
    let unnumbered = counted
        .unwrap_or(&text)
        .trim_start_matches(char::is_numeric);
    match unnumbered.is_empty() {
        true => text,
        false => unnumbered.to_string(),
    }
}

/// A heading with white space as it does not matter.
fn key(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_deceptive(char: char) -> bool {
    match char {
        '\t' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{fffd}' | '\u{e0000}'..='\u{e007f}' => true,
        it => it.is_control(),
    }
}

static CHALLENGE: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"(?i)\byour (?:challenge|turn|task)\b|\bchallenge\b\s*:|^challenge\b|\bsuccess criteria\b|\btry it yourself\b",
    )
});
static ASKED: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"(?i)\b(?:run|try|type|execute|enter|issue|with)\b[^`.:]{0,40}`((?:docker|docker-compose|curl) [^`]+)`",
    )
});
static INSIDE: LazyLock<Regex> = LazyLock::new(|| {
    known(
        r"(?i)\b(?:inside|in|from|within)\b (?:of )?(?:the|this|that|your|our)(?: (?:new|running|same))? (?:container|shell)\b",
    )
});
