//! `file:DIR`: one RFC 5322 file per mail and recipient, for trying the desk out.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Answer;

/// A folder that letters are put into.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// In this folder, which is made where absent.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Whether files can be written there.
    pub(super) async fn test(&self) -> Result<String, String> {
        let path = self.path.clone();
        let tried = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&path)?;
            let file = path.join(".tierdesk-doctor");
            fs::write(&file, b"")?;
            fs::remove_file(&file)
        });
        let place = self.path.display();
        match tried.await {
            Ok(Ok(())) => Ok(format!("each mail becomes a file in {place}")),
            Ok(Err(error)) => Err(format!("{place}: {error}")),
            Err(fault) => Err(format!("{place}: {fault}")),
        }
    }

    /// Writes a letter beside its name first, so that whoever looks sees whole mails only. The same
    /// letter again is the same file.
    pub(super) async fn send(&self, id: &str, bytes: &[u8]) -> Answer {
        let (path, id, bytes) = (self.path.clone(), id.to_owned(), bytes.to_vec());
        let written = tokio::task::spawn_blocking(move || write(&path, &id, &bytes)).await;
        match written {
            Ok(Ok(name)) => Answer::Taken(format!("written to {name}")),
            Ok(Err(error)) => Answer::Later(format!("{}: {error}", self.path.display())),
            Err(fault) => Answer::Later(format!("writing ended early: {fault}")),
        }
    }
}

fn write(folder: &Path, id: &str, bytes: &[u8]) -> io::Result<String> {
    fs::create_dir_all(folder)?;
    let name = format!("{id}.eml");
    let beside = folder.join(format!(".{id}.part"));
    fs::write(&beside, bytes)?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(&beside, folder.join(&name))?;
    Ok(name)
}
