//! Who works here and what they may do.

mod review;

use tierdesk_core::{
    desk::{
        Desk,
        staff::{self, NewStaff, StaffPatch, StaffReport},
    },
    permit::Actor,
    staff::StaffStatus,
};

use super::{paging, reply::moment};
use crate::{
    args::{AttestedCommand, StaffCommand},
    exit::Exit,
    output::{Output, local},
    program::Program,
};

pub(super) async fn run(
    program: &Program,
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
        C::Attested(command) => return attested(desk, actor, command, output).await,
        C::Channel(command) => return paging::channel(desk, actor, command, output).await,
        C::TestPage { name } => {
            return paging::test_page(program, desk, actor, &name, output).await;
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

/// What is attested of people, and looking over all of it.
async fn attested(
    desk: &Desk,
    actor: &Actor,
    command: AttestedCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use AttestedCommand as C;
    match command {
        C::Attest {
            name,
            attribute,
            until,
            grounds,
        } => {
            let until = moment(&until, desk.database.clock().read())?;
            let attested = staff::attest(desk, actor, &name, attribute, until, grounds).await?;
            output.answer(&attested, |out| {
                out.line(format!(
                    "{} of {}, until {}.",
                    attested.attribute,
                    attested.name,
                    attested.until.map(local).unwrap_or_default()
                ));
            })
        }
        C::Revoke {
            name,
            attribute,
            reason,
        } => {
            let revoked = staff::revoke(desk, actor, &name, attribute, reason).await?;
            output.answer(&revoked, |out| {
                out.line(format!(
                    "{} is no longer attested of {}.",
                    revoked.attribute, revoked.name
                ));
            })
        }
        C::Review => {
            let review = staff::review(desk, actor).await?;
            output.answer(&review, |out| review::show(out, &review))
        }
    }
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
