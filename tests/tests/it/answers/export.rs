//! Who may take a ticket out, and that the mails of a conversation are those that came and left.

use tierdesk_core::{
    desk::{
        Error, audit,
        export::{self, Attached, ExportedMail, ExportedMails},
        reply,
        staff::{self, NewStaff, register_first_admin},
    },
    permit::Actor,
    refusal::RefusalCode,
    staff::Role,
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    whoever_may_read_may_export_and_only_admins_get_the_mails,
    letters_are_exported_as_they_left,
}

const JOHN: &str = "john@acmefinance.com";

fn login(name: &str) -> Actor {
    Actor::OsUser {
        name: name.to_owned(),
        owns_configuration: false,
    }
}

async fn may_export(desk: &MailDesk, who: &Actor, number: TicketNumber) -> bool {
    let all = Attached::All;
    may(export::ticket(&desk.test.desk, who, number, "json", all).await)
}

fn may<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, RefusalCode::NotPermitted);
            false
        }
        Err(error) => panic!("{error:?}"),
    }
}

async fn mails(
    desk: &MailDesk,
    who: &Actor,
    number: TicketNumber,
) -> Result<(ExportedMails, Vec<ExportedMail>), Error> {
    let mut all = Vec::new();
    let write = |mail| {
        all.push(mail);
        Ok(())
    };
    let done = export::mails(&desk.test.desk, who, number, write).await?;
    Ok((done.expect("memory takes it"), all))
}

async fn entries(desk: &MailDesk) -> usize {
    let list = audit::list(&desk.test.desk, &owner(), "", 1_000).await;
    let list = list.expect("it is read");
    let is_export = |action: &str| action.starts_with("ticket.export");
    list.iter()
        .filter(|(_, one)| is_export(&one.action))
        .count()
}

async fn whoever_may_read_may_export_and_only_admins_get_the_mails(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    register_first_admin(&desk.test.desk, &owner())
        .await
        .expect("it registers");
    for (name, role) in [
        ("ann", Role::Agent),
        ("vic", Role::Viewer),
        ("otto", Role::Auditor),
    ] {
        let new = NewStaff {
            name: name.to_owned(),
            role,
            os_user: Some(name.to_owned()),
            discord_user_id: None,
            reason: None,
        };
        staff::add(&desk.test.desk, &owner(), new)
            .await
            .expect("they are added");
    }
    let plain = desk.receive_on(&MailDesk::proven(JOHN, "plain")).await;
    let gov = MailDesk::proven("security@techgov.gov", "gov");
    let gov = desk.receive_on(&gov).await;
    desk.post().await;
    for (who, number, texts, raw) in [
        (login("ann"), plain, true, false),
        (login("vic"), plain, false, false),
        (login("otto"), plain, false, false),
        (owner(), plain, true, true),
        // Of nobody is attested what that tier asks for.
        (login("ann"), gov, false, false),
        (owner(), gov, false, false),
    ] {
        let before = entries(&desk).await;
        assert_eq!(
            may_export(&desk, &who, number).await,
            texts,
            "{who:?} {number}"
        );
        assert_eq!(
            may(mails(&desk, &who, number).await),
            raw,
            "{who:?} {number}"
        );
        let written = entries(&desk).await - before;
        assert_eq!(
            written,
            usize::from(texts) + usize::from(raw),
            "in the trail"
        );
    }
    desk.end().await;
}

async fn letters_are_exported_as_they_left(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let letter = MailDesk::proven(JOHN, "one");
    let number = desk.receive_on(&letter).await;
    let receipts = desk.post().await;
    desk.test.pass(std::time::Duration::from_mins(1));
    desk.reply(number, "This never leaves").await;
    reply::undo(&desk.test.desk, &owner(), number)
        .await
        .expect("it is taken back");
    desk.test.pass(std::time::Duration::from_mins(1));
    desk.reply(number, "It works again").await;
    let answers = desk.post_later().await;
    let (done, all) = mails(&desk, &owner(), number)
        .await
        .expect("it is exported");
    assert_eq!((done.mails, done.removed), (3, 0));
    let raws: Vec<&[u8]> = all.iter().map(|mail| &*mail.raw).collect();
    let inbound = letter.bytes();
    assert!(raws.contains(&&*inbound), "as it came");
    for sent in receipts.iter().chain(&answers) {
        assert!(raws.contains(&&*sent.raw), "as it left: {}", sent.head());
    }
    assert_eq!((receipts.len(), answers.len()), (1, 1));
    desk.end().await;
}
