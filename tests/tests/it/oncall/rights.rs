//! Agents give and take shifts and enter their own absences; the rest is the admins'.

use tierdesk_core::{
    desk::oncall::{self, Taking},
    refusal::RefusalCode,
};
use tierdesk_tests::{Backend, on_both, owner};

use super::{ROTA, login, offering, put, refusal, staffed, unasked};

on_both! {
    agents_act_for_themselves_and_admins_for_all,
    whoever_may_not_is_told_and_nothing_is_changed,
}

async fn agents_act_for_themselves_and_admins_for_all(backend: Backend) {
    let test = staffed(backend).await;
    let desk = &test.desk;
    let (dana, ada) = (login("dana"), login("ada"));
    let span = ("2027-01-04", "2027-01-06");
    for (who, for_whom, may) in [
        (&dana, None, true),
        (&dana, Some("lee"), false),
        (&ada, Some("lee"), true),
    ] {
        let entered = oncall::add_absence(desk, who, for_whom, span, "holidays").await;
        assert_eq!(entered.is_ok(), may, "{who:?} {for_whom:?}: {entered:?}");
        let from = "2027-02-01 09:00";
        let whom = for_whom.unwrap_or("dana");
        let put = oncall::set_override(desk, who, put(whom, from, "2027-02-02 09:00")).await;
        assert_eq!(put.is_ok(), may, "{who:?} {for_whom:?}: {put:?}");
        let opened = oncall::add_calendar(desk, who, for_whom).await;
        assert_eq!(opened.is_ok(), may, "{who:?} {for_whom:?}");
    }
    let absences = oncall::list_absences(desk, &dana).await.expect("listed");
    let lees = absences
        .iter()
        .find(|one| one.name == "lee")
        .expect("there");
    let refused = oncall::remove_absence(desk, &dana, lees.id).await;
    assert_eq!(refusal(refused).code, RefusalCode::NotPermitted);
    let overrides = oncall::list_overrides(desk, &dana).await.expect("listed");
    let lees = overrides
        .iter()
        .find(|one| one.who == "lee")
        .expect("there");
    let refused = oncall::remove_override(desk, &dana, lees.id).await;
    assert_eq!(refusal(refused).code, RefusalCode::NotPermitted);
    let refused = oncall::give_back(desk, &dana, lees.id).await;
    assert_eq!(refusal(refused).code, RefusalCode::Invalid, "it is no swap");
}

async fn whoever_may_not_is_told_and_nothing_is_changed(backend: Backend) {
    let test = staffed(backend).await;
    let desk = &test.desk;
    let offered = oncall::offer(desk, &login("dana"), offering("now", None)).await;
    let id = offered.expect("positive control: an agent may").id;
    let before = counts(&test).await;
    let vera = login("vera");
    let span = ("2027-01-04", "2027-01-06");
    let codes = [
        refusal(oncall::set_schedules(desk, &vera, ROTA, "x", false).await).code,
        refusal(oncall::set_schedules(desk, &login("dana"), ROTA, "x", false).await).code,
        refusal(oncall::remove_schedule(desk, &login("dana"), "fintech").await).code,
        refusal(oncall::set_override(desk, &vera, put("vera", "now", "2027-01-01")).await).code,
        refusal(oncall::take(desk, &vera, Taking::Offered(id), None).await).code,
        refusal(oncall::take(desk, &vera, unasked("now", None), None).await).code,
        refusal(oncall::give_back(desk, &vera, id).await).code,
        refusal(oncall::add_absence(desk, &vera, None, span, "x").await).code,
        refusal(oncall::now(desk, &login("stranger"), None).await).code,
        refusal(oncall::list_schedules(desk, &login("stranger")).await).code,
    ];
    assert_eq!(codes, [RefusalCode::NotPermitted; 10]);
    assert_eq!(counts(&test).await, before);
    // Whoever may read the desk may see who is on call, and have a calendar.
    oncall::now(desk, &vera, None).await.expect("a viewer may");
    oncall::add_calendar(desk, &vera, None)
        .await
        .expect("a viewer may");
    assert_ne!(counts(&test).await, before, "positive control");
    oncall::now(desk, &owner(), None)
        .await
        .expect("an admin may");
}

/// Everything that could have been changed.
async fn counts(test: &tierdesk_tests::TestDesk) -> Vec<(String, i64)> {
    let mut counts = Vec::new();
    for table in ["schedules", "overrides", "temporaries", "absences", "feeds"] {
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM oncall_{table}");
        let rows: Vec<(i64,)> = test.look(&sql).await;
        counts.push((table.to_owned(), rows[0].0));
    }
    let entries: Vec<(i64,)> = test
        .look("SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries")
        .await;
    counts.push(("audit".to_owned(), entries[0].0));
    counts
}
