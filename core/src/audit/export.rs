//! A customer's part of the audit trail as a file that proves itself.
//!
//! The first line says what it is and the link before its first entry. Then each entry of the chain in
//! order, one JSON object a line: the customer's own whole, with the salts that tie values to hashes; of
//! everybody else's only the content hash, which the chain needs and which tells nothing. Whoever has the
//! file and a link that they trust (an anchor) can compute the chain over it, without the desk.

use serde::{Deserialize, Serialize};

use super::{Entry, Hash, chain_hash};
use crate::clock::Timestamp;

/// The only version that there is.
pub const FORMAT: &str = "tierdesk-audit-export-1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// Whose part it is.
    pub customer: String,
    /// From this instant on.
    pub from: Timestamp,
    /// Up to this instant, without it.
    pub to: Timestamp,
    /// When it was made.
    pub exported_at: Timestamp,
    /// The number of the first entry.
    pub first: i64,
    /// The number of the last entry.
    pub last: i64,
    /// The link before the first entry, hexadecimal.
    pub before: String,
    /// The link of the last entry, hexadecimal.
    pub head: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Line {
    /// An entry of the customer's.
    Own {
        /// Its number.
        seq: i64,
        /// The entry.
        entry: Entry,
    },
    /// Somebody else's.
    Other {
        /// Its number.
        seq: i64,
        /// Its content hash, hexadecimal.
        content: String,
    },
}

impl Line {
    /// Somebody else's entry, or one of another time.
    pub fn other(seq: i64, content: &Hash) -> Self {
        Self::Other {
            seq,
            content: data_encoding::HEXLOWER.encode(content),
        }
    }
}

/// What a file proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether everything fits.
    pub ok: bool,
    /// Whose part it is.
    pub customer: String,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant.
    pub to: Option<Timestamp>,
    /// Entries of the customer's.
    pub entries: u64,
    /// Entries of others between them.
    pub others: u64,
    /// Values that were erased.
    pub erased: u64,
    /// The number of the first entry that does not fit.
    pub first_bad: Option<i64>,
    /// The link of the last entry, to compare with one that you trust.
    pub head: String,
    /// How many of the given anchors lie in the file, and fit.
    pub anchors: u64,
    /// What does not fit, in words.
    pub fault: Option<String>,
}

/// Checks a file from its lines and the lines of an anchor file (instant, number, link), if there is one.
/// Every anchor that lies within the file must fit.
pub fn verify<'t>(lines: impl IntoIterator<Item = &'t str>, anchors: &str) -> Verdict {
    let mut verdict = Verdict {
        ok: false,
        customer: String::new(),
        from: None,
        to: None,
        entries: 0,
        others: 0,
        erased: 0,
        first_bad: None,
        head: String::new(),
        anchors: 0,
        fault: None,
    };
    match check(lines, anchors, &mut verdict) {
        Ok(()) => verdict.ok = true,
        Err((seq, fault)) => (verdict.first_bad, verdict.fault) = (seq, Some(fault)),
    }
    verdict
}

type Fault = (Option<i64>, String);

