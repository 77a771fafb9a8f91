use proptest::prelude::*;

use super::{
    Demand, Field, Query, Words,
    document::{MessageText, Terms, of_message, pair},
    excerpt::excerpt,
    words::{camel_parts, each_term},
};

fn terms(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    each_term(text, |term, _| all.push(term.to_owned()));
    all
}

fn understood(text: &str) -> String {
    let query = Query::parse(text);
    query.map_or_else(
        |refusal| format!("refused: {refusal}"),
        |query| query.to_string(),
    )
}

#[test]
fn letters_fold_to_what_people_type() {
    for (text, folded) in [
        ("Straße GROẞ", "strasse gross"),
        ("Müller naïve Ångström", "muller naive angstrom"),
        ("Łódź zażółć gęślą jaźń", "lodz zazolc gesla jazn"),
        (
            "Smørrebrød Đorđe Þór æon œuvre",
            "smorrebrod dorde thor aeon oeuvre",
        ),
        ("IĞDIR ığdır İstanbul", "igdir igdir istanbul"),
        ("ΟΔΥΣΣΕΎΣ οδυσσεύς", "οδυσσευσ οδυσσευσ"),
        ("Ёлка ёлка Й", "елка елка и"),
        ("أحمد مُحَمَّد كـــتاب", "احمد محمد كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("ﬁle ﬀ ２０２６ ＡＷＳ", "file ff 2026 aws"),
        ("soft\u{ad}hyphen zero\u{200b}width", "softhyphen zerowidth"),
    ] {
        assert_eq!(terms(text).join(" "), folded, "{text}");
    }
}

#[test]
fn writing_without_blanks_is_a_term_a_character() {
    assert_eq!(terms("証明書の更新"), ["証", "明", "書", "の", "更", "新"]);
    assert_eq!(terms("인증서를 갱신"), ["인", "증", "서", "를", "갱", "신"]);
    // Half width, and decomposed as macOS sends it: the same letters.
    assert_eq!(terms("ｶﾞｽ"), terms("ガス"));
    assert_eq!(terms("\u{1112}\u{1161}\u{11ab}"), terms("한"));
    assert_ne!(terms("が"), terms("か"));
    assert_eq!(terms("AWS証明書2"), ["aws", "証", "明", "書", "2"]);
}

#[test]
fn names_of_machines_fall_into_their_parts() {
    for (text, parts) in [
        ("john.doe@acme-finance.com", "john doe acme finance com"),
        (
            "arn:aws:iam::123456789012:role/Ops_Admin",
            "arn aws iam 123456789012 role ops admin",
        ),
        ("i-0abc 10.0.12.7 SB-12", "i 0abc 10 0 12 7 sb 12"),
        (
            r"C:\Temp https://x.example/a?b=c",
            "c temp https x example a b c",
        ),
        ("(AccessDenied)", "accessdenied"),
    ] {
        assert_eq!(terms(text).join(" "), parts, "{text}");
    }
    assert_eq!(camel_parts("AccessDenied"), ["access", "denied"]);
    assert_eq!(
        camel_parts("InvalidClientTokenId"),
        ["invalid", "client", "token", "id"]
    );
    for no_name in [
        "access",
        "aGVsbG8gd29ybGQ",
        "dXNlcjpwYXNzd29yZAbCdEfGh",
        "S3",
        "éA",
    ] {
        assert!(camel_parts(no_name).is_empty(), "{no_name}");
    }
}

#[test]
fn a_line_is_read_as_people_mean_it() {
    for (line, meant) in [
        ("Access denied", "access denied"),
        (
            "\"Access denied\" -Invoice cert*",
            "\"access denied\" -invoice cert*",
        ),
        (
            "tier:FinTech status:open,waiting",
            "tier:fintech status:open,waiting-customer",
        ),
        (
            "sev:1 SEVERITY:sev2 -priority:p1",
            "severity:sev1 severity:sev2 -priority:p1",
        ),
        (
            "from:john@acme.com to:ops*",
            "from:\"john acme com\" to:ops*",
        ),
        ("from:\"John Doe\"", "from:\"john doe\""),
        (
            "assignee:me,nobody,ann tag:billing",
            "assignee:me,nobody,ann tag:billing",
        ),
        (
            "is:open -is:triage has:attachment",
            "is:open -is:triage has:attachment",
        ),
        (
            "older:3d newer:2w before:2026-11-28",
            "older:3d newer:2w before:2026-11-28",
        ),
        ("number:12 sb-12", "number:SB-12 \"sb 12\""),
        (
            "https://acme.example/x 12:30 C:\\x",
            "\"https acme example x\" \"12 30\" \"c x\"",
        ),
        ("nobody:knows tier: is:", "\"nobody knows\" tier is"),
        ("- -- \" * ( ) ; ' -\"\"", ""),
        ("\"never closed", "\"never closed\""),
        ("a OR b NEAR(c d) col:x", "a or b \"near c\" d \"col x\""),
    ] {
        assert_eq!(understood(line), meant, "{line}");
    }
}

#[test]
fn a_value_that_cannot_be_is_refused_with_what_would_do() {
    for (line, says) in [
        (
            "is:happy",
            "open, closed, unassigned, snoozed, provisional, triage",
        ),
        (
            "status:done",
            "new, open, waiting-customer, on-hold, resolved, closed",
        ),
        ("sev:9", "sev1, sev2, sev3, sev4"),
        ("-priority:high", "p1, p2, p3, p4"),
        ("has:money", "attachment"),
        ("older:3y", "30m, 4h, 3d or 2w"),
        ("newer:99999999w", "100 years"),
        ("before:yesterday", "2026-11-28"),
        ("after:2026-02-30", "2026-11-28"),
        ("number:twelve", "SB-12"),
        ("from:\"***\"", "a name or an address"),
    ] {
        let refusal = Query::parse(line).expect_err(line);
        assert!(
            refusal
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains(says)),
            "{refusal:?}"
        );
    }
    let refusal = Query::parse("größe is:happy").expect_err("no state");
    assert!(refusal.message.contains("at character 7"), "{refusal}");
    let many = "word ".repeat(10_000);
    assert!(Query::parse(&many).is_err(), "10,000 words");
    assert!(
        Query::parse(&format!("\"{many}\"")).is_err(),
        "a phrase of 10,000"
    );
    assert!(
        Query::parse(&"word ".repeat(40)).is_ok(),
        "positive control"
    );
}

