//! The desk tests itself, from a mail to its page: what comes round is told outside, what does not is told inside,
//! and nobody else's mail is ever taken for it.

use std::{fs, time::Duration};

use serde_json::Value;
use tierdesk_core::{
    customers::exchange::{Format, read},
    desk::{
        Error,
        customers::{self, CustomerPatch},
        health, import_customers, tickets, watchdog,
        work_ticket::{self, BindOptions, NewTicketByHand},
    },
    paging::{Channel, PageState},
    refusal::RefusalCode,
    store::{pages, tickets::Filter},
    tickets::TicketNumber,
    watchdog::{SLUG, Watchdog},
};
use tierdesk_ingest::process::process_waiting;
use tierdesk_tests::{
    Backend, Letter, PageDesk, Program, Served, WebhookSink, http_client, look_into, on_both,
    owner, webhook_sink::Reply,
};

use super::{heard, killed_at, program, until};

on_both! {
    a_self_test_comes_round_and_calls_nobody,
    one_begins_in_each_span,
    what_does_not_come_round_is_told,
    an_outsider_is_never_taken_for_one,
    a_dead_man_address_that_is_away_is_tried_again,
    kills_on_its_way_lose_none,
    nothing_is_given_to_its_customer,
    an_empty_rota_is_told_when_it_happens,
}

const EVERY: Duration = Duration::from_mins(1);

/// A program that tests itself and tells this sink of it; pages would go there as well.
async fn watched(backend: Backend, sink: &WebhookSink) -> (impl Sized, Program) {
    let (test, program) = program(backend, sink).await;
    let program = program
        .with("TIERDESK_WATCHDOG__EVERY", "1min")
        .with("TIERDESK_WATCHDOG__PING_URL", sink.url("ping/a-secret"))
        .with("TIERDESK_WATCHDOG__ALLOW_PRIVATE", "true");
    (test, program)
}

fn pings(sink: &WebhookSink) -> usize {
    let all = sink.received();
    all.iter()
        .filter(|one| one.path.ends_with("/ping/a-secret"))
        .count()
}

/// The self-tests as the program tells of them.
fn rounds(program: &Program) -> Value {
    program.run(&["oncall", "watchdog", "--json"]).done().json()
}

async fn a_self_test_comes_round_and_calls_nobody(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (_test, program) = watched(backend, &sink).await;
    let letters = tempfile::tempdir().expect("a temporary folder");
    let out = format!("file:{}", letters.path().display());
    let program = program.with("TIERDESK_MAIL__SMTP_URL", out);
    let none = rounds(&program);
    assert_eq!(none["detail"], "no self-test has begun", "{none}");
    let mut worker = program.start(&["serve", "--role", "worker"]);
    until("the ping", async || pings(&sink) > 0).await;
    let ping = &sink.received()[0];
    assert_eq!((ping.method.as_str(), ping.body.len()), ("GET", 0));
    until("its record", async || {
        rounds(&program)["rounds"][0]["pinged_at"].is_string()
    })
    .await;
    let found = rounds(&program);
    assert_eq!(found["ok"], true, "{found}");
    let round = found["rounds"]
        .as_array()
        .and_then(|all| all.last())
        .expect("there is one");
    assert!(
        round["closed_at"].is_string() && round["ticket"] == "SB-1",
        "{found}"
    );

    let web = Served::http(&program);
    let health = http_client::ask(web.address(), "GET", "/health").await;
    let health = health.json();
    assert!(
        health["watchdog_age_seconds"]
            .as_u64()
            .is_some_and(|age| age < 60),
        "{health}"
    );
    drop(web);

    let ticket = program
        .run(&["ticket", "show", "SB-1", "--json"])
        .done()
        .json();
    assert_eq!(ticket["status"], "resolved", "{ticket}");
    assert_eq!(ticket["customer"], SLUG, "{ticket}");
    assert_eq!(sink.received().len(), pings(&sink), "nobody is called");
    let left = fs::read_dir(letters.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 0, "no receipt leaves");

    // It stands in nobody's way, and is there for whoever asks for it.
    let numbers = |arguments: &[&str]| {
        let found = program.run(arguments).done().json();
        let found = found
            .as_array()
            .cloned()
            .or_else(|| found["tickets"].as_array().cloned());
        found.expect("a list").len()
    };
    assert_eq!(numbers(&["ticket", "list", "--all", "--json"]), 0);
    assert!(numbers(&["ticket", "list", "--all", "--customer", SLUG, "--json"]) > 0);
    assert_eq!(numbers(&["ticket", "search", "is:closed", "--json"]), 0);
    let own = format!("customer:{SLUG}");
    assert!(numbers(&["ticket", "search", &own, "--json"]) > 0);
    assert_eq!(numbers(&["oncall", "page", "list", "--all", "--json"]), 0);
    assert_eq!(numbers(&["oncall", "page", "show", "SB-1", "--json"]), 1);
    worker.kill().expect("it can be killed");
    worker.wait().expect("it ends");
}

