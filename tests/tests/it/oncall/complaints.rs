//! What users of other tools complained of, one test each; what they say of paging is in `paging::complaints`, where
//! the whole list is.

use tierdesk_core::{
    desk::oncall::{self, Taking},
    refusal::RefusalCode,
};
use tierdesk_tests::{Backend, Letter, on_both, owner};

use super::{ROTA, at, login, now, offering, preview, refusal, set, staffed, unasked};

on_both! {
    a_change_of_clocks_moves_no_shift_and_leaves_no_gap,
    whoever_takes_over_a_shift_is_shown_wherever_it_is_asked,
    what_was_taken_can_be_given_back,
    a_shift_can_be_taken_from_somebody_who_cannot_offer_it,
    a_lead_can_arrange_it,
    of_two_who_take_it_one_has_it,
    goalert_993_the_first_of_the_order_begins_when_the_rota_says,
}

async fn a_change_of_clocks_moves_no_shift_and_leaves_no_gap(backend: Backend) {
    let test = staffed(backend).await;
    // Summer time begins on 28 March 2027, and ends on 31 October 2027.
    for (from, to, expected) in [
        (
            "2027-03-22T08:00:00Z",
            "2027-04-12T07:00:00Z",
            [
                "2027-03-22T08:00:00Z",
                "2027-03-29T07:00:00Z",
                "2027-04-05T07:00:00Z",
            ],
        ),
        (
            "2027-10-25T07:00:00Z",
            "2027-11-15T08:00:00Z",
            [
                "2027-10-25T07:00:00Z",
                "2027-11-01T08:00:00Z",
                "2027-11-08T08:00:00Z",
            ],
        ),
    ] {
        let segments = preview(&test, from, to).await;
        let starts: Vec<String> = segments.iter().map(|one| one.start.to_string()).collect();
        assert_eq!(starts, expected, "nine o'clock on both sides");
        assert_eq!(segments.last().expect("some").end, at(to));
        assert!(segments.iter().all(|one| one.source.as_str() == "rotation"));
    }
}

async fn whoever_takes_over_a_shift_is_shown_wherever_it_is_asked(backend: Backend) {
    let test = staffed(backend).await;
    let number = test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    let before = test.ticket(number).await.ticket.on_call;
    assert_eq!(before.as_deref(), Some("dana"), "positive control");
    let address = oncall::add_calendar(&test.desk, &login("kim"), None).await;
    let path = address.expect("it is opened").path;
    let token = path.trim_start_matches("/oncall/").trim_end_matches(".ics");
    let offered = oncall::offer(&test.desk, &login("dana"), offering("now", None))
        .await
        .expect("it is offered");
    assert_eq!(now(&test, None).await.0, "dana", "until somebody takes it");
    let taken = oncall::take(&test.desk, &login("kim"), Taking::Offered(offered.id), None)
        .await
        .expect("it is taken");
    assert_eq!(taken.taken_by.as_deref(), Some("kim"));
    let (primary, secondary, source) = now(&test, None).await;
    assert_eq!((primary.as_str(), source.as_str()), ("kim", "swap"));
    assert_eq!(secondary.as_deref(), Some("lee"));
    let shown = test.ticket(number).await.ticket.on_call;
    assert_eq!(shown.as_deref(), Some("kim"), "on the ticket");
    let segments = preview(&test, "now", "2026-11-30 09:00").await;
    assert_eq!(segments[0].primary, "kim", "in the weeks ahead");
    let calendar = oncall::calendar(&test.desk, token)
        .await
        .expect("it is read")
        .expect("the secret opens it");
    assert!(calendar.contains("DTEND:20261130T080000Z"), "{calendar}");
}

async fn what_was_taken_can_be_given_back(backend: Backend) {
    let test = staffed(backend).await;
    let before = preview(&test, "2026-11-23 11:00", "2026-12-21 09:00").await;
    let offered = oncall::offer(
        &test.desk,
        &login("lee"),
        offering("2026-11-30 09:00", None),
    )
    .await
    .expect("it is offered");
    let id = offered.id;
    oncall::take(&test.desk, &login("kim"), Taking::Offered(id), None)
        .await
        .expect("it is taken");
    let with = preview(&test, "2026-11-23 11:00", "2026-12-21 09:00").await;
    assert_eq!(with[1].primary, "kim", "positive control");
    let other = oncall::give_back(&test.desk, &login("dana"), id).await;
    assert_eq!(refusal(other).code, RefusalCode::NotPermitted);
    oncall::give_back(&test.desk, &login("kim"), id)
        .await
        .expect("it is given back");
    let after = preview(&test, "2026-11-23 11:00", "2026-12-21 09:00").await;
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let offers = oncall::list_swaps(&test.desk, &owner())
        .await
        .expect("they are listed");
    assert_eq!(offers.len(), 1, "it is offered again");
    assert_eq!(offers[0].taken_by, None);
    oncall::give_back(&test.desk, &login("lee"), id)
        .await
        .expect("its owner takes the offer back");
    let offers = oncall::list_swaps(&test.desk, &owner()).await;
    assert!(offers.expect("they are listed").is_empty());
}

