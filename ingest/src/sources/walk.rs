//! The files with mail below a path, in order, found as they are asked for.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    vec::IntoIter,
};

use super::{Road, SourceError, recognise, recognise::Kind};

/// What the walk meets.
#[derive(Debug)]
pub(super) enum Found {
    File {
        path: PathBuf,
        road: Road,
    },
    /// There is a mailbox, though no mail in it.
    EmptyMaildir,
}

/// What is still to be looked at; the last is next.
#[derive(Debug)]
enum Step {
    Given(PathBuf, Road),
    /// Folders and files of a folder, sorted.
    Entries(PathBuf, IntoIter<OsString>),
    /// Mails of a Maildir by name, and whether each is in `new`.
    Mails(PathBuf, IntoIter<(OsString, bool)>),
    Maildir(PathBuf),
    Folder(PathBuf),
}

#[derive(Debug)]
pub(super) struct Walk {
    steps: Vec<Step>,
    /// Folders by their real paths: a symbolic link to a folder above is met a second time here.
    seen: HashSet<PathBuf>,
}

type Answer = Option<Result<Found, SourceError>>;

impl Walk {
    pub(super) fn new(path: &Path, kind: Kind) -> Self {
        let path = path.to_owned();
        let step = match kind {
            Kind::File(road) => Step::Given(path, road),
            Kind::Maildir => Step::Maildir(path),
            Kind::Folder => Step::Folder(path),
        };
        Self {
            steps: vec![step],
            seen: HashSet::new(),
        }
    }

    /// Whether the folder is met for the first time.
    fn enters(&mut self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|real| self.seen.insert(real))
    }

    fn folder(&mut self, path: PathBuf) -> Answer {
        if !self.enters(&path) {
            return None;
        }
        match names(&path) {
            Ok(names) => {
                self.steps.push(Step::Entries(path, names.into_iter()));
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    fn maildir(&mut self, path: PathBuf) -> Answer {
        if !self.enters(&path) {
            return None;
        }
        let mut mails = Vec::new();
        let mut failed = None;
        for (folder, is_new) in [("cur", false), ("new", true)] {
            match names(&path.join(folder)) {
                Ok(names) => mails.extend(names.into_iter().map(|name| (name, is_new))),
                Err(error) => failed = Some(Err(error)),
            }
        }
        mails.sort_unstable();
        let is_empty = mails.is_empty();
        // Subfolders (Maildir++) are folders beside cur and new, whose names begin with a dot.
        let subfolders: Vec<_> = names(&path)
            .unwrap_or_default()
            .into_iter()
            .filter(|name| !["cur", "new", "tmp"].iter().any(|own| name == own))
            .filter(|name| recognise::is_maildir(&path.join(name)))
            .collect();
        self.steps
            .push(Step::Entries(path.clone(), subfolders.into_iter()));
        self.steps.push(Step::Mails(path, mails.into_iter()));
        failed.or_else(|| is_empty.then_some(Ok(Found::EmptyMaildir)))
    }

    /// Something met in a folder.
    fn entry(&mut self, path: PathBuf) -> Answer {
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(_) if is_hidden => return None,
            Err(source) => return Some(Err(SourceError::Read { path, source })),
        };
        if metadata.is_dir() {
            if recognise::is_maildir(&path) {
                self.steps.push(Step::Maildir(path));
            } else if !is_hidden {
                self.steps.push(Step::Folder(path));
            }
            return None;
        }
        if is_hidden || !metadata.is_file() {
            return None;
        }
        match recognise::met(&path) {
            Ok(road) => road.map(|road| Ok(Found::File { path, road })),
            Err(error) => Some(Err(error)),
        }
    }
}

/// A file in `cur` or `new`; hidden ones and folders are no mails.
fn maildir_mail(path: PathBuf, name: &OsString) -> Answer {
    if name.as_encoded_bytes().starts_with(b".") {
        return None;
    }
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Some(Ok(Found::File {
            path,
            road: Road::Maildir,
        })),
        Ok(_) => None,
        Err(source) => Some(Err(SourceError::Read { path, source })),
    }
}

impl Iterator for Walk {
    type Item = Result<Found, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let answer = match self.steps.pop()? {
                Step::Given(path, road) => Some(Ok(Found::File { path, road })),
                Step::Maildir(path) => self.maildir(path),
                Step::Folder(path) => self.folder(path),
                Step::Entries(folder, mut names) => match names.next() {
                    Some(name) => {
                        let path = folder.join(name);
                        self.steps.push(Step::Entries(folder, names));
                        self.entry(path)
                    }
                    None => None,
                },
                Step::Mails(maildir, mut mails) => match mails.next() {
                    Some((name, is_new)) => {
                        let path = maildir.join(if is_new { "new" } else { "cur" }).join(&name);
                        self.steps.push(Step::Mails(maildir, mails));
                        maildir_mail(path, &name)
                    }
                    None => None,
                },
            };
            if answer.is_some() {
                return answer;
            }
        }
    }
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<OsString>, SourceError> {
    let entries = fs::read_dir(folder).map_err(SourceError::read(folder))?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name()))
        .collect();
    names.sort_unstable();
    Ok(names)
}
