use super::*;
use crate::tiers::Catalogue;

const SECRETS: [&str; 6] = [
    "quartz-subject",
    "quartz-text",
    "quartz@techgov.gov",
    "Quartz Corp",
    "quartz-officer",
    "quartz-colleague",
];

fn at(level: Option<Disclosure>, catalogue: &Catalogue) -> DisclosedTicket {
    let mut tier = catalogue.get("standard").unwrap().clone();
    tier.disclosure = level.unwrap_or(Disclosure::Full);
    ticket(&TicketFacts {
        number: TicketNumber(12),
        tier: level.is_some().then_some(&tier),
        has_conditions: false,
        customer: level
            .is_some()
            .then_some((CustomerId::default(), SECRETS[3])),
        framework: Some("CIS"),
        subject: SECRETS[0],
        text: SECRETS[1],
        status: Status::New,
        severity: Severity::Sev2,
        trust: SenderTrust::Proven,
        is_provisional: true,
        requester: SECRETS[2],
        requester_role: Some(SECRETS[4]),
        assignee: Some(SECRETS[5]),
        due: Some(Timestamp::from_seconds(7)),
        is_overdue: false,
        fixed_replies: 3,
    })
}

/// Which of the marked words each level lets through.
#[test]
fn each_level_shows_what_the_one_before_shows_and_one_thing_more() {
    let catalogue = Catalogue::embedded();
    let seen = |level| {
        let text = format!("{:?}", at(level, &catalogue));
        SECRETS.map(|word| text.contains(word))
    };
    let none = [false; 6];
    assert_eq!(seen(Some(Disclosure::Alias)), none);
    let metadata = [false, false, false, true, true, true];
    assert_eq!(seen(Some(Disclosure::Metadata)), metadata);
    let subject = [true, false, false, true, true, true];
    assert_eq!(seen(Some(Disclosure::Subject)), subject);
    let excerpt = [true, true, false, true, true, true];
    assert_eq!(seen(Some(Disclosure::Excerpt)), excerpt);
    assert_eq!(seen(Some(Disclosure::Full)), [true; 6]);
    let unbound = [false, false, false, false, false, true];
    assert_eq!(seen(None), unbound, "a ticket of nobody's");
}

#[test]
fn an_excerpt_is_cut_at_its_length_and_full_text_is_not() {
    let catalogue = Catalogue::embedded();
    let mut tier = catalogue.get("standard").unwrap().clone();
    let text = "wörter ".repeat(100);
    for (level, expected) in [(Disclosure::Excerpt, EXCERPT + 1), (Disclosure::Full, 700)] {
        tier.disclosure = level;
        let facts = TicketFacts {
            number: TicketNumber(1),
            tier: Some(&tier),
            has_conditions: false,
            customer: None,
            framework: None,
            subject: "",
            text: &text,
            status: Status::New,
            severity: Severity::Sev3,
            trust: SenderTrust::Known,
            is_provisional: false,
            requester: "",
            requester_role: None,
            assignee: None,
            due: None,
            is_overdue: false,
            fixed_replies: 0,
        };
        let shown = ticket(&facts).text.unwrap();
        assert_eq!(shown.chars().count(), expected, "{level}");
    }
}

#[test]
fn aliases_are_steady_and_differ() {
    let one = CustomerId(uuid::Uuid::from_u128(1));
    let two = CustomerId(uuid::Uuid::from_u128(2));
    assert_eq!(alias(one), alias(one));
    assert_ne!(alias(one), alias(two));
    assert_eq!(alias(one).len(), "Client-".len() + 6);
}

#[test]
fn the_strict_tiers_take_no_text_and_are_restricted() {
    let catalogue = Catalogue::embedded();
    let which = |test: fn(Option<&Tier>) -> bool| -> Vec<String> {
        let all = catalogue.iter().filter(|tier| test(Some(tier)));
        all.map(|tier| tier.slug.to_string()).collect()
    };
    assert_eq!(which(takes_text), ["fintech", "standard"]);
    assert_eq!(which(is_restricted), ["gov-federal", "healthcare"]);
    assert!(!takes_text(None), "nor do tickets of nobody's");
}

/// Which words of an answer each level lets through.
#[test]
fn a_reply_is_shown_as_far_as_its_ticket_is() {
    let words = ["name", "customer", "author", "number", "extra"];
    let words = words.map(|name| (name.to_owned(), format!("quartz-{name}")));
    let words = words.into_iter().collect();
    let shown = |level| {
        let facts = AnswerFacts {
            number: TicketNumber(12),
            level,
            title: "Done",
            words: &words,
            recipients: vec![("quartz@techgov.gov", false), ("two@techgov.gov", true)],
            then: crate::macros::Step::Open,
        };
        let fill = |words: &std::collections::BTreeMap<String, String>| {
            let places: Vec<&str> = words.values().map(String::as_str).collect();
            Ok::<_, ()>(places.join(" "))
        };
        let shown = answer(&facts, fill).unwrap();
        assert_eq!((shown.recipients, shown.held), (2, 1), "{level}");
        (shown.text, shown.addresses.len())
    };
    let own = "quartz-extra";
    let alias = format!("‹author› ‹customer› {own} ‹name› quartz-number");
    assert_eq!(shown(Disclosure::Alias), (alias, 0));
    let named = format!("quartz-author quartz-customer {own} ‹name› quartz-number");
    assert_eq!(shown(Disclosure::Metadata), (named.clone(), 0));
    assert_eq!(shown(Disclosure::Excerpt), (named, 0));
    let all = format!("quartz-author quartz-customer {own} quartz-name quartz-number");
    assert_eq!(shown(Disclosure::Full), (all, 2));
}
