//! `[aws]`: where customers are provisioned.

use std::path::PathBuf;

use super::{Key, mail::mail_address, problem::Wrong, reader::Section, url};

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "aws.cloud",
        "aws, or simulated: no account is ever made",
        "simulated",
    ),
    Key::now(
        "aws.organization_id",
        "the organisation that may be changed; required with cloud = \"aws\" before any change",
        "none",
    ),
    Key::now(
        "aws.endpoint_url",
        "another endpoint than AWS's own, for tests",
        "none",
    ),
    Key::now(
        "aws.org_region",
        "the region of Organizations",
        DEFAULT_REGION,
    ),
    Key::now(
        "aws.sso_region",
        "the region of IAM Identity Center",
        DEFAULT_REGION,
    ),
    Key::now(
        "aws.root_email_template",
        "the root address of a new account; {slug} is the customer's slug",
        "none; the simulated cloud has one of its own",
    ),
    Key::now(
        "aws.policies_dir",
        "a folder of policies, NAME.json, in place of the built-in ones of the same names",
        "none",
    ),
    Key::now(
        "aws.access_file",
        "permission sets and groups instead of the built-in ones (config/access.toml)",
        "none",
    ),
];

const DEFAULT_REGION: &str = "us-east-1";

/// `[aws]`
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// Real or simulated.
    pub cloud: CloudKind,
    /// `o-…`: the organisation that may be changed.
    pub organization_id: Option<String>,
    /// Another endpoint than AWS's own.
    pub endpoint_url: Option<String>,
    /// The region of Organizations.
    pub org_region: String,
    /// The region of IAM Identity Center.
    pub sso_region: String,
    /// A mail address with `{slug}` in its local part.
    pub root_email_template: Option<String>,
    /// Policies in place of the built-in ones.
    pub policies_dir: Option<PathBuf>,
    /// Permission sets and groups instead of the built-in ones.
    pub access_file: Option<PathBuf>,
}

/// Which cloud onboarding works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudKind {
    /// Amazon's.
    Aws,
    /// A state machine in this program.
    Simulated,
}

pub(super) fn read(section: &Section<'_>) -> AwsSettings {
    let region = |name| {
        section
            .parse(name, region)
            .map_or_else(|| DEFAULT_REGION.to_owned(), |given| given.value)
    };
    let settings = AwsSettings {
        cloud: section
            .parse("cloud", cloud)
            .map_or(CloudKind::Simulated, |given| given.value),
        organization_id: section
            .parse("organization_id", organization_id)
            .map(|given| given.value),
        endpoint_url: section
            .parse("endpoint_url", |text| {
                url::check(text, &["https", "http"]).map(str::to_owned)
            })
            .map(|given| given.value),
        org_region: region("org_region"),
        sso_region: region("sso_region"),
        root_email_template: section
            .parse("root_email_template", root_email_template)
            .map(|given| given.value),
        policies_dir: section.path("policies_dir").map(|given| given.value),
        access_file: section.path("access_file").map(|given| given.value),
    };
    section.finish();
    settings
}

fn cloud(text: &str) -> Result<CloudKind, Wrong> {
    match text {
        "aws" => Ok(CloudKind::Aws),
        "simulated" => Ok(CloudKind::Simulated),
        _ => Err(Wrong::new(
            format!("is {text:?}"),
            "Write aws or simulated.",
        )),
    }
}

fn region(text: &str) -> Result<String, Wrong> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.contains('-') && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("is {text:?}, not a region"),
        "Write a region like us-east-1.",
    ))
}

/// The form is from the Organizations API reference: `^o-[a-z0-9]{10,32}$`.
fn organization_id(text: &str) -> Result<String, Wrong> {
    let id = text.strip_prefix("o-").unwrap_or_default();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if (10..=32).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    let remedy = "Write the id that `aws organizations describe-organization` shows, o-….";
    Err(Wrong::new(
        format!("is {text:?}, not an organisation's id"),
        remedy,
    ))
}

fn root_email_template(text: &str) -> Result<String, Wrong> {
    let remedy = "Write an address with {slug}, like aws+{slug}@example.com.";
    let local = text.rsplit_once('@').map_or("", |(local, _)| local);
    if local.matches("{slug}").count() != 1 {
        return Err(Wrong::new("does not have {slug} once before the @", remedy));
    }
    match mail_address(&text.replace("{slug}", "slug")) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(_) => Err(Wrong::new(format!("is {text:?}, not an address"), remedy)),
    }
}
