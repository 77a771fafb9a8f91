//! Staff rows.

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    discord::DiscordId,
    ids::StaffId,
    permit::{ChangesStaff, Permit},
    staff::{Role, Staff, StaffStatus},
};

statements! {
    FIND_BY_OS_USER = Sql::same(
        "SELECT id, name, os_user, discord_user_id, role, status, created_at FROM staff WHERE os_user = $1");
    FIND_BY_NAME = Sql::same(
        "SELECT id, name, os_user, discord_user_id, role, status, created_at FROM staff WHERE name = $1");
    FIND_BY_DISCORD_USER = Sql::same(
        "SELECT id, name, os_user, discord_user_id, role, status, created_at FROM staff WHERE discord_user_id = $1");
    LIST = Sql::same(
        "SELECT id, name, os_user, discord_user_id, role, status, created_at FROM staff ORDER BY name");
    COUNT = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM staff");
    INSERT = Sql::same(
        "INSERT INTO staff (id, name, os_user, discord_user_id, role, status, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
    UPDATE = Sql::same(
        "UPDATE staff SET os_user = $2, discord_user_id = $3, role = $4, status = $5 WHERE id = $1");
    /// Taken by whoever changes admins, so that two who demote each other do not both succeed.
    LOCK_ADMINS = Sql::per_backend(
        "SELECT id FROM staff WHERE role = 'admin' ORDER BY id",
        "SELECT id FROM staff WHERE role = 'admin' ORDER BY id FOR UPDATE");
}

record! {
    struct Row {
        id: StaffId,
        name: String,
        os_user: Option<String>,
        discord_user_id: Option<DiscordId>,
        role: Role,
        status: StaffStatus,
        created_at: Timestamp,
    }
}

impl From<Row> for Staff {
    fn from(row: Row) -> Self {
        let Row {
            id,
            name,
            os_user,
            discord_user_id,
            role,
            status,
            created_at,
        } = row;
        Self {
            id,
            name,
            os_user,
            discord_user_id,
            role,
            status,
            created_at,
        }
    }
}

/// The member of staff with this login.
pub async fn find_by_os_user(tx: &mut Tx, login: &str) -> Result<Option<Staff>, StoreError> {
    Ok(tx
        .fetch_optional::<Row>(FIND_BY_OS_USER, (login.to_owned(),))
        .await?
        .map(Staff::from))
}

/// The member of staff who is this user of Discord.
pub async fn find_by_discord_user(
    tx: &mut Tx,
    user: DiscordId,
) -> Result<Option<Staff>, StoreError> {
    Ok(tx
        .fetch_optional::<Row>(FIND_BY_DISCORD_USER, (user,))
        .await?
        .map(Staff::from))
}

/// The member of staff of this name.
pub async fn find_by_name(tx: &mut Tx, name: &str) -> Result<Option<Staff>, StoreError> {
    Ok(tx
        .fetch_optional::<Row>(FIND_BY_NAME, (name.to_owned(),))
        .await?
        .map(Staff::from))
}

/// Everybody, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<Staff>, StoreError> {
    Ok(tx
        .fetch_all::<Row>(LIST, ())
        .await?
        .into_iter()
        .map(Staff::from)
        .collect())
}

/// How many there are, disabled ones too.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.fetch_one::<(i64,)>("staff", COUNT, ()).await?.0)
}

/// Adds a member of staff. Returns whether the name and login were free.
pub async fn insert<A: ChangesStaff>(
    permit: &mut Permit<'_, A>,
    staff: &Staff,
) -> Result<bool, StoreError> {
    let values = (
        staff.id,
        staff.name.clone(),
        staff.os_user.clone(),
        staff.discord_user_id,
        staff.role,
        staff.status,
        staff.created_at,
    );
    Ok(permit.change().execute(INSERT, values).await? == 1)
}

/// Writes what can change of a member of staff. Login and Discord user must be free.
pub async fn update<A: ChangesStaff>(
    permit: &mut Permit<'_, A>,
    staff: &Staff,
) -> Result<(), StoreError> {
    let values = (
        staff.id,
        staff.os_user.clone(),
        staff.discord_user_id,
        staff.role,
        staff.status,
    );
    permit.change().execute_one("staff", UPDATE, values).await
}

/// Holds every admin's row until the unit of work ends.
pub async fn lock_admins<A: ChangesStaff>(permit: &mut Permit<'_, A>) -> Result<(), StoreError> {
    permit.fetch_all::<(StaffId,)>(LOCK_ADMINS, ()).await?;
    Ok(())
}
