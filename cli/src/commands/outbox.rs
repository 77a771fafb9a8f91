//! Letters on their way out.

use tierdesk_core::{
    desk::{
        Desk,
        outbox::{self, LetterReport},
    },
    ids::OutgoingId,
    permit::Actor,
};

use crate::{
    exit::Exit,
    output::{Output, local},
};

pub(super) async fn list(
    desk: &Desk,
    actor: &Actor,
    limit: i64,
    output: &Output,
) -> anyhow::Result<Exit> {
    let letters = outbox::list(desk, actor, limit).await?;
    output.answer(&letters, |out| {
        for letter in &letters {
            show(out, letter);
        }
        if letters.is_empty() {
            out.line("Nothing waits to leave.");
        }
    })
}

fn show(out: &Output, letter: &LetterReport) {
    out.line(format!(
        "{}  {:7}  {} to {}, {}",
        letter.id,
        letter.state,
        letter.ticket,
        letter.recipient,
        local(letter.created_at)
    ));
    if let Some(reason) = &letter.reason {
        let tries = match letter.attempts {
            0 => String::new(),
            tries => format!(" ({tries} tries)"),
        };
        out.line(format!("    {reason}{tries}"));
    }
}

pub(super) async fn release(
    desk: &Desk,
    actor: &Actor,
    id: OutgoingId,
    output: &Output,
) -> anyhow::Result<Exit> {
    outbox::release(desk, actor, id).await?;
    output.answer(&serde_json::json!({ "released": id }), |out| {
        out.line("It leaves now.");
    })
}