fn check<'t>(
    lines: impl IntoIterator<Item = &'t str>,
    anchors: &str,
    verdict: &mut Verdict,
) -> Result<(), Fault> {
    let mut lines = lines.into_iter().filter(|line| !line.trim().is_empty());
    let first = lines.next().ok_or((None, "the file is empty".to_owned()))?;
    let header: Header = serde_json::from_str(first)
        .map_err(|fault| (None, format!("the first line cannot be read: {fault}")))?;
    if header.format != FORMAT {
        return Err((None, format!("it is of another kind: {:?}", header.format)));
    }
    if header.first < 1 || header.last < header.first || header.last == i64::MAX {
        return Err((None, "it has no entries".to_owned()));
    }
    verdict.customer.clone_from(&header.customer);
    (verdict.from, verdict.to) = (Some(header.from), Some(header.to));
    let mut hash =
        read_hash(&header.before).ok_or((None, "the link before it is no hash".to_owned()))?;
    let anchors = read_anchors(anchors)?;
    let mut expected = header.first;
    for line in lines {
        let line: Line = serde_json::from_str(line).map_err(|fault| {
            (
                Some(expected),
                format!("entry {expected} cannot be read: {fault}"),
            )
        })?;
        let (seq, content) = content_of(line, &header, verdict)?;
        if seq != expected || seq > header.last {
            let fault = format!("entry {expected} is missing; the next is {seq}");
            return Err((Some(expected), fault));
        }
        hash = chain_hash(&hash, seq, &content);
        if let Some((_, anchored)) = anchors.iter().find(|(at, _)| *at == seq) {
            if *anchored != data_encoding::HEXLOWER.encode(&hash) {
                return Err((
                    Some(seq),
                    format!("entry {seq} is not the one that was anchored"),
                ));
            }
            verdict.anchors += 1;
        }
        expected += 1;
    }
    verdict.head = data_encoding::HEXLOWER.encode(&hash);
    if !anchors.is_empty() && verdict.anchors == 0 {
        let fault = "none of the anchors lies in it: it may be of another chain".to_owned();
        return Err((None, fault));
    }
    if expected - 1 != header.last {
        let fault = format!("it ends at entry {}, not at {}", expected - 1, header.last);
        return Err((Some(expected), fault));
    }
    if verdict.head != header.head {
        let fault = "the links do not lead to the head that it names".to_owned();
        return Err((Some(header.last), fault));
    }
    Ok(())
}

fn content_of(line: Line, header: &Header, verdict: &mut Verdict) -> Result<(i64, Hash), Fault> {
    match line {
        Line::Other { seq, content } => {
            verdict.others += 1;
            let hash = read_hash(&content);
            let hash = hash.ok_or((Some(seq), format!("entry {seq} has no hash")))?;
            Ok((seq, hash))
        }
        Line::Own { seq, entry } => {
            if entry.at < header.from || entry.at >= header.to {
                return Err((Some(seq), format!("entry {seq} is of another time")));
            }
            if let Some(field) = entry.fields.iter().find(|field| !field.fits()) {
                let fault = format!("entry {seq}: its field {:?} was changed", field.name);
                return Err((Some(seq), fault));
            }
            verdict.entries += 1;
            let erased = entry.fields.iter().filter(|field| field.value.is_none());
            verdict.erased += erased.count() as u64;
            Ok((seq, entry.content_hash()))
        }
    }
}

