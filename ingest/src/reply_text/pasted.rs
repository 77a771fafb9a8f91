//! Whether the words above an earlier mail say that it is to be read: answers stand between its
//! lines, or somebody pasted it.
//!
//! A language is added to each list, in lower case. Languages that put no blanks between words are
//! in the lists ending in `_WITHIN`.

use super::{Lines, attribution};

/// They point to answers below.
const BELOW: [&str; 35] = [
    "below",
    "beneath",
    "inline",
    "in-line",
    "in red",
    "in blue",
    "in green",
    "see my answers",
    "my comments",
    "unten",
    "in rot",
    "im text",
    "untenstehend",
    "ci-dessous",
    "ci-après",
    "en rouge",
    "abajo",
    "más abajo",
    "en rojo",
    "abaixo",
    "em vermelho",
    "sotto",
    "in rosso",
    "di seguito",
    "hieronder",
    "zie onder",
    "onderstaand",
    "in rood",
    "poniżej",
    "na czerwono",
    "ниже",
    "красным",
    "nedan",
    "nedenfor",
    "aşağıda",
];
const BELOW_WITHIN: [&str; 11] = [
    "以下",
    "下面",
    "下方",
    "如下",
    "见下",
    "下文",
    "红色",
    "下記",
    "インライン",
    "赤字",
    "赤色",
];

/// They announce a mail that was pasted.
const PASTED: [&str; 48] = [
    "this mail",
    "this email",
    "this e-mail",
    "this message",
    "following mail",
    "following email",
    "following message",
    "block",
    "spam",
    "phishing",
    "scam",
    "diese mail",
    "diese e-mail",
    "diese nachricht",
    "folgende mail",
    "blockieren",
    "sperren",
    "ce mail",
    "cet e-mail",
    "ce message",
    "ce courriel",
    "bloquer",
    "este correo",
    "este mensaje",
    "bloquear",
    "bloqueen",
    "este e-mail",
    "este email",
    "esta mensagem",
    "bloqueiem",
    "questa mail",
    "questa e-mail",
    "questo messaggio",
    "bloccare",
    "deze mail",
    "deze e-mail",
    "dit bericht",
    "blokkeren",
    "ten mail",
    "tę wiadomość",
    "taki mail",
    "zablokować",
    "zablokujcie",
    "это письмо",
    "такое письмо",
    "заблокировать",
    "заблокируйте",
    "спам",
];
const PASTED_WITHIN: [&str; 8] = [
    "このメール",
    "次のメール",
    "ブロック",
    "迷惑メール",
    "这封邮件",
    "屏蔽",
    "拉黑",
    "垃圾邮件",
];

/// So many lines above a mail may announce it.
const ANNOUNCING: usize = 3;

/// Whether the earlier mail that begins at `head` has to stay, for what the lines above it say.
pub(super) fn is_announced(lines: &Lines<'_>, head: usize) -> bool {
    let words_above = || (0..head).filter(|&index| !lines.is_quoted(index));
    introduces(lines, head)
        || words_above()
            .rev()
            .filter(|&index| !lines.is_blank(index))
            .take(ANNOUNCING)
            .any(|index| has_any(lines.line(index), &PASTED, &PASTED_WITHIN))
        || words_above().any(|index| has_any(lines.line(index), &BELOW, &BELOW_WITHIN))
}

/// Whether the last line before `end` ends in a colon and is a person's: what follows is shown.
pub(super) fn introduces(lines: &Lines<'_>, end: usize) -> bool {
    let end = lines.before_blanks(end);
    end > 0
        && lines.line(end - 1).trim_end().ends_with([':', '：'])
        && !lines.is_quoted(end - 1)
        && !names_sender_and_time(lines.line(end - 1))
        && attribution::ending_at(lines, end).is_none()
}

/// An address and a date are an attribution's, in whatever language it is.
fn names_sender_and_time(line: &str) -> bool {
    line.contains('@') && line.bytes().filter(u8::is_ascii_digit).count() >= 3
}

/// Whole words, or the same of a language without blanks.
fn has_any(line: &str, words: &[&str], within: &[&str]) -> bool {
    if within.iter().any(|piece| line.contains(piece)) {
        return true;
    }
    let mut padded = String::with_capacity(line.len() + 2);
    for word in line.split(|char: char| !char.is_alphanumeric() && char != '-') {
        if !word.is_empty() {
            padded.push(' ');
            padded.push_str(&word.to_lowercase());
        }
    }
    padded.push(' ');
    words
        .iter()
        .any(|word| padded.contains(&format!(" {word} ")))
}
