//! What becomes of a mail on the server once it is with us. It is done after the commit, and noted as
//! due in it: a crash in between repeats the marking and nothing else.

use tierdesk_core::settings::AfterFetch;

use super::{
    error::ImapError,
    notation::{quoted, uid_set},
    session::Session,
};

/// The most UIDs that stay noted while a server refuses to mark.
const NOTED: usize = 2_000;

/// Marks or moves these mails. UIDs that are gone do no harm.
pub(super) async fn mark(
    session: &mut Session,
    after: &AfterFetch,
    uids: &str,
) -> Result<(), ImapError> {
    match after {
        AfterFetch::Leave => Ok(()),
        AfterFetch::Flag => {
            let command = format!("UID STORE {uids} +FLAGS.SILENT (\\Seen)");
            session.run(&command, "marking mail as seen").await
        }
        AfterFetch::Move(folder) => {
            let folder = quoted(folder)?;
            match relocate(session, uids, &folder).await {
                // Most likely there is no such folder yet.
                Err(error) if error.is_refusal() => {
                    let command = format!("CREATE {folder}");
                    match session.run(&command, "making the folder to move to").await {
                        Ok(()) => relocate(session, uids, &folder).await,
                        Err(_) => Err(error),
                    }
                }
                other => other,
            }
        }
    }
}

async fn relocate(session: &mut Session, uids: &str, folder: &str) -> Result<(), ImapError> {
    let doing = "moving mail";
    if session.can("MOVE") {
        let command = format!("UID MOVE {uids} {folder}");
        return session.run(&command, doing).await;
    }
    let copy = format!("UID COPY {uids} {folder}");
    session.run(&copy, doing).await?;
    let delete = format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)");
    session.run(&delete, doing).await?;
    // Without UIDPLUS only everybody's deleted mail can be removed, which is not ours to do.
    if session.can("UIDPLUS") {
        let expunge = format!("UID EXPUNGE {uids}");
        session.run(&expunge, doing).await?;
    }
    Ok(())
}

/// The note of those due before and those due now.
pub(super) fn noted(before: &str, now: impl IntoIterator<Item = u32>) -> String {
    let mut uids = read_set(before);
    uids.extend(now);
    uids.sort_unstable();
    uids.dedup();
    let from = uids.len().saturating_sub(NOTED);
    uid_set(uids.split_off(from))
}

/// Reads a set of ours.
fn read_set(set: &str) -> Vec<u32> {
    let mut uids = Vec::new();
    for part in set.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            uids.extend((first..=last).take(NOTED));
        }
    }
    uids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_adds_up_and_stays_bounded() {
        assert_eq!(noted("", [4, 5]), "4:5");
        assert_eq!(noted("4:5,9", [6, 10]), "4:6,9:10");
        assert_eq!(noted("1:2000", [2_001]), "2:2001");
    }
}
