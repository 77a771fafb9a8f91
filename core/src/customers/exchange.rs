//! Customers in files: TOML, JSON, CSV. Reading parses into records that cannot be wrong, or says
//! everything that is wrong with them at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AccountId, Customer, CustomerStatus, DomainName, EmailAddress, Prefix, Slug};
use crate::{named::named_enum, staff::Attribute, tiers::TierSlug};

named_enum! {
    /// How a file of customers is written.
    pub enum Format as "format" {
        /// `[[customers]]` tables.
        Toml = "toml",
        /// A list of objects, or an object with the list under `customers`.
        Json = "json",
        /// Columns slug, name, tier, domains, contacts; `;` between several.
        Csv = "csv",
    }
}

impl Format {
    /// By a file name's ending.
    pub fn of_path(path: &std::path::Path) -> Option<Self> {
        path.extension()?
            .to_str()?
            .to_ascii_lowercase()
            .parse()
            .ok()
    }
}

/// A customer as a file says it. What is absent leaves what the directory has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The handle; from the name where the file gives none.
    pub slug: Slug,
    /// The company's name.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// Mail domains to have.
    pub domains: Vec<DomainName>,
    /// The short name in AWS.
    pub prefix: Option<Prefix>,
    /// A framework that differs from the tier's.
    pub framework: Option<String>,
    /// Where they stand.
    pub status: Option<CustomerStatus>,
    /// Their AWS account.
    pub account_id: Option<AccountId>,
    /// A price that differs from the tier's.
    pub monthly_price_cents: Option<i64>,
    /// Whether sub-domains count.
    pub include_subdomains: Option<bool>,
    /// What the contract asks of staff.
    pub staff_attributes: Option<Vec<Attribute>>,
    /// Labels to have.
    pub tags: BTreeMap<String, String>,
    /// Contacts to have.
    pub contacts: Vec<ContactRecord>,
}

/// A contact as a file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRecord {
    /// Their address.
    pub address: EmailAddress,
    /// Their name.
    pub name: Option<String>,
    /// Their role.
    pub role: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    customers: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JsonFile {
    List(Vec<Raw>),
    Wrapped(File),
}

