//! From, To, Cc and Reply-To.

use mail_parser::{Addr, Address, HeaderValue, parsers::MessageStream};
use tierdesk_core::mail::Mailbox;

use super::{Field, Fields, clean, guarded};
use crate::{encoded_words, limits};

/// The mailboxes of every header of one name.
#[derive(Debug, Default)]
pub(crate) struct AddressList {
    /// In the order of the headers.
    pub(crate) mailboxes: Vec<Mailbox>,
    /// How many headers there were.
    pub(crate) headers: usize,
    /// One of them used group syntax (`name: a, b;`).
    pub(crate) has_group: bool,
}

impl Fields<'_> {
    /// Reads every header of this name.
    pub(crate) fn addresses(&self, name: &str) -> AddressList {
        let mut list = AddressList::default();
        for field in self.all(name) {
            list.headers += 1;
            field.read_addresses(&mut list);
        }
        list
    }
}

impl Field<'_> {
    fn read_addresses(&self, list: &mut AddressList) {
        let mut value = self.for_library(limits::HEADER_BYTES);
        if scans(&value) > limits::ENCODED_WORD_SCANS * value.len() {
            // Without the question marks nothing is taken for an encoded word.
            value
                .iter_mut()
                .filter(|byte| **byte == b'?')
                .for_each(|byte| *byte = b'_');
        }
        match guarded(|| MessageStream::new(&value).parse_address()) {
            Some(HeaderValue::Address(Address::List(found))) => {
                let mut found: Vec<_> = found.iter().filter_map(mailbox).collect();
                if let [only] = &mut *found
                    && let Some(name) = self.encoded_name(&only.address)
                {
                    only.name = Some(name);
                }
                list.mailboxes.append(&mut found);
            }
            Some(HeaderValue::Address(Address::Group(groups))) => {
                list.has_group = true;
                let found = groups.iter().flat_map(|group| &group.addresses);
                list.mailboxes.extend(found.filter_map(mailbox));
            }
            Some(_) => {}
            None => list.mailboxes.extend(plain_mailbox(&self.text())),
        }
    }
}

impl Field<'_> {
    /// The name before `<address>`, where encoded words are all that stands there. The library reads each
    /// word for itself; the address stays the one it found.
    fn encoded_name(&self, address: &str) -> Option<String> {
        let text = self.unfolded();
        let before = text.strip_suffix('>')?.strip_suffix(address)?;
        let before = before.strip_suffix('<')?.trim();
        let is_words = before.starts_with("=?")
            && before.ends_with("?=")
            && !before.contains(['"', '<', '>', '(', ')', '\\']);
        let name = is_words.then(|| clean(&encoded_words::decode(before)))?;
        (!name.is_empty()).then_some(name)
    }
}

/// How many bytes the library looks at while it reads encoded words: from each `=?` to the next
/// `?=`, or to the end where none follows.
fn scans(value: &[u8]) -> usize {
    let mut next_end = value.len();
    let mut scans = 0_usize;
    for (at, pair) in value.windows(2).enumerate().rev() {
        match pair {
            b"?=" => next_end = at,
            b"=?" => scans += next_end - at,
            _ => {}
        }
    }
    scans
}

/// A name without an address is handed on as the address it was meant to be: it resolves to
/// nobody, but staff see what stood there.
fn mailbox(addr: &Addr<'_>) -> Option<Mailbox> {
    let name = addr.name().map(|name| clean(&encoded_words::decode(name)));
    let name = name.filter(|name| !name.is_empty());
    match addr
        .address()
        .map(clean)
        .filter(|address| !address.is_empty())
    {
        Some(address) => Some(Mailbox { address, name }),
        None => name.map(|address| Mailbox {
            address,
            name: None,
        }),
    }
}

/// The reading of a header on which the library failed: what stands in angle brackets, or all.
fn plain_mailbox(text: &str) -> Option<Mailbox> {
    let address = match text.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => text,
    };
    let address = address.trim().to_owned();
    (!address.is_empty()).then_some(Mailbox {
        address,
        name: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(value: &str) -> AddressList {
        let raw = format!("From: {value}\r\n\r\n");
        Fields::split(raw.as_bytes()).0.addresses("from")
    }

    fn pair(mailbox: &Mailbox) -> (&str, Option<&str>) {
        (&mailbox.address, mailbox.name.as_deref())
    }

    #[test]
    fn names_quotes_comments_and_encoded_words() {
        for (value, address, name) in [
            ("a@b.example", "a@b.example", None),
            ("Ann B <a@b.example>", "a@b.example", Some("Ann B")),
            ("\"B, Ann\" <a@b.example>", "a@b.example", Some("B, Ann")),
            ("a@b.example (Ann)", "a@b.example", Some("Ann")),
            (
                "=?utf-8?Q?J=C3=BCrgen?= <j@b.example>",
                "j@b.example",
                Some("Jürgen"),
            ),
            (
                "\"ceo@bank.example\" <x@evil.example>",
                "x@evil.example",
                Some("ceo@bank.example"),
            ),
            ("Mailer Daemon", "Mailer Daemon", None),
        ] {
            let list = from(value);
            assert_eq!(
                list.mailboxes.iter().map(pair).collect::<Vec<_>>(),
                [(address, name)]
            );
        }
    }

    #[test]
    fn every_mailbox_and_every_header_counts() {
        let raw = b"From: a@x.example, b@x.example\nTo: z@x.example\nfrom: g: c@x.example;\n\n";
        let list = Fields::split(raw).0.addresses("From");
        let found: Vec<_> = list
            .mailboxes
            .iter()
            .map(|mailbox| mailbox.address.as_str())
            .collect();
        assert_eq!(found, ["a@x.example", "b@x.example", "c@x.example"]);
        assert_eq!((list.headers, list.has_group), (2, true));
    }

    #[test]
    fn many_encoded_names_are_all_read() {
        let many = "=?utf-8?Q?J=C3=BCrgen?= <j@b.example>, ".repeat(3_000);
        let list = from(&many);
        assert_eq!(list.mailboxes.len(), 3_000);
        assert!(
            list.mailboxes
                .iter()
                .all(|mailbox| mailbox.name.as_deref() == Some("Jürgen"))
        );
    }

    #[test]
    fn thousands_of_endless_encoded_words_are_read_quickly() {
        let list = from(&format!("{}<a@b.example>", "=?utf-8?q?a ".repeat(20_000)));
        assert_eq!(list.mailboxes.last().unwrap().address, "a@b.example");
    }
}
