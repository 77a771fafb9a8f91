//! Who may do what is as the table says, for every action, role and status.

use tierdesk_core::{
    desk::{Error, staff::register_first_admin},
    ids::TicketId,
    permit::{
        ACTIONS, AcknowledgePage, Action, Actor, AddCustomer, ApproveOnboarding, AssignTicket,
        AttestStaff, BindTicket, CancelOnboarding, ChangeChannel, ChangeContact, ChangeCustomer,
        ChangeDomain, ChangeParticipants, ChangeSchedule, ChangeStaff, CloseTicket, ConnectMail,
        Diagnose, DismissMail, DropJob, EnterAbsence, EraseData, EscalatePage, ExportAudit,
        ExportMail, ExportTicket, FillIndex, ImportCustomers, ImportMail, KeepMailbox, KeepOutbox,
        KeepPages, LinkTickets, MarkSpam, MergeTickets, OpenTicket, OverrideRota, PageStaff,
        PlanOnboarding, PlanRetention, PostToChat, RaiseMailAlarm, ReadAudit, ReadDesk, ReadJobs,
        ReadRota, ReadStaff, ReadTicket, ReceiveMail, RecordDelivery, RedactTicket, ReleaseLetter,
        ReopenTicket, RetryJob, ReviewStaff, RunOnboarding, RunPages, RunRetention, SendReceipt,
        SendReply, SetHold, SetSeverity, SetStatus, ShareCalendar, SnoozeTicket, SplitTicket,
        StartOnboarding, Subject, SwapShift, SystemRole, UseChat, VerifyCloud, WatchDesk,
        WriteNote, authorise,
    },
    refusal::{Refusal, RefusalCode},
    staff::{Role, Staff, StaffStatus},
    store::{
        StoreError, Tx,
        audit::{self, Change},
        staff, tickets,
    },
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};

on_both! {
    every_action_is_as_the_table_says,
    the_owner_is_admin_until_staff_exist,
    a_permit_is_for_the_ticket_that_was_asked_about,
    the_audit_trail_names_who_acted,
}

pub(crate) fn login(name: &str) -> Actor {
    Actor::OsUser {
        name: name.to_owned(),
        owns_configuration: false,
    }
}

/// Registers a member of staff named as given, whose login is the same.
pub(crate) async fn hire(
    test: &TestDesk,
    admin: &Actor,
    name: &str,
    role: Role,
    status: StaffStatus,
) {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut permit = authorise(&mut tx, admin, ChangeStaff, Subject::Desk)
        .await
        .expect("an admin may");
    let new = Staff {
        id: permit.new_id(),
        name: name.to_owned(),
        os_user: Some(name.to_owned()),
        discord_user_id: None,
        role,
        status,
        created_at: permit.now(),
    };
    assert!(
        staff::insert(&mut permit, &new)
            .await
            .expect("it is inserted")
    );
    let change = Change::to(format!("staff:{name}"));
    audit::append(&mut permit, vec![change])
        .await
        .expect("it is written");
    tx.commit().await.expect("it commits");
}

/// A desk with the owner as first admin and one member of staff of each role and status.
pub(super) async fn staffed(backend: Backend) -> TestDesk {
    let test = TestDesk::with_customers(backend).await;
    let admin = register_first_admin(&test.desk, &owner())
        .await
        .expect("it registers");
    assert_eq!(admin.map(|one| one.role), Some(Role::Admin));
    for role in Role::ALL {
        for status in StaffStatus::ALL {
            hire(&test, &owner(), &format!("{status}-{role}"), role, status).await;
        }
    }
    test
}

/// The refusal, if `A` is refused.
async fn ask<A: Action>(tx: &mut Tx, actor: &Actor, action: A) -> Option<Refusal> {
    match authorise(tx, actor, action, Subject::Desk).await {
        Ok(_) => None,
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, RefusalCode::NotPermitted);
            Some(refusal)
        }
        Err(error) => panic!("{}: {error:?}", A::NAME),
    }
}

/// Asks for each of these actions.
macro_rules! ask_each {
    ($answers:ident, $tx:ident, $actor:ident: $($action:ident),+ $(,)?) => {$(
        $answers.push(($action::NAME, ask($tx, $actor, $action).await));
    )+};
}