fn document(body: &str) -> Terms {
    of_message(MessageText {
        subject: "A subject",
        author: "john@acme.com",
        author_name: Some("John"),
        recipients: &[],
        attachments: &["report.pdf".to_owned()],
        body,
        has_attached: false,
        is_internal: false,
    })
}

#[test]
fn a_document_stays_within_what_postgresql_holds() {
    let junk: Vec<String> = (0..60_000).map(|n| format!("{n:x}word{n}")).collect();
    let junk = junk.join(" ");
    let long = document(&junk);
    let places = long.as_str().split(' ').count();
    assert!(places < 16_000 && long.as_str().len() < 500_000, "{places}");
    assert!(long.vector().len() < 1_000_000, "{}", long.vector().len());
    let same = document(&"the ".repeat(5_000));
    let kept = same
        .as_str()
        .split(' ')
        .filter(|term| *term == "the")
        .count();
    assert_eq!(kept, 250);
    assert_eq!(
        document(&"x".repeat(1_000_000))
            .as_str()
            .split(' ')
            .max_by_key(|t| t.len())
            .map(str::len),
        Some(40)
    );
}

#[test]
fn places_are_kept_apart_and_signed() {
    let all = document("Got AccessDenied today");
    assert!(all.as_str().contains("←john ←acme ←com"), "{all:?}");
    assert!(
        all.as_str()
            .contains("got accessdenied today ¤ access denied"),
        "{all:?}"
    );
    assert!(all.as_str().contains("a subject ¤"), "{all:?}");
    assert!(all.vector().contains("'accessdenied':"), "{}", all.vector());
    assert!(!all.vector().contains('¤'));
}

