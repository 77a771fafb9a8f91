//! 500 domains that are meant to be read as a customer's: none is bound, nearly all are named.

use tierdesk_core::desk::customers::resolve;
use tierdesk_tests::{Backend, TestDesk, owner};

/// How impostors change a name, one way each.
fn imitations(name: &str, ending: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut made = Vec::new();
    for at in 1..letters.len() {
        let with = |change: &dyn Fn(&mut Vec<char>)| {
            let mut changed = letters.clone();
            change(&mut changed);
            changed.into_iter().collect::<String>()
        };
        made.push(with(&|letters| {
            letters.remove(at);
        }));
        made.push(with(&|letters| letters.insert(at, letters[at])));
        made.push(with(&|letters| letters.swap(at - 1, at)));
        for other in ['x', 'e', '0', 'o'] {
            made.push(with(&|letters| letters[at] = other));
        }
        made.push(with(&|letters| letters.insert(at, 'i')));
        let cyrillic = |letter: char| match letter {
            'a' => 'а',
            'e' => 'е',
            'o' => 'о',
            'p' => 'р',
            'c' => 'с',
            other => other,
        };
        made.push(with(&|letters| letters[at] = cyrillic(letters[at])));
    }
    let mut domains: Vec<String> = made.iter().map(|name| format!("{name}.{ending}")).collect();
    domains.push(format!("{}.{ending}", name.replace('m', "rn")));
    domains.push(format!("{}.{ending}", name.replace('l', "1")));
    for other in ["net", "org", "io", "co", "us", "eu", "co.uk", "app"] {
        domains.push(format!("{name}.{other}"));
    }
    for word in [
        "support", "billing", "secure", "login", "help", "mail", "pay", "team",
    ] {
        domains.push(format!("{name}-{word}.com"));
        domains.push(format!("{word}-{name}.com"));
        domains.push(format!("{name}{word}.com"));
    }
    for host in ["evil.example", "mail-host.net", "phish.io"] {
        domains.push(format!("{name}.{ending}.{host}"));
    }
    domains
}

#[tokio::test]
async fn five_hundred_lookalikes_bind_nothing() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let genuine = [
        ("acmefinance", "com"),
        ("medicorp", "com"),
        ("techgov", "gov"),
        ("quantumbank", "com"),
        ("startupcorp", "io"),
    ];
    let (mut bound, mut missed, mut tried) = (Vec::new(), Vec::new(), 0);
    for (name, ending) in genuine {
        let own = format!("{name}.{ending}");
        for domain in imitations(name, ending)
            .into_iter()
            .filter(|one| *one != own)
        {
            let Ok(address) = format!("john@{domain}").parse() else {
                continue;
            };
            let found = resolve(&test.desk, &owner(), &address).await;
            let found = found.expect("any address is looked up");
            tried += 1;
            if found.customer.is_some() {
                bound.push(domain.clone());
            }
            if found.look_alike_of.is_none() {
                missed.push(domain);
            }
        }
        let address = format!("john@{own}").parse().expect("an address");
        let found = resolve(&test.desk, &owner(), &address).await;
        let found = found.expect("it is looked up");
        assert!(found.customer.is_some(), "positive control: {own}");
    }
    println!(
        "look-alikes: {} of {tried} bound, {} not named: {missed:?}",
        bound.len(),
        missed.len()
    );
    assert!(tried >= 500, "{tried}");
    assert_eq!(bound, [""; 0]);
    assert!(
        missed.len() * 20 <= tried,
        "more than one in twenty: {missed:?}"
    );
}
