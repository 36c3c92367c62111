//! What is being done, while it takes long: a spinner on a terminal, and with `-v` the time of each stage.
//!
//! **Trap.** The spinner is drawn by a thread of its own, past the stream that a command is given; nothing else may be
//! written while it turns, and nobody may hold a lock on standard error.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// The stages of a run.
#[derive(Debug)]
pub(super) struct Progress {
    is_verbose: bool,
    stage: Option<(&'static str, Instant, ProgressBar)>,
}

impl Progress {
    /// Returns the progress of a run that begins now; spinners turn on terminals only.
    pub(super) fn new(is_verbose: bool) -> Self {
        Self {
            is_verbose,
            stage: None,
        }
    }

    /// Ends the stage before and begins one that does this.
    pub(super) fn stage(&mut self, does: &'static str, err: &mut dyn Write) {
        self.end(err);
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(does);
        bar.enable_steady_tick(TICK);
        self.stage = Some((does, Instant::now(), bar));
    }

    /// Says how far the stage is.
    pub(super) fn say(&self, far: String) {
        if let Some((_, _, bar)) = &self.stage {
            bar.set_message(far);
        }
    }

    /// Ends the stage; with `-v` says how long it took.
    pub(super) fn end(&mut self, err: &mut dyn Write) {
        let Some((did, began, bar)) = self.stage.take() else {
            return;
        };
        bar.finish_and_clear();
        if self.is_verbose {
            let _ = writeln!(err, "{:>8.3} s  {did}", began.elapsed().as_secs_f64());
        }
    }
}
