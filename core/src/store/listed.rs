//! Every statement and every bulk row, for the tests that prepare and count them.

#[cfg(feature = "testing")]
use super::bulk::{self, BulkTexts};
use super::{
    Sql, audit, blobs, chat, customers, grants, inbox, jobs, leases, mailboxes, messages,
    onboarding, oncall, outgoing, pages, removal, retention, scoped, search, simulated, staff,
    staff_channels, tickets, watchdog,
};

/// What every bulk row's inserts run, for the test that prepares them.
#[cfg(feature = "testing")]
pub fn bulk_texts() -> Vec<bulk::BulkTexts> {
    vec![
        BulkTexts::of::<audit::Link>(),
        BulkTexts::of::<audit::NewEntry>(),
        BulkTexts::of::<blobs::Sealed>(),
        BulkTexts::of::<customers::NewContact>(),
        BulkTexts::of::<customers::NewDomain>(),
        BulkTexts::of::<customers::NewVariant>(),
        BulkTexts::of::<inbox::NewInbox>(),
        BulkTexts::of::<jobs::NewRow>(),
        BulkTexts::of::<messages::NewAttachment>(),
        BulkTexts::of::<messages::NewMessage>(),
        BulkTexts::of::<outgoing::Outgoing>(),
        BulkTexts::of::<pages::NewPageTicket>(),
        BulkTexts::of::<pages::Page>(),
        BulkTexts::of::<pages::notices::NewNotice>(),
        BulkTexts::of::<search::NewEntry>(),
        BulkTexts::of::<search::NewTerms>(),
        BulkTexts::of::<tickets::NewEvent>(),
        BulkTexts::of::<tickets::NewLink>(),
        BulkTexts::of::<tickets::NewParticipant>(),
        BulkTexts::of::<tickets::NewTicket>(),
    ]
}

/// Every statement with its name, for the tests that prepare and count them.
pub fn statements() -> Vec<(&'static str, Sql)> {
    [
        audit::STATEMENTS,
        blobs::STATEMENTS,
        chat::STATEMENTS,
        customers::STATEMENTS,
        customers::lookup::STATEMENTS,
        grants::STATEMENTS,
        inbox::STATEMENTS,
        jobs::STATEMENTS,
        leases::STATEMENTS,
        mailboxes::STATEMENTS,
        messages::STATEMENTS,
        onboarding::STATEMENTS,
        oncall::STATEMENTS,
        oncall::CHANGE_STATEMENTS,
        oncall::NEWS_STATEMENTS,
        outgoing::STATEMENTS,
        pages::STATEMENTS,
        pages::handles::STATEMENTS,
        pages::notices::STATEMENTS,
        scoped::STATEMENTS,
        search::STATEMENTS,
        search::FIND_STATEMENTS,
        simulated::STATEMENTS,
        removal::STATEMENTS,
        retention::STATEMENTS,
        staff::STATEMENTS,
        staff_channels::STATEMENTS,
        tickets::STATEMENTS,
        tickets::LIST_STATEMENTS,
        tickets::LINK_STATEMENTS,
        watchdog::STATEMENTS,
    ]
    .concat()
}
