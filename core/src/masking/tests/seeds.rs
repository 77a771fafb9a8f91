//! Secrets made up on the spot: no text that looks like one stands in the repository.

mod cloud;
mod services;
mod words;

use crate::masking::SecretKind;

/// A made-up secret and the text around it, `{}` where it goes.
#[derive(Clone)]
pub(super) struct Seed {
    pub(super) name: &'static str,
    pub(super) kind: SecretKind,
    pub(super) secret: String,
    around: &'static str,
}

impl Seed {
    pub(super) fn example(&self) -> String {
        self.around.replace("{}", &self.secret)
    }
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LOWER_HEX: &[u8] = b"0123456789abcdef";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The same characters each time: a linear congruential generator with a seed of its own.
fn chars(alphabet: &[u8], length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    (0..length)
        .map(|_| char::from(alphabet[next() % alphabet.len()]))
        .collect()
}

fn seed(name: &'static str, kind: SecretKind, secret: String, around: &'static str) -> Seed {
    Seed {
        name,
        kind,
        secret,
        around,
    }
}

fn prefixed(prefix: [&str; 2], alphabet: &[u8], length: usize) -> String {
    format!(
        "{}{}",
        prefix.concat(),
        chars(alphabet, length, prefix[0].len() as u64 + 7)
    )
}

/// A number of this prefix and length with the right check digit.
fn card(prefix: &str, length: usize) -> String {
    let mut digits = format!(
        "{prefix}{}",
        chars(b"0123456789", length - 1 - prefix.len(), 3)
    );
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            if index % 2 == 0 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    digits.push(char::from_digit((10 - sum % 10) % 10, 10).unwrap());
    digits
}

fn grouped(number: &str, groups: &[usize], separator: &str) -> String {
    let mut rest = number;
    let mut parts = Vec::new();
    for group in groups {
        let (part, tail) = rest.split_at(*group);
        parts.push(part);
        rest = tail;
    }
    parts.join(separator)
}

fn pem(label: &str, line: &str, is_whole: bool) -> String {
    let dashes = "-".repeat(5);
    let body: Vec<String> = (0..6).map(|n| chars(BASE64, 64, 40 + n)).collect();
    let end = if is_whole {
        format!("{line}{dashes}END {label}{dashes}")
    } else {
        String::new()
    };
    format!(
        "{dashes}BEGIN {label}{dashes}{line}{}{end}",
        body.join(line)
    )
}

fn jwt(parts: usize) -> String {
    let parts: Vec<String> = (0..parts)
        .map(|n| chars(ALNUM, 40, 60 + n as u64))
        .collect();
    format!(
        "ey{}.ey{}",
        ["Jh", &parts[0]].concat(),
        ["Jz", &parts.join(".")].concat()
    )
}

pub(super) fn seeds() -> Vec<Seed> {
    [
        cloud::aws(),
        cloud::keys(),
        services::services(),
        services::payments_and_packages(),
        services::more_services(),
        words::passwords(),
        words::assigned(),
        words::headers(),
        words::cards(),
    ]
    .concat()
}
