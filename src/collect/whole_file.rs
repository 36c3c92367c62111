//! Writing files that appear whole or not at all.
//!
//! **Trap.** Renaming over `/dev/null` or a pipe would put a file in its place: what is no regular file is written
//! to as it stands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file that only its owner may read, and gives it its name when it is complete and on disk.
///
/// An interrupted run leaves what was there before. A link is followed; a device or pipe is written to directly.
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
    let mut file = tempfile::Builder::new()
        .prefix(".beachhead-")
        .tempfile_in(folder)?;
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