#[test]
fn terms_side_by_side_have_a_sign_for_postgresql() {
    let vector = document("Got AccessDenied today").vector();
    let has = |first, second| vector.contains(&format!("'{}' ", pair(first, second)));
    for (first, second) in [
        ("a", "subject"),
        ("←john", "←acme"),
        ("got", "accessdenied"),
        ("access", "denied"),
    ] {
        assert!(has(first, second), "{first} {second} in {vector}");
    }
    // Across two places, the wrong way round, and with the sign of a first letter.
    for (first, second) in [
        ("today", "access"),
        ("denied", "access"),
        ("denied", "‥a"),
        ("‥a", "‥b"),
    ] {
        assert!(!has(first, second), "{first} {second} in {vector}");
    }
    // Signs are stored, so they stay as they are.
    assert_eq!(pair("access", "denied"), '\u{ed1e}');
    let long: Vec<String> = (0..60_000).map(|n| format!("w{n}")).collect();
    let long = document(&long.join(" ")).vector();
    let signs = long
        .chars()
        .filter(|c| ('\u{e000}'..='\u{f8ff}').contains(c));
    let signs = signs.count();
    assert!(signs > 1_000 && signs <= 6_400, "{signs}");
}

#[test]
fn an_excerpt_shows_the_hits() {
    let wanted = [
        Words {
            field: Field::Any,
            terms: vec!["grosse".into()],
            is_prefix: false,
        },
        Words {
            field: Field::Any,
            terms: vec!["access".into(), "den".into()],
            is_prefix: true,
        },
    ];
    let text = format!(
        "{}\nthe GROẞE\n  question: Access denied!{}",
        "a ".repeat(90),
        " z".repeat(90)
    );
    let found = excerpt(&text, &wanted).expect("it stands there");
    let hits: Vec<&str> = found
        .hits
        .iter()
        .map(|hit| &found.text[hit.clone()])
        .collect();
    assert_eq!(hits, ["GROẞE", "Access denied"]);
    assert!(
        found.text.starts_with('…') && found.text.ends_with('…'),
        "{}",
        found.text
    );
    assert!(found.text.contains("the GROẞE question:"), "{}", found.text);
    assert_eq!(excerpt("nothing of it", &wanted), None);
}

fn any_line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-z]{1,6}:[ -~]{0,8}",
        "-?(tier|status|sev|is|has|older|before|from|to|tag|assignee|number|customer):\"?[a-zA-Z0-9äß, -]{0,9}\"?",
        "-?\"[^\"]{0,9}\"?\\*?",
        "[一-龥가-힣がーｶﾞЁёİıŁßﬁ㎏①½\u{300}\u{64b}\u{93f}]{1,5}\\*?",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_understood_is_read_as_the_same(line in any_line()) {
        if let Ok(query) = Query::parse(&line) {
            let printed = query.to_string();
            let again = Query::parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&query), "{}", printed);
        }
    }

    #[test]
    fn terms_hold_nothing_but_letters_and_fold_to_themselves(text in any::<String>()) {
        for term in terms(&text) {
            prop_assert!(!term.is_empty() && !term.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()));
            prop_assert_eq!(terms(&term), vec![term.clone()]);
        }
    }

    #[test]
    fn whatever_is_written_is_excerpted(text in any::<String>(), line in any_line()) {
        if let Ok(query) = Query::parse(&line) {
            let wanted: Vec<Words> = query.words(false).cloned().collect();
            if let Some(found) = excerpt(&text, &wanted) {
                prop_assert!(!found.hits.is_empty());
            }
            let _ = document(&text).vector();
        }
    }
}

#[test]
fn the_properties_read_something() {
    let query = Query::parse("from:a b tier:fintech").expect("it is sound");
    let words = query
        .parts
        .iter()
        .filter(|part| matches!(part.demand, Demand::Words(_)));
    assert_eq!((words.count(), query.filters().count()), (2, 1));
}
