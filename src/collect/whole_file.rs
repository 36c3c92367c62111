//! Writing files that appear whole or not at all.
//!
//! Whoever interrupts the program (Ctrl-C), ends it (SIGTERM) or closes its terminal (SIGHUP) leaves nothing of a file
//! that is not complete.
//!
//! **Trap.** Renaming over `/dev/null` or a pipe would put a file in its place: what is no regular file is written
//! to as it stands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tempfile::NamedTempFile;

/// The temporary files that are being written.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The exit status of a program that Ctrl-C ends.
const INTERRUPTED: i32 = 130;

/// A temporary file that an interruption removes, for as long as this value lives.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Makes a temporary file in a folder. No signal comes between its making and its being known.
    fn begin(folder: &Path) -> io::Result<(NamedTempFile, Self)> {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(|| {
            // Where there is a handler already, as at the prompt, an interruption does not end the program.
            let _ = ctrlc::set_handler(interrupted);
            #[cfg(unix)]
            when_ended();
        });
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let file = tempfile::Builder::new()
            .prefix(".beachhead-")
            .tempfile_in(folder)?;
        let path = file.path().to_owned();
        unfinished.push(path.clone());
        Ok((file, Self(path)))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.retain(|path| *path != self.0);
    }
}

/// Removes what is not complete; as long as the lock is kept, nothing more is begun.
fn remove_unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for path in unfinished.iter() {
        // It may have got its name in this moment.
        let _ = fs::remove_file(path);
    }
    unfinished
}

#[expect(
    clippy::exit,
    reason = "nothing else ends a program from the thread of a signal"
)]
fn interrupted() {
    let _kept = remove_unfinished();
    std::process::exit(INTERRUPTED);
}

/// Removes what is not complete when the program is told to end, and lets it end as the signal would have.
#[cfg(unix)]
fn when_ended() {
    use signal_hook::consts::{SIGHUP, SIGTERM};

    let heard: &[i32] = if is_ignored(SIGHUP) {
        &[SIGTERM]
    } else {
        &[SIGTERM, SIGHUP]
    };
    // Without a handler the program ends all the same, and may leave a file.
    let Ok(mut signals) = signal_hook::iterator::Signals::new(heard) else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _kept = remove_unfinished();
            // It ends the program, so the lock is kept till then.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// Whether who started the program wants it to outlive a signal, as `nohup` does; where the system does not say, no.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| (mask >> (signal - 1)) & 1 == 1)
}

/// Writes a file that only its owner may read, and gives it its name when it is complete and on disk.
///
/// An interrupted run leaves what was there before; unless the program has a handler for Ctrl-C, it gets one, and one for
/// SIGTERM and SIGHUP. A link is followed; a device or pipe is written to directly.
///
/// # Errors
/// Returns what `contents` returns, or what the file system answered.
pub fn write_whole<E: From<io::Error>>(
    path: &Path,
    contents: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    // What does not exist yet is made under the name as given.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let mut out = BufWriter::new(OpenOptions::new().write(true).open(&target)?);
        contents(&mut out)?;
        return Ok(out.flush()?);
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is made with mode 0600, and renaming keeps it.
    let (mut file, _unfinished) = Unfinished::begin(folder)?;
    let mut out = BufWriter::new(file.as_file_mut());
    contents(&mut out)?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // The rename itself is durable once the folder is; not every file system can sync one.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn contents_that_fail_half_way_leave_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.txt");
        fs::write(&path, "before").unwrap();
        let half = |out: &mut dyn Write| {
            out.write_all(&"x".repeat(1 << 20).into_bytes())?;
            Err(io::Error::other("the disk is full"))
        };
        let error = write_whole(&path, half).unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(names(folder.path()), ["report.txt"]);
        let whole = |out: &mut dyn Write| out.write_all(b"after");
        write_whole(&path, whole).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(names(folder.path()), ["report.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_what_is_no_file_stays() {
        use std::os::unix::fs::{FileTypeExt as _, symlink};
        use std::os::unix::net::UnixListener;

        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("latest"), folder.path().join("one"));
        fs::write(&target, "before").unwrap();
        symlink("one", &link).unwrap();
        let whole = |out: &mut dyn Write| out.write_all(b"after");
        write_whole(&link, whole).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "after");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        // A socket stands for all that is no file: it cannot even be opened, and must not be replaced.
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        write_whole(&socket, whole).unwrap_err();
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    }
}
