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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page(Vec<Line>);

/// Columns that wrapped text keeps to.
const WIDTH: usize = 110;

impl Page {
    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.0
    }

    /// Adds a line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.toned(Tone::Plain, text);
    }

    /// Adds a line of some loudness.
    pub fn toned(&mut self, tone: Tone, text: impl AsRef<str>) {
        let text = text.as_ref().trim_end().replace('\n', "\\n");
        self.0.push(Line { tone, text });
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.line("");
    }

    /// Adds a heading after an empty line.
    pub fn heading(&mut self, text: impl AsRef<str>) {
        if !self.0.is_empty() {
            self.gap();
        }
        self.toned(Tone::Heading, text);
    }

    /// Adds rows of cells, the columns aligned, each row after `indent` spaces.
    pub fn table(&mut self, indent: usize, rows: &[Vec<String>]) {
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
            for (cell, column) in row.iter().zip(&widths) {
                text.push_str(cell);
                text.push_str(&" ".repeat(column - width(cell) + 2));
            }
            self.line(text);
        }
    }

    /// Adds a text after a label, broken at spaces; the further lines begin below the first one's text.
    pub fn labelled(&mut self, indent: usize, label: &str, text: &str) {
        let hang = indent + 10;
        let mut line = format!("{:indent$}{label:<10}", "");
        let mut empty = true;
        for word in text.split(' ') {
            if !empty && width(&line) + 1 + width(word) > WIDTH {
                self.line(std::mem::replace(&mut line, " ".repeat(hang)));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.line(line);
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
    fn long_texts_hang_below_their_label() {
        let mut page = Page::default();
        page.labelled(2, "stop it", &"word ".repeat(30));
        assert_eq!(page.lines().len(), 2);
        assert!(page.lines()[1].text.starts_with("            word"));
    }
}
