//! Debian's Postfix as the relay, as on most machines: what arrives is what was written.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    jobs::{
        Handler,
        worker::{Tick, Worker},
    },
    mail::Envelope,
    receive::Road,
};
use tierdesk_ingest::{parse::parse, process::deliver};
use tierdesk_outbound::{relay::Smtp, send::SendReceipt};
use tierdesk_tests::{Backend, Delivery, Letter, Postfix, on_both};

use super::{JOHN, Office, only, settings};

on_both! {
    postfix_takes_answers_and_receipts,
}

const TYPED: &str = "Hello John,\n\nthe **dashboard** works again.\n.\n..two dots, and ümläuts\n\
    From here on nothing is changed.";

async fn postfix_takes_answers_and_receipts(backend: Backend) {
    let mut office = Office::open(backend).await;
    office.test.desk.authserv_id = Some("mx.securebase.example".to_owned());
    let postfix = Postfix::start(Delivery::Maildir);
    let text = format!("url = \"smtp://{}\"", postfix.address());
    let way = Arc::new(Smtp::new(settings(&text), None).expect("it can be set up"));
    // Only a sender who is proven gets a receipt.
    let proof =
        "Authentication-Results: mx.securebase.example; dmarc=pass header.from=acmefinance.com";
    let first = Letter::new(JOHN, "first").header(proof).bytes();
    let taken = deliver(&office.test.desk, Road::Imap, Envelope::default(), &first).await;
    let ticket = taken.expect("any mail is taken").ticket.expect("a ticket");
    office.test.pass(Duration::from_secs(1));
    let receipts: Arc<dyn Handler> = Arc::new(SendReceipt {
        desk: Arc::new(office.test.desk.clone()),
    });
    let receipts = Worker::new(
        office.test.desk.database.clone(),
        "receipts",
        vec![receipts],
    );
    assert_eq!(office.tick(&receipts).await, Tick::Done);
    office.answer(ticket, TYPED).await;
    let sender = office.worker(only(&way));
    assert_eq!(sender.drain().await.expect("the queue can be read"), 2);
    for _ in 0..200 {
        if postfix.delivered() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut mails = postfix.mails();
    assert_eq!(mails.len(), 2, "{}", postfix.log());
    mails.sort_by_key(|mail| !has_line(mail, "Auto-Submitted: auto-replied"));
    let [receipt, answer] = [&mails[0], &mails[1]];
    assert!(has_line(receipt, "Auto-Submitted: auto-replied"));
    assert!(!has_line(answer, "Auto-Submitted:"), "a person wrote it");
    let ids: Vec<(String,)> = office
        .test
        .look("SELECT header_id FROM messages WHERE direction = 'out' ORDER BY received_at")
        .await;
    for (mail, (id,)) in [(receipt, &ids[0]), (answer, &ids[1])] {
        let read = parse(mail, &Envelope::default());
        assert_eq!(read.message_id.as_ref(), Some(id));
        assert_eq!(read.in_reply_to.as_deref(), Some("first@mail.example"));
        let answered = read.references.last().map(String::as_str);
        assert_eq!(answered, Some("first@mail.example"));
        let reply_to = &read.reply_to[0].address;
        let is_ours = reply_to.starts_with("support+") && reply_to.ends_with("@securebase.example");
        assert!(is_ours, "{reply_to}");
        assert_eq!(read.from[0].address, super::SUPPORT);
        assert_eq!(read.to[0].address, JOHN);
        assert_eq!(read.findings, [""; 0]);
    }
    let read = parse(answer, &Envelope::default());
    assert_eq!(read.reply_text, TYPED);
    let log = postfix.log();
    println!(
        "{backend:?}: {} mails through Postfix, as they were written; {} times status=sent",
        mails.len(),
        log.matches("status=sent").count()
    );
    // The answer to our answer finds its ticket.
    office.test.pass(Duration::from_secs(1));
    let id = read.message_id.expect("it was looked at");
    let back = Letter::new(JOHN, "back").header(&format!("In-Reply-To: <{id}>"));
    assert_eq!(office.test.receive_on(&back).await, ticket);
}

fn has_line(mail: &[u8], start: &str) -> bool {
    let text = String::from_utf8_lossy(mail);
    text.lines()
        .take_while(|line| !line.trim().is_empty())
        .any(|line| line.starts_with(start))
}
