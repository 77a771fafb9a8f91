use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tierdesk_core::settings::{PrivateUrl, Webhook, WebhookFormat};

use super::*;
use crate::webhook::{Endpoint, EndpointError};

/// Where clouds, machines and neighbours are reached, in every notation that a URL's parser takes.
const OF_THE_HOUSE: [&str; 46] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://%31%32%37.0.0.1/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.0.0.1:8443/",
    "https://10.255.255.255/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://100.100.100.200/latest/meta-data",
    "https://168.63.129.16/",
    "https://169.254.169.254/latest/meta-data",
    "https://0xA9FEA9FE/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://192.168.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[ff02::1]/",
];

const PUBLIC: [&str; 14] = [
    "https://1.1.1.1/",
    "https://9.255.255.255/",
    "https://11.0.0.1/",
    "https://100.63.255.255/",
    "https://100.128.0.1/",
    "https://168.63.129.17/",
    "https://172.15.255.255/",
    "https://172.32.0.1/",
    "https://192.0.1.1/",
    "https://198.20.0.1/",
    "https://223.255.255.255/",
    "https://[2606:4700::1111]/",
    "https://[::ffff:1.1.1.1]/",
    "https://[64:ff9b::101:101]/",
];

fn made(url: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::personal("mine", Some(url), WebhookFormat::Json, None, None)
}

#[test]
fn an_address_of_the_house_is_refused_in_every_notation() {
    let is_refused = |url: &&&str| matches!(made(url), Err(EndpointError::Private(_)));
    let let_through: Vec<_> = OF_THE_HOUSE.iter().filter(|url| !is_refused(url)).collect();
    let held_back: Vec<_> = PUBLIC.iter().filter(|url| made(url).is_err()).collect();
    assert!(let_through.is_empty(), "{let_through:?}");
    assert!(held_back.is_empty(), "{held_back:?}");
    // What is refused above is refused for its address: where the operator said so, it is taken.
    for url in OF_THE_HOUSE {
        let webhook = Webhook {
            name: "mine".to_owned(),
            url: PrivateUrl::hiding_path(url),
            format: WebhookFormat::Json,
            key: None,
            user: None,
            template: None,
            allow_private: true,
        };
        let taken = Endpoint::configured(&webhook);
        assert!(taken.is_ok(), "{url}: {taken:?}");
    }
}

#[test]
fn an_address_must_be_https_and_name_nobody() {
    for (url, says) in [
        ("http://desk.example/", "begins with http://"),
        ("ftp://desk.example/", "begins with ftp://"),
        ("file:///etc/passwd", "begins with file://"),
        ("gopher://desk.example/", "begins with gopher://"),
        ("https://user:hunter2@desk.example/", "a name or password"),
        ("https://user@desk.example/", "a name or password"),
        ("https://", "no URL"),
        ("desk.example", "no URL"),
        ("https://999.1.1.1/", "no URL"),
        ("https://[::1%25eth0]/", "no URL"),
        ("", "no URL"),
    ] {
        let told = made(url).expect_err(url).to_string();
        assert!(told.contains(says), "{url}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    assert!(made("https://desk.example/hunter2").is_ok());
}

/// Answers as it is told, one answer a question.
#[derive(Debug, Default)]
struct Scripted(Mutex<VecDeque<Vec<&'static str>>>);

impl Lookup for Scripted {
    fn lookup<'l>(&'l self, _: &'l str) -> Looking<'l> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.pop_front().unwrap_or_default();
        let parse = |text: &str| text.parse().expect("an address");
        let answer: Vec<IpAddr> = answer.into_iter().map(parse).collect();
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_refused_when_it_does() {
    let script = [
        (vec!["1.1.1.1"], true),
        (vec!["127.0.0.1"], false),
        (vec!["1.1.1.1", "9.9.9.9"], true),
        (vec!["1.1.1.1", "169.254.169.254"], false),
        (vec!["::ffff:10.0.0.1"], false),
        (vec!["2606:4700::1111"], true),
    ];
    let answers = || script.iter().map(|(answer, _)| answer.clone()).collect();
    let guarded = Resolver::new(Arc::new(Scripted(Mutex::new(answers()))), true);
    let free = Resolver::new(Arc::new(Scripted(Mutex::new(answers()))), false);
    for (answer, is_good) in &script {
        let name = || "rebinding.example".parse().expect("a name");
        match guarded.resolve(name()).await {
            Ok(found) => {
                assert!(is_good, "{answer:?}");
                assert_eq!(found.count(), answer.len());
            }
            Err(fault) => {
                assert!(!is_good, "{answer:?}");
                assert!(fault.downcast_ref::<NotPublic>().is_some(), "{fault}");
            }
        }
        let found = free.resolve(name()).await.expect("nothing is refused");
        assert_eq!(found.count(), answer.len());
    }
}
