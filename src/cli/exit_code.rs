//! What the command's exit status means.
//!
//! **Trap.** A reader that closes the pipe early (`beachhead report x | head`) is no failure: status 0.

/// The exit status of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: nothing was found at or above what `--fail-on` asks for, or nothing was asked for, or `query` found rows.
    Nothing,
    /// 1: something was found at or above what `--fail-on` asks for, or the answer to `can-i` is no, or
    /// `query --exit-code` found no row.
    Found,
    /// 2: bad usage, or nothing could be analysed.
    Failure,
}

impl ExitCode {
    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Found => 1,
            Self::Failure => 2,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.number().into()
    }
}
