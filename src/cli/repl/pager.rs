//! Long results a screen at a time: through the program in `$PAGER`, else by the prompt itself.
//!
//! **Trap.** Only what goes to a terminal is paged; a script gets everything at once.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal;

/// What the reader wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Screen,
    Line,
    All,
    End,
}

/// What stands below a screen that is not the last.
const MARK: &str = "-- space: more, enter: one line, a: all, q: end --";

/// Writes a text to the terminal.
///
/// # Errors
/// Returns the error of the stream. A pager that cannot be started is none: then the prompt pages by itself.
pub(super) fn show(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let (columns, rows) = terminal::size().unwrap_or((80, 24));
    let size = (usize::from(columns), usize::from(rows));
    if height(text, size.0) < size.1 {
        return out.write_all(text.as_bytes());
    }
    let program = std::env::var("PAGER").unwrap_or_default();
    if !program.trim().is_empty() && through(&program, text) {
        return Ok(());
    }
    by_screens(text, size, &mut wish, out)
}

/// Gives a text to a program; whether it could be started.
fn through(program: &str, text: &str) -> bool {
    let mut words = program.split_whitespace();
    let Some(name) = words.next() else {
        return false;
    };
    let mut command = Command::new(name);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Colours as they are, no pause for what fits, and the text stays on the screen.
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A reader that leaves early is no failure.
        let _ = stdin.write_all(text.as_bytes());
    }
    let _ = child.wait();
    true
}

/// Lines of the terminal that a text takes.
fn height(text: &str, columns: usize) -> usize {
    text.lines().map(|line| taken(line, columns)).sum()
}

fn taken(line: &str, columns: usize) -> usize {
    let (mut width, mut is_style) = (0_usize, false);
    for character in line.chars() {
        match character {
            '\u{1b}' => is_style = true,
            'm' if is_style => is_style = false,
            _ if is_style => {}
            _ => width += 1,
        }
    }
    usize::max(1, width.div_ceil(columns.max(1)))
}

fn by_screens(
    text: &str,
    (columns, rows): (usize, usize),
    wish: &mut dyn FnMut() -> Wish,
    out: &mut dyn Write,
) -> io::Result<()> {
    let screen = rows.saturating_sub(1).max(1);
    let mut room = screen;
    let mut is_all = false;
    for line in text.lines() {
        let lines = taken(line, columns);
        if !is_all && lines > room {
            write!(out, "{MARK}")?;
            out.flush()?;
            let next = wish();
            // Over the mark, and away with it.
            write!(out, "\r{}\r", " ".repeat(MARK.len()))?;
            match next {
                Wish::End => return out.flush(),
                Wish::All => is_all = true,
                Wish::Screen => room = screen,
                Wish::Line => room = lines,
            }
        }
        room = room.saturating_sub(lines);
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// Waits for a key that means something.
fn wish() -> Wish {
    if terminal::enable_raw_mode().is_err() {
        return Wish::All;
    }
    let found = loop {
        let Ok(event) = event::read() else {
            break Wish::All;
        };
        let Event::Key(key) = event else {
            continue;
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if is_control => break Wish::End,
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => break Wish::End,
            KeyCode::Char('a' | 'G') | KeyCode::End => break Wish::All,
            KeyCode::Enter | KeyCode::Down | KeyCode::Char('j') => break Wish::Line,
            KeyCode::Char(' ' | 'f') | KeyCode::PageDown => break Wish::Screen,
            _ => {}
        }
    };
    let _ = terminal::disable_raw_mode();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written where the reader wants these things, the marks as `|`.
    fn paged(text: &str, size: (usize, usize), wishes: &[Wish]) -> String {
        let (mut out, mut wishes) = (Vec::new(), wishes.iter().copied());
        by_screens(text, size, &mut || wishes.next().unwrap(), &mut out).unwrap();
        let gone = format!("{MARK}\r{}\r", " ".repeat(MARK.len()));
        String::from_utf8(out).unwrap().replace(&gone, "|")
    }

    #[test]
    fn a_screen_leaves_a_line_for_the_mark() {
        let text = "1\n2\n3\n4\n5\n";
        assert_eq!(
            paged(text, (80, 3), &[Wish::Screen, Wish::Screen]),
            "1\n2\n|3\n4\n|5\n"
        );
        assert_eq!(paged(text, (80, 3), &[Wish::Line, Wish::End]), "1\n2\n|3\n|");
        assert_eq!(paged(text, (80, 3), &[Wish::All]), "1\n2\n|3\n4\n5\n");
        assert_eq!(paged(text, (80, 9), &[]), text);
    }

    #[test]
    fn long_lines_take_more_than_one_and_colours_none() {
        assert_eq!(taken("abcdef", 4), 2);
        assert_eq!(taken("\u{1b}[1mabcd\u{1b}[0m", 4), 1);
        assert_eq!(height("a\n\nb\n", 4), 3);
        assert_eq!(paged("abcdef\ngh\n", (4, 3), &[Wish::Line]), "abcdef\n|gh\n");
        assert_eq!(paged("long line\n", (2, 2), &[Wish::Line]), "|long line\n");
    }
}
