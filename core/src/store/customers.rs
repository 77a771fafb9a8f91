//! Directory rows: customers, their domains and contacts.

pub mod lookup;

use std::collections::{BTreeMap, HashMap};

use super::{
    IdList, Sql, StoreError, TextList, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    customers::{
        AccountId, Contact, Customer, CustomerStatus, DomainName, EmailAddress, Prefix, Slug,
        lookalike,
    },
    ids::{ContactId, CustomerId},
    permit::{ChangesDirectory, Permit},
    staff::Attribute,
    tiers::TierSlug,
};

/// The columns of [`CustomerRow`].
macro_rules! customer_columns {
    () => {
        "k.id, k.slug, k.name, k.tier, k.framework, k.status, k.prefix, k.account_id, k.ou,
         k.monthly_price_cents, k.include_subdomains, k.staff_attributes, k.tags, k.created_at, k.updated_at, k.version"
    };
}

statements! {
    LIST = Sql::same(concat!("SELECT ", customer_columns!(), " FROM customers k ORDER BY k.slug"));
    GET = Sql::same(concat!("SELECT ", customer_columns!(), " FROM customers k WHERE k.id = $1"));
    FIND_BY_SLUG = Sql::same(concat!("SELECT ", customer_columns!(), " FROM customers k WHERE k.slug = $1"));
    LIST_BY_ID = Sql::per_backend(
        concat!("SELECT ", customer_columns!(), " FROM customers k
            WHERE k.id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY k.slug"),
        concat!("SELECT ", customer_columns!(), " FROM customers k WHERE k.id = ANY($1) ORDER BY k.slug"));
    /// Matches a folded word anywhere in names and handles, in a domain, in a contact.
    SEARCH = Sql::per_backend(
        concat!("SELECT ", customer_columns!(), " FROM customers k
            WHERE instr(k.search_text, $1) > 0
               OR k.id IN (SELECT d.customer_id FROM customer_domains d WHERE instr(d.domain, $1) > 0)
               OR k.id IN (SELECT c.customer_id FROM contacts c WHERE instr(c.address, $1) > 0)
            ORDER BY CASE WHEN k.slug = $1 OR k.prefix = $1 OR k.account_id = $1 THEN 0 ELSE 1 END, k.slug
            LIMIT $2"),
        concat!("SELECT ", customer_columns!(), " FROM customers k
            WHERE strpos(k.search_text, $1) > 0
               OR k.id IN (SELECT d.customer_id FROM customer_domains d WHERE strpos(d.domain, $1) > 0)
               OR k.id IN (SELECT c.customer_id FROM contacts c WHERE strpos(c.address, $1) > 0)
            ORDER BY CASE WHEN k.slug = $1 OR k.prefix = $1 OR k.account_id = $1 THEN 0 ELSE 1 END, k.slug
            LIMIT $2"));
    IDS_OF_TIER = Sql::same("SELECT id FROM customers WHERE tier = $1 ORDER BY slug");
    SLUGS = Sql::same("SELECT slug FROM customers ORDER BY slug");
    TIERS_IN_USE = Sql::same(
        "SELECT tier, CAST(COUNT(*) AS BIGINT) AS customers FROM customers GROUP BY tier ORDER BY tier");
    COUNT = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM customers");
    ALL_DOMAINS = Sql::same("SELECT customer_id, domain FROM customer_domains ORDER BY domain");
    DOMAINS_OF = Sql::per_backend(
        "SELECT customer_id, domain FROM customer_domains
         WHERE customer_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY domain",
        "SELECT customer_id, domain FROM customer_domains WHERE customer_id = ANY($1) ORDER BY domain");
    ALL_CONTACTS = Sql::same("SELECT id, customer_id, address, name, role FROM contacts ORDER BY address");
    CONTACTS_OF = Sql::per_backend(
        "SELECT id, customer_id, address, name, role FROM contacts
         WHERE customer_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY address",
        "SELECT id, customer_id, address, name, role FROM contacts WHERE customer_id = ANY($1) ORDER BY address");
    INSERT = Sql::same(
        "INSERT INTO customers (id, slug, name, search_text, tier, framework, status, prefix, account_id, ou,
            monthly_price_cents, include_subdomains, staff_attributes, tags, created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, 1)");
    UPDATE = Sql::same(
        "UPDATE customers SET slug = $2, name = $3, search_text = $4, tier = $5, framework = $6, status = $7,
            prefix = $8, account_id = $9, ou = $10, monthly_price_cents = $11, include_subdomains = $12,
            staff_attributes = $13, tags = $14, updated_at = $15, version = version + 1
         WHERE id = $1 AND version = $16");
    DELETE_DOMAINS = Sql::per_backend(
        "DELETE FROM customer_domains WHERE domain IN (SELECT value FROM json_each($1))",
        "DELETE FROM customer_domains WHERE domain = ANY($1)");
    DELETE_CONTACTS = Sql::per_backend(
        "DELETE FROM contacts WHERE address IN (SELECT value FROM json_each($1))",
        "DELETE FROM contacts WHERE address = ANY($1)");
    ATTEST_TLS = Sql::same(
        "UPDATE customer_domains SET tls_attested_by = $3, tls_attested_at = $4
         WHERE customer_id = $1 AND domain = $2");
}

record! {
    struct CustomerRow {
        id: CustomerId,
        slug: Slug,
        name: String,
        tier: TierSlug,
        framework: Option<String>,
        status: CustomerStatus,
        prefix: Option<Prefix>,
        account_id: Option<AccountId>,
        ou: Option<String>,
        monthly_price_cents: Option<i64>,
        include_subdomains: bool,
        staff_attributes: String,
        tags: String,
        created_at: Timestamp,
        updated_at: Timestamp,
        version: i64,
    }
}

record! {
    struct DomainRow {
        customer_id: CustomerId,
        domain: DomainName,
    }
}

record! {
    struct ContactRow {
        id: ContactId,
        customer_id: CustomerId,
        address: EmailAddress,
        name: Option<String>,
        role: Option<String>,
    }
}

impl CustomerRow {
    fn assemble(
        self,
        domains: Vec<DomainName>,
        contacts: Vec<Contact>,
    ) -> Result<Customer, StoreError> {
        let tags: BTreeMap<String, String> =
            serde_json::from_str(&self.tags).map_err(|fault| StoreError::Inconsistent {
                table: "customers",
                detail: format!("{}: {fault}", self.slug),
            })?;
        let staff_attributes: Vec<Attribute> = serde_json::from_str(&self.staff_attributes)
            .map_err(|fault| StoreError::Inconsistent {
                table: "customers",
                detail: format!("{}: {fault}", self.slug),
            })?;
        let Self {
            id,
            slug,
            name,
            tier,
            framework,
            status,
            prefix,
            account_id,
            ou,
            ..
        } = self;
        Ok(Customer {
            id,
            slug,
            name,
            tier,
            framework,
            status,
            prefix,
            account_id,
            ou,
            monthly_price_cents: self.monthly_price_cents,
            include_subdomains: self.include_subdomains,
            staff_attributes,
            tags,
            domains,
            contacts,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

/// Adds domains and contacts to rows, in sets.
async fn complete(
    tx: &mut Tx,
    rows: Vec<CustomerRow>,
    is_all: bool,
) -> Result<Vec<Customer>, StoreError> {
    let (domains, contacts): (Vec<DomainRow>, Vec<ContactRow>) = if is_all {
        (
            tx.fetch_all(ALL_DOMAINS, ()).await?,
            tx.fetch_all(ALL_CONTACTS, ()).await?,
        )
    } else {
        let ids = IdList(rows.iter().map(|row| row.id.0).collect());
        let domains = tx.fetch_all(DOMAINS_OF, (ids.clone(),)).await?;
        (domains, tx.fetch_all(CONTACTS_OF, (ids,)).await?)
    };
    let mut domains_of: HashMap<CustomerId, Vec<DomainName>> = HashMap::new();
    for row in domains {
        domains_of
            .entry(row.customer_id)
            .or_default()
            .push(row.domain);
    }
    let mut contacts_of: HashMap<CustomerId, Vec<Contact>> = HashMap::new();
    for ContactRow {
        id,
        customer_id,
        address,
        name,
        role,
    } in contacts
    {
        contacts_of.entry(customer_id).or_default().push(Contact {
            id,
            address,
            name,
            role,
        });
    }
    rows.into_iter()
        .map(|row| {
            let domains = domains_of.remove(&row.id).unwrap_or_default();
            let contacts = contacts_of.remove(&row.id).unwrap_or_default();
            row.assemble(domains, contacts)
        })
        .collect()
}

/// Every customer, by slug.
pub async fn list(tx: &mut Tx) -> Result<Vec<Customer>, StoreError> {
    let rows = tx.fetch_all(LIST, ()).await?;
    complete(tx, rows, true).await
}

/// The customers with these ids, by slug.
pub async fn list_by_id(tx: &mut Tx, ids: &[CustomerId]) -> Result<Vec<Customer>, StoreError> {
    let rows = tx
        .fetch_all(LIST_BY_ID, (IdList(ids.iter().map(|id| id.0).collect()),))
        .await?;
    complete(tx, rows, false).await
}

/// Customers whose names, handles, domains or contacts contain `folded`; exact handles first.
pub async fn search(tx: &mut Tx, folded: &str, limit: i64) -> Result<Vec<Customer>, StoreError> {
    let rows = tx.fetch_all(SEARCH, (folded.to_owned(), limit)).await?;
    complete(tx, rows, false).await
}

/// The customer with this handle.
pub async fn find_by_slug(tx: &mut Tx, slug: &Slug) -> Result<Option<Customer>, StoreError> {
    let rows = tx.fetch_all(FIND_BY_SLUG, (slug.clone(),)).await?;
    Ok(complete(tx, rows, false).await?.pop())
}

/// The customer with this id.
pub async fn get(tx: &mut Tx, id: CustomerId) -> Result<Customer, StoreError> {
    let rows = tx.fetch_all(GET, (id,)).await?;
    complete(tx, rows, false)
        .await?
        .pop()
        .ok_or_else(|| StoreError::Inconsistent {
            table: "customers",
            detail: format!("{id} is referred to and missing"),
        })
}

/// Every handle, for suggestions.
pub async fn slugs(tx: &mut Tx) -> Result<Vec<Slug>, StoreError> {
    Ok(tx
        .fetch_all::<(Slug,)>(SLUGS, ())
        .await?
        .into_iter()
        .map(|(slug,)| slug)
        .collect())
}

/// How many customers there are.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.fetch_one::<(i64,)>("customers", COUNT, ()).await?.0)
}

/// The tiers that customers have, with their number.
pub async fn tiers_in_use(tx: &mut Tx) -> Result<Vec<(TierSlug, i64)>, StoreError> {
    tx.fetch_all(TIERS_IN_USE, ()).await
}

fn tags_text(customer: &Customer) -> String {
    serde_json::to_string(&customer.tags).expect("a map of texts is JSON")
}

/// Adds a customer with its domains and contacts. Unique values must be free.
pub async fn insert<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    customer: &Customer,
) -> Result<(), StoreError> {
    let c = customer.clone();
    let (search_text, tags) = (customer.search_text(), tags_text(customer));
    let asked = serde_json::json!(c.staff_attributes).to_string();
    let values = (
        c.id,
        c.slug,
        c.name,
        search_text,
        c.tier,
        c.framework,
        c.status,
        c.prefix,
        c.account_id,
        c.ou,
        c.monthly_price_cents,
        c.include_subdomains,
        asked,
        tags,
        c.created_at,
    );
    permit
        .change()
        .execute_one("customers", INSERT, values)
        .await?;
    insert_domains(permit, customer.id, &customer.domains).await?;
    insert_contacts(permit, customer.id, customer.contacts.clone()).await
}

/// Writes a customer's own columns, not domains and contacts. The version must be the one read.
pub async fn update<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    customer: &Customer,
) -> Result<(), StoreError> {
    let c = customer.clone();
    let (search_text, tags, now) = (customer.search_text(), tags_text(customer), permit.now());
    let asked = serde_json::json!(c.staff_attributes).to_string();
    let values = (
        c.id,
        c.slug,
        c.name,
        search_text,
        c.tier,
        c.framework,
        c.status,
        c.prefix,
        c.account_id,
        c.ou,
        c.monthly_price_cents,
        c.include_subdomains,
        asked,
        tags,
        now,
        c.version,
    );
    permit
        .change()
        .execute_one("customers", UPDATE, values)
        .await
}

pub(super) struct NewDomain(CustomerId, DomainName, Timestamp);

impl BulkRow for NewDomain {
    const TABLE: &'static str = "customer_domains";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("domain", Kind::Text),
        ("customer_id", Kind::Id),
        ("created_at", Kind::Time),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.1.as_str().into(), self.0.0.into(), self.2.into()]);
    }
}

pub(super) struct NewVariant(String, DomainName);

impl BulkRow for NewVariant {
    const TABLE: &'static str = "domain_variants";
    const COLUMNS: &'static [(&'static str, Kind)] =
        &[("variant", Kind::Text), ("domain", Kind::Text)];
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.0.into(), self.1.as_str().into()]);
    }
}

