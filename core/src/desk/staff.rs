//! Who works here: adding, changing, disabling, linking to Discord, and what is attested of whom. Until somebody is registered,
//! the owner of the configuration acts as admin; afterwards there is always an active admin.

mod attest;
mod review;

pub use attest::{Attested, attest, revoke};
pub use review::{GrantReport, MemberReview, StaffReview, review};
use serde::Serialize;

use super::{Desk, Error};
use crate::{
    clock::Timestamp,
    discord::DiscordId,
    permit::{Actor, ChangeStaff, Permit, ReadStaff, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    staff::{GrantKind, Role, Staff, StaffStatus},
    store::{
        audit::{self, Change},
        staff,
    },
};

/// A member of staff as `staff list --json` prints them.
#[derive(Clone, Debug, Serialize)]
pub struct StaffReport {
    /// How colleagues call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may do it.
    pub status: StaffStatus,
    /// Their login on the machine that runs the terminal.
    pub os_user: Option<String>,
    /// Their user id in Discord.
    pub discord_user_id: Option<DiscordId>,
    /// Since when they are here.
    pub created_at: Timestamp,
}

impl From<Staff> for StaffReport {
    fn from(staff: Staff) -> Self {
        Self {
            name: staff.name,
            role: staff.role,
            status: staff.status,
            os_user: staff.os_user,
            discord_user_id: staff.discord_user_id,
            created_at: staff.created_at,
        }
    }
}

/// A member of staff to be added.
#[derive(Clone, Debug)]
pub struct NewStaff {
    /// How colleagues call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their login on the machine that runs the terminal.
    pub os_user: Option<String>,
    /// Their user id in Discord.
    pub discord_user_id: Option<DiscordId>,
    /// Why they get the role.
    pub reason: Option<String>,
}

/// What to change of a member of staff; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct StaffPatch {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may do it.
    pub status: Option<StaffStatus>,
    /// Their login; empty takes it away.
    pub os_user: Option<String>,
    /// Their user in Discord; `Some(None)` takes it away.
    pub discord_user_id: Option<Option<DiscordId>>,
    /// Why.
    pub reason: Option<String>,
}

/// Makes the actor's login the first admin. Returns them, or `None` when staff exist already.
pub async fn register_first_admin(desk: &Desk, actor: &Actor) -> Result<Option<Staff>, Error> {
    let mut tx = desk.database.begin_write().await?;
    if staff::count(&mut tx).await? > 0 {
        return Ok(None);
    }
    let mut permit = authorise(&mut tx, actor, ChangeStaff, Subject::Desk).await?;
    let Actor::OsUser { name, .. } = actor else {
        return Err(Refusal::invalid("only a person can be the first admin").into());
    };
    let new = NewStaff {
        name: name.clone(),
        role: Role::Admin,
        os_user: Some(name.clone()),
        discord_user_id: None,
        reason: Some("set the desk up".to_owned()),
    };
    let admin = insert(&mut permit, new).await?;
    tx.commit().await?;
    Ok(Some(admin))
}

/// Adds a member of staff. The first one must be an admin, or nobody could add a second.
pub async fn add(desk: &Desk, actor: &Actor, new: NewStaff) -> Result<StaffReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeStaff, Subject::Desk).await?;
    check_name(&new.name)?;
    let everybody = staff::list(&mut permit).await?;
    if everybody.is_empty() && new.role != Role::Admin {
        let message = format!("{} would be the only one here, and no admin", new.name);
        return Err(Refusal::invalid(message)
            .with_hint("run `tierdesk init` first: it makes you the first admin")
            .into());
    }
    if everybody.iter().any(|one| one.name == new.name) {
        let message = format!("there is a member of staff {} already", new.name);
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint("tierdesk staff set changes them")
            .into());
    }
    check_free(
        &everybody,
        &new.name,
        new.os_user.as_deref(),
        new.discord_user_id,
    )?;
    let added = insert(&mut permit, new).await?;
    tx.commit().await?;
    Ok(added.into())
}

/// Refuses whoever may not change the staff, for commands that touch what staff depends on.
pub async fn may_change(desk: &Desk, actor: &Actor) -> Result<(), Error> {
    let mut tx = desk.database.begin_read().await?;
    authorise(&mut tx, actor, ChangeStaff, Subject::Desk).await?;
    Ok(())
}

/// Everybody, disabled ones too, by name.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<StaffReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadStaff, Subject::Desk).await?;
    let everybody = staff::list(&mut permit).await?;
    Ok(everybody.into_iter().map(StaffReport::from).collect())
}

