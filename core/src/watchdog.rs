//! Watching the watcher: a mail that the desk writes to itself goes the way that every mail goes, to a
//! ticket, a page, a notice and its acknowledgement. Only when that loop closes is somebody outside told
//! (a dead-man address), who raises the alarm when they hear nothing.
//!
//! Its ticket belongs to a customer that is reserved for it. It is history from the start: no receipt,
//! no card in chat, no clock, and nobody is called. Pure: the rows are in `store::watchdog`, what is done
//! with them in `desk::watchdog`.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    customers::{CustomerStatus, EmailAddress, matching::CustomerRef},
    ids::CustomerId,
    tickets::Ticket,
    tiers::{Catalogue, TierSlug},
};

/// The customer that self-tests belong to. It has no domain: no mail from outside is ever its own.
pub const CUSTOMER: CustomerId = CustomerId(uuid::Uuid::from_u128(
    0x0000_0000_0000_7000_8000_7741_5443_4844,
));
/// Its handle.
pub const SLUG: &str = "tierdesk-watchdog";
/// Its name.
pub const NAME: &str = "tierdesk watchdog";
/// Where an arrival came from that the desk wrote itself. No road from outside gives this one.
pub const ORIGIN: &str = "watchdog";
/// A domain that can exist nowhere (RFC 2606).
pub const DOMAIN: &str = "watchdog.invalid";
/// The policy and the schedule of its pages, which stand in no file.
pub const POLICY: &str = "watchdog";

/// A loop that takes longer has not closed. It takes a second or two.
const LONGEST_LOOP: Duration = Duration::from_mins(2);

/// How the desk watches itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// How often a round begins.
    pub every: Duration,
    /// Whether somebody outside is told when one closes.
    pub pings: bool,
}

impl Watchdog {
    /// The span that an instant lies in: one round begins in each, however many processes there are.
    pub fn slot(&self, now: Timestamp) -> Timestamp {
        let every = i64::try_from(self.every.as_micros())
            .unwrap_or(i64::MAX)
            .max(1);
        Timestamp::from_micros(now.micros() - now.micros().rem_euclid(every))
    }

    /// A round that has not closed within this is late, and somebody is told.
    pub fn patience(&self) -> Duration {
        self.every.max(LONGEST_LOOP)
    }

    /// A last round that closed longer ago means that none begins any more.
    pub fn stale(&self) -> Duration {
        self.every * 3
    }
}

/// Whether a ticket is one of the desk's own self-tests. A ticket that somebody bound to the reserved
/// customer, or answered, is an ordinary one.
pub fn is_self_test(ticket: &Ticket) -> bool {
    ticket.is_silent && ticket.customer_id == Some(CUSTOMER)
}

/// The tier of the reserved customer: the one that waits behind all others.
pub fn tier(catalogue: &Catalogue) -> Option<&TierSlug> {
    let last = catalogue.iter().max_by_key(|tier| tier.rank)?;
    Some(&last.slug)
}

/// The reserved customer as the sender of a mail.
pub fn sender(tier: TierSlug) -> CustomerRef {
    CustomerRef {
        id: CUSTOMER,
        slug: SLUG.parse().expect("a handle in lower case"),
        name: NAME.to_owned(),
        tier,
        framework: None,
        status: CustomerStatus::Active,
        include_subdomains: false,
    }
}

/// The mail. `id` makes it another than every one before it. It says little: all its words are indexed, and
/// nobody who searches is to find a hundred of it a day.
pub fn mail(to: Option<&EmailAddress>, id: &str, now: Timestamp) -> Vec<u8> {
    let to = to.map_or("support@watchdog.invalid", EmailAddress::as_str);
    let sent = now.to_jiff().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let sent = jiff::fmt::rfc2822::to_string(&sent).unwrap_or_default();
    format!(
        "From: tierdesk <watchdog@{DOMAIN}>\r\nTo: {to}\r\nSubject: Watchdog\r\nMessage-ID: <{id}@{DOMAIN}>\r\n\
         Date: {sent}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{id}\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_beginning() {
        let watchdog = Watchdog {
            every: Duration::from_mins(15),
            pings: false,
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, slot) in [
            ("2026-11-29T02:00:00Z", "2026-11-29T02:00:00Z"),
            ("2026-11-29T02:14:59.999999Z", "2026-11-29T02:00:00Z"),
            ("2026-11-29T02:15:00Z", "2026-11-29T02:15:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:45:00Z"),
        ] {
            assert_eq!(watchdog.slot(at(now)), at(slot), "{now}");
        }
    }

    #[test]
    fn the_reserved_customer_is_behind_every_other() {
        let catalogue = Catalogue::embedded();
        let tier = tier(&catalogue).expect("it has tiers");
        assert_eq!(tier.as_str(), "standard");
        assert_eq!(sender(tier.clone()).slug.as_str(), SLUG);
    }
}
