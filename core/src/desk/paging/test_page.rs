//! A page that proves how somebody can be reached: one notice a channel, each with a code of its own.

use std::time::Duration;

use serde::Serialize;

use super::{
    aim::{Aimed, reach},
    channels::person,
    end, note,
    report::{PageReport, report},
    write_notices,
};
use crate::{
    desk::{Desk, Error},
    paging::{PageKind, PageState, Plan, Signal, Target},
    permit::{Actor, ChangeChannel, Permit, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    staff::Staff,
    store::pages::{self, Page},
    tiers::Severity,
};

/// A test is answered within this time, or not at all.
const LASTS: Duration = Duration::from_hours(1);

/// A test that was sent.
#[derive(Clone, Debug, Serialize)]
pub struct TestPage {
    /// The page.
    pub page: PageReport,
    /// On which channels.
    pub sent: Vec<String>,
    /// Which it could not be sent on.
    pub missed: Vec<String>,
}

/// Sends somebody a test on every channel they have.
pub async fn test_page(desk: &Desk, actor: &Actor, name: &str) -> Result<TestPage, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeChannel, Subject::Desk).await?;
    let person = person(&mut permit, name).await?;
    for mut earlier in pages::list_unresolved(&mut permit, 1_000).await? {
        if earlier.kind == PageKind::Test && earlier.staff_id == Some(person.id) {
            end(&mut permit, &mut earlier, "a newer test was sent").await?;
        }
    }
    let page = page_for(&mut permit, &person);
    let mut aimed = Aimed::default();
    reach(desk, &mut permit, &page, &person, &[], &mut aimed).await?;
    if aimed.aims.is_empty() {
        let message = format!("{} has no channel that could be tried", person.name);
        return Err(Refusal::new(RefusalCode::Empty, message)
            .with_hint(format!(
                "tierdesk staff channel add {} --mail ADDRESS, or --webhook … ; mail needs mail.smtp_url",
                person.name
            ))
            .into());
    }
    pages::insert_many(&mut permit, vec![page.clone()]).await?;
    write_notices(
        &mut permit,
        &page,
        (0, 0),
        Signal::Trigger,
        &aimed.aims,
        true,
    )
    .await?;
    let sent: Vec<String> = aimed
        .aims
        .iter()
        .map(|aim| aim.channel.to_string())
        .collect();
    let details = vec![("to", person.name.clone()), ("channels", sent.join(", "))];
    note(&mut permit, &page, "test_page", details).await?;
    let report = report(desk, &mut permit, &page).await?;
    tx.commit().await?;
    Ok(TestPage {
        page: report,
        sent,
        missed: aimed.missed,
    })
}

/// The page that a test is: it is sent at once, and over within the hour.
fn page_for(permit: &mut Permit<'_, ChangeChannel>, person: &Staff) -> Page {
    let now = permit.now();
    let plan = Plan::at_once("test", Target::Person(person.name.clone()), LASTS);
    Page {
        staff_id: Some(person.id),
        severity: Severity::Sev4,
        reason: "a test of how you can be reached".to_owned(),
        state: PageState::Open,
        step: 1,
        due_at: now,
        ..Page::new(
            permit.new_id(),
            PageKind::Test,
            plan,
            (now, now.plus(LASTS)),
        )
    }
}
