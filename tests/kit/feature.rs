//! Reads the kit's feature files: the part of Gherkin that they use, outlines expanded.
//!
//! **Trap.** A backslash in a table cell escapes only `|`, `n` and itself; before anything else it stands for itself,
//! as in `'\''`.

/// One scenario, ready to be carried out.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

impl Scenario {
    /// Whether it asks for dates, times or durations.
    pub(crate) fn is_temporal(&self) -> bool {
        let calls = ["date(", "time(", "datetime(", "duration("];
        self.steps
            .iter()
            .any(|step| calls.iter().any(|call| step.body.contains(call)))
    }
}

/// A step with the text or the table below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) text: String,
    pub(crate) body: String,
    pub(crate) table: Vec<Vec<String>>,
}

/// An outline or scenario as it stands in the file.
#[derive(Debug, Default)]
struct Outline {
    name: String,
    steps: Vec<Step>,
    examples: Vec<Vec<Vec<String>>>,
}

/// Reads a file; names begin with `prefix`.
pub(crate) fn scenarios(text: &str, prefix: &str) -> Vec<Scenario> {
    let outlines = outlines(text);
    outlines
        .iter()
        .flat_map(|outline| expanded(outline, prefix))
        .collect()
}

fn outlines(text: &str) -> Vec<Outline> {
    let mut found: Vec<Outline> = Vec::new();
    let mut background: Vec<Step> = Vec::new();
    let mut in_examples = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        let is_aside = trimmed.starts_with(['#', '@']) || trimmed.starts_with("Feature:");
        if trimmed.is_empty() || is_aside {
            continue;
        }
        if let Some(name) = ["Scenario:", "Scenario Outline:"]
            .iter()
            .find_map(|word| trimmed.strip_prefix(word))
        {
            let name = name.trim().to_owned();
            let steps = background.clone();
            found.push(Outline {
                name,
                steps,
                examples: Vec::new(),
            });
            in_examples = false;
        } else if trimmed.starts_with("Examples:") {
            in_examples = true;
            found.last_mut().unwrap().examples.push(Vec::new());
        } else if trimmed == "\"\"\"" {
            let indent = line.len() - trimmed.len();
            let body: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "\"\"\"")
                .map(|line| line.get(indent..).unwrap_or_else(|| line.trim_start()))
                .collect();
            last_step(&mut found, &mut background).body = body.join("\n");
        } else if let Some(row) = trimmed.strip_prefix('|') {
            let row = cells(row);
            match found.last_mut() {
                Some(outline) if in_examples => outline.examples.last_mut().unwrap().push(row),
                _ => last_step(&mut found, &mut background).table.push(row),
            }
        } else if let Some(text) = step(trimmed) {
            let step = Step {
                text: text.to_owned(),
                ..Step::default()
            };
            found
                .last_mut()
                .map_or(&mut background, |outline| &mut outline.steps)
                .push(step);
        } else if !trimmed.starts_with("Background:") {
            panic!("no line of a feature: {line}");
        }
    }
    found
}

fn last_step<'f>(found: &'f mut [Outline], background: &'f mut [Step]) -> &'f mut Step {
    let steps = found.last_mut().map_or(background, |outline| &mut outline.steps);
    steps.last_mut().expect("a step stands before its text")
}

fn step(line: &str) -> Option<&str> {
    ["Given ", "When ", "Then ", "And ", "But "]
        .iter()
        .find_map(|word| line.strip_prefix(word))
}

/// The cells of a row, what stands before the first `|` cut off already.
fn cells(row: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut signs = row.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '|' => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            '\\' => match signs.next() {
                Some('n') => cell.push('\n'),
                Some(escaped @ ('|' | '\\')) => cell.push(escaped),
                other => {
                    cell.push('\\');
                    cell.extend(other);
                }
            },
            sign => cell.push(sign),
        }
    }
    cells
}

fn expanded(outline: &Outline, prefix: &str) -> Vec<Scenario> {
    let name = format!("{prefix} {}", outline.name);
    if outline.examples.is_empty() {
        return vec![Scenario {
            name,
            steps: outline.steps.clone(),
        }];
    }
    let rows = outline.examples.iter().flat_map(|table| {
        let (names, rows) = table.split_first().expect("examples have a head");
        rows.iter().map(move |row| (names, row))
    });
    rows.enumerate()
        .map(|(index, (names, row))| {
            let filled = |text: &str| {
                names
                    .iter()
                    .zip(row)
                    .fold(text.to_owned(), |text, (name, value)| {
                        text.replace(&format!("<{name}>"), value)
                    })
            };
            let step = |step: &Step| Step {
                text: filled(&step.text),
                body: filled(&step.body),
                table: step
                    .table
                    .iter()
                    .map(|row| row.iter().map(|cell| filled(cell)).collect())
                    .collect(),
            };
            let name = format!("{name} #{}", index + 1);
            Scenario {
                name,
                steps: outline.steps.iter().map(step).collect(),
            }
        })
        .collect()
}
