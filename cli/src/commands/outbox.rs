//! Letters on their way out.

use tierdesk_core::{
    desk::{
        Desk,
        outbox::{self, LetterReport, Listed},
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
    which: Listed,
    limit: i64,
    output: &Output,
) -> anyhow::Result<Exit> {
    let letters = outbox::list(desk, actor, which, limit).await?;
    output.answer(&letters, |out| {
        for letter in &letters {
            show(out, letter);
        }
        if letters.is_empty() {
            out.line(if which.is_all {
                "There is no letter."
            } else {
                "Nothing waits to leave."
            });
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
    if letter.doubts > 0 {
        let times = letter.doubts;
        out.line(format!(
            "    cut off {times} times: it may have arrived once more"
        ));
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
