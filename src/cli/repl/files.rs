//! Commands that read and write files: scripts, saved queries, pictures.
//!
//! **Trap.** A name without a slash or a dot is a saved query; anything else is a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::core::{Core, Next, Outcome, Part};
use super::script::Script;
use crate::cli::rows::{QueryFormat, Rendered, rendered};
use crate::cli::saved::{EXTENSION, one_saved};
use crate::collect::write_whole;

/// How many files may be read in one another.
const NESTING: usize = 8;

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    write_whole(path, |out| out.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Runs a saved query, or a file.
pub(super) fn run(core: &mut Core<'_, '_>, name: &str) -> anyhow::Result<Outcome> {
    if is_file(name) {
        return source(core, name);
    }
    let saved = one_saved(name, core.session.queries.as_deref())?;
    Ok(core.query(&saved.text))
}

fn is_file(name: &str) -> bool {
    name.contains(['/', '\\', '.'])
}

/// Writes the last query to a file, or into the folder of saved queries.
pub(super) fn save(core: &Core<'_, '_>, name: &str) -> anyhow::Result<Outcome> {
    let Some(query) = &core.session.last_query else {
        bail!(":save writes the last query, and there is none");
    };
    let path = match &core.session.queries {
        _ if is_file(name) => PathBuf::from(name),
        Some(folder) => folder.join(name).with_extension(EXTENSION),
        None => bail!(
            "{name} would be a saved query, which needs a folder: --queries DIR; or name a file: ./{name}.{EXTENSION}"
        ),
    };
    write(&path, &format!("{query}\n"))?;
    Ok(Outcome::note(format!("saved in {}", path.display())))
}

/// Draws the steps of the last result: as DOT into a file of that ending, else as SVG.
pub(super) fn viz(core: &Core<'_, '_>, file: Option<&str>) -> anyhow::Result<Outcome> {
    let Some(table) = &core.last else {
        bail!(":viz draws the last result, and there is none");
    };
    let format = match file {
        Some(file)
            if Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "dot") =>
        {
            QueryFormat::Dot
        }
        _ => QueryFormat::Svg,
    };
    let Rendered::Text(text) = rendered(format, table, core.view, &core.analysis.name)? else {
        bail!("a picture is a text");
    };
    match file {
        None => Ok(Outcome::of(vec![Part::Text(text)])),
        Some(file) => {
            write(Path::new(file), &text)?;
            Ok(Outcome::note(format!("drawn in {file}")))
        }
    }
}

/// Asks the shell, if that is allowed; the command gets no input.
pub(super) fn shell(core: &Core<'_, '_>, line: &str) -> anyhow::Result<Outcome> {
    if !core.session.shell {
        bail!("!{line} would ask the shell, which this prompt may not; `beachhead repl --shell` may");
    }
    let asked = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let output = Command::new(asked.0)
        .args([asked.1, line])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", asked.0))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut parts = vec![Part::Text(text(&output.stdout))];
    if !output.stderr.is_empty() {
        parts.push(Part::Note(text(&output.stderr).trim_end().to_owned()));
    }
    if !output.status.success() {
        parts.push(Part::Error(format!("{line}: {}", output.status)));
    }
    Ok(Outcome::of(parts))
}

/// Carries out the statements of a file, up to the first that changes the graph or leaves.
pub(super) fn source(core: &mut Core<'_, '_>, file: &str) -> anyhow::Result<Outcome> {
    if core.depth >= NESTING {
        bail!("files read each other more than {NESTING} deep");
    }
    let script = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    core.depth += 1;
    let (mut parts, mut next) = (Vec::new(), Next::Stay);
    for statement in Script(script.lines().map(str::to_owned)) {
        let outcome = core.eval(&statement);
        parts.extend(outcome.parts);
        next = outcome.next;
        if next != Next::Stay {
            break;
        }
    }
    core.depth -= 1;
    Ok(Outcome { parts, next })
}