/// Gives domains to a customer, with the variants by which look-alikes are found.
pub async fn insert_domains<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    customer: CustomerId,
    domains: &[DomainName],
) -> Result<(), StoreError> {
    let now = permit.now();
    let rows = domains
        .iter()
        .map(|domain| NewDomain(customer, domain.clone(), now))
        .collect();
    let variants = domains.iter().flat_map(|domain| {
        lookalike::variants(domain)
            .into_iter()
            .map(|variant| NewVariant(variant, domain.clone()))
    });
    let variants = variants.collect();
    permit.insert_all::<NewDomain>(rows).await?;
    permit.insert_all::<NewVariant>(variants).await?;
    Ok(())
}

/// Takes domains from whoever has them.
pub async fn delete_domains<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    domains: &[DomainName],
) -> Result<u64, StoreError> {
    let names: TextList = domains.iter().map(DomainName::as_str).collect();
    permit.change().execute(DELETE_DOMAINS, (names,)).await
}

pub(super) struct NewContact(CustomerId, Contact, Timestamp);

impl BulkRow for NewContact {
    const TABLE: &'static str = "contacts";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("customer_id", Kind::Id),
        ("address", Kind::Text),
        ("name", Kind::Text),
        ("role", Kind::Text),
        ("created_at", Kind::Time),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        let Self(customer, contact, at) = self;
        out.extend([
            contact.id.0.into(),
            customer.0.into(),
            contact.address.as_str().into(),
        ]);
        out.extend([contact.name.into(), contact.role.into(), at.into()]);
    }
}

