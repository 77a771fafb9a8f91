//! Finding owners in sets: of addresses, domains and handles.

use std::collections::{HashMap, HashSet};

use super::super::{
    IdList, Sql, StoreError, TextList, Tx,
    sql::{record, statements},
};
use crate::{
    customers::{
        AccountId, CustomerStatus, DomainName, EmailAddress, Prefix, Slug,
        matching::{CustomerRef, Directory, Wanted},
    },
    ids::CustomerId,
    tiers::TierSlug,
};

statements! {
    BY_CONTACT = Sql::per_backend(
        "SELECT c.address AS key, k.id, k.slug, k.name, k.tier, k.framework, k.status, k.include_subdomains
         FROM contacts c JOIN customers k ON k.id = c.customer_id
         WHERE c.address IN (SELECT value FROM json_each($1))",
        "SELECT c.address AS key, k.id, k.slug, k.name, k.tier, k.framework, k.status, k.include_subdomains
         FROM contacts c JOIN customers k ON k.id = c.customer_id WHERE c.address = ANY($1)");
    BY_DOMAIN = Sql::per_backend(
        "SELECT d.domain AS key, k.id, k.slug, k.name, k.tier, k.framework, k.status, k.include_subdomains
         FROM customer_domains d JOIN customers k ON k.id = d.customer_id
         WHERE d.domain IN (SELECT value FROM json_each($1))",
        "SELECT d.domain AS key, k.id, k.slug, k.name, k.tier, k.framework, k.status, k.include_subdomains
         FROM customer_domains d JOIN customers k ON k.id = d.customer_id WHERE d.domain = ANY($1)");
    ROBOTS = Sql::per_backend(
        "SELECT address FROM contacts WHERE role = 'robot' AND address IN (SELECT value FROM json_each($1))",
        "SELECT address FROM contacts WHERE role = 'robot' AND address = ANY($1)");
    TLS_ATTESTED = Sql::per_backend(
        "SELECT domain FROM customer_domains
         WHERE tls_attested_at IS NOT NULL AND domain IN (SELECT value FROM json_each($1))",
        "SELECT domain FROM customer_domains WHERE tls_attested_at IS NOT NULL AND domain = ANY($1)");
    BY_VARIANT = Sql::per_backend(
        "SELECT v.variant, v.domain, k.slug
         FROM domain_variants v JOIN customer_domains d ON d.domain = v.domain
         JOIN customers k ON k.id = d.customer_id
         WHERE v.variant IN (SELECT value FROM json_each($1)) ORDER BY v.domain",
        "SELECT v.variant, v.domain, k.slug
         FROM domain_variants v JOIN customer_domains d ON d.domain = v.domain
         JOIN customers k ON k.id = d.customer_id
         WHERE v.variant = ANY($1) ORDER BY v.domain");
    SLUGS_OF = Sql::per_backend(
        "SELECT id, slug FROM customers WHERE id IN (SELECT unhex(value) FROM json_each($1))",
        "SELECT id, slug FROM customers WHERE id = ANY($1)");
    BY_HANDLE = Sql::same(
        "SELECT id, slug, prefix, account_id FROM customers WHERE slug = $1 OR prefix = $2 OR account_id = $3");
}

record! {
    struct RefRow {
        key: String,
        id: CustomerId,
        slug: Slug,
        name: String,
        tier: TierSlug,
        framework: Option<String>,
        status: CustomerStatus,
        include_subdomains: bool,
    }
}

record! {
    struct VariantRow {
        variant: String,
        domain: DomainName,
        slug: Slug,
    }
}

record! {
    /// A customer that already holds a handle.
    pub struct Holder {
        /// Its id.
        pub id: CustomerId,
        /// Its slug.
        pub slug: Slug,
        /// Its prefix.
        pub prefix: Option<Prefix>,
        /// Its account.
        pub account_id: Option<AccountId>,
    }
}

impl RefRow {
    fn split(self) -> (String, CustomerRef) {
        let Self {
            key,
            id,
            slug,
            name,
            tier,
            framework,
            status,
            include_subdomains,
        } = self;
        (
            key,
            CustomerRef {
                id,
                slug,
                name,
                tier,
                framework,
                status,
                include_subdomains,
            },
        )
    }
}

/// Those of these domains of which somebody said that their servers take mail over verified TLS.
pub async fn tls_attested(
    tx: &mut Tx,
    domains: impl IntoIterator<Item = String>,
) -> Result<HashSet<String>, StoreError> {
    let names = TextList(domains.into_iter().collect());
    if names.0.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<(String,)> = tx.fetch_all(TLS_ATTESTED, (names,)).await?;
    Ok(rows.into_iter().map(|(domain,)| domain).collect())
}

/// Loads the part of the directory that deciding `wanted` needs: three queries, whatever the size.
pub async fn directory(tx: &mut Tx, wanted: Wanted) -> Result<Directory, StoreError> {
    let Wanted {
        addresses,
        domains,
        variants,
    } = wanted;
    let mut directory = Directory {
        contacts: contact_owners(tx, addresses).await?,
        domains: domain_owners(tx, domains).await?,
        ..Directory::default()
    };
    let rows: Vec<VariantRow> = tx.fetch_all(BY_VARIANT, (TextList(variants),)).await?;
    for VariantRow {
        variant,
        domain,
        slug,
    } in rows
    {
        directory
            .variants
            .entry(variant)
            .or_default()
            .push((domain, slug));
    }
    Ok(directory)
}

/// Those of these senders that are declared robots: contacts whose role is `robot`.
pub async fn robots<'s>(
    tx: &mut Tx,
    senders: impl Iterator<Item = &'s EmailAddress>,
) -> Result<HashSet<String>, StoreError> {
    let addresses: TextList = senders.map(EmailAddress::as_str).collect();
    let rows: Vec<(String,)> = tx.fetch_all(ROBOTS, (addresses,)).await?;
    Ok(rows.into_iter().map(|(address,)| address).collect())
}

/// Who has these contact addresses.
pub async fn contact_owners(
    tx: &mut Tx,
    addresses: Vec<String>,
) -> Result<HashMap<EmailAddress, CustomerRef>, StoreError> {
    let rows: Vec<RefRow> = tx.fetch_all(BY_CONTACT, (TextList(addresses),)).await?;
    Ok(rows
        .into_iter()
        .map(RefRow::split)
        .filter_map(|(k, c)| Some((k.parse().ok()?, c)))
        .collect())
}

/// Who has these domains.
pub async fn domain_owners(
    tx: &mut Tx,
    domains: Vec<String>,
) -> Result<HashMap<DomainName, CustomerRef>, StoreError> {
    let rows: Vec<RefRow> = tx.fetch_all(BY_DOMAIN, (TextList(domains),)).await?;
    Ok(rows
        .into_iter()
        .map(RefRow::split)
        .filter_map(|(k, c)| Some((k.parse().ok()?, c)))
        .collect())
}

/// Who has one of these handles.
pub async fn holders(
    tx: &mut Tx,
    slug: &Slug,
    prefix: Option<&Prefix>,
    account: Option<&AccountId>,
) -> Result<Vec<Holder>, StoreError> {
    tx.fetch_all(BY_HANDLE, (slug.clone(), prefix.cloned(), account.cloned()))
        .await
}

/// The handles of these customers.
pub async fn slugs_of(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<HashMap<CustomerId, Slug>, StoreError> {
    let ids = IdList(ids.into_iter().map(|id| id.0).collect());
    if ids.0.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(CustomerId, Slug)> = tx.fetch_all(SLUGS_OF, (ids,)).await?;
    Ok(rows.into_iter().collect())
}
