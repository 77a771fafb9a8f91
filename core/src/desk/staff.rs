//! The first admin. Until somebody is registered, the owner of the configuration acts as admin.

use super::{Desk, Error};
use crate::{
    permit::{Actor, ChangeStaff, Subject, authorise},
    refusal::Refusal,
    staff::{Role, Staff, StaffStatus},
    store::{
        audit::{self, Change},
        staff,
    },
};

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
    let admin = Staff {
        id: permit.new_id(),
        name: name.clone(),
        os_user: Some(name.clone()),
        role: Role::Admin,
        status: StaffStatus::Active,
        created_at: permit.now(),
    };
    staff::insert(&mut permit, &admin).await?;
    let change = Change::to(format!("staff:{name}")).with("role", Role::Admin.as_str());
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(Some(admin))
}
