//! The audit chain: what is hashed, and how.
//!
//! An entry is written with the change it describes. A sealer later numbers committed entries and
//! chains them: `chain(n) = SHA-256(chain(n-1), n, content(n))`. The content hash commits to
//! salted hashes of the fields, whose values and salts stand beside it: erasing a person's value
//! with its salt leaves a chain that still verifies. docs/security.md names what this proves.

pub mod export;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{clock::Timestamp, ids::AuditId};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// One field of an entry. `value` and `salt` are `None` once erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)] // what is not hashed has no place beside what is
pub struct Field {
    /// What it is: `customer`, `from`, …
    pub name: String,
    /// What it was.
    pub value: Option<String>,
    /// 16 random bytes, hexadecimal.
    pub salt: Option<String>,
    /// The salted hash, hexadecimal.
    pub hash: String,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done: `ticket.assign`, …
    pub action: String,
    /// To what: `ticket:SB-12`, `customer:acme-finance`.
    pub subject: String,
    /// The particulars.
    pub fields: Vec<Field>,
}

impl Field {
    /// A field with its salted hash.
    pub fn new(name: &str, value: String, salt: [u8; 16]) -> Self {
        let salt = data_encoding::HEXLOWER.encode(&salt);
        let hash = field_hash(name, &value, &salt);
        Self {
            name: name.to_owned(),
            value: Some(value),
            salt: Some(salt),
            hash,
        }
    }

    /// Whether the value, where it is still there, is the one that was hashed.
    pub fn fits(&self) -> bool {
        match (&self.value, &self.salt) {
            (Some(value), Some(salt)) => field_hash(&self.name, value, salt) == self.hash,
            (None, None) => true,
            _ => false,
        }
    }

    /// Forgets the value. The hash stays, and proves nothing about it without the salt.
    pub fn erase(&mut self) {
        (self.value, self.salt) = (None, None);
    }
}

fn field_hash(name: &str, value: &str, salt: &str) -> String {
    let mut hasher = Absorb::new(b"tierdesk.audit.field.v1");
    hasher.part(salt.as_bytes());
    hasher.part(name.as_bytes());
    hasher.part(value.as_bytes());
    data_encoding::HEXLOWER.encode(&hasher.finish())
}

impl Entry {
    /// The hash of everything but the fields' values.
    pub fn content_hash(&self) -> Hash {
        let mut hasher = Absorb::new(b"tierdesk.audit.entry.v1");
        hasher.part(self.id.0.as_bytes());
        hasher.part(&self.at.micros().to_be_bytes());
        hasher.part(self.actor.as_bytes());
        hasher.part(self.action.as_bytes());
        hasher.part(self.subject.as_bytes());
        for field in &self.fields {
            hasher.part(field.name.as_bytes());
            hasher.part(field.hash.as_bytes());
        }
        hasher.finish()
    }
}

/// The next link.
pub fn chain_hash(previous: &Hash, seq: i64, content: &Hash) -> Hash {
    let mut hasher = Absorb::new(b"tierdesk.audit.chain.v1");
    hasher.part(previous);
    hasher.part(&seq.to_be_bytes());
    hasher.part(content);
    hasher.finish()
}

/// Hashes parts with their lengths, so that no two lists of parts look alike.
struct Absorb(Sha256);

impl Absorb {
    fn new(domain: &[u8]) -> Self {
        let mut absorb = Self(Sha256::new());
        absorb.part(domain);
        absorb
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

/// `audit verify --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether everything fits.
    pub ok: bool,
    /// How many entries there are, sealed or not.
    pub entries: i64,
    /// The first number that does not fit; one past the head for what could not be sealed.
    pub first_bad: Option<i64>,
    /// How many fields had their values erased: the chain holds without them, and somebody should
    /// know why.
    pub erased: i64,
    /// The head of the chain, hexadecimal.
    pub head: String,
    /// What does not fit, in words.
    pub fault: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: uuid::Uuid::from_u128(1).into(),
            at: Timestamp::from_seconds(0),
            actor: "staff:ann".to_owned(),
            action: "ticket.note".to_owned(),
            subject: "ticket:SB-1".to_owned(),
            fields: vec![Field::new(
                "from",
                "john@acmefinance.com".to_owned(),
                [9; 16],
            )],
        }
    }

    #[test]
    fn erasing_a_value_keeps_the_entry_s_hash() {
        let before = entry();
        let mut after = before.clone();
        after.fields[0].erase();
        assert_eq!(after.content_hash(), before.content_hash());
        assert!(after.fields[0].fits());
    }

    #[test]
    fn a_changed_value_does_not_fit() {
        let mut changed = entry();
        changed.fields[0].value = Some("eve@example.com".to_owned());
        assert!(!changed.fields[0].fits());
        changed.fields[0].salt = None;
        assert!(!changed.fields[0].fits());
    }

    #[test]
    fn every_part_counts() {
        let base = entry().content_hash();
        for change in [
            |e: &mut Entry| e.actor.push('x'),
            |e: &mut Entry| e.action.push('x'),
            |e: &mut Entry| e.subject.push('x'),
            |e: &mut Entry| e.at = Timestamp::from_seconds(1),
            |e: &mut Entry| e.fields.clear(),
            |e: &mut Entry| e.fields[0].hash.push('0'),
        ] {
            let mut changed = entry();
            change(&mut changed);
            assert_ne!(changed.content_hash(), base);
        }
    }
}
