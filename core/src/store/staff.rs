//! Staff rows, and what was given to whom.

use std::collections::{BTreeSet, HashMap};

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    discord::DiscordId,
    ids::{CustomerId, GrantId, StaffId, TicketId},
    permit::{ChangesStaff, Permit},
    staff::{Attribute, Grant, GrantKind, Role, Staff, StaffStatus},
    tiers::TierSlug,
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
    COUNT_ACTIVE = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM staff WHERE status = 'active'");
    INSERT_GRANT = Sql::same(
        "INSERT INTO staff_grants (id, staff_id, kind, name, granted_at, granted_by, reason, until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    REMOVE_GRANTS = Sql::same(
        "UPDATE staff_grants SET removed_at = $4, removed_by = $5, removal_reason = $6
         WHERE staff_id = $1 AND kind = $2 AND name = $3 AND removed_at IS NULL");
    GRANTS = Sql::same(
        "SELECT id, staff_id, kind, name, granted_at, granted_by, reason, until, removed_at, removed_by,
            removal_reason
         FROM staff_grants ORDER BY staff_id, granted_at, id");
    ATTRIBUTES = Sql::same(
        "SELECT name FROM staff_grants
         WHERE staff_id = $1 AND kind = 'attribute' AND removed_at IS NULL AND until > $2 ORDER BY name");
    DEMANDED = Sql::same(
        "SELECT t.tier, k.staff_attributes FROM tickets t LEFT JOIN customers k ON k.id = t.customer_id
         WHERE t.id = $1");
    CONTRACTS = Sql::same(
        "SELECT id, staff_attributes FROM customers WHERE staff_attributes <> '[]' ORDER BY id");
    LAST_ACTS = Sql::same("SELECT actor, MAX(at) AS at FROM audit_entries GROUP BY actor");
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

record! {
    struct GrantRow {
        id: GrantId,
        staff_id: StaffId,
        kind: GrantKind,
        name: String,
        granted_at: Timestamp,
        granted_by: String,
        reason: Option<String>,
        until: Option<Timestamp>,
        removed_at: Option<Timestamp>,
        removed_by: Option<String>,
        removal_reason: Option<String>,
    }
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        Self {
            id: row.id,
            staff_id: row.staff_id,
            kind: row.kind,
            name: row.name,
            granted_at: row.granted_at,
            granted_by: row.granted_by,
            reason: row.reason,
            until: row.until,
            removed_at: row.removed_at,
            removed_by: row.removed_by,
            removal_reason: row.removal_reason,
        }
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

/// Whether this is the only one who may act: then nobody could attest anything of them.
pub async fn is_alone(tx: &mut Tx) -> Result<bool, StoreError> {
    let (active,): (i64,) = tx.fetch_one("staff", COUNT_ACTIVE, ()).await?;
    Ok(active <= 1)
}

/// Writes down that something was given.
pub async fn insert_grant<A: ChangesStaff>(
    permit: &mut Permit<'_, A>,
    staff: StaffId,
    kind: GrantKind,
    name: &str,
    reason: Option<String>,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let values = (
        permit.new_id::<GrantId>(),
        staff,
        kind,
        name.to_owned(),
        permit.now(),
        permit.actor().to_owned(),
        reason,
        until,
    );
    permit
        .change()
        .execute_one("staff_grants", INSERT_GRANT, values)
        .await
}

/// Writes down that something was taken away. Returns whether it was there.
pub async fn remove_grant<A: ChangesStaff>(
    permit: &mut Permit<'_, A>,
    staff: StaffId,
    kind: GrantKind,
    name: &str,
    reason: Option<String>,
) -> Result<bool, StoreError> {
    let values = (
        staff,
        kind,
        name.to_owned(),
        permit.now(),
        permit.actor().to_owned(),
        reason,
    );
    Ok(permit.change().execute(REMOVE_GRANTS, values).await? > 0)
}

/// Everything that was ever given, by person, oldest first.
pub async fn list_grants(tx: &mut Tx) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<GrantRow> = tx.fetch_all(GRANTS, ()).await?;
    Ok(rows.into_iter().map(Grant::from).collect())
}

/// What is attested of somebody at this instant.
pub async fn attributes(tx: &mut Tx, staff: StaffId) -> Result<BTreeSet<Attribute>, StoreError> {
    let now = tx.now();
    let rows: Vec<(String,)> = tx.fetch_all(ATTRIBUTES, (staff, now)).await?;
    let known = rows.into_iter().filter_map(|(name,)| name.parse().ok());
    Ok(known.collect())
}

/// What is demanded of whoever works on a ticket, by its tier and its customer's contract.
pub async fn demanded(tx: &mut Tx, ticket: TicketId) -> Result<BTreeSet<Attribute>, StoreError> {
    let row: Option<(Option<TierSlug>, Option<String>)> =
        tx.fetch_optional(DEMANDED, (ticket,)).await?;
    let (tier, contract) = row.unwrap_or_default();
    let contract = contract.map(|text| read(&text)).transpose()?;
    let demands = tx.demands();
    Ok(demands.of(tier.as_ref(), &contract.unwrap_or_default()))
}

/// What contracts demand, of the customers whose contracts demand anything.
pub async fn contracts(tx: &mut Tx) -> Result<HashMap<CustomerId, Vec<Attribute>>, StoreError> {
    let rows: Vec<(CustomerId, String)> = tx.fetch_all(CONTRACTS, ()).await?;
    rows.into_iter()
        .map(|(id, text)| Ok((id, read(&text)?)))
        .collect()
}

fn read(text: &str) -> Result<Vec<Attribute>, StoreError> {
    serde_json::from_str(text).map_err(|fault| StoreError::Inconsistent {
        table: "customers",
        detail: format!("staff_attributes: {fault}"),
    })
}

/// When each actor of the audit trail last did anything.
pub async fn last_acts(tx: &mut Tx) -> Result<HashMap<String, Timestamp>, StoreError> {
    let rows: Vec<(String, Timestamp)> = tx.fetch_all(LAST_ACTS, ()).await?;
    Ok(rows.into_iter().collect())
}
