//! A customer's part of the trail as a file that proves itself ([`crate::audit::export`]).

use std::io;

use serde::Serialize;

use super::seal_all;
use crate::{
    audit::export::{FORMAT, Header, Line},
    clock::Timestamp,
    customers::Slug,
    desk::{Desk, Error, customers},
    permit::{Actor, ExportAudit, Subject, authorise},
    refusal::Refusal,
    store::audit::{self, Change},
};

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    /// Whose part it is.
    pub customer: Slug,
    /// Entries of the customer's.
    pub entries: u64,
    /// Entries of others between them, as hashes.
    pub others: u64,
    /// The number of the first entry.
    pub first: i64,
    /// The number of the last entry.
    pub last: i64,
    /// The link of the last entry.
    pub head: String,
}

/// Writes the entries about a customer, their tickets and onboardings of `from..to`, line by line. That it
/// was done is in the trail first.
pub async fn export(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    from: Timestamp,
    to: Timestamp,
    mut write: impl FnMut(&str) -> io::Result<()> + Send,
) -> Result<Result<Exported, io::Error>, Error> {
    let customer = {
        let mut tx = desk.database.begin_write().await?;
        let mut permit = authorise(&mut tx, actor, ExportAudit, Subject::Desk).await?;
        let customer = customers::get(&mut permit, slug).await?;
        let change = Change::to(format!("customer:{}", customer.slug))
            .with("from", from.to_string())
            .with("to", to.to_string());
        audit::append(&mut permit, vec![change]).await?;
        tx.commit().await?;
        customer
    };
    seal_all(desk).await?;
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ExportAudit, Subject::Desk).await?;
    let Some((first, last)) = audit::range(&mut permit, from, to).await? else {
        let what = format!("audit entry from {from} to {to} for");
        return Err(Refusal::not_found(&what, &customer.slug).into());
    };
    let own = audit::subjects_of(&mut permit, customer.id, &customer.slug).await?;
    let hex = |hash: Vec<u8>| data_encoding::HEXLOWER.encode(&hash);
    let before = match first {
        1 => vec![0; 32],
        _ => audit::chain_hash_at(&mut permit, first - 1)
            .await?
            .unwrap_or_default(),
    };
    let head = audit::chain_hash_at(&mut permit, last)
        .await?
        .unwrap_or_default();
    let mut exported = Exported {
        customer: customer.slug.clone(),
        entries: 0,
        others: 0,
        first,
        last,
        head: hex(head),
    };
    let header = Header {
        format: FORMAT.to_owned(),
        customer: customer.slug.to_string(),
        from,
        to,
        exported_at: permit.now(),
        first,
        last,
        before: hex(before),
        head: exported.head.clone(),
    };
    let mut put = |line: String| write(&line);
    let text = |line: &Line| serde_json::json!(line).to_string();
    if let Err(fault) = put(serde_json::json!(header).to_string()) {
        return Ok(Err(fault));
    }
    let mut after = first - 1;
    while after < last {
        let page = audit::sealed_page(&mut permit, after, last).await?;
        let Some((seq, ..)) = page.last() else { break };
        after = *seq;
        for (seq, entry, content) in page {
            let since = own.get(&entry.subject);
            let is_theirs = since.is_some_and(|since| since.is_none_or(|since| entry.at > since));
            let is_own = is_theirs && entry.at >= from && entry.at < to;
            let line = if is_own {
                exported.entries += 1;
                Line::Own { seq, entry }
            } else {
                exported.others += 1;
                Line::other(seq, &content)
            };
            if let Err(fault) = put(text(&line)) {
                return Ok(Err(fault));
            }
        }
    }
    Ok(Ok(exported))
}
