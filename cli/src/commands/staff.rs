//! Who works here and what they may do.

use tierdesk_core::{
    desk::{
        Desk,
        staff::{self, GrantReport, NewStaff, StaffPatch, StaffReport, StaffReview},
    },
    permit::Actor,
    staff::StaffStatus,
};

use super::reply::moment;
use crate::{
    args::StaffCommand,
    exit::Exit,
    output::{Output, Tone, local},
};

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: StaffCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use StaffCommand as C;
    let changed = match command {
        C::List => {
            let everybody = staff::list(desk, actor).await?;
            return output.answer(&everybody, |out| table(out, &everybody));
        }
        C::Add {
            name,
            role,
            login,
            discord,
            reason,
        } => {
            let new = NewStaff {
                name,
                role,
                os_user: login,
                discord_user_id: discord,
                reason,
            };
            staff::add(desk, actor, new).await?
        }
        C::Set {
            name,
            role,
            login,
            reason,
        } => {
            let patch = StaffPatch {
                role,
                os_user: login,
                reason,
                ..StaffPatch::default()
            };
            staff::set(desk, actor, &name, patch).await?
        }
        C::Attest {
            name,
            attribute,
            until,
            grounds,
        } => {
            let until = moment(&until, desk.database.clock().read())?;
            let attested = staff::attest(desk, actor, &name, attribute, until, grounds).await?;
            return output.answer(&attested, |out| {
                out.line(format!(
                    "{} of {}, until {}.",
                    attested.attribute,
                    attested.name,
                    attested.until.map(local).unwrap_or_default()
                ));
            });
        }
        C::Revoke {
            name,
            attribute,
            reason,
        } => {
            let revoked = staff::revoke(desk, actor, &name, attribute, reason).await?;
            return output.answer(&revoked, |out| {
                out.line(format!(
                    "{} is no longer attested of {}.",
                    revoked.attribute, revoked.name
                ));
            });
        }
        C::Review => {
            let review = staff::review(desk, actor).await?;
            return output.answer(&review, |out| show_review(out, &review));
        }
        C::Disable { name, undo, reason } => {
            let status = if undo {
                StaffStatus::Active
            } else {
                StaffStatus::Disabled
            };
            let patch = StaffPatch {
                status: Some(status),
                reason,
                ..StaffPatch::default()
            };
            staff::set(desk, actor, &name, patch).await?
        }
        C::LinkDiscord { name, user, unlink } => {
            let patch = StaffPatch {
                discord_user_id: Some(user.filter(|_| !unlink)),
                ..StaffPatch::default()
            };
            staff::set(desk, actor, &name, patch).await?
        }
    };
    output.answer(&changed, |out| table(out, std::slice::from_ref(&changed)))
}

fn show_review(out: &Output, review: &StaffReview) {
    for finding in &review.findings {
        out.line(out.paint(Tone::Alarm, format!("! {finding}")));
    }
    for one in &review.members {
        let last = one
            .last_active
            .map_or_else(|| "nothing yet".to_owned(), local);
        let head = format!(
            "{}  {}, {}, here since {}, last act: {last}",
            one.name,
            one.role,
            one.status,
            local(one.created_at)
        );
        out.line("");
        out.line(out.paint(Tone::Strong, head));
        for grant in &one.grants {
            out.line(format!("  {}", grant_line(grant)));
        }
        for finding in &one.findings {
            out.line(out.paint(Tone::Alarm, format!("  ! {finding}")));
        }
    }
    if review.members.is_empty() {
        out.line("Nobody is registered: the owner of the configuration acts as admin.");
    }
}

fn grant_line(grant: &GrantReport) -> String {
    let sign = if grant.is_valid { "+" } else { "-" };
    let mut line = format!(
        "{sign} {} {}, {} by {}",
        grant.kind,
        grant.name,
        local(grant.granted_at),
        grant.granted_by
    );
    if let Some(until) = grant.until {
        line += &format!(", until {}", local(until));
    }
    if let Some(reason) = &grant.reason {
        line += &format!(": {reason}");
    }
    if let Some(removed) = grant.removed_at {
        let by = grant.removed_by.as_deref().unwrap_or_default();
        line += &format!("; taken away {} by {by}", local(removed));
        if let Some(reason) = &grant.removal_reason {
            line += &format!(": {reason}");
        }
    }
    line
}

fn table(out: &Output, everybody: &[StaffReport]) {
    if everybody.is_empty() {
        out.line("Nobody is registered: the owner of the configuration acts as admin.");
        out.line("`tierdesk init` makes you the first admin.");
        return;
    }
    let rows = everybody.iter().map(|one| {
        vec![
            one.name.clone(),
            one.role.to_string(),
            one.status.to_string(),
            one.os_user.clone().unwrap_or_else(|| "-".to_owned()),
            one.discord_user_id
                .map_or_else(|| "-".to_owned(), |user| user.to_string()),
        ]
    });
    out.table(
        &["name", "role", "status", "login", "discord"],
        rows.collect(),
    );
}
