//! What an attachment is, by its first bytes: what its sender calls it is a claim.

use infer::MatcherType;

use crate::parse::looks_like_text;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The media type, lower case, without parameters.
    pub(super) content_type: String,
    /// It would run if it were opened.
    pub(super) is_program: bool,
}

/// The type of `content`: by its bytes where they tell more than `declared`.
pub(super) fn of(declared: &str, content: &[u8]) -> Found {
    let kind = infer::get(content);
    // Two letters are the mark of some formats, and the beginning of many texts.
    let kind = kind.filter(|kind| is_written(kind.mime_type()) || !looks_like_text(content));
    let Some(kind) = kind else {
        return Found {
            content_type: declared.to_owned(),
            is_program: false,
        };
    };
    let found = kind.mime_type();
    Found {
        content_type: if says_more(declared, found) {
            declared.to_owned()
        } else {
            found.to_owned()
        },
        is_program: kind.matcher_type() == MatcherType::App || found == "text/x-shellscript",
    }
}

/// Whether files of this type begin with readable text.
fn is_written(found: &str) -> bool {
    found.starts_with("text/")
        || matches!(
            found,
            "application/pdf" | "application/rtf" | "application/postscript"
        )
}

/// Whether the declared type is one of many that share what the bytes show: a spreadsheet is a ZIP
/// archive, a drawing is XML.
fn says_more(declared: &str, found: &str) -> bool {
    let is_unknown = matches!(declared, "application/octet-stream" | "application/binary");
    let is_text = declared.starts_with("text/") || declared.starts_with("message/");
    match found {
        "application/zip" | "application/gzip" => {
            declared.starts_with("application/") && !is_unknown
        }
        "text/xml" => is_text || declared.ends_with("+xml") || declared.ends_with("/xml"),
        "text/html" => is_text || declared == "application/xhtml+xml",
        // An old Office file, of which there are many kinds.
        "application/x-ole-storage" => !is_unknown,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCTETS: &str = "application/octet-stream";

    #[test]
    fn the_bytes_decide_where_they_tell_more() {
        let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let zip = b"PK\x03\x04\x14\0\0\0\x08\0rest of an archive";
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        let cases: &[(&str, &[u8], &str)] = &[
            (OCTETS, png, "image/png"),
            ("application/pdf", png, "image/png"),
            (OCTETS, b"%PDF-1.7 and so on", "application/pdf"),
            (sheet, zip, sheet),
            (OCTETS, zip, "application/zip"),
            ("image/jpeg", zip, "application/zip"),
            ("text/csv", b"a,b\n1,2\n", "text/csv"),
            ("text/plain", b"<html><body>hi", "text/plain"),
            ("image/png", b"<html><body>hi", "text/html"),
            (
                "image/svg+xml",
                b"<?xml version=\"1.0\"?><svg/>",
                "image/svg+xml",
            ),
            (OCTETS, b"BMW parts, a list", OCTETS),
            (OCTETS, b"", OCTETS),
        ];
        for (declared, bytes, expected) in cases {
            let found = of(declared, bytes);
            assert_eq!(found.content_type, *expected, "{declared}, {bytes:?}");
            assert!(!found.is_program, "{declared}, {bytes:?}");
        }
    }

    #[test]
    fn programs_are_known_whatever_they_are_called() {
        let windows = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";
        let linux = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 57]].concat();
        for program in [windows.as_slice(), &linux, b"#!/bin/sh\nrm -rf /\n"] {
            assert!(of("application/pdf", program).is_program, "{program:?}");
        }
        assert!(!of("text/plain", b"MZ is what they begin with").is_program);
    }
}
