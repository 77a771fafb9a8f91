//! What is attested of people: by whom, on what grounds, until when.

use serde::Serialize;

use super::get;
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    permit::{Actor, AttestStaff, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    staff::{Attribute, GrantKind, StaffStatus},
    store::{
        audit::{self, Change},
        staff,
    },
};

/// Something that is attested of somebody, or no longer is.
#[derive(Clone, Debug, Serialize)]
pub struct Attested {
    /// Of whom.
    pub name: String,
    /// What.
    pub attribute: Attribute,
    /// Until when; `None` when it was taken back.
    pub until: Option<Timestamp>,
    /// By whom.
    pub by: String,
}

/// Attests something of somebody until a day on which it must be looked at again. Once more with another
/// day renews it. Nobody attests anything of themselves while others could.
pub async fn attest(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    attribute: Attribute,
    until: Timestamp,
    grounds: Option<String>,
) -> Result<Attested, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, AttestStaff, Subject::Desk).await?;
    let everybody = staff::list(&mut permit).await?;
    let whom = get(&everybody, name)?;
    if whom.status != StaffStatus::Active {
        let message = format!("{name} is disabled; nothing was attested");
        return Err(Refusal::invalid(message).into());
    }
    if until <= permit.now() {
        return Err(Refusal::invalid(format!("{until} is past; nothing was attested")).into());
    }
    if permit.staff() == Some(whom.id) && !staff::is_alone(&mut permit).await? {
        let message = "nobody attests anything of themselves; nothing was attested";
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("ask another admin")
            .into());
    }
    let renewed = Some("renewed".to_owned());
    let (kind, text) = (GrantKind::Attribute, attribute.as_str());
    staff::remove_grant(&mut permit, whom.id, kind, text, renewed).await?;
    staff::insert_grant(
        &mut permit,
        whom.id,
        kind,
        text,
        grounds.clone(),
        Some(until),
    )
    .await?;
    let by = permit.actor().to_owned();
    let change = Change::to(format!("staff:{name}"))
        .with("attested", text)
        .with("until", until.to_string())
        .with("grounds", grounds.unwrap_or_default());
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(Attested {
        name: name.to_owned(),
        attribute,
        until: Some(until),
        by,
    })
}

/// Takes an attestation back, at once.
pub async fn revoke(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    attribute: Attribute,
    reason: Option<String>,
) -> Result<Attested, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, AttestStaff, Subject::Desk).await?;
    let everybody = staff::list(&mut permit).await?;
    let whom = get(&everybody, name)?;
    let (kind, text) = (GrantKind::Attribute, attribute.as_str());
    if !staff::remove_grant(&mut permit, whom.id, kind, text, reason.clone()).await? {
        let what = format!("attribute {attribute} of");
        return Err(Refusal::not_found(&what, name)
            .with_hint("tierdesk staff review")
            .into());
    }
    let by = permit.actor().to_owned();
    let change = Change::to(format!("staff:{name}"))
        .with("no longer attested", text)
        .with("reason", reason.unwrap_or_default());
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(Attested {
        name: name.to_owned(),
        attribute,
        until: None,
        by,
    })
}
