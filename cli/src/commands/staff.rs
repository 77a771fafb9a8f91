//! Who works here and what they may do.

use tierdesk_core::{
    desk::{
        Desk,
        staff::{self, NewStaff, StaffPatch, StaffReport},
    },
    permit::Actor,
    staff::StaffStatus,
};

use crate::{args::StaffCommand, exit::Exit, output::Output};

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
        } => {
            let new = NewStaff {
                name,
                role,
                os_user: login,
                discord_user_id: discord,
            };
            staff::add(desk, actor, new).await?
        }
        C::Set { name, role, login } => {
            let patch = StaffPatch {
                role,
                os_user: login,
                ..StaffPatch::default()
            };
            staff::set(desk, actor, &name, patch).await?
        }
        C::Disable { name, undo } => {
            let status = if undo {
                StaffStatus::Active
            } else {
                StaffStatus::Disabled
            };
            let patch = StaffPatch {
                status: Some(status),
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
