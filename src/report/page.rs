//! A page of text for people: lines and how loud they are, without any terminal.
//!
//! **Trap.** One call is one line: line breaks within a string of the cluster are spelt out, so that no name
//! can forge lines of a report.

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading.
    Heading,
    /// Something is wrong.
    Alarm,
    /// Background.
    Faint,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How loud it is.
    pub tone: Tone,
    /// The text, without line breaks.
    pub text: String,
}

/// Lines, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    lines: Vec<Line>,
    width: usize,
}

/// Columns that wrapped text keeps to where nobody says.
const WIDTH: usize = 110;
/// The least that columns are taken to be; narrower terminals break lines themselves.
const NARROWEST: usize = 40;

impl Default for Page {
    fn default() -> Self {
        Self::of_width(WIDTH)
    }
}

impl Page {
    /// Returns an empty page whose wrapped text keeps to so many columns.
    pub fn of_width(columns: usize) -> Self {
        Self {
            lines: Vec::new(),
            width: columns.max(NARROWEST),
        }
    }

    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the page with lines of at most so many characters; what is cut off is shown as `…`.
    #[must_use]
    pub fn cut(mut self, columns: usize) -> Self {
        for line in &mut self.lines {
            if width(&line.text) > columns {
                line.text = line.text.chars().take(columns.saturating_sub(1)).collect();
                line.text.push('…');
            }
        }
        self
    }

    /// Adds a line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.toned(Tone::Plain, text);
    }

    /// Adds a line of some loudness.
    pub fn toned(&mut self, tone: Tone, text: impl AsRef<str>) {
        let text = text.as_ref().trim_end().replace('\n', "\\n");
        self.lines.push(Line { tone, text });
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.line("");
    }

    /// Adds a heading after an empty line.
    pub fn heading(&mut self, text: impl AsRef<str>) {
        if !self.lines.is_empty() {
            self.gap();
        }
        self.toned(Tone::Heading, text);
    }

    /// Adds rows of cells, the columns aligned, each row after `indent` spaces.
    pub fn table(&mut self, indent: usize, rows: &[Vec<String>]) {
        self.aligned(indent, rows, usize::MAX);
    }

    /// The same, the last cell of a row broken at spaces where the row is wider than the page.
    pub fn wrapped_table(&mut self, indent: usize, rows: &[Vec<String>]) {
        self.aligned(indent, rows, self.width);
    }

    fn aligned(&mut self, indent: usize, rows: &[Vec<String>], most: usize) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                rows.iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| width(cell))
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        for row in rows {
            let mut text = " ".repeat(indent);
            for (at, (cell, column)) in row.iter().zip(&widths).enumerate() {
                if at + 1 == row.len() && width(&text) + width(cell) > most {
                    // A column that is too narrow for words gets a line of its own.
                    let room = most.saturating_sub(width(&text));
                    let hang = if room < 24 { most / 2 } else { width(&text) };
                    if hang < width(&text) {
                        self.line(std::mem::replace(&mut text, " ".repeat(hang)));
                    }
                    text = self.broken(text, hang, cell, most);
                } else {
                    text.push_str(cell);
                    text.push_str(&" ".repeat(column - width(cell) + 2));
                }
            }
            self.line(text);
        }
    }

    /// Adds a text after a label, broken at spaces; the further lines begin below the first one's text.
    pub fn labelled(&mut self, indent: usize, label: &str, text: &str) {
        let line = format!("{:indent$}{label:<10}", "");
        let last = self.broken(line, indent + 10, text, self.width);
        self.line(last);
    }

    /// Adds a text of some loudness after `indent` spaces, broken at spaces.
    pub fn paragraph(&mut self, tone: Tone, indent: usize, text: &str) {
        let first = self.lines.len();
        let last = self.broken(" ".repeat(indent), indent, text, self.width);
        self.line(last);
        for line in &mut self.lines[first..] {
            line.tone = tone;
        }
    }

    /// Adds words to a line; full lines go to the page, and the next one begins after `hang` spaces. Returns the last.
    fn broken(&mut self, mut line: String, hang: usize, text: &str, most: usize) -> String {
        let mut empty = true;
        for word in text.split(' ') {
            if !empty && width(&line) + 1 + width(word) > most {
                self.line(std::mem::replace(&mut line, " ".repeat(hang)));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        line
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Returns `1 pod`, `2 pods`.
pub fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_name_makes_no_line() {
        let mut page = Page::default();
        page.line("a\nb");
        page.table(2, &[vec!["c\nd".into(), "e".into()]]);
        let texts: Vec<_> = page.lines().iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a\\nb", "  c\\nd  e"]);
    }

    #[test]
    fn a_page_keeps_to_its_width() {
        let mut page = Page::of_width(60);
        page.labelled(2, "stop it", &"word ".repeat(30));
        let words = |count| "Deployment/shop/web ".repeat(count);
        page.wrapped_table(2, &[vec!["a".into(), words(6)], vec![words(2), words(3)]]);
        let widest = page.lines().iter().map(|line| width(&line.text)).max();
        assert!(widest <= Some(60), "{page:#?}");
        let whole: Vec<&str> = page.lines().iter().map(|line| line.text.as_str()).collect();
        assert_eq!(
            whole.join(" ").matches("Deployment").count(),
            11,
            "nothing is lost"
        );
    }

    #[test]
    fn long_texts_hang_below_their_label() {
        let mut page = Page::default();
        page.labelled(2, "stop it", &"word ".repeat(30));
        assert_eq!(page.lines().len(), 2);
        assert!(page.lines()[1].text.starts_with("            word"));
    }
}