fn read_hash(text: &str) -> Option<Hash> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// Numbers and links of an anchor file.
fn read_anchors(text: &str) -> Result<Vec<(i64, String)>, Fault> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let seq = words.next()?.parse().ok()?;
        Some((seq, words.next()?.to_owned()))
    };
    lines
        .map(|line| read(line).ok_or((None, format!("the anchor {line:?} cannot be read"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Field, *};

    fn entry(number: u128, value: &str) -> Entry {
        Entry {
            id: uuid::Uuid::from_u128(number).into(),
            at: Timestamp::from_seconds(100),
            actor: "staff:ann".to_owned(),
            action: "ticket.note".to_owned(),
            subject: "ticket:SB-1".to_owned(),
            fields: vec![Field::new("from", value.to_owned(), [7; 16])],
        }
    }

    /// Five entries from number 11 on, of which the second and the fourth are the customer's.
    fn file() -> (Vec<String>, String) {
        let mut hash = [9; 32];
        let before = data_encoding::HEXLOWER.encode(&hash);
        let mut lines = Vec::new();
        let mut anchors = String::new();
        for (seq, number) in (11..16).zip(1..) {
            let entry = entry(number, "john@acmefinance.com");
            let content = entry.content_hash();
            hash = chain_hash(&hash, seq, &content);
            let line = match seq {
                12 | 14 => Line::Own { seq, entry },
                _ => Line::other(seq, &content),
            };
            lines.push(serde_json::to_string(&line).expect("it is JSON"));
            if seq == 13 {
                let link = data_encoding::HEXLOWER.encode(&hash);
                anchors = format!("2026-11-28T00:00:00Z 13 {link}\n");
            }
        }
        let header = Header {
            format: FORMAT.to_owned(),
            customer: "acme".to_owned(),
            from: Timestamp::from_seconds(0),
            to: Timestamp::from_seconds(200),
            exported_at: Timestamp::from_seconds(300),
            first: 11,
            last: 15,
            before,
            head: data_encoding::HEXLOWER.encode(&hash),
        };
        lines.insert(0, serde_json::to_string(&header).expect("it is JSON"));
        (lines, anchors)
    }

    fn check(lines: &[String], anchors: &str) -> Verdict {
        verify(lines.iter().map(String::as_str), anchors)
    }

    #[test]
    fn a_file_proves_itself() {
        let (lines, anchors) = file();
        let verdict = check(&lines, &anchors);
        assert_eq!(verdict.fault, None);
        assert!(verdict.ok);
        assert_eq!(
            (verdict.entries, verdict.others, verdict.anchors),
            (2, 3, 1)
        );
    }

    #[test]
    fn an_erased_value_leaves_it_whole() {
        let (mut lines, anchors) = file();
        let mut erased: Line = serde_json::from_str(&lines[2]).expect("it is a line");
        let Line::Own { entry, .. } = &mut erased else {
            panic!("it is the customer's");
        };
        entry.fields[0].erase();
        lines[2] = serde_json::to_string(&erased).expect("it is JSON");
        let verdict = check(&lines, &anchors);
        assert!(verdict.ok, "{:?}", verdict.fault);
        assert_eq!(verdict.erased, 1);
    }

    #[test]
    fn whatever_is_changed_is_found() {
        let (lines, anchors) = file();
        let change = |index: usize, from: &str, to: &str| {
            let mut changed = lines.clone();
            assert!(changed[index].contains(from), "{}", changed[index]);
            changed[index] = changed[index].replace(from, to);
            changed
        };
        let without = |index: usize| {
            let mut less = lines.clone();
            less.remove(index);
            less
        };
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        let cases = [
            ("a value", change(2, "john@", "eve@")),
            ("an actor", change(2, "staff:ann", "staff:bob")),
            ("a subject", change(4, "SB-1", "SB-2")),
            ("a time", change(2, "00:01:40", "00:01:41")),
            ("a number", change(3, "\"seq\":13", "\"seq\":14")),
            (
                "a field more",
                change(2, "\"fields\":[", "\"extra\":1,\"fields\":["),
            ),
            ("the end is gone", without(5)),
            ("one is gone", without(3)),
            ("the head is gone", without(0)),
            ("two are swapped", swapped),
            ("another time", change(0, "00:03:20", "00:01:00")),
            ("nothing", Vec::new()),
            (
                "a head alone",
                vec![lines[0].replace("\"last\":15", "\"last\":10")],
            ),
            (
                "numbers that end",
                change(0, "\"first\":11", "\"first\":-9223372036854775808"),
            ),
            (
                "numbers without end",
                change(0, "\"last\":15", "\"last\":9223372036854775807"),
            ),
        ];
        for (what, changed) in cases {
            let verdict = check(&changed, &anchors);
            assert!(!verdict.ok && verdict.fault.is_some(), "{what}");
        }
        let elsewhere = anchors.replace(" 13 ", " 99 ");
        assert!(!check(&lines, &elsewhere).ok, "no anchor lies in it");
        let other = anchors.replace(" 13 ", " 14 ");
        assert!(!check(&lines, &other).ok, "an anchor of something else");
        assert!(!check(&lines, "no anchor").ok);
    }
}