/// The shape of a record in TOML and JSON; the texts are parsed after, all faults together.
#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    name: String,
    tier: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    framework: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    monthly_price_cents: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_subdomains: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staff_attributes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<RawContact>,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct RawContact {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

/// Reads a file's text. The error lists every fault, one a line.
pub fn read(format: Format, text: &str) -> Result<Vec<Record>, Vec<String>> {
    let raws = match format {
        Format::Toml => toml::from_str::<File>(text)
            .map(|file| file.customers)
            .map_err(|fault| vec![fault.to_string().trim_end().to_owned()])?,
        Format::Json => {
            match serde_json::from_str(text).map_err(|fault| vec![fault.to_string()])? {
                JsonFile::List(list) => list,
                JsonFile::Wrapped(file) => file.customers,
            }
        }
        Format::Csv => read_csv(text)?,
    };
    let mut faults = Vec::new();
    let mut records: Vec<Record> = Vec::new();
    for (index, raw) in raws.into_iter().enumerate() {
        match parse(raw) {
            Ok(record) => records.push(record),
            Err(found) => {
                faults.extend(
                    found
                        .into_iter()
                        .map(|fault| format!("customer {}: {fault}", index + 1)),
                );
            }
        }
    }
    faults.extend(repeated(&records));
    if faults.is_empty() {
        Ok(records)
    } else {
        Err(faults)
    }
}

fn parse(raw: Raw) -> Result<Record, Vec<String>> {
    let mut faults = Vec::new();
    let mut name_fault = |text: String| faults.push(text);
    let slug = match &raw.slug {
        Some(slug) => slug.parse(),
        None => Slug::from_name(&raw.name),
    };
    let slug = slug.map_err(|fault| name_fault(fault.to_string())).ok();
    let tier: Option<TierSlug> = raw
        .tier
        .parse()
        .map_err(|_| name_fault(format!("{:?} is not a tier's name", raw.tier)))
        .ok();
    if raw.name.trim().is_empty() {
        name_fault("the name is empty".to_owned());
    }
    let mut domains = Vec::new();
    for text in &raw.domains {
        match text.parse::<DomainName>() {
            Ok(domain) if !domains.contains(&domain) => domains.push(domain),
            Ok(_) => {}
            Err(fault) => name_fault(fault.to_string()),
        }
    }
    let prefix = raw.prefix.as_deref().map(str::parse).transpose();
    let prefix = prefix.map_err(|fault: super::SlugError| name_fault(fault.to_string()));
    let status = raw.status.as_deref().map(str::parse).transpose();
    let status = status.map_err(|fault: crate::named::UnknownName| name_fault(fault.to_string()));
    let account = raw.account_id.as_deref().map(str::parse).transpose();
    let account =
        account.map_err(|fault: super::account::AccountIdError| name_fault(fault.to_string()));
    let mut staff_attributes = raw.staff_attributes.is_some().then(Vec::new);
    for text in raw.staff_attributes.unwrap_or_default() {
        match (text.parse::<Attribute>(), &mut staff_attributes) {
            (Ok(attribute), Some(asked)) => asked.push(attribute),
            (Err(fault), _) => name_fault(fault.to_string()),
            (Ok(_), None) => {}
        }
    }
    if raw.monthly_price_cents.is_some_and(|cents| cents < 0) {
        name_fault("monthly_price_cents is negative".to_owned());
    }
    let mut contacts: Vec<ContactRecord> = Vec::new();
    for RawContact {
        address,
        name,
        role,
    } in raw.contacts
    {
        match address.parse::<EmailAddress>() {
            Ok(address) if contacts.iter().all(|one| one.address != address) => {
                contacts.push(ContactRecord {
                    address,
                    name,
                    role,
                });
            }
            Ok(_) => {}
            Err(fault) => name_fault(fault.to_string()),
        }
    }
    match (slug, tier, prefix, status, account) {
        (Some(slug), Some(tier), Ok(prefix), Ok(status), Ok(account_id)) if faults.is_empty() => {
            Ok(Record {
                slug,
                name: raw.name.trim().to_owned(),
                tier,
                domains,
                prefix,
                framework: raw.framework,
                status,
                account_id,
                monthly_price_cents: raw.monthly_price_cents,
                include_subdomains: raw.include_subdomains,
                staff_attributes,
                tags: raw.tags,
                contacts,
            })
        }
        _ => Err(faults),
    }
}

/// The same unique value in two records of one file.
fn repeated(records: &[Record]) -> Vec<String> {
    let mut owners: BTreeMap<String, &Slug> = BTreeMap::new();
    let mut faults = Vec::new();
    for record in records {
        let mut values = vec![format!("slug {}", record.slug)];
        values.extend(
            record
                .prefix
                .iter()
                .map(|prefix| format!("prefix {prefix}")),
        );
        values.extend(
            record
                .account_id
                .iter()
                .map(|account| format!("account {account}")),
        );
        values.extend(
            record
                .domains
                .iter()
                .map(|domain| format!("domain {domain}")),
        );
        values.extend(
            record
                .contacts
                .iter()
                .map(|contact| format!("contact {}", contact.address)),
        );
        for value in values {
            if let Some(other) = owners.insert(value.clone(), &record.slug) {
                faults.push(format!(
                    "{value} stands twice, for {other} and {}",
                    record.slug
                ));
            }
        }
    }
    faults
}

fn read_csv(text: &str) -> Result<Vec<Raw>, Vec<String>> {
    const KNOWN: [&str; 5] = ["slug", "name", "tier", "domains", "contacts"];
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .map_err(|fault| vec![fault.to_string()])?
        .clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.eq_ignore_ascii_case(name))
    };
    let mut faults: Vec<String> = headers
        .iter()
        .filter(|header| !KNOWN.iter().any(|known| header.eq_ignore_ascii_case(known)))
        .map(|header| {
            format!(
                "unknown column {header:?}; the columns are {}",
                KNOWN.join(", ")
            )
        })
        .collect();
    for needed in ["name", "tier"] {
        if column(needed).is_none() {
            faults.push(format!("the column {needed:?} is missing"));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut raws = Vec::new();
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(fault) => {
                faults.push(fault.to_string());
                continue;
            }
        };
        let cell = |name| column(name).and_then(|at| row.get(at)).unwrap_or_default();
        let several = |name| {
            cell(name)
                .split(';')
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        raws.push(Raw {
            slug: Some(cell("slug").to_owned()).filter(|slug| !slug.is_empty()),
            name: cell("name").to_owned(),
            tier: cell("tier").to_owned(),
            domains: several("domains").map(str::to_owned).collect(),
            contacts: several("contacts")
                .map(|address| RawContact {
                    address: address.to_owned(),
                    ..RawContact::default()
                })
                .collect(),
            ..Raw::default()
        });
    }
    if faults.is_empty() {
        Ok(raws)
    } else {
        Err(faults)
    }
}

