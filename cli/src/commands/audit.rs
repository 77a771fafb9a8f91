//! The audit trail.

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tierdesk_core::{
    audit::export::verify as verify_lines,
    clock::Timestamp,
    desk::{Desk, audit},
    permit::Actor,
    refusal::Refusal,
};

use crate::{
    args::AuditCommand,
    exit::Exit,
    output::{Output, Tone, local},
};

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: AuditCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::List { subject, limit } => list(desk, actor, &subject, limit, output).await,
        AuditCommand::Verify { .. } => verify(desk, actor, output).await,
        AuditCommand::Export {
            customer,
            from,
            to,
            out,
        } => export(desk, actor, &customer, (&from, &to), out, output).await,
    }
}

fn instant(text: &str) -> Result<Timestamp, Refusal> {
    Timestamp::parse_moment(text.trim()).ok_or_else(|| {
        Refusal::invalid(format!("{text:?} is no time"))
            .with_hint("write 2026-12-01 or 2026-12-01T09:00Z")
    })
}

async fn export(
    desk: &Desk,
    actor: &Actor,
    customer: &str,
    (from, to): (&str, &str),
    file: Option<PathBuf>,
    output: &Output,
) -> anyhow::Result<Exit> {
    let (from, to) = (instant(from)?, instant(to)?);
    if file.is_none() && output.is_json {
        return Err(Refusal::invalid("with --json the entries need a file")
            .with_hint("--out FILE")
            .into());
    }
    let mut to_file = match &file {
        None => None,
        Some(path) => {
            if path.exists() {
                return Err(
                    Refusal::invalid(format!("{} is there already", path.display()))
                        .with_hint("nothing was written over; name another file")
                        .into(),
                );
            }
            // Beside its place until it is whole; only its owner reads it.
            let folder = path.parent().filter(|one| !one.as_os_str().is_empty());
            let made = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
            let made = made.with_context(|| format!("{} could not be made", path.display()))?;
            Some(BufWriter::new(made))
        }
    };
    let write = |line: &str| match &mut to_file {
        Some(file) => writeln!(file, "{line}"),
        None => writeln!(std::io::stdout(), "{line}"),
    };
    let exported = audit::export(desk, actor, customer, from, to, write).await??;
    if let (Some(written), Some(path)) = (to_file, &file) {
        let written = written
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        written.as_file().sync_all()?;
        let kept = written.persist_noclobber(path);
        kept.with_context(|| format!("{} could not be written", path.display()))?;
    }
    if file.is_none() && !output.is_json {
        return Ok(Exit::Done);
    }
    output.answer(&exported, |out| {
        out.line(format!(
            "{} entries of {}, {} of others between them, {} to {}.",
            exported.entries, exported.customer, exported.others, exported.first, exported.last
        ));
        out.line(format!("The last link: {}", exported.head));
    })
}

/// Checks an exported file; no desk is needed.
pub(super) fn verify_file(
    file: &Path,
    anchors: Option<&Path>,
    output: &Output,
) -> anyhow::Result<Exit> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))
    };
    let text = read(file)?;
    let anchors = anchors.map(read).transpose()?.unwrap_or_default();
    let verdict = verify_lines(text.lines(), &anchors);
    output.answer(&verdict, |out| match &verdict.fault {
        None => {
            out.line(format!(
                "{}: {} entries, {} of others between them, {} values erased; the chain holds.",
                verdict.customer, verdict.entries, verdict.others, verdict.erased
            ));
            out.line(match verdict.anchors {
                0 => format!(
                    "No anchor lies in it. It is as true as this link, which is its last: {}",
                    verdict.head
                ),
                count => format!("{count} anchors lie in it, and fit."),
            });
        }
        Some(fault) => out.line(format!(
            "{}: {fault}",
            out.paint(Tone::Alarm, "IT DOES NOT HOLD")
        )),
    })?;
    Ok(if verdict.ok { Exit::Done } else { Exit::Failed })
}

async fn list(
    desk: &Desk,
    actor: &Actor,
    subject: &str,
    limit: i64,
    output: &Output,
) -> anyhow::Result<Exit> {
    let entries = audit::list(desk, actor, subject, limit).await?;
    let json: Vec<serde_json::Value> = entries
        .iter()
        .map(|(seq, entry)| {
            // Without salts: what is printed must not undo a later erasure.
            let fields = entry.fields.iter();
            let fields: Vec<serde_json::Value> = fields
                .map(|field| serde_json::json!({ "name": field.name, "value": field.value }))
                .collect();
            serde_json::json!({
                "seq": seq, "id": entry.id, "at": entry.at, "actor": entry.actor,
                "action": entry.action, "subject": entry.subject, "fields": fields,
            })
        })
        .collect();
    output.answer(&json, |out| {
        let rows = entries.iter().map(|(seq, entry)| {
            let fields = entry.fields.iter().map(|field| {
                format!(
                    "{}={}",
                    field.name,
                    field.value.as_deref().unwrap_or("(erased)")
                )
            });
            vec![
                seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string()),
                local(entry.at),
                entry.actor.clone(),
                entry.action.clone(),
                entry.subject.clone(),
                fields.collect::<Vec<_>>().join(" "),
            ]
        });
        out.table(
            &["seq", "at", "actor", "action", "subject", "fields"],
            rows.collect(),
        );
    })
}

async fn verify(desk: &Desk, actor: &Actor, output: &Output) -> anyhow::Result<Exit> {
    let found = audit::verify(desk, actor).await?;
    output.answer(&found, |out| match &found.fault {
        None => {
            let (entries, head) = (found.entries, &found.head);
            out.line(format!("{entries} entries, the chain holds; head {head}"));
            if found.erased > 0 {
                out.line(format!(
                    "{} values were erased and prove nothing any more",
                    found.erased
                ));
            }
        }
        Some(fault) => {
            let verdict = out.paint(Tone::Alarm, "THE CHAIN DOES NOT HOLD");
            out.line(format!("{verdict}: {fault} ({} entries)", found.entries));
            out.line(
                "Keep this database as it is, compare it with the last backup and the anchors.",
            );
        }
    })?;
    Ok(if found.ok { Exit::Done } else { Exit::Failed })
}
