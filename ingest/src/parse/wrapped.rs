//! Parts that hold something to read or to keep inside themselves: Outlook's `winmail.dat`, and
//! invitations. Their text is the mail's only where no other part says anything, which is known
//! when every part was seen.

use std::borrow::Cow;

use crate::{
    calendar, decoding, limits,
    media::{Media, Transfer},
    tnef::{self, Tnef},
};

use super::{KEPT, Reading};

/// Texts that wait until it is known whether they are needed, and how much was taken out.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    text: Option<String>,
    html: Option<String>,
    files: usize,
    /// Outlook wraps the text that was written; an invitation's words are made by us.
    is_written: bool,
}

impl Reading {
    /// Takes a part apart, if it is one of these; says whether nothing is left to do with it.
    pub(super) fn unwrap_part(&mut self, media: &Media, bytes: &[u8]) -> bool {
        if media.content_type == "text/calendar" {
            self.invitation(media, bytes);
            return true;
        }
        if !tnef::is_tnef(media, bytes) {
            return false;
        }
        let room = limits::PARTS - self.wrapped.files.min(limits::PARTS);
        let tnef = tnef::read(bytes, room).unwrap_or_default();
        let is_whole = tnef.is_whole;
        self.unpack(tnef);
        if !is_whole {
            self.findings.push(format!(
                "what Outlook packed into winmail.dat could not all be read: the file stands among the attachments; {KEPT}"
            ));
        }
        is_whole
    }

    fn unpack(&mut self, tnef: Tnef<'_>) {
        self.wrapped.files += tnef.files.len();
        for file in &tnef.files {
            let media = Media {
                content_type: file.content_type.clone(),
                charset: None,
                boundary: None,
                report_type: None,
                name: file.name.clone(),
                is_file: true,
                is_attachment: !file.is_inline,
                is_inline: file.is_inline,
                transfer: Transfer::Identity,
            };
            self.attachments.add(&media, Cow::Borrowed(file.bytes));
        }
        let first = |kept: &mut Option<String>, new: Option<String>| {
            *kept = kept.take().or(new);
        };
        first(&mut self.wrapped.text, tnef.text);
        first(&mut self.wrapped.html, tnef.html);
        self.wrapped.is_written |= self.wrapped.text.is_some() || self.wrapped.html.is_some();
    }

    fn invitation(&mut self, media: &Media, bytes: &[u8]) {
        self.attachments.add(media, Cow::Borrowed(bytes));
        let within = &bytes[..bytes.len().min(limits::CALENDAR_BYTES)];
        // RFC 5545 section 3.1.4: UTF-8 where nothing else is said.
        let (text, _) = decoding::text(within, media.charset.as_deref());
        if self.wrapped.text.is_none() {
            self.wrapped.text = calendar::in_words(&text);
        }
    }

