//! Staff rows.

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::StaffId,
    permit::{ChangesStaff, Permit},
    staff::{Role, Staff, StaffStatus},
};

statements! {
    FIND_BY_OS_USER = Sql::same(
        "SELECT id, name, os_user, role, status, created_at FROM staff WHERE os_user = $1");
    FIND_BY_NAME = Sql::same(
        "SELECT id, name, os_user, role, status, created_at FROM staff WHERE name = $1");
    LIST = Sql::same(
        "SELECT id, name, os_user, role, status, created_at FROM staff ORDER BY name");
    COUNT = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM staff");
    INSERT = Sql::same(
        "INSERT INTO staff (id, name, os_user, role, status, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING");
}

record! {
    struct Row {
        id: StaffId,
        name: String,
        os_user: Option<String>,
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
            role,
            status,
            created_at,
        } = row;
        Self {
            id,
            name,
            os_user,
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
        staff.role,
        staff.status,
        staff.created_at,
    );
    Ok(permit.change().execute(INSERT, values).await? == 1)
}
