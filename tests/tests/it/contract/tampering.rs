//! A thousand ways to change the audit trail by hand, each of them found.

use tierdesk_core::audit::{Entry, Field, Hash, chain_hash};
use tierdesk_tests::{Backend, TestDesk, on_both};

use super::{
    audit::{check, hex, sealed, written},
    dice::Dice,
};

on_both! {
    every_tampering_is_found,
}

const TAMPERINGS: usize = 1_000;

/// What is done to the trail, and the number of the first entry that cannot fit any more, where
/// that is known beforehand.
struct Tampering {
    what: &'static str,
    sql: String,
    first_bad: Option<i64>,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn set(what: &'static str, seq: i64, assignment: &str) -> Tampering {
    Tampering {
        what,
        sql: format!("UPDATE audit_entries SET {assignment} WHERE seq = {seq}"),
        first_bad: Some(seq),
    }
}

/// Another text of the same kind: one character more, less, or other.
fn changed(dice: &mut Dice, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = dice.roll(characters.len().max(1));
    match dice.roll(3) {
        0 if !characters.is_empty() => drop(characters.remove(at)),
        1 if !characters.is_empty() => {
            characters[at] = if characters[at] == 'x' { 'y' } else { 'x' }
        }
        _ => characters.insert(at.min(characters.len()), 'x'),
    }
    characters.into_iter().collect()
}

fn changed_field(dice: &mut Dice, seq: i64, entry: &Entry) -> Tampering {
    let mut fields: Vec<Field> = entry.fields.clone();
    let at = dice.roll(fields.len());
    let what = match dice.roll(7) {
        0 => {
            fields[at].name = changed(dice, &fields[at].name);
            "a field's name"
        }
        1 => {
            fields[at].value = fields[at]
                .value
                .as_deref()
                .map(|value| changed(dice, value));
            "a field's value"
        }
        2 => {
            fields[at].salt = fields[at].salt.as_deref().map(|salt| changed(dice, salt));
            "a field's salt"
        }
        3 => {
            fields[at].hash = changed(dice, &fields[at].hash);
            "a field's hash"
        }
        4 => {
            fields.remove(at);
            "a field less"
        }
        5 => {
            fields.insert(at, Field::new("added", "later".to_owned(), [7; 16]));
            "a field more"
        }
        _ => {
            fields[at].salt = None;
            "half an erasure"
        }
    };
    let fields = serde_json::to_string(&fields).expect("fields are JSON");
    set(what, seq, &format!("fields = {}", quoted(&fields)))
}

fn changed_column(test: &TestDesk, dice: &mut Dice, seq: i64, entry: &Entry) -> Tampering {
    let text = |dice: &mut Dice, column: &str, value: &str| {
        format!("{column} = {}", quoted(&changed(dice, value)))
    };
    let hash: Vec<u8> = (0..32)
        .map(|_| u8::try_from(dice.roll(256)).expect("a byte"))
        .collect();
    let hash = hex(test, &hash);
    match dice.roll(7) {
        0 => set("actor", seq, &text(dice, "actor", &entry.actor)),
        1 => set("action", seq, &text(dice, "action", &entry.action)),
        2 => set("subject", seq, &text(dice, "subject", &entry.subject)),
        3 if test.desk.database.is_sqlite() => set("at", seq, "at = at + 1"),
        3 => set("at", seq, "at = at + interval '1 microsecond'"),
        4 => set("content_hash", seq, &format!("content_hash = {hash}")),
        5 => set("chain_hash", seq, &format!("chain_hash = {hash}")),
        _ if test.desk.database.is_sqlite() => set("id", seq, "id = randomblob(16)"),
        _ => set("id", seq, "id = gen_random_uuid()"),
    }
}

fn swapped(a: i64, b: i64, with_links: bool) -> Tampering {
    let columns = if with_links { "seq, chain_hash" } else { "seq" };
    let swap_links = if with_links {
        format!(
            "CREATE TEMPORARY TABLE held AS SELECT seq, chain_hash FROM audit_entries WHERE seq IN ({a}, {b});
             UPDATE audit_entries SET chain_hash = (SELECT chain_hash FROM held h WHERE h.seq = {a} + {b} - audit_entries.seq)
             WHERE seq IN ({a}, {b});
             DROP TABLE held;"
        )
    } else {
        String::new()
    };
    Tampering {
        what: if columns == "seq" {
            "two numbers swapped"
        } else {
            "two entries swapped"
        },
        sql: format!(
            "{swap_links}
             UPDATE audit_entries SET seq = -1 WHERE seq = {a};
             UPDATE audit_entries SET seq = {a} WHERE seq = {b};
             UPDATE audit_entries SET seq = {b} WHERE seq = -1"
        ),
        first_bad: Some(a.min(b)),
    }
}

/// An entry of its own making at number `at`, with a link that fits the one before; everything
/// after moves up by one, and the head with it.
fn inserted(test: &TestDesk, at: i64, before: &Hash, like: &Entry) -> Tampering {
    let id = uuid::Uuid::from_u128(0x7000_0000_0000_0000_8000_0000_0000_0000);
    let forged = Entry {
        id: id.into(),
        actor: "staff:mallory".to_owned(),
        fields: Vec::new(),
        ..like.clone()
    };
    let content = forged.content_hash();
    let link = chain_hash(before, at, &content);
    let (id, instant) = if test.desk.database.is_sqlite() {
        (hex(test, id.as_bytes()), forged.at.micros().to_string())
    } else {
        (quoted(&id.to_string()), quoted(&forged.at.to_string()))
    };
    let (content, link) = (hex(test, &content), hex(test, &link));
    let (action, subject) = (quoted(&forged.action), quoted(&forged.subject));
    Tampering {
        what: "an entry inserted",
        sql: format!(
            "UPDATE audit_entries SET seq = -seq WHERE seq >= {at};
             UPDATE audit_entries SET seq = 1 - seq WHERE seq < 0;
             UPDATE audit_head SET seq = seq + 1;
             INSERT INTO audit_entries (id, seq, at, actor, action, subject, fields, content_hash, chain_hash)
             VALUES ({id}, {at}, {instant}, 'staff:mallory', {action}, {subject}, '[]', {content}, {link})"
        ),
        first_bad: Some(at + 1),
    }
}

fn tampering(
    test: &TestDesk,
    dice: &mut Dice,
    trail: &[(i64, Entry)],
    links: &[Hash],
) -> Tampering {
    let count = trail.len();
    let (seq, entry) = &trail[dice.roll(count)];
    match dice.roll(10) {
        0..=2 => changed_column(test, dice, *seq, entry),
        3..=5 => changed_field(dice, *seq, entry),
        6 => Tampering {
            what: "an entry deleted",
            sql: format!("DELETE FROM audit_entries WHERE seq = {seq}"),
            first_bad: Some(*seq),
        },
        7 => {
            let other =
                trail[(usize::try_from(*seq).expect("positive") + dice.roll(count - 1)) % count].0;
            swapped(*seq, other, dice.roll(2) == 0)
        }
        8 => {
            let before = usize::try_from(*seq).expect("positive") - 1;
            inserted(test, *seq, &links[before], entry)
        }
        _ if dice.roll(2) == 0 => Tampering {
            what: "an entry without its number",
            sql: format!(
                "UPDATE audit_entries SET seq = NULL, chain_hash = NULL WHERE seq = {seq}"
            ),
            first_bad: Some(*seq),
        },
        _ => Tampering {
            what: "the head set back",
            sql: format!(
                "UPDATE audit_head SET seq = {seq} - 1, chain_hash = {}",
                hex(test, &links[usize::try_from(*seq).expect("positive") - 1])
            ),
            first_bad: None,
        },
    }
}

/// The trail as it was, then `sql`, in one transaction.
async fn restore_and(test: &TestDesk, sql: &str) {
    let both = format!(
        "DELETE FROM audit_entries WHERE id IN
             (SELECT id FROM (SELECT * FROM audit_entries EXCEPT SELECT * FROM kept_entries) other);
         INSERT INTO audit_entries SELECT * FROM kept_entries EXCEPT SELECT * FROM audit_entries;
         DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept_head; {sql}"
    );
    let sqlite = format!("BEGIN IMMEDIATE; {both}; COMMIT");
    test.desk.database.tamper(&sqlite, &both).await;
}

#[expect(clippy::print_stdout, reason = "the figure is the test's result")]
async fn every_tampering_is_found(backend: Backend) {
    let test = written(backend, 150).await;
    assert!(check(&test).await.ok);
    let trail = sealed(&test).await;
    let mut links: Vec<Hash> = vec![[0; 32]];
    for (seq, entry) in &trail {
        let last = links[links.len() - 1];
        links.push(chain_hash(&last, *seq, &entry.content_hash()));
    }
    let keep = "CREATE TABLE kept_entries AS SELECT * FROM audit_entries;
        CREATE TABLE kept_head AS SELECT * FROM audit_head";
    test.tamper(keep).await;
    let mut dice = Dice::new(42);
    let (mut found, mut controls) = (0, 0);
    let mut kinds = std::collections::BTreeMap::new();
    for n in 0..TAMPERINGS {
        let Tampering {
            what,
            sql,
            first_bad,
        } = tampering(&test, &mut dice, &trail, &links);
        restore_and(&test, &sql).await;
        let answer = check(&test).await;
        assert!(!answer.ok, "tampering {n} was not found: {what}: {sql}");
        if first_bad.is_some() {
            assert_eq!(answer.first_bad, first_bad, "tampering {n}: {what}: {sql}");
        }
        found += 1;
        *kinds.entry(what).or_insert(0) += 1;
        if n % 100 == 0 {
            restore_and(&test, "").await;
            assert!(
                check(&test).await.ok,
                "control {controls}: untampered, it holds"
            );
            controls += 1;
        }
    }
    println!("{found} of {TAMPERINGS} tamperings found, {controls} controls verified: {kinds:?}");
    assert_eq!(found, TAMPERINGS);
    assert!(kinds.len() >= 16, "{kinds:?}");
}
