//! moto, an AWS that others wrote: the check that our own server did not drift.
//!
//! `tests/run` starts one server for all tests and names it in [`VARIABLE`]. Each test has an
//! organisation of its own there, in a management account of its own.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use tierdesk_core::settings::AwsSettings;
use tierdesk_provision::aws::{AwsCloud, Keys};

use crate::aws_server::{aws_settings, connect};

/// The environment variable that names the server; `tests/run` sets it.
pub const VARIABLE: &str = "TIERDESK_TEST_MOTO";

/// An organisation in moto.
#[derive(Clone, Debug)]
pub struct Moto {
    url: String,
    /// Of its management account.
    pub keys: Keys,
    /// `o-…`.
    pub organization: String,
}

impl Moto {
    /// Takes an account that nobody else has and makes it the management account of a fresh
    /// organisation, which whoever begins with tierdesk has already.
    pub fn organization() -> Self {
        let url = std::env::var_os(VARIABLE).unwrap_or_else(|| {
            panic!("{VARIABLE} is not set: run the tests with tests/run, which starts moto")
        });
        let url = url.into_string().expect("a URL");
        // Keys that moto handed out for an account act in that account.
        let chance = RandomState::new().build_hasher().finish();
        let account = 100_000_000_000 + chance % 900_000_000_000;
        let role = format!("arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2Ftests");
        let form =
            format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=tests");
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer = post(&url, "AKIATEST", "sts", kind, &form);
        let part = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>")).expect("a key");
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        let keys = Keys {
            id: part("AccessKeyId"),
            secret: part("SecretAccessKey"),
            session_token: Some(part("SessionToken")),
        };
        let target = "X-Amz-Target: AWSOrganizationsV20161128.CreateOrganization\r\n\
                      Content-Type: application/x-amz-json-1.1\r\n";
        let body = r#"{"FeatureSet":"ALL"}"#;
        let answer = post(&url, &keys.id, "organizations", target, body);
        let body = answer.split_once("\r\n\r\n").expect("a body").1;
        let made: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let organization = made["Organization"]["Id"].as_str().expect("an id");
        assert_eq!(made["Organization"]["MasterAccountId"], account.to_string());
        Self {
            url,
            organization: organization.to_owned(),
            keys,
        }
    }

    /// Where moto listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Settings that lead to it and may change this organisation.
    pub fn settings(&self) -> AwsSettings {
        aws_settings(&self.url, Some(self.organization.clone()))
    }

    /// The real SDK.
    pub async fn cloud(&self) -> AwsCloud {
        connect(&self.settings(), self.keys.clone()).await
    }
}

/// One request; moto looks at whose key it is and never at the signature.
fn post(url: &str, key: &str, service: &str, headers: &str, body: &str) -> String {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)
        .unwrap_or_else(|fault| panic!("moto does not answer at {url}: {fault}"));
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    write!(
        stream,
        "POST / HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n{headers}\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=none\r\n\r\n{body}",
        body.len()
    )
    .expect("it takes the request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let status = answer.split(' ').nth(1).unwrap_or_default();
    assert_eq!(status, "200", "{answer}");
    answer
}
