//! The line editor: keys, colours, menus and history, over what the other files know without a terminal.
//!
//! **Trap.** Nothing is decided here; what is tested is below.

use std::borrow::Cow;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use nu_ansi_term::{Color, Style};
use reedline::{
    ColumnarMenu, Completer, CompletionResult, DefaultHinter, EditCommand, Emacs, FileBackedHistory,
    Highlighter, KeyCode, KeyModifiers, MenuBuilder as _, Prompt, PromptEditMode, PromptHistorySearch,
    PromptHistorySearchStatus, Reedline, ReedlineEvent, ReedlineMenu, Span, StyledText, Suggestion,
    ValidationResult, Validator, default_emacs_keybindings,
};

use super::command::is_command;
use super::complete::complete;
use super::schema::Schema;
use crate::query::{Lexeme, is_statement, lexemes};

/// Lines of history that are kept.
const HISTORY: usize = 10_000;
const MENU: &str = "completion";

/// Makes an editor for a graph of these names.
pub(super) fn editor(
    schema: Arc<Schema>,
    saved: Vec<String>,
    history: Option<PathBuf>,
    colours: bool,
) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let tab = ReedlineEvent::UntilFound(vec![
        ReedlineEvent::Menu(MENU.to_owned()),
        ReedlineEvent::MenuNext,
    ]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, tab);
    let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
    keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
    let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU)));
    let mut editor = Reedline::create()
        .with_completer(Box::new(Words { schema, saved }))
        .with_menu(menu)
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_validator(Box::new(Statements))
        .with_highlighter(Box::new(Colours))
        .with_ansi_colors(colours)
        .with_edit_mode(Box::new(Emacs::new(keys)));
    if colours {
        editor = editor.with_hinter(Box::new(
            DefaultHinter::default().with_style(Style::new().dimmed()),
        ));
    }
    if let Some(history) = history.and_then(|path| FileBackedHistory::with_file(HISTORY, path).ok()) {
        editor = editor.with_history(Box::new(history));
    }
    let file = std::env::temp_dir().join(format!("beachhead-{}.cypher", std::process::id()));
    let mut command = program();
    command.arg(&file);
    editor.with_buffer_editor(command, file)
}

/// The user's editor with its arguments.
fn program() -> Command {
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let line = named.into_iter().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_else(|| "vi".to_owned());
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("vi"));
    command.args(words);
    command
}

/// Lets the user change a text in their editor; what they leave.
pub(super) fn edited(text: &str) -> anyhow::Result<String> {
    let mut file = tempfile::Builder::new()
        .prefix("beachhead-")
        .suffix(".cypher")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    let mut command = program();
    command.arg(file.path());
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start the editor {name}; set VISUAL or EDITOR"))?;
    if !status.success() {
        bail!("the editor {name} failed ({status}); nothing is run");
    }
    let changed = fs::read_to_string(file.path())?;
    if changed.trim().is_empty() {
        bail!("the text is empty; nothing is run");
    }
    Ok(changed)
}

struct Words {
    schema: Arc<Schema>,
    saved: Vec<String>,
}

impl Completer for Words {
    fn complete(&mut self, line: &str, at: usize) -> CompletionResult {
        let before = line.get(..at).unwrap_or(line);
        let (start, found) = complete(before, &self.schema, &self.saved);
        let suggestions: Vec<Suggestion> = found
            .into_iter()
            .map(|one| Suggestion {
                append_whitespace: false,
                description: (!one.help.is_empty()).then_some(one.help),
                value: one.value,
                span: Span::new(start, before.len()),
                ..Suggestion::default()
            })
            .collect();
        CompletionResult::fresh(suggestions)
    }
}

struct Statements;

impl Validator for Statements {
    fn validate(&self, line: &str) -> ValidationResult {
        if is_command(line) || is_statement(line) {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}

struct Colours;

impl Highlighter for Colours {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut styled = StyledText::new();
        if is_command(line) {
            styled.push((Style::new().bold(), line.to_owned()));
            return styled;
        }
        let mut done = 0;
        for (lexeme, span) in lexemes(line) {
            let (start, end) = (span.start as usize, span.end as usize);
            styled.push((
                Style::new().dimmed(),
                line.get(done..start).unwrap_or_default().to_owned(),
            ));
            styled.push((style(lexeme), line.get(start..end).unwrap_or_default().to_owned()));
            done = end;
        }
        styled.push((
            Style::new().dimmed(),
            line.get(done..).unwrap_or_default().to_owned(),
        ));
        styled
    }
}

fn style(lexeme: Lexeme) -> Style {
    match lexeme {
        Lexeme::Keyword => Style::new().fg(Color::Blue).bold(),
        Lexeme::Function => Style::new().fg(Color::Cyan),
        Lexeme::Label => Style::new().fg(Color::Purple),
        Lexeme::Text => Style::new().fg(Color::Green),
        Lexeme::Number => Style::new().fg(Color::Yellow),
        Lexeme::Parameter => Style::new().fg(Color::Yellow).italic(),
        Lexeme::Wrong => Style::new().fg(Color::Red),
        Lexeme::Name | Lexeme::Sign => Style::new(),
    }
}

/// What stands before a statement.
pub(super) struct Marks;

impl Prompt for Marks {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "beachhead".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "      ... ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing ",
        };
        format!("({failing}found: {}) ", search.term).into()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn every_key_of_a_long_query_in_a_large_graph_is_answered_at_once() {
        let ids = (0..200_000).map(|number| format!("Pod/shop/web-{number:06}"));
        let schema = Schema {
            ids: ids.collect(),
            ..Schema::default()
        };
        let mut words = Words {
            schema: Arc::new(schema),
            saved: Vec::new(),
        };
        let clause = "MATCH (n:Pod {id: 'Pod/shop/web-000001'})-[s:TOKEN_MOUNT]->+(m) WHERE n.name =~ 'a.*' WITH n, m\n";
        let text = format!("{}RETURN n, count(*) AS many ORDER BY many", clause.repeat(20));
        let mut slowest = Duration::ZERO;
        for at in (0..text.len()).step_by(37) {
            let typed = &text[..at];
            let key = || {
                let begin = Instant::now();
                Colours.highlight(typed, at);
                words.complete(typed, at);
                Statements.validate(typed);
                begin.elapsed()
            };
            slowest = slowest.max(std::iter::repeat_with(key).take(3).min().unwrap_or_default());
        }
        // A debug build on a busy machine gets more.
        let soon = if cfg!(debug_assertions) { 1000 } else { 16 };
        assert!(slowest < Duration::from_millis(soon), "{slowest:?}");
    }
}
