//! A step's text to its complete commands, by real shell grammar. It knows nothing of Docker or of what may run.

use std::collections::HashMap;
use std::ops::Range;

use brush_parser::ast::{
    AndOr, AssignmentValue, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList,
    IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline, Program, SeparatorOperator,
    SimpleCommand, SourceLocation, Word,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{
    ParseError, ParserOptions, Token, TokenizerError, parse_tokens, uncached_tokenize_str,
};

/// Depth of nested parentheses, braces and loops up to which the grammar is asked: it descends recursively.
const DEEPEST: usize = 40;

/// Tries to find the end of a command without asking the grammar for its place.
const MOST_TRIES: usize = 1000;

/// Where a command's input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// From where the script's comes: for a learner, the keyboard.
    Inherited,
    /// From a pipe, a file or a heredoc.
    Given,
}

/// A simple command, wherever in a script it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Name and arguments; quotes removed, expansions left as they are written.
    pub words: Vec<String>,
    /// What it reads.
    pub input: Input,
    /// Who waits for it.
    pub manner: Manner,
}

/// Who waits for a command to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The shell.
    Foreground,
    /// The shell, but another command reads what it prints and may end it so: all but the last of a pipeline.
    Piped,
    /// Nobody: `cmd &`.
    Background,
}

/// What a command gets from what surrounds it.
#[derive(Debug, Clone, Copy)]
struct Flow {
    input: Input,
    manner: Manner,
}

impl Flow {
    const START: Flow = Flow {
        input: Input::Inherited,
        manner: Manner::Foreground,
    };
}

/// Spans of the complete commands of a script, in order; comments and blank lines between them belong to none.
/// `Err` says what the grammar objects to and at which line of the script, from 1; the whole script is then one command.
pub fn split(script: &str) -> Result<Vec<Range<usize>>, (usize, String)> {
    // The grammar knows no `\r`, and it counts characters: `bytes` maps them to bytes of `script`.
    let chars = || {
        script
            .char_indices()
            .filter(|(idx, it)| *it != '\r' || !script[idx + 1..].starts_with('\n'))
    };
    let text: String = chars().map(|(_, it)| it).collect();
    let mut bytes: Vec<usize> = chars().map(|(idx, _)| idx).collect();
    bytes.push(script.len());

    let tokens = tokenize(&text)?;
    let program = parse_tokens(&tokens, &options()).map_err(|it| grammar_error(&it, &text))?;
    let firsts = first_tokens(&tokens, &program);
    let mut spans = Vec::with_capacity(firsts.len());
    for (nth, first) in firsts.iter().enumerate() {
        let start = bytes[tokens[*first].location().start.index];
        let (next, end) = match firsts.get(nth + 1) {
            Some(next) => (*next, bytes[tokens[*next].location().start.index]),
            None => (tokens.len(), script.len()),
        };
        let end = start + trimmed(&script[start..end], &tokens[*first..next]);
        // A token can begin with the newline of a continued line.
        let text = script[start..end].trim_start();
        spans.push(end - text.len()..end);
    }
    Ok(spans)
}

/// Tells whether a shell would read on before it runs anything: a quote or heredoc is open, a `\` ends the text, a loop
/// has no `done`.
pub fn is_unfinished(script: &str) -> bool {
    let text = script.replace("\r\n", "\n");
    let n_backslashes = text.chars().rev().take_while(|it| *it == '\\').count();
    if n_backslashes % 2 == 1 {
        return true;
    }
    if check_depth(&text).is_err() {
        return false;
    }
    match uncached_tokenize_str(&format!("{text}\n"), &options().tokenizer_options()) {
        Ok(tokens) => matches!(
            parse_tokens(&tokens, &options()),
            Err(ParseError::ParsingAtEndOfInput)
        ),
        Err(it) => it.is_incomplete(),
    }
}

/// Words of every simple command in a script: through pipelines, lists, loops, functions and substitutions. None if the
/// grammar cannot read it.
pub fn simple_commands(script: &str) -> Vec<Vec<String>> {
    invocations(script).into_iter().map(|it| it.words).collect()
}

