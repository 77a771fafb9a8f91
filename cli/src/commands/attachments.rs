//! What is attached to a ticket: the list, and files on this machine.

use std::{
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::Serialize;
use tierdesk_core::{
    desk::{
        Desk,
        attachments::{self, AttachmentReport},
    },
    permit::Actor,
    tickets::TicketNumber,
};

use crate::{
    exit::Exit,
    output::{Output, local},
};

/// Which ones to save, and where.
pub(super) struct Wanted {
    pub(super) save: Vec<usize>,
    pub(super) save_all: bool,
    pub(super) to: PathBuf,
}

/// A file that was written.
#[derive(Serialize)]
struct Saved {
    #[serde(flatten)]
    attachment: AttachmentReport,
    file: PathBuf,
}

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    wanted: Wanted,
    output: &Output,
) -> anyhow::Result<Exit> {
    let listed = attachments::list(desk, actor, number).await?;
    if wanted.save.is_empty() && !wanted.save_all {
        return output.answer(&listed, |out| show(out, number, &listed));
    }
    let positions = if wanted.save_all {
        let kept = listed.iter().filter(|one| one.is_kept);
        kept.map(|one| one.position).collect()
    } else {
        wanted.save
    };
    std::fs::create_dir_all(&wanted.to)
        .with_context(|| format!("{} could not be made", wanted.to.display()))?;
    let mut saved = Vec::new();
    for position in positions {
        let (attachment, content) = attachments::open(desk, actor, number, position).await?;
        let file = write_new(&wanted.to, &attachment.name, &content)?;
        saved.push(Saved { attachment, file });
    }
    output.answer(&saved, |out| {
        for one in &saved {
            let size = one.attachment.size;
            out.line(format!("{} ({size} bytes)", one.file.display()));
        }
        if saved.is_empty() {
            out.line(format!("Nothing is attached to {number}."));
        }
    })
}

fn show(out: &Output, number: TicketNumber, listed: &[AttachmentReport]) {
    for one in listed {
        let state = if one.is_kept { "" } else { ", not kept" };
        out.line(format!(
            "{:3}  {}  {} bytes, {}{state}, from {} {}",
            one.position,
            one.name,
            one.size,
            one.content_type,
            one.from,
            local(one.at)
        ));
    }
    if listed.is_empty() {
        out.line(format!("Nothing is attached to {number}."));
    } else {
        out.line(format!(
            "To save one: tierdesk ticket attachments {number} --save 1 --to DIR"
        ));
    }
}

/// So many files of one name there may be in a folder.
const SAME_NAMES: usize = 1_000;

/// Writes a file that was not there: `a.txt`, else `a-2.txt` and so on. Only its owner may read it.
fn write_new(folder: &Path, name: &str, content: &[u8]) -> anyhow::Result<PathBuf> {
    for number in 1..=SAME_NAMES {
        let file = folder.join(numbered(name, number));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&file) {
            Ok(mut open) => {
                open.write_all(content)
                    .and_then(|()| open.sync_all())
                    .with_context(|| format!("{} could not be written", file.display()))?;
                return Ok(file);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                let what = format!("{} could not be written", file.display());
                return Err(error).context(what);
            }
        }
    }
    anyhow::bail!(
        "{} holds {SAME_NAMES} files called like {name} already",
        folder.display()
    )
}

/// The longest file name in bytes: what Linux and macOS allow is 255.
const LONGEST: usize = 240;

/// A name that fits a file system; from the second on with a number before its ending.
fn numbered(name: &str, number: usize) -> String {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= 20 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let stem = &stem[..stem.floor_char_boundary(LONGEST - ending.len())];
    match number {
        1 => format!("{stem}{ending}"),
        _ => format!("{stem}-{number}{ending}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| write_new(folder.path(), name, name.as_bytes()).expect("written");
        let names: Vec<_> = ["a.txt", "a.txt", "b", "b"]
            .map(|name| write(name).file_name().expect("a name").to_owned())
            .into();
        assert_eq!(names, ["a.txt", "a-2.txt", "b", "b-2"]);
        let long = write(&format!("{}.pdf", "ä".repeat(250)));
        assert!(long.file_name().expect("a name").len() <= 255);
    }
}
