//! The path of a field in JSON text, found from the place where a parser stopped.
//!
//! **Trap.** Only for messages: it trusts nothing and gives up silently on broken text.

/// Returns the path (`spec.containers[0].ports`) of the value at or before a line and column, both from 1.
pub(super) fn at(text: &str, line: usize, column: usize) -> String {
    let before = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let end = (before + column).min(text.len());
    let mut steps: Vec<Step> = Vec::new();
    let bytes = &text.as_bytes()[..end];
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => steps.push(Step::Key(String::new())),
            b'[' => steps.push(Step::Index(0)),
            b'}' | b']' if at + 1 < bytes.len() => {
                steps.pop();
            }
            b',' => {
                if let Some(Step::Index(index)) = steps.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                let start = at + 1;
                at = string_end(bytes, start);
                let after = text.as_bytes().get(at + 1..).unwrap_or_default();
                if after.trim_ascii_start().first() == Some(&b':')
                    && let Some(Step::Key(key)) = steps.last_mut()
                {
                    *key = text.get(start..at).unwrap_or_default().to_owned();
                }
            }
            _ => {}
        }
        at += 1;
    }
    written(&steps)
}

enum Step {
    Key(String),
    Index(usize),
}

fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn written(steps: &[Step]) -> String {
    const LONGEST: usize = 200;
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if key.is_empty() => {}
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path = format!("{path}.{key}"),
            Step::Index(index) => path = format!("{path}[{index}]"),
        }
    }
    path.truncate(path.floor_char_boundary(LONGEST));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_value_that_was_read_last() {
        let text = r#"{"a":{"b":1},"spec":{"x":[{"y":"q,{"},{"ports":"no"}]}}"#;
        let column = text.find("\"no\"").unwrap() + 4;
        assert_eq!(at(text, 1, column), "spec.x[1].ports");
        assert_eq!(at("{\n\"a\": 5\n}", 2, 6), "a");
    }
}
