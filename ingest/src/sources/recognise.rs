//! What a path is, by its shape and its first bytes.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use super::{Road, SourceError, mbox};
use crate::fields::Fields;

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File(Road),
    Maildir,
    Folder,
}

/// So much of a file is looked at.
const START: u64 = 4_096;

/// What somebody gave us to read.
pub(super) fn given(path: &Path) -> Result<Kind, SourceError> {
    let metadata = fs::metadata(path).map_err(SourceError::read(path))?;
    if metadata.is_dir() {
        return Ok(if is_maildir(path) {
            Kind::Maildir
        } else {
            Kind::Folder
        });
    }
    let not_a_mailbox = || SourceError::NotAMailbox {
        path: path.to_owned(),
    };
    // Opening a pipe or a device could wait for ever.
    if !metadata.is_file() {
        return Err(not_a_mailbox());
    }
    let start = start_of(path).map_err(SourceError::read(path))?;
    if let Some(format) = compression(&start) {
        return Err(SourceError::Compressed {
            path: path.to_owned(),
            format,
        });
    }
    if start.is_empty() && !has_extension(path, "mbox") {
        return Err(SourceError::Empty {
            path: path.to_owned(),
        });
    }
    if has_extension(path, "eml") {
        return Ok(Kind::File(Road::Eml));
    }
    if has_extension(path, "mbox") || mbox::begins(&start) {
        return Ok(Kind::File(Road::Mbox));
    }
    // A mail saved without an extension.
    if Fields::split(&start).0.find("From").is_some() {
        return Ok(Kind::File(Road::Eml));
    }
    Err(not_a_mailbox())
}

/// What a file met in a folder is; `None` when it is not ours to read.
pub(super) fn met(path: &Path) -> Result<Option<Road>, SourceError> {
    if has_extension(path, "eml") {
        return Ok(Some(Road::Eml));
    }
    if has_extension(path, "mbox") {
        return Ok(Some(Road::Mbox));
    }
    if let Some(format) = compressed_mailbox(path) {
        return Err(SourceError::Compressed {
            path: path.to_owned(),
            format,
        });
    }
    let start = start_of(path).map_err(SourceError::read(path))?;
    Ok(mbox::begins(&start).then_some(Road::Mbox))
}

/// A Maildir has `cur` and `new`; `tmp` may be missing in a copy.
pub(super) fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

/// What compressed these bytes, by their first ones.
pub(super) fn compression(start: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PK\x03\x04", "zip"),
        (b"BZh", "bzip2"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| start.starts_with(magic))
        .map(|(_, format)| *format)
}

/// A mailbox that somebody compressed, by its name: `inbox.mbox.gz`, `maildir.tar.gz`.
fn compressed_mailbox(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    let format = match extension {
        "gz" => "gzip",
        "zst" => "zstd",
        "xz" => "xz",
        "bz2" => "bzip2",
        "zip" => "zip",
        "7z" => "7-Zip",
        _ => return None,
    };
    [".eml", ".mbox", ".tar", "mbox", "maildir"]
        .iter()
        .any(|end| stem.ends_with(end))
        .then_some(format)
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

fn start_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(START).read_to_end(&mut start)?;
    Ok(start)
}
