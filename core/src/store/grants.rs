//! What mail providers granted us: one refresh token an account, sealed under the desk's own key.

use super::{
    Sql, StoreError, Tx, blobs,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::BlobKeyId,
    mail::Provider,
    permit::{ConnectsMail, KeepsMailboxes, Permit},
};

statements! {
    FIND = Sql::same(
        "SELECT key_id, sealed FROM oauth_grants WHERE provider = $1 AND account = $2");
    LIST = Sql::same(
        "SELECT provider, account, scope, granted_at, refreshed_at, refused FROM oauth_grants
         ORDER BY provider, account");
    PUT = Sql::same(
        "INSERT INTO oauth_grants (provider, account, key_id, sealed, scope, granted_at, refreshed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (provider, account) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed,
            scope = excluded.scope, granted_at = excluded.granted_at,
            refreshed_at = excluded.refreshed_at, refused = NULL");
    RENEW = Sql::same(
        "UPDATE oauth_grants SET key_id = $3, sealed = $4, refreshed_at = $5, refused = NULL
         WHERE provider = $1 AND account = $2");
    REFUSED = Sql::same(
        "UPDATE oauth_grants SET refused = $3 WHERE provider = $1 AND account = $2");
}

record! {
    struct SealedRow {
        key_id: BlobKeyId,
        sealed: Vec<u8>,
    }
}

record! {
    /// A grant, without its token.
    #[derive(Clone, Debug)]
    pub struct Grant {
        /// Whose.
        pub provider: Provider,
        /// The login name that it lets in.
        pub account: String,
        /// What it is good for.
        pub scope: String,
        /// When somebody agreed to it.
        pub granted_at: Timestamp,
        /// When it last gave a token.
        pub refreshed_at: Timestamp,
        /// Why it gives none any more.
        pub refused: Option<String>,
    }
}

fn context(provider: Provider, account: &str) -> String {
    format!("oauth:{provider}:{account}")
}

/// The refresh token for an account.
pub async fn find_token(
    tx: &mut Tx,
    provider: Provider,
    account: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<SealedRow> = tx
        .fetch_optional(FIND, (provider, account.to_owned()))
        .await?;
    match row {
        Some(row) => {
            let context = context(provider, account);
            let token = blobs::open_own(tx, &context, row.key_id, &row.sealed).await?;
            Ok(Some(token))
        }
        None => Ok(None),
    }
}

/// Every grant.
pub async fn list(tx: &mut Tx) -> Result<Vec<Grant>, StoreError> {
    tx.fetch_all(LIST, ()).await
}

/// Keeps a grant, in the place of an older one for the account. Returns whether it was kept: without
/// a master key it is not.
pub async fn put<A: ConnectsMail>(
    permit: &mut Permit<'_, A>,
    provider: Provider,
    account: &str,
    token: &str,
    scope: &str,
) -> Result<bool, StoreError> {
    let context = context(provider, account);
    let Some((key, sealed)) = blobs::seal_own(permit, &context, token.as_bytes()).await? else {
        return Ok(false);
    };
    let now = permit.now();
    let (account, scope) = (account.to_owned(), scope.to_owned());
    let values = (provider, account, key, sealed, scope, now);
    permit
        .change()
        .execute_one("oauth_grants", PUT, values)
        .await?;
    Ok(true)
}

/// Keeps the token that takes an older one's place.
pub async fn renew<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    provider: Provider,
    account: &str,
    token: &str,
) -> Result<(), StoreError> {
    let context = context(provider, account);
    let sealed = blobs::seal_own(permit, &context, token.as_bytes()).await?;
    let Some((key, sealed)) = sealed else {
        return Err(StoreError::Sealed("store.key_file is not set".to_owned()));
    };
    let now = permit.now();
    let values = (provider, account.to_owned(), key, sealed, now);
    permit.execute(RENEW, values).await.map(|_| ())
}

/// Writes down that the provider takes the token no more.
pub async fn mark_as_refused<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    provider: Provider,
    account: &str,
    reason: String,
) -> Result<(), StoreError> {
    let values = (provider, account.to_owned(), reason);
    permit.execute(REFUSED, values).await.map(|_| ())
}
