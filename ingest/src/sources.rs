//! Mailboxes on disk: Maildir, mbox, single mails, and folders of these.
//!
//! Mails come one at a time and in a fixed order: within a folder by name, within a Maildir by
//! file name over `cur` and `new` together, each Maildir before its subfolders. What cannot be
//! read is an `Err` in its place, and the next mail follows. `tmp` is never read: a mail there is
//! not finished.

mod mbox;
mod recognise;
#[cfg(test)]
mod tests;
mod walk;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use tierdesk_core::mail::Envelope;
pub use tierdesk_core::receive::Road;

use crate::limits;
use mbox::Mbox;
use recognise::Kind;
use walk::{Found, Walk};

/// One mail as it stood on disk.
#[derive(Clone, Debug)]
pub struct RawMail {
    /// The mail without its mbox envelope line and quoting, at most [`limits::SOURCE_BYTES`].
    pub bytes: Vec<u8>,
    /// How many bytes beyond [`limits::SOURCE_BYTES`] are not in `bytes`; 0 when it is whole.
    pub left_out_bytes: u64,
    /// The file, with `#n` for the n-th message of an mbox (from 1).
    pub origin: String,
    /// How it was kept.
    pub road: Road,
    /// Always empty: an mbox envelope line is written by whoever exported it (`MAILER-DAEMON` and
    /// made-up addresses are usual) and tells nothing of the transport.
    pub envelope: Envelope,
    /// How many bytes of [`Source::total_bytes`] it took up.
    pub source_bytes: u64,
}

/// Why a mailbox, or one mail of it, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The path is empty.
    #[error("no path was given; give {ACCEPTED}")]
    NoPath,
    /// Something is there, but no mail in a form we know.
    #[error("{} holds no mail that can be read; give {ACCEPTED}", .path.display())]
    NotAMailbox {
        /// What was given or found.
        path: PathBuf,
    },
    /// It has to be unpacked first.
    #[error("{} is compressed ({format}); unpack it first, then give {ACCEPTED}", .path.display())]
    Compressed {
        /// The compressed file.
        path: PathBuf,
        /// What compressed it.
        format: &'static str,
    },
    /// A file of no bytes where a mail was expected.
    #[error("{} is empty", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{} could not be read", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

const ACCEPTED: &str = "a Maildir (a folder with cur and new), an mbox file, an .eml file, \
                        or a folder of these";

impl SourceError {
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }
}

/// A place that mails are read from.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    kind: Kind,
}

impl Source {
    /// Looks at `path` and finds out what it is.
    ///
    /// Fails where nothing readable as mail is there, naming what would be; an empty Maildir and
    /// an empty `.mbox` are mailboxes without mails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(SourceError::NoPath);
        }
        let source = Self {
            path: path.to_owned(),
            kind: recognise::given(path)?,
        };
        if source.kind == Kind::Folder && Walk::new(path, source.kind).next().is_none() {
            return Err(SourceError::NotAMailbox {
                path: path.to_owned(),
            });
        }
        Ok(source)
    }

    /// The size of all files with mail, in bytes: the whole of a progress bar that
    /// [`RawMail::source_bytes`] moves. Looks at every file's size, at no content.
    pub fn total_bytes(&self) -> u64 {
        Walk::new(&self.path, self.kind)
            .filter_map(Result::ok)
            .filter_map(|found| match found {
                Found::File { path, .. } => std::fs::metadata(path).ok(),
                Found::EmptyMaildir => None,
            })
            .map(|metadata| metadata.len())
            .sum()
    }

    /// The mails, one at a time.
    pub fn mails(&self) -> Mails {
        Mails {
            walk: Walk::new(&self.path, self.kind),
            mbox: None,
        }
    }
}

/// The mails of a [`Source`]. Holds one mail and the file names of one folder at a time.
#[derive(Debug)]
pub struct Mails {
    walk: Walk,
    mbox: Option<Mbox<File>>,
}

impl Iterator for Mails {
    type Item = Result<RawMail, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(mbox) = &mut self.mbox {
                match mbox.next() {
                    Some(mail) => return Some(mail),
                    None => self.mbox = None,
                }
            }
            match self.walk.next()? {
                Ok(Found::EmptyMaildir) => {}
                Ok(Found::File {
                    path,
                    road: Road::Mbox,
                }) => match File::open(&path) {
                    Ok(file) => self.mbox = Some(Mbox::new(file, path)),
                    Err(source) => return Some(Err(SourceError::Read { path, source })),
                },
                Ok(Found::File { path, road }) => return Some(whole_file(&path, road)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn whole_file(path: &Path, road: Road) -> Result<RawMail, SourceError> {
    let file = File::open(path).map_err(SourceError::read(path))?;
    let size = file.metadata().map_err(SourceError::read(path))?.len();
    let mut bytes =
        Vec::with_capacity(usize::try_from(size.min(limits::SOURCE_BYTES)).unwrap_or_default());
    file.take(limits::SOURCE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(SourceError::read(path))?;
    if let Some(format) = recognise::compression(&bytes) {
        return Err(SourceError::Compressed {
            path: path.to_owned(),
            format,
        });
    }
    if bytes.is_empty() {
        return Err(SourceError::Empty {
            path: path.to_owned(),
        });
    }
    let read = bytes.len() as u64;
    Ok(RawMail {
        left_out_bytes: size.saturating_sub(read),
        source_bytes: size.max(read),
        bytes,
        origin: path.display().to_string(),
        road,
        envelope: Envelope::default(),
    })
}
