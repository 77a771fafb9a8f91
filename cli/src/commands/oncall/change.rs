//! Changing who is on call.

use tierdesk_core::{
    desk::{
        Desk,
        oncall::{self, AbsenceReport, NewOverride, Offer, OverrideReport, SwapReport, Taking},
    },
    permit::Actor,
};

use super::{need, read, text};
use crate::{
    args::oncall::{AbsenceCommand, CalendarCommand, OverrideArgs, SwapCommand, TemporaryCommand},
    exit::Exit,
    output::{Output, local},
};

pub(super) async fn overrides(
    desk: &Desk,
    actor: &Actor,
    args: OverrideArgs,
    output: &Output,
) -> anyhow::Result<Exit> {
    if args.list {
        let found = oncall::list_overrides(desk, actor).await?;
        return output.answer(&found, |out| override_table(out, &found));
    }
    if let Some(id) = args.remove {
        let removed = oncall::remove_override(desk, actor, id).await?;
        return output.answer(&removed, |out| {
            let OverrideReport { who, schedule, .. } = &removed;
            out.line(format!("{who} is no longer put on call for {schedule}."));
        });
    }
    let new = NewOverride {
        place: need(args.place.place())?,
        who: args.who.unwrap_or_default(),
        from: args.from.unwrap_or_default(),
        to: args.to.unwrap_or_default(),
        reason: args.reason.unwrap_or_default(),
        layer: args.layer,
    };
    let made = oncall::set_override(desk, actor, new).await?;
    output.answer(&made, |out| {
        override_table(out, std::slice::from_ref(&made));
    })
}

fn override_table(out: &Output, found: &[OverrideReport]) {
    if found.is_empty() {
        out.line("No override holds, or will.");
        return;
    }
    let rows = found.iter().map(|one| {
        vec![
            one.id.to_string(),
            one.schedule.clone(),
            one.layer.to_string(),
            one.who.clone(),
            local(one.start),
            local(one.end),
            one.reason.clone(),
        ]
    });
    out.table(
        &["id", "schedule", "layer", "who", "from", "to", "reason"],
        rows.collect(),
    );
}

pub(super) async fn swaps(
    desk: &Desk,
    actor: &Actor,
    command: SwapCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use SwapCommand as C;
    let one = match command {
        C::List => {
            let found = oncall::list_swaps(desk, actor).await?;
            return output.answer(&found, |out| swap_table(out, &found));
        }
        C::Offer {
            place,
            from,
            to,
            reason,
            layer,
            whose,
        } => {
            let offer = Offer {
                place: place.place(),
                layer,
                from,
                to,
                reason,
                whose,
            };
            oncall::offer(desk, actor, offer).await?
        }
        C::Take {
            id,
            place,
            from,
            to,
            reason,
            layer,
            taker,
        } => {
            let what = match id {
                Some(id) => Taking::Offered(id),
                None => Taking::Unasked {
                    place: need(place.place())?,
                    layer,
                    from: from.unwrap_or_default(),
                    to,
                    reason: reason.unwrap_or_default(),
                },
            };
            oncall::take(desk, actor, what, taker.as_deref()).await?
        }
        C::GiveBack { id } => oncall::give_back(desk, actor, id).await?,
    };
    output.answer(&one, |out| {
        swap_table(out, std::slice::from_ref(&one));
    })
}

fn swap_table(out: &Output, found: &[SwapReport]) {
    if found.is_empty() {
        out.line("No shift is offered or changed hands.");
        return;
    }
    let rows = found.iter().map(|one| {
        vec![
            one.id.to_string(),
            one.schedule.clone(),
            one.layer.to_string(),
            one.whose.clone(),
            one.taken_by
                .clone()
                .unwrap_or_else(|| "(nobody)".to_owned()),
            local(one.start),
            local(one.end),
            one.reason.clone(),
        ]
    });
    out.table(
        &[
            "id", "schedule", "layer", "whose", "taken by", "from", "to", "reason",
        ],
        rows.collect(),
    );
}

pub(super) async fn absences(
    desk: &Desk,
    actor: &Actor,
    command: AbsenceCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use AbsenceCommand as C;
    let one = match command {
        C::List => {
            let found = oncall::list_absences(desk, actor).await?;
            return output.answer(&found, |out| absence_table(out, &found));
        }
        C::Add {
            name,
            from,
            to,
            reason,
        } => oncall::add_absence(desk, actor, name.as_deref(), (&from, &to), &reason).await?,
        C::Remove { id } => {
            let removed = oncall::remove_absence(desk, actor, id).await?;
            return output.answer(&removed, |out| {
                out.line(format!("{} is there again.", removed.name));
            });
        }
    };
    output.answer(&one, |out| {
        absence_table(out, std::slice::from_ref(&one));
    })
}

fn absence_table(out: &Output, found: &[AbsenceReport]) {
    if found.is_empty() {
        out.line("Nobody is away, or will be.");
        return;
    }
    let rows = found.iter().map(|one| {
        vec![
            one.id.to_string(),
            one.name.clone(),
            local(one.start),
            local(one.end),
            one.reason.clone(),
        ]
    });
    out.table(&["id", "who", "from", "to", "reason"], rows.collect());
}

pub(super) async fn temporaries(
    desk: &Desk,
    actor: &Actor,
    command: TemporaryCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use TemporaryCommand as C;
    let found = match command {
        C::List => oncall::list_temporaries(desk, actor).await?,
        C::Set { file } => {
            let written = read(&file)?;
            let origin = file.display().to_string();
            oncall::set_temporaries(desk, actor, &written, &origin).await?
        }
        C::Remove { id } => {
            let removed = oncall::remove_temporary(desk, actor, id).await?;
            return output.answer(&removed, |out| {
                out.line(format!("{} goes by its own rota again.", removed.schedule));
            });
        }
    };
    output.answer(&found, |out| text::temporaries(out, &found))
}

pub(super) async fn calendars(
    desk: &Desk,
    actor: &Actor,
    command: CalendarCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        CalendarCommand::Add { name } => {
            let address = oncall::add_calendar(desk, actor, name.as_deref()).await?;
            output.answer(&address, |out| {
                out.line(&address.path);
                out.note(format!(
                    "Whoever has it sees when {} is on call. It is shown once; `calendar remove` closes it.",
                    address.name
                ));
            })
        }
        CalendarCommand::Remove { name } => {
            let name = oncall::remove_calendar(desk, actor, name.as_deref()).await?;
            let closed = serde_json::json!({ "closed": name });
            output.answer(&closed, |out| {
                out.line(format!("The calendar of {name} is closed."));
            })
        }
    }
}
