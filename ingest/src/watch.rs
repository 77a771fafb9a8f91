//! Watching a Maildir: what a mail server puts into `new` becomes tickets, and goes to `cur` once it
//! is safe with us. A mail that cannot be taken now stays where it is and is tried again; one that
//! was taken twice is found by its fingerprint and changes nothing.

use std::{
    collections::HashMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tierdesk_core::{
    desk::{Desk, Error},
    fault,
    mail::Envelope,
    receive::Road,
    telemetry,
};
use tokio_util::sync::CancellationToken;

use crate::{limits, process};

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How many looks a mail that could not be taken is left alone: five minutes.
const LEFT_ALONE: u64 = 300;

/// A watched Maildir.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    looks: u64,
    /// Mails that could not be taken, with the look at which they are tried again.
    waiting: HashMap<PathBuf, u64>,
    was_readable: bool,
}

/// What one look at the folder came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Mails that are safe with us now.
    pub taken: usize,
    /// Mails that stay, because they could not be taken or moved.
    pub left: usize,
}

/// Why one mail stays where it is.
#[derive(Debug, thiserror::Error)]
enum Left {
    #[error("it could not be read or moved")]
    File(#[from] io::Error),
    #[error("the desk did not take it")]
    Desk(#[from] Error),
}

impl Watch {
    /// Watches the Maildir at `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            looks: 0,
            waiting: HashMap::new(),
            was_readable: true,
        }
    }

    /// Looks until `stop`. The mail in hand is finished.
    pub async fn run(mut self, desk: &Desk, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.look(desk, &stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Takes what is new, in the order of the file names.
    pub async fn look(&mut self, desk: &Desk, stop: &CancellationToken) -> Look {
        self.looks += 1;
        let (mut look, mut seen) = (Look::default(), Vec::new());
        let new = match self.list() {
            Ok(new) => new,
            Err(error) => {
                if self.was_readable {
                    let folder = self.folder.display().to_string();
                    tracing::error!(folder, %error, "the Maildir cannot be read; it is tried again each second");
                }
                self.was_readable = false;
                return look;
            }
        };
        self.was_readable = true;
        for file in new {
            if stop.is_cancelled() {
                break;
            }
            if self.waiting.get(&file).is_some_and(|at| *at > self.looks) {
                look.left += 1;
                seen.push(file);
                continue;
            }
            match self.take(desk, &file).await {
                Ok(()) => look.taken += 1,
                Err(why) => {
                    let is_passing = matches!(&why, Left::Desk(error) if error.is_transient());
                    let reason = telemetry::chain(&why);
                    let name = file.display().to_string();
                    tracing::warn!(file = name, reason, "a mail stays in the Maildir");
                    let wait = if is_passing { 5 } else { LEFT_ALONE };
                    self.waiting.insert(file.clone(), self.looks + wait);
                    look.left += 1;
                    seen.push(file);
                }
            }
        }
        self.waiting.retain(|file, _| seen.contains(file));
        look
    }

    /// The files in `new`, by name. Hidden ones are the mail server's own.
    fn list(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder.join("new"))? {
            let entry = entry?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden && entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }

    /// Takes one mail: commits it, then moves it to `cur`. Of one that is larger than anything a mail
    /// may be, the beginning is taken, as everywhere; the whole of it stays in `cur`.
    async fn take(&self, desk: &Desk, file: &Path) -> Result<(), Left> {
        let mut raw = Vec::new();
        let mut source = std::fs::File::open(file)?.take(limits::SOURCE_BYTES);
        source.read_to_end(&mut raw)?;
        if raw.is_empty() {
            let name = file.display().to_string();
            tracing::warn!(file = name, "an empty file is no mail; it is moved to cur");
        } else {
            let origin = file.display().to_string();
            process::take(desk, Road::Maildir, Some(origin), Envelope::default(), raw).await?;
        }
        fault::point("maildir.taken");
        let name = file.file_name().unwrap_or_default();
        let mut target = self.folder.join("cur");
        std::fs::create_dir_all(&target)?;
        // No flag: it was read by a program, not by a person.
        let has_flags = name
            .as_encoded_bytes()
            .windows(3)
            .any(|part| part == b":2,");
        let mut name = name.to_owned();
        if !has_flags {
            name.push(":2,");
        }
        target.push(name);
        std::fs::rename(file, target)?;
        fault::point("maildir.moved");
        Ok(())
    }
}
