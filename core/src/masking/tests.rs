mod seeds;

use proptest::prelude::*;

use super::*;
use seeds::{Seed, seeds};

const BENIGN: &str = include_str!("tests/benign.txt");

/// Sentences around a secret, as mails have them.
fn settings_of(seed: &Seed) -> Vec<String> {
    let example = seed.example();
    vec![
        example.clone(),
        format!("Hello,\n\nhere it is:\n{example}\nThanks, John"),
        format!("> On Monday we wrote:\n> {example}\r\n> and that was it."),
        format!("{BENIGN}\n{example}\n{BENIGN}"),
        format!("Grüße — „{}\n“ äöü", example),
    ]
}

#[test]
fn every_seeded_secret_is_masked_as_its_kind() {
    let seeds = seeds();
    assert!(seeds.len() >= 60, "{}", seeds.len());
    let mut failures = Vec::new();
    for seed in &seeds {
        for text in settings_of(seed) {
            let masked = mask(&text);
            let label = format!("[masked: {}]", seed.kind);
            let is_gone = !masked.text.contains(&seed.secret);
            let is_named = masked.text.contains(&label);
            let is_counted = masked.found == [(seed.kind, 1)];
            if !(is_gone && is_named && is_counted) {
                let around = masked.text.chars().take(200).collect::<String>();
                failures.push(format!(
                    "{} ({}): {:?} {around}",
                    seed.name, seed.kind, masked.found
                ));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_piece_of_a_seeded_secret_is_left() {
    for seed in seeds() {
        let text = seed.example();
        let masked = mask(&text).text.into_owned();
        // Eight characters in a row would already say too much.
        let secret: Vec<char> = seed.secret.chars().collect();
        for window in secret.windows(8) {
            let piece: String = window.iter().collect();
            assert!(!masked.contains(&piece), "{}: {masked}", seed.name);
        }
    }
}

#[test]
fn benign_lines_stay_as_they_are() {
    let lines: Vec<&str> = BENIGN.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.len() >= 150, "{}", lines.len());
    let alarms: Vec<String> = lines
        .iter()
        .map(|line| mask(line))
        .filter(|masked| !masked.found.is_empty())
        .map(|masked| masked.text.into_owned())
        .collect();
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
    assert!(
        matches!(mask(BENIGN).text, Cow::Borrowed(_)),
        "{:?}",
        mask(BENIGN).found
    );
}

#[test]
fn several_secrets_are_counted_by_kind() {
    let seeds = seeds();
    let text: Vec<String> = seeds.iter().map(Seed::example).collect();
    let text = text.join("\n\n");
    let masked = mask(&text);
    let total: usize = masked.found.iter().map(|(_, count)| count).sum();
    assert_eq!(total, seeds.len());
    assert!(masked.found.is_sorted());
    for seed in &seeds {
        assert!(!masked.text.contains(&seed.secret), "{}", seed.name);
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let size = 200_000;
    for piece in [
        "eyJ",
        "eyJaaaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----\n",
        "password=",
        "password: \n",
        "token=",
        "token=a1B2c3.",
        "secret ",
        "://",
        "://a:",
        "://a:x/b",
        "https://u:p@h.example/?key=",
        "4111 1111 1111 ",
        "glpat-",
        "SG.",
        "bearer a",
        "authorization: basic ",
        "M.aaaaaa.",
        "key: ",
        "[masked: ",
        "0",
        "api_key=\"",
        "-----BEGIN PRIVATE KEY-----Version: a ",
        "AKIA",
        "secretaA1",
        "token=token=aA1bB2cC3dD4",
    ] {
        let text = piece.repeat(size / piece.len());
        let begin = std::time::Instant::now();
        mask(&text);
        // Unoptimised and on a busy machine; a quadratic rule takes minutes.
        assert!(
            begin.elapsed().as_secs() < 10,
            "{piece:?} took {:?}",
            begin.elapsed()
        );
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let seeded: Vec<String> = seeds().iter().map(Seed::example).collect();
    let benign: Vec<String> = BENIGN.lines().map(str::to_owned).collect();
    prop_oneof![
        proptest::sample::select(seeded),
        proptest::sample::select(benign),
        "[ -~\n]{0,12}",
        "(password|token|secret|key|pass)(:|=| is |: \"|\\]|\\)| )",
        "\\[masked: (password|API token|x)",
        "[äß€\u{a0}]{1,3}",
    ]
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(parts in proptest::collection::vec(pieces(), 0..8),
                                     glue in "[ \n:=,]{0,2}") {
        let text = parts.join(&glue);
        let once = mask(&text).text.into_owned();
        let twice = mask(&once);
        prop_assert_eq!(&twice.text, &once);
        prop_assert!(twice.found.is_empty());
    }

    #[test]
    fn a_secret_never_survives_in_a_text(
        before in "[ -~\nä€]{0,60}", after in "[ -~\nä€]{0,60}", index in 0_usize..200,
    ) {
        let seeds = seeds();
        let seed = &seeds[index % seeds.len()];
        let text = format!("{before}\n\n{}\n\n{after}", seed.example());
        prop_assert!(!mask(&text).text.contains(&seed.secret), "{}", seed.name);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        mask(&text);
    }
}

#[test]
fn passwords_behind_the_words_and_colons_of_other_scripts_are_masked() {
    for text in [
        "パスワード：abc12345xyz",
        "密码：abc12345xyz",
        "密碼: abc12345xyz",
        "Пароль: abc12345xyz",
        "password：abc12345xyz",
    ] {
        let masked = mask(text).text;
        assert!(!masked.contains("abc12345"), "{text}: {masked}");
    }
    for text in [
        "パスワードを忘れました",
        "请重置密码。",
        "Пароль не подходит",
    ] {
        assert_eq!(mask(text).text, text);
    }
}