/// Writes customers so that [`read`] gives them back. CSV holds its five columns only.
pub fn write(format: Format, customers: &[Customer]) -> String {
    let raws: Vec<Raw> = customers.iter().map(raw).collect();
    match format {
        Format::Toml => toml::to_string(&File { customers: raws }).expect("records are TOML"),
        Format::Json => serde_json::to_string_pretty(&raws).expect("records are JSON") + "\n",
        Format::Csv => write_csv(&raws),
    }
}

fn raw(customer: &Customer) -> Raw {
    Raw {
        slug: Some(customer.slug.to_string()),
        name: customer.name.clone(),
        tier: customer.tier.to_string(),
        domains: customer.domains.iter().map(ToString::to_string).collect(),
        prefix: customer.prefix.as_ref().map(ToString::to_string),
        framework: customer.framework.clone(),
        status: Some(customer.status.to_string()),
        account_id: customer.account_id.as_ref().map(ToString::to_string),
        monthly_price_cents: customer.monthly_price_cents,
        include_subdomains: (!customer.include_subdomains).then_some(false),
        staff_attributes: (!customer.staff_attributes.is_empty()).then(|| {
            let asked = customer.staff_attributes.iter();
            asked.map(ToString::to_string).collect()
        }),
        tags: customer.tags.clone(),
        contacts: customer
            .contacts
            .iter()
            .map(|contact| RawContact {
                address: contact.address.to_string(),
                name: contact.name.clone(),
                role: contact.role.clone(),
            })
            .collect(),
    }
}

fn write_csv(raws: &[Raw]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["slug", "name", "tier", "domains", "contacts"].map(str::to_owned);
    let rows = raws.iter().map(|raw| {
        let contacts: Vec<&str> = raw.contacts.iter().map(|c| c.address.as_str()).collect();
        let slug = raw.slug.clone().unwrap_or_default();
        [
            slug,
            raw.name.clone(),
            raw.tier.clone(),
            raw.domains.join(";"),
            contacts.join(";"),
        ]
    });
    for row in std::iter::once(header).chain(rows) {
        writer.write_record(row).expect("memory takes every record");
    }
    String::from_utf8(writer.into_inner().expect("memory flushes")).expect("texts are UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_customers_can_be_read() {
        let records = read(Format::Toml, include_str!("../../../config/customers.toml")).unwrap();
        assert_eq!(records.len(), 5);
        assert_eq!(records[0].slug.as_str(), "acme-finance");
    }

    #[test]
    fn all_faults_come_at_once() {
        let text = "slug,name,tier,domains,contacts\nA B,Acme,fintech,localhost;x.com,nobody\n,Other,fintech,x.com,\n";
        let faults = read(Format::Csv, text).unwrap_err();
        assert!(faults.len() >= 3, "{faults:?}");
        assert!(
            faults.iter().all(|fault| fault.starts_with("customer 1")),
            "{faults:?}"
        );
    }

    #[test]
    fn one_domain_in_two_records_is_a_fault() {
        let text = "name,tier,domains\nA,fintech,x.com\nB,fintech,X.com.\n";
        let faults = read(Format::Csv, text).unwrap_err();
        assert_eq!(faults, ["domain x.com stands twice, for a and b"]);
    }

    #[test]
    fn json_as_a_list_or_wrapped() {
        let one = r#"{"name":"A","tier":"fintech","domains":["a.com"]}"#;
        assert_eq!(read(Format::Json, &format!("[{one}]")).unwrap().len(), 1);
        assert_eq!(
            read(Format::Json, &format!(r#"{{"customers":[{one}]}}"#))
                .unwrap()
                .len(),
            1
        );
        assert!(
            read(
                Format::Json,
                r#"[{"name":"A","tier":"fintech","colour":1}]"#
            )
            .is_err()
        );
    }
}