/// Changes a member of staff. The last active admin stays one.
pub async fn set(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    patch: StaffPatch,
) -> Result<StaffReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeStaff, Subject::Desk).await?;
    staff::lock_admins(&mut permit).await?;
    let everybody = staff::list(&mut permit).await?;
    let before = get(&everybody, name)?;
    let mut after = before.clone();
    after.role = patch.role.unwrap_or(after.role);
    after.status = patch.status.unwrap_or(after.status);
    if let Some(login) = patch.os_user {
        after.os_user = Some(login).filter(|login| !login.is_empty());
    }
    after.discord_user_id = patch.discord_user_id.unwrap_or(after.discord_user_id);
    if after == *before {
        return Ok(after.into());
    }
    check_free(
        &everybody,
        name,
        after.os_user.as_deref(),
        after.discord_user_id,
    )?;
    check_last_admin(&everybody, before, &after)?;
    staff::update(&mut permit, &after).await?;
    follow_role(&mut permit, before, &after, patch.reason.clone()).await?;
    let mut change = Change::to(format!("staff:{name}"));
    for (field, from, to) in differences(before, &after) {
        change = change.with(field, format!("{from} -> {to}"));
    }
    if let Some(reason) = patch.reason {
        change = change.with("reason", reason);
    }
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(after.into())
}

/// A role counts while its holder is active; both ends are kept.
async fn follow_role(
    permit: &mut Permit<'_, ChangeStaff>,
    before: &Staff,
    after: &Staff,
    reason: Option<String>,
) -> Result<(), Error> {
    if (before.role, before.status) == (after.role, after.status) {
        return Ok(());
    }
    let id = before.id;
    let role = |staff: &Staff| (staff.status == StaffStatus::Active).then_some(staff.role.as_str());
    if let Some(role) = role(before) {
        staff::remove_grant(permit, id, GrantKind::Role, role, reason.clone()).await?;
    }
    if let Some(role) = role(after) {
        staff::insert_grant(permit, id, GrantKind::Role, role, reason, None).await?;
    }
    Ok(())
}

async fn insert(permit: &mut Permit<'_, ChangeStaff>, new: NewStaff) -> Result<Staff, Error> {
    let added = Staff {
        id: permit.new_id(),
        name: new.name,
        os_user: new.os_user,
        discord_user_id: new.discord_user_id,
        role: new.role,
        status: StaffStatus::Active,
        created_at: permit.now(),
    };
    staff::insert(permit, &added).await?;
    let role = added.role.as_str();
    staff::insert_grant(permit, added.id, GrantKind::Role, role, new.reason, None).await?;
    let change = Change::to(format!("staff:{}", added.name))
        .with("role", added.role.as_str())
        .with("login", added.os_user.clone().unwrap_or_default())
        .with("discord", text(added.discord_user_id));
    audit::append(permit, vec![change]).await?;
    Ok(added)
}

fn get<'a>(everybody: &'a [Staff], name: &str) -> Result<&'a Staff, Refusal> {
    let found = everybody.iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = everybody.iter().map(|one| one.name.as_str()).collect();
        Refusal::not_found("member of staff", name)
            .with_hint(format!("known are {}", names.join(", ")))
    })
}

/// Names stand in commands, audit entries and chat.
fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(plain) || name == "me" {
        let message = format!("{name:?} cannot be the name of a member of staff");
        return Err(Refusal::invalid(message)
            .with_hint("letters, digits, dots, hyphens, up to 64 of them, and not `me`"));
    }
    Ok(())
}

/// A login and a Discord user are one person's.
fn check_free(
    everybody: &[Staff],
    name: &str,
    login: Option<&str>,
    user: Option<DiscordId>,
) -> Result<(), Refusal> {
    let others = || everybody.iter().filter(|one| one.name != name);
    let taken = |what: String, owner: &Staff| {
        Refusal::new(
            RefusalCode::Taken,
            format!("{what} is {}'s already", owner.name),
        )
        .with_hint("nothing was changed; take it from them first")
    };
    if let Some(login) = login
        && let Some(owner) = others().find(|one| one.os_user.as_deref() == Some(login))
    {
        return Err(taken(format!("the login {login}"), owner));
    }
    if let Some(user) = user
        && let Some(owner) = others().find(|one| one.discord_user_id == Some(user))
    {
        return Err(taken(format!("the Discord user {user}"), owner));
    }
    Ok(())
}

/// Somebody must be able to let people in again.
fn check_last_admin(everybody: &[Staff], before: &Staff, after: &Staff) -> Result<(), Refusal> {
    let is_admin = |one: &Staff| one.role == Role::Admin && one.status == StaffStatus::Active;
    let remains = everybody
        .iter()
        .any(|one| one.id != before.id && is_admin(one));
    if is_admin(before) && !is_admin(after) && !remains {
        let message = format!(
            "{} is the last active admin; nothing was changed",
            before.name
        );
        return Err(Refusal::invalid(message).with_hint("make somebody else admin first"));
    }
    Ok(())
}

fn differences(before: &Staff, after: &Staff) -> Vec<(&'static str, String, String)> {
    let pairs = [
        ("role", before.role.to_string(), after.role.to_string()),
        (
            "status",
            before.status.to_string(),
            after.status.to_string(),
        ),
        (
            "login",
            before.os_user.clone().unwrap_or_default(),
            after.os_user.clone().unwrap_or_default(),
        ),
        (
            "discord",
            text(before.discord_user_id),
            text(after.discord_user_id),
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, from, to)| from != to)
        .collect()
}

fn text(user: Option<DiscordId>) -> String {
    user.map(|user| user.to_string()).unwrap_or_default()
}
