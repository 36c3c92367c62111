//! Graphviz: its `dot`, where it is installed, lays out what is drawn.
//!
//! **Trap.** `dot` may take for ever on a large graph; it is stopped after a while, and then our own layout is used.

use std::io::{ErrorKind, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long `dot` may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often is looked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Why Graphviz gave no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPicture {
    /// There is no `dot`.
    #[error("Graphviz's `dot` is not installed")]
    NotInstalled,
    /// It did not do its work.
    #[error("Graphviz's `dot` {0}")]
    Failed(String),
}

/// Returns a DOT text as SVG.
pub(super) fn svg(dot: &str) -> Result<String, NoPicture> {
    let failed = |why: &str| NoPicture::Failed(why.to_owned());
    let started = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| match error.kind() {
        ErrorKind::NotFound => NoPicture::NotInstalled,
        _ => NoPicture::Failed(format!("cannot be started: {error}")),
    })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
        return Err(failed("has no streams"));
    };
    thread::scope(|scope| {
        // All three at once, since `dot` may write before it has read everything.
        scope.spawn(move || stdin.write_all(dot.as_bytes()));
        let out = scope.spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        let err = scope.spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let has_worked = wait(&mut child)?;
        let text = |read: thread::Result<std::io::Result<String>>| {
            read.ok().and_then(Result::ok).unwrap_or_default()
        };
        let (out, err) = (text(out.join()), text(err.join()));
        if has_worked && out.contains("<svg") {
            Ok(out)
        } else {
            let first = err.lines().next().unwrap_or("it wrote nothing");
            Err(NoPicture::Failed(format!("failed: {first}")))
        }
    })
}

/// Waits for the end, and says whether it was a good one.
fn wait(child: &mut Child) -> Result<bool, NoPicture> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if began.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                let why = format!("was stopped after {} s", PATIENCE.as_secs());
                return Err(NoPicture::Failed(why));
            }
            Err(error) => return Err(NoPicture::Failed(format!("cannot be waited for: {error}"))),
        }
    }
}