/// A desk with a clock that moves by hand, that tests itself.
pub(super) async fn by_hand(backend: Backend) -> PageDesk {
    let mut desk = PageDesk::start(backend).await;
    desk.mail.test.desk.watchdog = Some(Watchdog {
        every: EVERY,
        pings: true,
    });
    desk
}

async fn one_begins_in_each_span(backend: Backend) {
    let desk = by_hand(backend).await;
    let begin = || watchdog::begin(desk.desk());
    for _ in 0..3 {
        let all = futures_util::future::join_all((0..6).map(|_| begin())).await;
        let begun = all
            .into_iter()
            .filter(|one| *one.as_ref().expect("it is asked"))
            .count();
        assert_eq!(begun, 1, "of six at once");
        desk.mail.test.pass(EVERY);
    }
    process_waiting(desk.desk())
        .await
        .expect("they are processed");
    let tickets = desk.mail.test.number("SELECT COUNT(*) FROM tickets").await;
    let rounds = desk
        .mail
        .test
        .number("SELECT COUNT(*) FROM watchdog_rounds")
        .await;
    let customers = format!("SELECT COUNT(*) FROM customers WHERE slug = '{SLUG}'");
    assert_eq!(
        (tickets, rounds, desk.mail.test.number(&customers).await),
        (3, 3, 1)
    );
    // A desk that does not test itself has none begin.
    let mut other = desk.desk().clone();
    other.watchdog = None;
    assert!(!watchdog::begin(&other).await.expect("it is asked"));
}

async fn what_does_not_come_round_is_told(backend: Backend) {
    let desk = by_hand(backend).await;
    assert!(watchdog::begin(desk.desk()).await.expect("it begins"));
    let fault = async || watchdog::fault(desk.desk()).await.expect("it is asked");
    assert_eq!(fault().await, None, "it has just begun");
    // Nobody processes mail.
    desk.mail.test.pass(Duration::from_mins(3));
    let words = fault().await.expect("it is late");
    assert!(words.contains("3 min"), "{words}");
    let look = health::look(desk.desk()).await;
    let check = look
        .checks
        .iter()
        .find(|check| check.name == "watchdog")
        .expect("it is looked at");
    assert!(!check.is_ok && !look.is_ok, "{look:?}");
    assert_eq!(look.watchdog_age_seconds, None);

    // Mail is processed, and the notice is not heard: whoever is told last is told.
    process_waiting(desk.desk()).await.expect("it is processed");
    desk.work().await;
    let told = desk.told();
    assert_eq!(
        told.iter().map(|one| one.who.as_str()).collect::<Vec<_>>(),
        ["itself"],
        "{told:?}"
    );
    desk.pass(Duration::from_mins(6)).await;
    let called = desk.called();
    assert!(
        called.iter().any(|(_, who)| who.contains("lead@")),
        "{called:?}"
    );

    // Hearing of it late closes it all the same, once, however often.
    let mut tx = desk.desk().database.begin_read().await.expect("it is read");
    let page = pages::list_unresolved(&mut tx, 10)
        .await
        .expect("they are read")
        .remove(0);
    let notices = pages::notices::list_of_page(&mut tx, page.id)
        .await
        .expect("they are read");
    drop(tx);
    let notice = notices
        .iter()
        .find(|one| one.channel == Channel::Webhook && one.target == "itself");
    let notice = notice.expect("it was written");
    for _ in 0..2 {
        watchdog::hear(desk.desk(), notice)
            .await
            .expect("it is heard");
    }
    assert_eq!(fault().await, None);
    let mut tx = desk.desk().database.begin_read().await.expect("it is read");
    let page = pages::find(&mut tx, page.id)
        .await
        .expect("it is read")
        .expect("it is there");
    drop(tx);
    assert_eq!(page.state, PageState::Resolved);
    let owed = desk
        .mail
        .test
        .number("SELECT COUNT(*) FROM jobs WHERE kind = 'ping_dead_man'")
        .await;
    assert_eq!(owed, 1, "one word outside");
    let look = health::look(desk.desk()).await;
    assert_eq!(look.watchdog_age_seconds, Some(0));
    // None begins any more: that is told as well.
    desk.mail.test.pass(EVERY * 4);
    let look = health::look(desk.desk()).await;
    let check = look
        .checks
        .iter()
        .find(|check| check.name == "watchdog")
        .expect("it is looked at");
    assert!(
        !check.is_ok && look.watchdog_age_seconds == Some(240),
        "{look:?}"
    );
}