/// Every simple command in a script, as [`simple_commands`], with what it reads.
pub fn invocations(script: &str) -> Vec<Invocation> {
    let mut walk = Walk { found: Vec::new() };
    walk.script(script, 0);
    walk.found
}

fn options() -> ParserOptions {
    ParserOptions::default()
}

fn tokenize(text: &str) -> Result<Vec<Token>, (usize, String)> {
    check_depth(text)?;
    // It wants a newline after the last heredoc's delimiter.
    let text = format!("{text}\n");
    uncached_tokenize_str(&text, &options().tokenizer_options())
        .map_err(|it| token_error(&it, &text))
}

/// Refuses what would take the recursive grammar too deep. It need not be exact: what it counts too much is balanced in
/// any script that people write.
fn check_depth(text: &str) -> Result<(), (usize, String)> {
    let mut depth = 0_usize;
    for (idx, line) in text.lines().enumerate() {
        // Elsewhere, `if` and `for` are ordinary words.
        let mut at_command = true;
        for word in line.split_whitespace() {
            let bare = word
                .trim_start_matches(['(', '{', '`', '"', '$'])
                .trim_end_matches([';', ')', '}', '`', '"', '&', '|']);
            let opens = matches!(
                bare,
                "if" | "while" | "until" | "for" | "case" | "select" | "coproc" | "function"
            );
            let n_brackets = word.chars().filter(|it| "({[".contains(*it)).count();
            let n_closed = word.chars().filter(|it| ")}]".contains(*it)).count();
            depth += n_brackets + usize::from(at_command && opens);
            if depth > DEEPEST {
                return Err((
                    idx + 1,
                    format!("this is nested more than {DEEPEST} deep; split it up"),
                ));
            }
            let closes = matches!(bare, "fi" | "done" | "esac");
            depth = depth.saturating_sub(n_closed + usize::from(at_command && closes));
            at_command = word.ends_with([';', '&', '|', '(', '{', '`', '!'])
                || matches!(
                    bare,
                    "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "time" | "coproc"
                );
        }
    }
    Ok(())
}

/// Finds the first token of each complete command.
fn first_tokens(tokens: &[Token], program: &Program) -> Vec<usize> {
    let is_newline = |it: &Token| matches!(it, Token::Operator(text, _) if text == "\n");
    let positions: HashMap<usize, usize> = tokens
        .iter()
        .enumerate()
        // The delimiter of a heredoc is placed where the token after it begins; the later one stays.
        .map(|(nth, it)| (it.location().start.index, nth))
        .collect();
    let mut firsts = Vec::new();
    // Commands since the last one whose place the grammar told; `> file` has none.
    let mut n_unplaced = 0;
    let line_start = |nth: usize| {
        let before = tokens[..nth].iter().rposition(is_newline);
        before.map_or(0, |it| it + 1)
    };
    let mut from = 0;
    for command in &program.complete_commands {
        let place = command
            .location()
            .and_then(|it| positions.get(&it.start.index).copied());
        let Some(place) = place else {
            n_unplaced += 1;
            continue;
        };
        // `! cmd` and `> file cmd` are placed at `cmd`.
        let first = line_start(place).max(from);
        place_the_rest(tokens, from..first, n_unplaced, &mut firsts);
        n_unplaced = 0;
        firsts.push(first);
        from = first + 1;
    }
    place_the_rest(tokens, from..tokens.len(), n_unplaced, &mut firsts);
    firsts
}

/// Finds the first tokens of `n_unplaced` commands at the end of a range that begins in the middle of the command before.
fn place_the_rest(
    tokens: &[Token],
    range: Range<usize>,
    n_unplaced: usize,
    firsts: &mut Vec<usize>,
) {
    if n_unplaced == 0 {
        return;
    }
    let is_newline = |it: &Token| matches!(it, Token::Operator(text, _) if text == "\n");
    // The command before may have several lines: it ends where what is read so far is complete.
    let mut start = firsts.last().copied().unwrap_or(range.start);
    let mut starts = Vec::new();
    while start < range.end {
        if is_newline(&tokens[start]) {
            start += 1;
            continue;
        }
        starts.push(start);
        let mut end = start;
        let mut n_tries = 0;
        loop {
            end += tokens[end..range.end]
                .iter()
                .position(is_newline)
                .unwrap_or(range.end - end);
            n_tries += 1;
            // Each try reads all of the command before: what follows one with that many lines stays a part of it.
            if n_tries > MOST_TRIES {
                end = range.end;
            }
            if end >= range.end || parse_tokens(&tokens[start..end], &options()).is_ok() {
                break;
            }
            end += 1;
        }
        start = end;
    }
    let n_known = usize::from(!firsts.is_empty());
    firsts.extend(starts.into_iter().skip(n_known));
}