/// Says, or takes back, that the mail servers of a customer's domain take mail over verified TLS. Returns
/// whether the domain is the customer's.
pub async fn attest_tls<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    customer: CustomerId,
    domain: &DomainName,
    is_attested: bool,
) -> Result<bool, StoreError> {
    let (by, at) = if is_attested {
        (Some(permit.actor().to_owned()), Some(permit.now()))
    } else {
        (None, None)
    };
    let values = (customer, domain.to_string(), by, at);
    Ok(permit.change().execute(ATTEST_TLS, values).await? == 1)
}

/// Gives contacts to a customer.
pub async fn insert_contacts<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    customer: CustomerId,
    contacts: Vec<Contact>,
) -> Result<(), StoreError> {
    let now = permit.now();
    let rows = contacts
        .into_iter()
        .map(|contact| NewContact(customer, contact, now))
        .collect();
    permit.insert_all::<NewContact>(rows).await.map(|_| ())
}

/// Takes contacts from whoever has them.
pub async fn delete_contacts<A: ChangesDirectory>(
    permit: &mut Permit<'_, A>,
    addresses: &[EmailAddress],
) -> Result<u64, StoreError> {
    let addresses: TextList = addresses.iter().map(EmailAddress::as_str).collect();
    permit.change().execute(DELETE_CONTACTS, (addresses,)).await
}

/// The ids of this tier's customers, by handle.
pub async fn ids_of_tier(tx: &mut Tx, tier: &TierSlug) -> Result<Vec<CustomerId>, StoreError> {
    let rows = tx.fetch_all(IDS_OF_TIER, (tier.clone(),)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