async fn a_shift_can_be_taken_from_somebody_who_cannot_offer_it(backend: Backend) {
    let test = staffed(backend).await;
    let mut without = unasked("now", None);
    if let Taking::Unasked { reason, .. } = &mut without {
        reason.clear();
    }
    let refused = oncall::take(&test.desk, &login("lee"), without, None).await;
    assert_eq!(refusal(refused).code, RefusalCode::Empty, "a reason");
    let taking = unasked("now", Some("2026-11-23 18:00"));
    let taken = oncall::take(&test.desk, &login("lee"), taking, None)
        .await
        .expect("it is taken");
    assert_eq!(taken.whose, "dana");
    // Lee was the secondary, and is called first now: the next in line is called second.
    let (primary, secondary, source) = now(&test, None).await;
    assert_eq!((primary.as_str(), source.as_str()), ("lee", "swap"));
    assert_eq!(secondary.as_deref(), Some("noor"));
    assert_eq!(now(&test, Some("2026-11-23T17:00Z")).await.0, "dana");
    oncall::give_back(&test.desk, &login("lee"), taken.id)
        .await
        .expect("it is given back");
    assert_eq!(now(&test, None).await.0, "dana");
    let left = oncall::list_swaps(&test.desk, &owner()).await;
    assert!(left.expect("they are listed").is_empty(), "no offer of it");
    let again = oncall::give_back(&test.desk, &login("lee"), taken.id).await;
    assert_eq!(refusal(again).code, RefusalCode::NotFound);
}

async fn a_lead_can_arrange_it(backend: Backend) {
    let test = staffed(backend).await;
    let offer = offering("2026-11-30 09:00", Some("lee"));
    let refused = oncall::offer(&test.desk, &login("dana"), offer.clone()).await;
    assert_eq!(refusal(refused).code, RefusalCode::NotPermitted);
    let offered = oncall::offer(&test.desk, &login("ada"), offer)
        .await
        .expect("an admin may");
    let what = || Taking::Offered(offered.id);
    let refused = oncall::take(&test.desk, &login("dana"), what(), Some("kim")).await;
    assert_eq!(refusal(refused).code, RefusalCode::NotPermitted);
    let taken = oncall::take(&test.desk, &login("ada"), what(), Some("kim"))
        .await
        .expect("an admin may");
    assert_eq!(
        (taken.whose.as_str(), taken.taken_by.as_deref()),
        ("lee", Some("kim"))
    );
    assert_eq!(now(&test, Some("2026-11-30T08:00Z")).await.0, "kim");
    assert_eq!(now(&test, Some("2026-12-07T07:59Z")).await.0, "kim");
    assert_eq!(now(&test, Some("2026-12-07T08:00Z")).await.0, "noor");
    test.nothing_is_left().await;
}

async fn of_two_who_take_it_one_has_it(backend: Backend) {
    let test = staffed(backend).await;
    let offered = oncall::offer(&test.desk, &login("dana"), offering("now", None)).await;
    let id = offered.expect("it is offered").id;
    let (kim, noor) = (login("kim"), login("noor"));
    let (one, other) = tokio::join!(
        oncall::take(&test.desk, &kim, Taking::Offered(id), None),
        oncall::take(&test.desk, &noor, Taking::Offered(id), None),
    );
    let (won, lost) = match (one, other) {
        (Ok(won), lost) | (lost, Ok(won)) => (won, refusal(lost)),
        both => panic!("nobody has it: {both:?}"),
    };
    assert_eq!(lost.code, RefusalCode::Changed);
    assert_eq!(Some(now(&test, None).await.0), won.taken_by);
}

/// A rotation begins with its first person, at the instant that is written, and not at a midnight or a Monday of its
/// own; before that it has nobody, and the fallback is called.
async fn goalert_993_the_first_of_the_order_begins_when_the_rota_says(backend: Backend) {
    let test = staffed(backend).await;
    // A Thursday, at half past two.
    let later = ROTA.replacen("2026-11-02 09:00", "2026-12-03 14:30", 2);
    set(&test, &later).await;
    let segments = preview(&test, "2026-12-01T00:00:00Z", "2026-12-24T13:30:00Z").await;
    let shifts: Vec<(String, &str)> = segments
        .iter()
        .map(|one| (one.start.to_string(), one.primary.as_str()))
        .collect();
    let expected = [
        ("2026-12-01T00:00:00Z", "kim"),
        ("2026-12-03T13:30:00Z", "dana"),
        ("2026-12-10T13:30:00Z", "lee"),
        ("2026-12-17T13:30:00Z", "noor"),
    ];
    assert_eq!(shifts, expected.map(|(at, who)| (at.to_owned(), who)));
    // Written again, it stays as it is.
    let again = oncall::set_schedules(&test.desk, &owner(), &later, "rota.toml", false).await;
    assert_eq!(again.expect("it is read").schedules[0].action, "keep");
    let unmoved = preview(&test, "2026-12-01T00:00:00Z", "2026-12-24T13:30:00Z").await;
    let starts = |all: &[oncall::SegmentReport]| -> Vec<String> {
        all.iter().map(|one| one.start.to_string()).collect()
    };
    assert_eq!(starts(&unmoved), starts(&segments));
}