async fn an_outsider_is_never_taken_for_one(backend: Backend) {
    let desk = by_hand(backend).await;
    assert!(watchdog::begin(desk.desk()).await.expect("it begins"));
    process_waiting(desk.desk()).await.expect("it is processed");
    let one = TicketNumber(1);
    let own = desk.mail.test.ticket(one).await.ticket;
    assert_eq!(
        own.customer.as_ref().map(ToString::to_string).as_deref(),
        Some(SLUG),
        "{own:?}"
    );
    // The same words from outside, as an answer to it at that.
    let raw: Vec<(String,)> = look_into(
        &desk.mail.test.url,
        "SELECT header_id FROM messages WHERE header_id IS NOT NULL",
    )
    .await;
    let letter = Letter::new("watchdog@watchdog.invalid", "other")
        .subject("Watchdog")
        .header(&format!("In-Reply-To: <{}>", raw[0].0))
        .body("x");
    let receipt = desk.mail.receive(&letter).await;
    let number = receipt.ticket.expect("it opened one");
    assert_ne!(number, one, "it does not join: {receipt:?}");
    let other = desk.mail.test.ticket(number).await.ticket;
    assert_eq!(other.customer, None, "{other:?}");
    assert!(!other.is_silent);
    let listed = tickets::list(desk.desk(), &owner(), &Filter::default())
        .await
        .expect("they are listed");
    assert!(
        listed.iter().any(|ticket| ticket.number == number),
        "somebody sees it"
    );
}

async fn a_dead_man_address_that_is_away_is_tried_again(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (_test, program) = watched(backend, &sink).await;
    sink.reply_next(Reply::status(503));
    let mut worker = program.start(&["serve", "--role", "worker"]);
    until("a fault", async || {
        rounds(&program)["rounds"][0]["ping_fault"].is_string()
    })
    .await;
    let found = rounds(&program);
    let fault = found["rounds"][0]["ping_fault"]
        .as_str()
        .unwrap_or_default();
    assert!(
        fault.contains("503") && !fault.contains("a-secret"),
        "{fault}"
    );
    assert!(
        found["detail"]
            .as_str()
            .is_some_and(|text| text.contains("was not reached")),
        "{found}"
    );
    until("the second try", async || {
        let found = rounds(&program);
        let all = found["rounds"].as_array().cloned().unwrap_or_default();
        all.iter()
            .all(|one| one["ping_fault"].is_null() && one["pinged_at"].is_string())
    })
    .await;
    assert!(pings(&sink) >= 2);
    worker.kill().expect("it can be killed");
    worker.wait().expect("it ends");
}

async fn kills_on_its_way_lose_none(backend: Backend) {
    for point in [
        "process.committed",
        "page.committed",
        "notice.begun",
        "watchdog.before_commit",
        "watchdog.committed",
        "notice.before_record",
        "watchdog.before_ping",
    ] {
        let sink = WebhookSink::start().await;
        let (_test, program) = watched(backend, &sink).await;
        killed_at(&program, point, &["serve", "--role", "worker"]).await;
        let first = rounds(&program)["rounds"][0]["started_at"].clone();
        let mut worker = program.start(&["serve", "--role", "worker"]);
        until(point, async || {
            let found = rounds(&program);
            let all = found["rounds"].as_array().cloned().unwrap_or_default();
            let cut = all.iter().find(|one| one["started_at"] == first);
            cut.is_some_and(|one| one["pinged_at"].is_string())
        })
        .await;
        println!("{backend:?} {point}: 1 hit, {} pings", pings(&sink));
        worker.kill().expect("it can be killed");
        worker.wait().expect("it ends");
    }
}

