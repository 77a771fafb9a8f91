//! What finding a fault needs to look at, for admins.

use super::{Desk, Error};
use crate::{
    permit::{Actor, Diagnose, Subject, authorise},
    store::{StoreError, blobs, inbox, staff},
};

/// The raw bytes of the newest mails that came by roads on which another server checks senders, newest
/// first, and how many there were whose bytes could not be read. For their headers: nothing of a mail
/// is shown.
pub async fn recent_mail(
    desk: &Desk,
    actor: &Actor,
    limit: i64,
) -> Result<(Vec<Vec<u8>>, usize), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, Diagnose, Subject::Desk).await?;
    let (mut mails, mut unreadable) = (Vec::new(), 0);
    for blob in inbox::recent_blobs(&mut permit, limit).await? {
        match blobs::open(&mut permit, blob).await {
            Ok(raw) => mails.push(raw),
            Err(error @ (StoreError::Busy(_) | StoreError::Unavailable(_))) => {
                return Err(error.into());
            }
            Err(_) => unreadable += 1,
        }
    }
    Ok((mails, unreadable))
}

/// How many active members the staff has.
pub async fn staff_count(desk: &Desk, actor: &Actor) -> Result<usize, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, Diagnose, Subject::Desk).await?;
    let all = staff::list(&mut permit).await?;
    let is_active = |one: &&crate::staff::Staff| one.status == crate::staff::StaffStatus::Active;
    Ok(all.iter().filter(is_active).count())
}
