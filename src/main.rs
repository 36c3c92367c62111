//! The `beachhead` command; everything is in the library.

use std::process::ExitCode;

/// Reading a large dump allocates tens of millions of short texts on every core.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut out = anstream::stdout().lock();
    // Not locked: the spinner is drawn by another thread.
    let mut err = anstream::stderr();
    let code = beachhead::cli::run(std::env::args_os(), &mut std::io::stdin(), &mut out, &mut err);
    code.into()
}