/// Length of a command's text without the blank lines and comments after it.
fn trimmed(text: &str, tokens: &[Token]) -> usize {
    let is_newline = |it: &&Token| matches!(it, Token::Operator(text, _) if text == "\n");
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines.push((at, line));
        at += line.len();
    }
    let idle = |it: &str| it.trim().is_empty() || it.trim_start().starts_with('#');
    let mut n_kept: usize = lines
        .iter()
        .rposition(|(_, it)| !idle(it))
        .map_or(1, |it| it + 1);
    let end_of = |n_lines: usize| {
        let (at, line) = lines[n_lines - 1];
        at + line.trim_end_matches(['\n', '\r']).len()
    };
    let wanted: Vec<&str> = tokens
        .iter()
        .filter(|it| !is_newline(it))
        .map(Token::to_str)
        .collect();
    let is_whole = |n_lines: usize| {
        let kept = text[..end_of(n_lines)].replace("\r\n", "\n");
        tokenize(&kept).is_ok_and(|it| {
            let tokens = it.iter().filter(|it| !is_newline(it));
            tokens.map(Token::to_str).eq(wanted.iter().copied())
        })
    };
    // A line that looks like a comment can be the end of a quoted text or a heredoc: find the first that leaves nothing out.
    let mut too_many = lines.len();
    if n_kept < too_many && !is_whole(n_kept) {
        while n_kept + 1 < too_many {
            let middle = n_kept.midpoint(too_many);
            if is_whole(middle) {
                too_many = middle;
            } else {
                n_kept = middle;
            }
        }
        n_kept = too_many;
    }
    end_of(n_kept)
}

fn grammar_error(error: &ParseError, text: &str) -> (usize, String) {
    let n_lines = text.trim_end().lines().count().max(1);
    match error {
        ParseError::ParsingNear(position) => {
            let line = position.line.clamp(1, n_lines);
            let near = text.lines().nth(line - 1).unwrap_or_default();
            let near: String = near
                .chars()
                .skip(position.column.saturating_sub(1))
                .collect();
            let near = near.split_whitespace().next().unwrap_or_default();
            match near {
                "" => (line, "the shell does not understand this line".to_string()),
                _ => (line, format!("the shell does not understand `{near}` here")),
            }
        }
        ParseError::ParsingAtEndOfInput => (
            n_lines,
            "the last command is not complete; is there a `fi`, `done`, `}` or `)` missing?"
                .to_string(),
        ),
        ParseError::Tokenizing { inner, .. } => token_error(inner, text),
    }
}

fn token_error(error: &TokenizerError, text: &str) -> (usize, String) {
    let n_lines = text.trim_end().lines().count().max(1);
    let at = |line: usize, what: &str| (line.clamp(1, n_lines), format!("{what} is never closed"));
    match error {
        TokenizerError::UnterminatedSingleQuote(it) => at(it.line, "the quote `'`"),
        TokenizerError::UnterminatedAnsiCQuote(it) => at(it.line, "the quote `$'`"),
        TokenizerError::UnterminatedDoubleQuote(it) => at(it.line, "the quote `\"`"),
        TokenizerError::UnterminatedBackquote(it) => at(it.line, "the backquote"),
        TokenizerError::UnterminatedExtendedGlob(it) => at(it.line, "the pattern's parenthesis"),
        TokenizerError::UnterminatedHereDocuments(tags, _) => {
            let tag = tags.split(',').next().unwrap_or_default().trim();
            let opens = |it: &str| it.contains("<<") && it.contains(tag);
            let line = text.lines().position(opens).map_or(n_lines, |it| it + 1);
            (
                line,
                format!("the heredoc is never closed; a line `{tag}` must end it"),
            )
        }
        TokenizerError::UnterminatedCommandSubstitution | TokenizerError::UnterminatedExpansion => {
            at(line_of_last(text, "$("), "the substitution `$(`")
        }
        TokenizerError::UnterminatedVariable => at(line_of_last(text, "${"), "the variable `${`"),
        it => (n_lines, it.to_string()),
    }
}