/// An action's name with its refusal, if it is refused.
type Answer = (&'static str, Option<Refusal>);

/// Each action's name with its refusal for `actor`.
async fn ask_all(tx: &mut Tx, actor: &Actor) -> Vec<Answer> {
    let mut answers = Vec::new();
    ask_each!(
        answers, tx, actor:
        ReadDesk,
        ReadTicket,
        ExportTicket,
        ExportMail,
        ReadAudit,
        ExportAudit,
        ReadJobs,
        Diagnose,
        ReceiveMail,
        KeepMailbox,
        RaiseMailAlarm,
        ConnectMail,
        ImportMail,
        SendReply,
        ReleaseLetter,
        SendReceipt,
        KeepOutbox,
        RecordDelivery,
        OpenTicket,
        AssignTicket,
        SetSeverity,
        SetStatus,
        SnoozeTicket,
        MergeTickets,
        SplitTicket,
        LinkTickets,
        ChangeParticipants,
        WriteNote,
        CloseTicket,
        ReopenTicket,
        DismissMail,
        BindTicket,
        MarkSpam,
        RedactTicket,
        PlanRetention,
        RunRetention,
        SetHold,
        EraseData,
        AddCustomer,
        ChangeCustomer,
        ChangeDomain,
        ChangeContact,
        ImportCustomers,
        ReadStaff,
        PostToChat,
        UseChat,
        PlanOnboarding,
        StartOnboarding,
        ApproveOnboarding,
        CancelOnboarding,
        RunOnboarding,
        VerifyCloud,
        RunPages,
        KeepPages,
        WatchDesk,
        AcknowledgePage,
        EscalatePage,
        PageStaff,
        ChangeChannel,
    );
    ask_about_staff(tx, actor, &mut answers).await;
    assert!(
        answers
            .iter()
            .map(|(name, _)| *name)
            .eq(ACTIONS.iter().map(|(name, ..)| *name)),
        "every action of the table is asked for, in its order"
    );
    answers
}

/// The end of the table: staff, the rota, and jobs.
async fn ask_about_staff(tx: &mut Tx, actor: &Actor, answers: &mut Vec<Answer>) {
    ask_each!(
        answers, tx, actor:
        AttestStaff,
        ReviewStaff,
        ReadRota,
        ChangeSchedule,
        OverrideRota,
        SwapShift,
        EnterAbsence,
        ShareCalendar,
        ChangeStaff,
        RetryJob,
        DropJob,
        FillIndex,
    );
}

async fn every_action_is_as_the_table_says(backend: Backend) {
    let test = staffed(backend).await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let mut checked = 0;
    for role in Role::ALL {
        for status in StaffStatus::ALL {
            let answers = ask_all(&mut tx, &login(&format!("{status}-{role}"))).await;
            for ((action, roles, _), (_, refusal)) in ACTIONS.iter().zip(answers) {
                let is_listed = role == Role::Admin || roles.contains(&role);
                let may = status == StaffStatus::Active && is_listed;
                assert_eq!(refusal.is_none(), may, "{status} {role}: {action}");
                let says_how = refusal.is_none_or(|refusal| refusal.hint.is_some());
                assert!(says_how, "{status} {role}: {action} says what to do");
                checked += 1;
            }
        }
    }
    for system in SystemRole::ALL {
        for ((action, _, systems), (_, refusal)) in ACTIONS
            .iter()
            .zip(ask_all(&mut tx, &Actor::System(system)).await)
        {
            assert_eq!(
                refusal.is_none(),
                systems.contains(&system),
                "system:{system}: {action}"
            );
            checked += 1;
        }
    }
    let stranger = ask_all(&mut tx, &login("stranger")).await;
    assert!(
        stranger.iter().all(|(_, refusal)| refusal.is_some()),
        "who is no staff may nothing"
    );
    assert_eq!(
        checked,
        ACTIONS.len() * (Role::ALL.len() * 2 + SystemRole::ALL.len())
    );
}

async fn the_owner_is_admin_until_staff_exist(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let answers = ask_all(&mut tx, &owner()).await;
    assert!(
        answers.iter().all(|(_, refusal)| refusal.is_none()),
        "everything"
    );
    let other = ask_all(&mut tx, &login("olivia")).await;
    assert!(
        other.iter().all(|(_, refusal)| refusal.is_some()),
        "who owns nothing, nothing"
    );
    drop(tx);
    hire(&test, &owner(), "ann", Role::Admin, StaffStatus::Active).await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let answers = ask_all(&mut tx, &owner()).await;
    assert!(
        answers.iter().all(|(_, refusal)| refusal.is_some()),
        "not listed, no longer"
    );
    let answers = ask_all(&mut tx, &login("ann")).await;
    assert!(answers.iter().all(|(_, refusal)| refusal.is_none()));
    drop(tx);
    test.tamper("UPDATE staff SET status = 'disabled'").await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let answers = ask_all(&mut tx, &owner()).await;
    assert!(
        answers.iter().all(|(_, refusal)| refusal.is_some()),
        "disabled staff are staff"
    );
    let again = register_first_admin(&test.desk, &owner())
        .await
        .expect("it is asked");
    assert_eq!(again, None, "there is one first admin");
}

async fn a_permit_is_for_the_ticket_that_was_asked_about(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut numbers = Vec::new();
    for id in ["a", "b"] {
        numbers.push(
            test.receive_on(&Letter::new("john@acmefinance.com", id))
                .await,
        );
    }
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut found = Vec::new();
    for number in numbers {
        let ticket = tickets::find_by_number(&mut tx, number)
            .await
            .expect("it is read");
        found.push(ticket.expect("it is there"));
    }
    let asked: TicketId = found[0].id;
    let permit = authorise(&mut tx, &owner(), SetSeverity, Subject::Ticket(asked)).await;
    let mut permit = permit.expect("the owner may");
    let refused = tickets::update(&mut permit, &found[1]).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::Inconsistent {
                table: "tickets",
                ..
            })
        ),
        "{refused:?}"
    );
    tickets::update(&mut permit, &found[0])
        .await
        .expect("positive control: the one asked about");
}

async fn the_audit_trail_names_who_acted(backend: Backend) {
    let test = staffed(backend).await;
    let number = test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    let agent = login("active-agent");
    tierdesk_core::desk::work_ticket::assign(&test.desk, &agent, number, "me")
        .await
        .expect("an agent may");
    let rows: Vec<(String, String)> = test
        .look("SELECT DISTINCT action, actor FROM audit_entries ORDER BY action, actor")
        .await;
    let expected = [
        ("customer.import", "os:olivia"),
        ("mail.receive", "system:ingest"),
        ("staff.set", "os:olivia"),
        ("staff.set", "staff:olivia"),
        ("ticket.assign", "staff:active-agent"),
    ];
    let expected = expected.map(|(action, actor)| (action.to_owned(), actor.to_owned()));
    assert_eq!(rows, expected);
}
