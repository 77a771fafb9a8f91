//! The token in our reply address and our Message-IDs, by which an answer finds its ticket.
//!
//! `support+TOKEN@securebase.example`: the ticket's number, a nonce and an HMAC-SHA-256 over both
//! cut to 128 bits (RFC 2104 section 5), in base32 without padding, so that a mail program may change
//! its case. The first byte says which key made it: the secret can be exchanged while old mails are
//! still answered. A token proves that somebody had a mail of ours, not who they are.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{customers::EmailAddress, tickets::TicketNumber};

/// Bytes of key id, number, nonce and tag.
const LAYOUT: (usize, usize, usize, usize) = (1, 6, 6, 16);
/// Bytes of a token.
const BYTES: usize = LAYOUT.0 + LAYOUT.1 + LAYOUT.2 + LAYOUT.3;
/// Bytes that the tag covers.
const SIGNED: usize = BYTES - LAYOUT.3;
/// Characters of a token: five bits each.
pub const LENGTH: usize = (BYTES * 8).div_ceil(5);
/// What the left side of our Message-IDs begins with.
const MESSAGE_ID: &str = "tierdesk.";
/// The most places of one mail that are looked at.
const PLACES: usize = 200;

struct Key {
    id: u8,
    bytes: [u8; 32],
}

/// Makes tokens with one secret and knows those of earlier ones.
pub struct ReplyTokens {
    current: Key,
    previous: Vec<Key>,
    local_part: String,
    domain: String,
}

impl std::fmt::Debug for ReplyTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplyTokens")
            .field("keys", &(1 + self.previous.len()))
            .finish_non_exhaustive()
    }
}

impl Key {
    fn of(secret: &str) -> Self {
        let digest = |purpose: &str| {
            let mut hash = Sha256::new();
            hash.update(purpose);
            hash.update(secret);
            hash.finalize()
        };
        Self {
            // Tells keys apart and gives nothing of them away.
            id: digest("tierdesk reply token key id\0")[0],
            bytes: digest("tierdesk reply token key\0").into(),
        }
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.bytes).expect("any length of key will do");
        mac.update(signed);
        mac
    }
}