fn line_of_last(text: &str, what: &str) -> usize {
    text.rfind(what)
        .map_or(1, |it| text[..it].matches('\n').count() + 1)
}

struct Walk {
    found: Vec<Invocation>,
}

impl Walk {
    fn script(&mut self, script: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let text = script.replace("\r\n", "\n");
        let Ok(tokens) = tokenize(&text) else { return };
        let Ok(program) = parse_tokens(&tokens, &options()) else {
            return;
        };
        for list in &program.complete_commands {
            self.list(list, Flow::START, depth);
        }
    }

    fn list(&mut self, list: &CompoundList, flow: Flow, depth: usize) {
        for item in &list.0 {
            let flow = match item.1 {
                SeparatorOperator::Async => Flow {
                    manner: Manner::Background,
                    ..flow
                },
                SeparatorOperator::Sequence => flow,
            };
            self.pipeline(&item.0.first, flow, depth);
            for and_or in &item.0.additional {
                let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = and_or;
                self.pipeline(pipeline, flow, depth);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, flow: Flow, depth: usize) {
        for (nth, command) in pipeline.seq.iter().enumerate() {
            let mut flow = flow;
            if nth > 0 {
                flow.input = Input::Given;
            }
            if nth + 1 < pipeline.seq.len() && flow.manner == Manner::Foreground {
                flow.manner = Manner::Piped;
            }
            self.command(command, flow, depth);
        }
    }

    fn command(&mut self, command: &Command, flow: Flow, depth: usize) {
        match command {
            Command::Simple(it) => self.simple(it, flow, depth),
            Command::Compound(it, redirects) => {
                let redirects = redirects.iter().flat_map(|it| &it.0);
                let flow = self.redirects(redirects, flow, depth);
                self.compound(it, flow, depth);
            }
            Command::Function(it) => {
                let redirects = it.body.1.iter().flat_map(|it| &it.0);
                let flow = self.redirects(redirects, flow, depth);
                self.compound(&it.body.0, flow, depth);
            }
            Command::ExtendedTest(..) => {}
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, flow: Flow, depth: usize) {
        match compound {
            CompoundCommand::Arithmetic(_) => {}
            CompoundCommand::ArithmeticForClause(it) => self.list(&it.body.list, flow, depth),
            CompoundCommand::BraceGroup(it) => self.list(&it.list, flow, depth),
            CompoundCommand::Subshell(it) => self.list(&it.list, flow, depth),
            CompoundCommand::ForClause(it) => {
                for word in it.values.iter().flatten() {
                    self.word(word, depth);
                }
                self.list(&it.body.list, flow, depth);
            }
            CompoundCommand::CaseClause(it) => {
                self.word(&it.value, depth);
                for list in it.cases.iter().filter_map(|it| it.cmd.as_ref()) {
                    self.list(list, flow, depth);
                }
            }
            CompoundCommand::IfClause(it) => {
                self.list(&it.condition, flow, depth);
                self.list(&it.then, flow, depth);
                for clause in it.elses.iter().flatten() {
                    if let Some(condition) = &clause.condition {
                        self.list(condition, flow, depth);
                    }
                    self.list(&clause.body, flow, depth);
                }
            }
            CompoundCommand::WhileClause(it) | CompoundCommand::UntilClause(it) => {
                self.list(&it.0, flow, depth);
                self.list(&it.1.list, flow, depth);
            }
            CompoundCommand::Coprocess(it) => {
                let flow = Flow {
                    input: Input::Given,
                    manner: Manner::Background,
                };
                self.command(&it.body, flow, depth);
            }
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, flow: Flow, depth: usize) {
        let prefix = simple.prefix.iter().flat_map(|it| &it.0);
        let suffix = simple.suffix.iter().flat_map(|it| &it.0);
        let mut words: Vec<String> = simple
            .word_or_name
            .iter()
            .map(|it| self.word(it, depth))
            .collect();
        let mut redirects = Vec::new();
        for item in prefix.chain(suffix) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(it) => redirects.push(it),
                CommandPrefixOrSuffixItem::Word(it) => {
                    let word = self.word(it, depth);
                    words.push(word);
                }
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    match &assignment.value {
                        AssignmentValue::Scalar(_) => {
                            let text = self.word(word, depth);
                            // Before the name it is no word of the command: `A=1 cmd`; after it, it is: `export A=1`.
                            if simple
                                .suffix
                                .iter()
                                .any(|it| it.0.iter().any(|it| std::ptr::eq(it, item)))
                            {
                                words.push(text);
                            }
                        }
                        AssignmentValue::Array(values) => {
                            for (_, value) in values {
                                self.word(value, depth);
                            }
                        }
                    }
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(_, it) => {
                    self.list(&it.list, Flow::START, depth);
                    words.push("/dev/fd/63".to_string());
                }
            }
        }
        let flow = self.redirects(redirects, flow, depth);
        if !words.is_empty() {
            self.found.push(Invocation {
                words,
                input: flow.input,
                manner: flow.manner,
            });
        }
    }

    /// Follows redirections, and tells where input comes from after them.
    fn redirects<'a>(
        &mut self,
        redirects: impl IntoIterator<Item = &'a IoRedirect>,
        flow: Flow,
        depth: usize,
    ) -> Flow {
        let mut res = flow;
        for redirect in redirects {
            let given = match redirect {
                IoRedirect::HereDocument(fd, _) => fd.is_none_or(|it| it == 0),
                IoRedirect::HereString(fd, word) => {
                    self.word(word, depth);
                    fd.is_none_or(|it| it == 0)
                }
                IoRedirect::File(fd, kind, target) => {
                    match target {
                        IoFileRedirectTarget::Filename(it) => {
                            self.word(it, depth);
                        }
                        IoFileRedirectTarget::ProcessSubstitution(_, it) => {
                            self.list(&it.list, Flow::START, depth);
                        }
                        IoFileRedirectTarget::Fd(_) | IoFileRedirectTarget::Duplicate(_) => {}
                    }
                    let reads = matches!(
                        kind,
                        IoFileRedirectKind::Read
                            | IoFileRedirectKind::ReadAndWrite
                            | IoFileRedirectKind::DuplicateInput
                    );
                    reads && fd.is_none_or(|it| it == 0)
                }
                IoRedirect::OutputAndError(..) => false,
            };
            if given {
                res.input = Input::Given;
            }
        }
        res
    }

    /// Removes a word's quotes and follows the command substitutions in it.
    fn word(&mut self, word: &Word, depth: usize) -> String {
        // The word grammar backtracks; a word that long is data, not a command.
        if word.value.len() > 4096 {
            return word.value.clone();
        }
        match word::parse(&word.value, &options()) {
            Ok(pieces) => self.pieces(&word.value, &pieces, depth),
            Err(_) => word.value.clone(),
        }
    }

    fn pieces(&mut self, source: &str, pieces: &[WordPieceWithSource], depth: usize) -> String {
        let mut text = String::new();
        for piece in pieces {
            match &piece.piece {
                WordPiece::Text(it)
                | WordPiece::SingleQuotedText(it)
                | WordPiece::AnsiCQuotedText(it) => text.push_str(it),
                WordPiece::DoubleQuotedSequence(it)
                | WordPiece::GettextDoubleQuotedSequence(it) => {
                    text.push_str(&self.pieces(source, it, depth));
                }
                WordPiece::EscapeSequence(it) => {
                    text.push_str(it.strip_prefix('\\').unwrap_or(it));
                }
                WordPiece::CommandSubstitution(it)
                | WordPiece::BackquotedCommandSubstitution(it) => {
                    self.script(it, depth + 1);
                    text.push_str("$()");
                }
                WordPiece::TildeExpansion(_)
                | WordPiece::ParameterExpansion(_)
                | WordPiece::ArithmeticExpression(_) => {
                    text.push_str(
                        source
                            .get(piece.start_index..piece.end_index)
                            .unwrap_or("$"),
                    );
                }
            }
        }
        text
    }
}
