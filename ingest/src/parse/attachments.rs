//! The parts that are not the body: what they hold, what that is, and names for them that no file
//! system or screen trips over.

mod content_type;

use std::borrow::Cow;

use tierdesk_core::mail::{Attachment, AttachmentInfo};

use crate::{
    fields::{Fields, clean},
    limits,
    media::{Media, Transfer},
};

#[derive(Debug, Default)]
pub(super) struct Attachments {
    list: Vec<Attachment>,
    findings: Vec<String>,
}

impl Attachments {
    /// A leaf with its decoded bytes.
    pub(super) fn add(&mut self, media: &Media, decoded: Cow<'_, [u8]>) {
        let name = match &media.name {
            Some(name) => Some(name.clone()),
            // An attached mail in base64, which the tree does not look into.
            None if media.is_message() && media.transfer != Transfer::Identity => {
                let subject = Fields::split(&decoded).0.find_text("Subject");
                Some(message_name(subject))
            }
            None => None,
        };
        self.push(name, &media.content_type, decoded, media.is_inline);
    }

    /// An attached mail: called by its subject.
    pub(super) fn add_message(&mut self, media: &Media, subject: Option<String>, raw: &[u8]) {
        let name = media.name.clone().unwrap_or_else(|| message_name(subject));
        let raw = Cow::Borrowed(raw);
        self.push(Some(name), &media.content_type, raw, media.is_inline);
    }

    /// Bytes of which nothing is known.
    pub(super) fn add_unknown(&mut self, bytes: &[u8]) {
        let bytes = Cow::Borrowed(bytes);
        self.push(None, "application/octet-stream", bytes, false);
    }

    fn push(&mut self, name: Option<String>, declared: &str, content: Cow<'_, [u8]>, inline: bool) {
        let number = self.list.len() + 1;
        let name = name
            .map(|name| clean_name(&name))
            .filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| format!("attachment-{number}"));
        let found = content_type::of(declared, &content);
        if found.is_program {
            self.findings.push(format!(
                "the attachment {name:?} is a program ({}): do not open it",
                found.content_type
            ));
        }
        let info = AttachmentInfo {
            name,
            content_type: found.content_type,
            size: content.len() as u64,
            inline,
        };
        let content = content.into_owned();
        self.list.push(Attachment { info, content });
    }

    /// The attachments in their order, and what is to be said of them.
    pub(super) fn finish(self) -> (Vec<Attachment>, Vec<String>) {
        (self.list, self.findings)
    }
}

fn message_name(subject: Option<String>) -> String {
    let subject = subject.filter(|subject| !subject.is_empty());
    let mut name: String = subject
        .as_deref()
        .unwrap_or("message")
        .chars()
        .take(limits::NAME_CHARS - 4)
        .collect();
    name.push_str(".eml");
    name
}

/// Without path separators, control characters and the characters that turn the reading
/// direction, by which `fdp.exe` is made to look like `exe.pdf`.
fn clean_name(name: &str) -> String {
    let is_direction = |char: char| matches!(char, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let kept = clean(name)
        .chars()
        .filter(|&char| !char.is_control() && !is_direction(char))
        .map(|char| match char {
            '/' | '\\' => '_',
            _ => char,
        })
        .collect::<String>();
    // A leading dot hides a file, and `..` is a folder.
    let kept = kept.trim().trim_start_matches('.').trim_start();
    if kept.chars().count() <= limits::NAME_CHARS {
        return kept.to_owned();
    }
    let extension: String = match kept.rsplit_once('.') {
        Some((_, extension)) if extension.chars().count() <= 10 => format!(".{extension}"),
        _ => String::new(),
    };
    let stem = limits::NAME_CHARS - extension.chars().count();
    kept.chars().take(stem).chain(extension.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_harmless() {
        for (name, expected) in [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\temp\\a.txt", "C:_temp_a.txt"),
            ("a\u{202E}fdp.exe", "afdp.exe"),
            (" re\tport\u{7}.pdf ", "report.pdf"),
            ("..", ""),
        ] {
            assert_eq!(clean_name(name), expected);
        }
        let long = clean_name(&format!("{}.pdf", "ä".repeat(400)));
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with("ä.pdf"));
    }
}
