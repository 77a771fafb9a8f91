//! The audit trail.

use tierdesk_core::{
    desk::{Desk, audit},
    permit::Actor,
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
        AuditCommand::Verify => verify(desk, actor, output).await,
    }
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