    /// Once every part was seen: what was wrapped is shown where nothing else is, and what somebody
    /// wrote also beside other words, a virus scanner's say, unless those are the same.
    pub(super) fn show_wrapped(&mut self) {
        let wrapped = std::mem::take(&mut self.wrapped);
        let Wrapped {
            text,
            html,
            is_written,
            ..
        } = wrapped;
        let Some(words) = text.as_ref().or(html.as_ref()) else {
            return;
        };
        let is_said = if is_written {
            self.body.says(words, text.is_none())
        } else {
            self.body.says_something()
        };
        if is_said {
            return;
        }
        let choice = self.body.begin_choice();
        for (form, is_html) in [(text, false), (html, true)] {
            let Some(form) = form else { continue };
            self.body.begin_form();
            let room = limits::TEXT_BYTES.saturating_sub(self.body.bytes());
            if form.len() > room {
                self.cut_text();
            }
            let form = decoding::with_lf(decoding::cut(&form, room));
            self.body.add(form, is_html);
        }
        self.body.end_choice(choice);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use tierdesk_core::mail::{Envelope, Mail};

    use crate::{
        parse::parse,
        tnef::tests::{Stream, unicode},
    };

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let bits = (0..3).fold(0, |bits, at| {
                bits << 8 | three.get(at).map_or(0, |&byte| usize::from(byte))
            });
            for at in 0..=three.len() {
                text.push(char::from(DIGITS[bits >> (18 - 6 * at) & 63]));
            }
        }
        text
    }

    /// A mail of these parts; of an attachment the type with its name, and the bytes.
    fn mail(text: Option<&str>, attachments: &[(&str, Vec<u8>)]) -> Mail {
        let mut raw =
            "From: a@x.example\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n"
                .to_owned();
        if let Some(text) = text {
            write!(raw, "--b\nContent-Type: text/plain\n\n{text}\n").unwrap();
        }
        for (media, bytes) in attachments {
            let bytes = base64(bytes);
            write!(
                raw,
                "--b\nContent-Type: {media}\nContent-Transfer-Encoding: base64\n\n{bytes}\n"
            )
            .unwrap();
        }
        parse((raw + "--b--\n").as_bytes(), &Envelope::default())
    }

    fn names(mail: &Mail) -> Vec<(&str, u64)> {
        let files = mail.attachments.iter().map(|file| &file.info);
        files.map(|file| (&*file.name, file.size)).collect()
    }

    fn two_files() -> Stream {
        Stream::new()
            .message(&[unicode(0x1000, "Words of Outlook.")])
            .file("short", Some(b"one"), &[unicode(0x3707, "../Grüße.txt")])
            .file("b.pdf", Some(b"four"), &[])
    }

    #[test]
    fn what_somebody_wrote_is_shown_beside_other_words_too() {
        let words = "PRODUCTION IS DOWN, call me";
        let stream = Stream::new().message(&[unicode(0x1000, words)]);
        let wrapped = ("application/ms-tnef; name=winmail.dat", stream.finish());
        let beside = mail(Some("Scanned by AntiVirus"), std::slice::from_ref(&wrapped));
        assert!(
            beside.text.contains("Scanned by") && beside.text.contains(words),
            "{}",
            beside.text
        );
        let same = mail(
            Some("Production is down,\ncall me now"),
            std::slice::from_ref(&wrapped),
        );
        assert!(
            same.text.contains(words),
            "in doubt it is shown: {}",
            same.text
        );
        let twice = mail(Some(words), std::slice::from_ref(&wrapped));
        assert_eq!(twice.text, words, "once");
    }

    #[test]
    fn files_of_winmail_dat_are_the_mails_own() {
        for media in [
            "application/ms-tnef; name=winmail.dat",
            "application/vnd.ms-tnef",
            "application/octet-stream; name=\"WinMail.dat\"",
        ] {
            let mail = mail(Some("See there."), &[(media, two_files().finish())]);
            assert_eq!(names(&mail), [("_Grüße.txt", 3), ("b.pdf", 4)]);
            assert_eq!(&*mail.text, "See there.\n\nWords of Outlook.");
            assert!(mail.findings.is_empty(), "{:?}", mail.findings);
        }
    }

    #[test]
    fn its_text_is_shown_where_no_other_is() {
        let wrapped = ("application/ms-tnef", two_files().finish());
        for other in [None, Some(" ")] {
            let mail = mail(other, std::slice::from_ref(&wrapped));
            assert_eq!(
                (&*mail.text, &*mail.reply_text),
                ("Words of Outlook.", "Words of Outlook.")
            );
        }
        let page = Stream::new()
            .message(&[unicode(0x1013, "<p>A <b>page</b>")])
            .finish();
        let mail = mail(None, &[("application/ms-tnef", page)]);
        assert_eq!(
            (&*mail.text, mail.html.as_deref()),
            ("A page", Some("<p>A <b>page</b>"))
        );
        let whole = [
            &b"From: a@x.example\nContent-Type: application/ms-tnef\nContent-Transfer-Encoding: binary\n\n"[..],
            &two_files().finish(),
        ];
        let mail = parse(&whole.concat(), &Envelope::default());
        assert_eq!(
            (&*mail.text, mail.attachments.len()),
            ("Words of Outlook.", 2)
        );
    }

    #[test]
    fn what_cannot_all_be_read_stays_as_it_came() {
        let mut cut = two_files().finish();
        cut.truncate(cut.len() - 5);
        let size = cut.len() as u64;
        let half = mail(None, &[("application/ms-tnef; name=winmail.dat", cut)]);
        assert_eq!(names(&half), [("_Grüße.txt", 3), ("winmail.dat", size)]);
        assert_eq!(&*half.text, "Words of Outlook.");
        assert!(
            half.findings[0].contains("among the attachments"),
            "{:?}",
            half.findings
        );
        let none = mail(
            Some("x"),
            &[("application/ms-tnef; name=winmail.dat", b"no".to_vec())],
        );
        assert_eq!(
            (names(&none), none.findings.len()),
            (vec![("winmail.dat", 2)], 1)
        );
        let other = mail(
            Some("x"),
            &[("application/zip; name=winmail.dat", b"PK".to_vec())],
        );
        assert_eq!(
            (names(&other), other.findings.len()),
            (vec![("winmail.dat", 2)], 0)
        );
    }

    #[test]
    fn an_invitation_is_put_into_words_where_nothing_else_is_said() {
        let calendar = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Call\nDTSTART:20261124T093000Z\nEND:VEVENT\n";
        let part = (
            "text/calendar; method=REQUEST; name=invite.ics",
            calendar.as_bytes().to_vec(),
        );
        let words = "Invitation: Call\nStart: 2026-11-24 09:30 UTC\nKind: REQUEST";
        let alone = mail(None, std::slice::from_ref(&part));
        assert_eq!((&*alone.text, alone.attachments.len()), (words, 1));
        let beside = mail(Some("Please join."), &[part]);
        assert_eq!(
            (&*beside.text, beside.attachments.len()),
            ("Please join.", 1)
        );
        let root = format!("From: a@x.example\nContent-Type: text/calendar\n\n{calendar}");
        let root = parse(root.as_bytes(), &Envelope::default());
        assert_eq!((&*root.text, root.attachments.len()), (words, 1));
    }
}
