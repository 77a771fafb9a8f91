//! Who really sent it? Trust before tier.
//!
//! A `From:` line is a claim. Every mail makes a ticket; only `known` and `proven` bind it to a
//! customer outright, `unproven` binds provisionally, `contradicted` goes to triage unbound. Every
//! finding is a reason that staff can read.

use crate::{
    authentication::{Authentication, Evidence, weigh},
    customers::{
        EmailAddress,
        matching::{CustomerRef, Directory, MatchedBy},
    },
    mail::Mail,
    named::named_enum,
};

named_enum! {
    /// How far the sender can be believed, about a customer.
    pub enum SenderTrust as "trust" {
        /// Authenticated, and a listed contact of the customer.
        Known = "known",
        /// Authenticated for a domain of the customer.
        Proven = "proven",
        /// No authentication seen, or an authenticated stranger.
        Unproven = "unproven",
        /// Something speaks against the sender.
        Contradicted = "contradicted",
    }
}

/// The finding about one mail's sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The one sender, where the mail names exactly one.
    pub sender: Option<EmailAddress>,
    /// The customer the mail is bound to, provisionally when `trust` is unproven.
    pub customer: Option<CustomerRef>,
    /// How far to believe it.
    pub trust: SenderTrust,
    /// Every finding, in words.
    pub reasons: Vec<String>,
}

/// The one sender of a mail, or what is wrong with its From.
pub fn sender_of(mail: &Mail) -> Result<EmailAddress, String> {
    if mail.from_headers > 1 {
        return Err(format!("the mail has {} From headers", mail.from_headers));
    }
    if mail.from_has_group {
        return Err("From names a group, not a sender".to_owned());
    }
    match mail.from.as_slice() {
        [] => Err("the mail names no sender".to_owned()),
        [one] => one
            .address
            .parse()
            .map_err(|_| format!("the sender {:?} is not a mail address", one.address)),
        several => Err(format!("From names {} senders", several.len())),
    }
}

/// Weighs what is known of a sender. `directory` must hold what [`sender_of`]'s address can touch;
/// `evidence` is what a checker found, if one was asked and its word is taken.
pub fn assess(mail: &Mail, evidence: Option<&Evidence>, directory: &Directory) -> Assessment {
    let sender = match sender_of(mail) {
        Ok(sender) => sender,
        Err(fault) => return Assessment::contradicted(None, vec![fault]),
    };
    let found = directory.resolve(&sender);
    let mut reasons = vec![found.reason];
    if found.look_alike_of.is_some() {
        return Assessment::contradicted(Some(sender), reasons);
    }
    if let Some(header) = mail.internal_headers.first() {
        reasons.push(format!("it carries {header}, which only our own mail has"));
        return Assessment::contradicted(Some(sender), reasons);
    }
    let trust = match evidence.map(|evidence| weigh(evidence, &sender)) {
        Some(Authentication::Failed(reason)) => {
            reasons.push(reason);
            return Assessment::contradicted(Some(sender), reasons);
        }
        Some(Authentication::Passed(reason)) => {
            reasons.push(reason);
            match found.matched_by {
                MatchedBy::Contact => SenderTrust::Known,
                MatchedBy::Domain => SenderTrust::Proven,
                MatchedBy::None => SenderTrust::Unproven,
            }
        }
        Some(Authentication::Inconclusive(reason)) => {
            reasons.push(reason);
            SenderTrust::Unproven
        }
        None => {
            reasons.push("no authentication result was seen for this mail".to_owned());
            SenderTrust::Unproven
        }
    };
    Assessment {
        sender: Some(sender),
        customer: found.customer,
        trust,
        reasons,
    }
}

impl Assessment {
    /// Something speaks against the sender: the mail is nobody's.
    fn contradicted(sender: Option<EmailAddress>, reasons: Vec<String>) -> Self {
        Self {
            sender,
            customer: None,
            trust: SenderTrust::Contradicted,
            reasons,
        }
    }
}