async fn an_empty_rota_is_told_when_it_happens(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (_test, program) = program(backend, &sink).await;
    let me = Program::own_login();
    program
        .run(&["staff", "add", &me, "--role", "admin", "--login", &me])
        .done();
    let rota = |layer: &str| {
        ["gov-federal", "healthcare", "fintech", "standard"]
            .map(|slug| {
                format!(
                    "[[schedule]]\nslug = \"{slug}\"\nzone = \"UTC\"\n[[schedule.rotation]]\nlayer = \"{layer}\"\n\
                     people = [\"{me}\"]\nevery = \"1 week\"\nstarts = \"2026-11-16 00:00\"\n"
                )
            })
            .concat()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rota.toml");
    let set = |text: String| {
        fs::write(&file, text).expect("written");
        let file = file.to_string_lossy().into_owned();
        program
            .run(&["oncall", "schedule", "set", "--file", &file])
            .done();
    };
    set(rota("primary"));
    let mut worker = program.start(&["serve", "--role", "worker"]);
    // Two looks go by, and there is nothing to tell.
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(heard(&sink), []);
    set(rota("secondary"));
    until("the alarm", async || !heard(&sink).is_empty()).await;
    let summary = sink.bodies()[0]["payload"]["summary"].to_string();
    assert!(
        summary.contains("nobody is on call for fintech, gov-federal, healthcare, standard"),
        "{summary}"
    );
    set(rota("primary"));
    until("its end", async || {
        heard(&sink).iter().any(|(action, _)| action == "resolve")
    })
    .await;
    worker.kill().expect("it can be killed");
    worker.wait().expect("it ends");
}

/// A domain or a contact of it would hide mail from outside wherever self-tests are left out.
async fn nothing_is_given_to_its_customer(backend: Backend) {
    let desk = by_hand(backend).await;
    assert!(watchdog::begin(desk.desk()).await.expect("it begins"));
    let refused = |result: Result<String, Error>| match result {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code, RefusalCode::Taken),
        other => panic!("a refusal was expected: {other:?}"),
    };
    let domain = "evil.example.com".parse().expect("a domain");
    let given = customers::add_domains(desk.desk(), &owner(), SLUG, vec![domain], false).await;
    refused(given.map(|one| format!("{one:?}")));
    let contact = "mallory@evil.example.com".parse().expect("an address");
    let given = customers::add_contact(desk.desk(), &owner(), SLUG, contact, None, None).await;
    refused(given.map(|one| format!("{one:?}")));
    let patch = CustomerPatch::default();
    let changed = customers::set(desk.desk(), &owner(), SLUG, patch).await;
    refused(changed.map(|one| format!("{one:?}")));
    let letter = Letter::new("mallory@elsewhere.example", "x");
    let number = desk.mail.receive_on(&letter).await;
    let options = BindOptions::default();
    let bound = work_ticket::bind(desk.desk(), &owner(), number, SLUG, options).await;
    refused(bound.map(|one| format!("{one:?}")));
    let new = NewTicketByHand {
        customer: SLUG.to_owned(),
        subject: "hello".to_owned(),
        requester: None,
        severity: None,
        text: None,
    };
    let opened = work_ticket::open(desk.desk(), &owner(), new).await;
    refused(opened.map(|one| format!("{one:?}")));
    // It stands in no list, and in no file that another desk could take in.
    let all = customers::list(desk.desk(), &owner(), None).await;
    let all = all.expect("they are listed");
    assert!(!all.is_empty() && all.iter().all(|one| one.slug.as_str() != SLUG));
    let all = customers::export(desk.desk(), &owner()).await;
    let all = all.expect("they are exported");
    assert!(all.iter().all(|one| one.slug.as_str() != SLUG));
    let named = "[[customers]]\nslug = \"tierdesk-watchdog\"\nname = \"x\"\ntier = \"standard\"\ndomains = []\n";
    let records = read(Format::Toml, named).expect("it is read");
    let other = PageDesk::start(backend).await;
    let taken = import_customers::import(other.desk(), &owner(), records, false).await;
    refused(taken.map(|one| format!("{one:?}")));
}