impl ReplyTokens {
    /// Tokens for the support address, made with `secret`; those of `previous` secrets are still
    /// known.
    pub fn new<'s>(
        secret: &str,
        previous: impl IntoIterator<Item = &'s str>,
        address: &EmailAddress,
    ) -> Self {
        let text = address.as_str();
        let (local_part, domain) = text.rsplit_once('@').unwrap_or((text, ""));
        Self {
            current: Key::of(secret),
            previous: previous.into_iter().map(Key::of).collect(),
            local_part: local_part.to_ascii_lowercase(),
            domain: domain.to_ascii_lowercase(),
        }
    }

    /// A token for a ticket. `nonce` is random; two mails about one ticket have different ones.
    pub fn mint(&self, ticket: TicketNumber, nonce: [u8; 6]) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(self.current.id);
        bytes.extend_from_slice(&ticket.0.to_be_bytes()[8 - LAYOUT.1..]);
        bytes.extend_from_slice(&nonce);
        let tag = self.current.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag[..LAYOUT.3]);
        data_encoding::BASE32_NOPAD
            .encode(&bytes)
            .to_ascii_lowercase()
    }

    /// The ticket that a token names, if one of our keys made it. Compared in constant time.
    pub fn verify(&self, token: &str) -> Option<TicketNumber> {
        if token.len() != LENGTH {
            return None;
        }
        let bytes = data_encoding::BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes());
        let bytes = bytes.ok().filter(|bytes| bytes.len() == BYTES)?;
        let (signed, tag) = bytes.split_at(SIGNED);
        let keys = std::iter::once(&self.current).chain(&self.previous);
        let made_it =
            |key: &Key| key.id == signed[0] && key.mac(signed).verify_truncated_left(tag).is_ok();
        // Every key of this id is tried: two secrets may share one.
        if !keys.fold(false, |found, key| made_it(key) | found) {
            return None;
        }
        let mut number = [0; 8];
        number[8 - LAYOUT.1..].copy_from_slice(&signed[1..=LAYOUT.1]);
        let number = i64::from_be_bytes(number);
        (number > 0).then_some(TicketNumber(number))
    }

    /// The address that answers to a mail about a ticket go to.
    pub fn address(&self, token: &str) -> String {
        format!("{}+{token}@{}", self.local_part, self.domain)
    }

    /// The Message-ID of a mail about a ticket, without angle brackets.
    pub fn message_id(&self, token: &str) -> String {
        format!("{MESSAGE_ID}{token}@{}", self.domain)
    }

    /// The tickets named by genuine tokens in addresses (ours, with a token behind `+`) and in
    /// Message-IDs, in the order given, each once.
    pub fn tickets<'t>(
        &self,
        addresses: impl IntoIterator<Item = &'t str>,
        message_ids: impl IntoIterator<Item = &'t str>,
    ) -> Vec<TicketNumber> {
        let in_address = |text: &'t str| {
            let (local, domain) = text.trim().rsplit_once('@')?;
            let ours = domain.eq_ignore_ascii_case(&self.domain);
            let (name, token) = local.split_once('+').filter(|_| ours)?;
            name.eq_ignore_ascii_case(&self.local_part).then_some(token)
        };
        let in_id = |text: &'t str| {
            let (left, _) = text.rsplit_once('@')?;
            left.strip_prefix(MESSAGE_ID)
        };
        let addresses = addresses.into_iter().take(PLACES).filter_map(in_address);
        let ids = message_ids.into_iter().take(PLACES).filter_map(in_id);
        let mut found = Vec::new();
        for ticket in addresses.chain(ids).filter_map(|token| self.verify(token)) {
            if !found.contains(&ticket) {
                found.push(ticket);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of more than thirty-two characters";

    fn tokens(secret: &str, previous: &[&str]) -> ReplyTokens {
        let address = "Support@securebase.example".parse().unwrap();
        ReplyTokens::new(secret, previous.iter().copied(), &address)
    }

    #[test]
    fn a_token_names_its_ticket_whatever_its_case() {
        let ours = tokens(SECRET, &[]);
        for number in [1, 12, 281_474_976_710_655] {
            let token = ours.mint(TicketNumber(number), [7; 6]);
            assert_eq!(token.len(), LENGTH);
            assert_eq!(ours.verify(&token), Some(TicketNumber(number)));
            assert_eq!(
                ours.verify(&token.to_uppercase()),
                Some(TicketNumber(number))
            );
            let address = ours.address(&token);
            let local = address.split('@').next().unwrap();
            assert!(local.len() <= 64, "RFC 5321 4.5.3.1.1: {address}");
        }
        let (one, two) = (
            ours.mint(TicketNumber(3), [1; 6]),
            ours.mint(TicketNumber(3), [2; 6]),
        );
        assert_ne!(one, two);
    }

    #[test]
    fn tokens_outlive_the_exchange_of_the_secret_once_it_is_named() {
        let old = tokens(SECRET, &[]).mint(TicketNumber(5), [0; 6]);
        let new = "another secret, of thirty-two characters too";
        assert_eq!(tokens(new, &[]).verify(&old), None);
        let both = tokens(new, &[SECRET]);
        assert_eq!(both.verify(&old), Some(TicketNumber(5)));
        assert_eq!(
            tokens(SECRET, &[]).verify(&both.mint(TicketNumber(5), [0; 6])),
            None
        );
    }

    /// 100,000 forgeries: bits changed, tags cut short, other people's keys, random text.
    #[test]
    fn forged_tokens_are_not_taken() {
        let ours = tokens(SECRET, &[]);
        let token = ours.mint(TicketNumber(12), [9; 6]);
        let genuine = data_encoding::BASE32_NOPAD
            .decode(token.to_uppercase().as_bytes())
            .unwrap();
        let encode = |bytes: &[u8]| data_encoding::BASE32_NOPAD.encode(bytes).to_lowercase();
        let mut taken = 0;
        for round in 0..100_000_usize {
            let mut bytes = genuine.clone();
            match round % 4 {
                0 => bytes[round / 4 % BYTES] ^= 1 << (round / 116 % 8),
                1 => bytes[SIGNED..]
                    .copy_from_slice(&Sha256::digest(round.to_be_bytes())[..LAYOUT.3]),
                2 => {
                    let other = tokens(&format!("{SECRET}{round}"), &[]);
                    let forged = other.mint(TicketNumber(12), [9; 6]);
                    bytes = data_encoding::BASE32_NOPAD
                        .decode(forged.to_uppercase().as_bytes())
                        .unwrap();
                    bytes[0] = genuine[0];
                }
                _ => bytes.truncate(round % BYTES),
            }
            taken += usize::from(ours.verify(&encode(&bytes)).is_some());
        }
        assert_eq!(taken, 0);
        assert!(ours.verify(&encode(&genuine)).is_some(), "positive control");
    }

    #[test]
    fn only_our_own_address_carries_one() {
        let ours = tokens(SECRET, &[]);
        let token = ours.mint(TicketNumber(12), [9; 6]);
        let address = ours.address(&token);
        let id = ours.message_id(&token);
        let found = |address: &str, id: &str| ours.tickets([address], [id]);
        assert_eq!(found(&address, ""), [TicketNumber(12)]);
        assert_eq!(found(&address.to_uppercase(), &id), [TicketNumber(12)]);
        assert_eq!(found("", &id), [TicketNumber(12)]);
        for other in [
            format!("support+{token}@evil.example"),
            format!("sales+{token}@securebase.example"),
            format!("{token}@securebase.example"),
            "support+@securebase.example".to_owned(),
        ] {
            assert_eq!(found(&other, "x@y"), [], "{other}");
        }
    }
}
