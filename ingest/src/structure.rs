//! The MIME tree of a mail, as slices of its bytes.
//!
//! A container is split at its own boundary lines before its parts are looked at, so a part never
//! reaches beyond its container, an unclosed one ends where its container does, and parts cannot
//! refer to each other in circles. Depth and count are bounded while splitting ([`limits`]); what
//! is left out is kept aside for the fingerprint.

use crate::{decoding, fields::Fields, limits, media::Media};

/// One part: its headers and what follows them.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) fields: Fields<'a>,
    pub(crate) media: Media,
    /// As it stands in the mail, transfer encoding and all.
    pub(crate) body: &'a [u8],
    pub(crate) content: Content<'a>,
    /// What stands behind the last boundary of a container (RFC 2046 section 5.1.1): nothing is meant
    /// to, and programs that know no MIME put words there.
    pub(crate) epilogue: &'a [u8],
}

/// What a part holds.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    Leaf,
    Multipart(Vec<Part<'a>>),
    /// An attached mail that is not transfer-encoded.
    Message(Box<Part<'a>>),
}

/// The tree and what the limits did to it.
#[derive(Debug)]
pub(crate) struct Structure<'a> {
    pub(crate) root: Part<'a>,
    pub(crate) left_out: Vec<&'a [u8]>,
    pub(crate) is_too_deep: bool,
    pub(crate) has_too_many_parts: bool,
    pub(crate) has_cut_headers: bool,
}

struct Splitter<'a> {
    parts: usize,
    left_out: Vec<&'a [u8]>,
    is_too_deep: bool,
    has_too_many_parts: bool,
    has_cut_headers: bool,
}

impl<'a> Structure<'a> {
    /// Splits `raw`. The recursion is bounded by [`limits::DEPTH`], and each level scans its
    /// bytes once.
    pub(crate) fn split(raw: &'a [u8]) -> Self {
        let mut splitter = Splitter {
            parts: 0,
            left_out: Vec::new(),
            is_too_deep: false,
            has_too_many_parts: false,
            has_cut_headers: false,
        };
        let mut root = splitter.part(raw, "text/plain", 0);
        if let Some(charset) = body_charset(&root).and_then(decoding::legacy) {
            root.fields.use_charset(charset);
        }
        Self {
            root,
            left_out: splitter.left_out,
            is_too_deep: splitter.is_too_deep,
            has_too_many_parts: splitter.has_too_many_parts,
            has_cut_headers: splitter.has_cut_headers,
        }
    }
}

/// What the first text says it is written in.
fn body_charset<'p>(part: &'p Part<'_>) -> Option<&'p str> {
    match &part.content {
        Content::Leaf if part.media.is_text() => part.media.charset.as_deref(),
        Content::Multipart(parts) => parts.iter().find_map(body_charset),
        Content::Leaf | Content::Message(_) => None,
    }
}

impl<'a> Splitter<'a> {
    fn part(&mut self, raw: &'a [u8], default: &str, depth: usize) -> Part<'a> {
        self.parts += 1;
        let (fields, start) = Fields::split(raw);
        self.has_cut_headers |= fields.is_cut();
        let mut media = Media::read(&fields, default);
        let body = &raw[start..];
        let mut epilogue: &[u8] = &[];
        let content = self.content(&mut media, body, depth, &mut epilogue);
        Part {
            fields,
            media,
            body,
            content,
            epilogue,
        }
    }

    fn content(
        &mut self,
        media: &mut Media,
        body: &'a [u8],
        depth: usize,
        epilogue: &mut &'a [u8],
    ) -> Content<'a> {
        let is_message = media.is_message() && media.transfer == crate::media::Transfer::Identity;
        if !media.is_multipart() && !is_message {
            return Content::Leaf;
        }
        if depth + 1 >= limits::DEPTH {
            self.is_too_deep = true;
            return as_text(media);
        }
        if is_message {
            return if self.parts < limits::PARTS {
                Content::Message(Box::new(self.part(body, "text/plain", depth + 1)))
            } else {
                self.has_too_many_parts = true;
                Content::Leaf
            };
        }
        let default = match &*media.content_type {
            "multipart/digest" => "message/rfc822",
            _ => "text/plain",
        };
        let children = media.boundary.as_deref().map(|boundary| {
            let mut slices = Slices::new(body, boundary);
            let mut children = Vec::new();
            while let Some(start) = slices.at
                && let Some(slice) = slices.next()
            {
                if self.parts >= limits::PARTS {
                    self.has_too_many_parts = true;
                    self.left_out.push(&body[start..]);
                    break;
                }
                children.push(self.part(slice, default, depth + 1));
            }
            *epilogue = slices.behind;
            children
        });
        match children {
            Some(children) if !children.is_empty() => Content::Multipart(children),
            // Its parts cannot be told apart: better one readable text than nothing.
            _ => as_text(media),
        }
    }
}

fn as_text<'a>(media: &mut Media) -> Content<'a> {
    "text/plain".clone_into(&mut media.content_type);
    media.transfer = crate::media::Transfer::Identity;
    Content::Leaf
}

/// What stands between the boundary lines of one container.
struct Slices<'a> {
    body: &'a [u8],
    delimiter: Vec<u8>,
    /// Where the next part begins; `None` after the closing boundary.
    at: Option<usize>,
    /// What stands behind the closing boundary.
    behind: &'a [u8],
}

impl<'a> Slices<'a> {
    fn new(body: &'a [u8], boundary: &str) -> Self {
        let delimiter = format!("--{boundary}").into_bytes();
        let mut slices = Self {
            body,
            delimiter,
            at: None,
            behind: &[],
        };
        slices.at = slices
            .boundary_line(0)
            .filter(|line| !line.is_closing)
            .map(|line| line.end);
        slices
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.at?;
        let Some(line) = self.boundary_line(start) else {
            self.at = None;
            let rest = &self.body[start..];
            return (!rest.trim_ascii().is_empty()).then_some(rest);
        };
        self.at = (!line.is_closing).then_some(line.end);
        if line.is_closing {
            self.behind = &self.body[line.end..];
        }
        // The line end before a boundary belongs to the boundary (RFC 2046 section 5.1.1).
        let mut slice = &self.body[start..line.start.max(start)];
        slice = slice.strip_suffix(b"\n").unwrap_or(slice);
        slice = slice.strip_suffix(b"\r").unwrap_or(slice);
        Some(slice)
    }

    /// The first boundary line at or after `from`.
    fn boundary_line(&self, from: usize) -> Option<BoundaryLine> {
        for found in memchr::memmem::find_iter(&self.body[from..], &self.delimiter) {
            let start = from + found;
            if start != 0 && self.body[start - 1] != b'\n' {
                continue;
            }
            let after = start + self.delimiter.len();
            let rest = &self.body[after..];
            let (rest, is_closing) = match rest.strip_prefix(b"--") {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            // Another container's boundary may begin with ours: only white space may follow.
            let blanks = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
            let blanks = blanks.count();
            if is_closing || matches!(rest.get(blanks), None | Some(b'\n')) {
                let end = self.body.len() - rest.len() + blanks;
                return Some(BoundaryLine {
                    start,
                    end: (end + 1).min(self.body.len()),
                    is_closing,
                });
            }
        }
        None
    }
}

struct BoundaryLine {
    start: usize,
    end: usize,
    is_closing: bool,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn leaves(part: &Part<'_>, found: &mut Vec<String>) {
        match &part.content {
            Content::Leaf => found.push(String::from_utf8_lossy(part.body).into_owned()),
            Content::Multipart(parts) => parts.iter().for_each(|part| leaves(part, found)),
            Content::Message(part) => leaves(part, found),
        }
    }

    fn texts(raw: &str) -> Vec<String> {
        let mut found = Vec::new();
        leaves(&Structure::split(raw.as_bytes()).root, &mut found);
        found
    }

    #[test]
    fn parts_end_before_the_line_end_of_the_boundary() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\
                   --bb\r\nnot ours\r\n--b  \r\nX: y\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue";
        assert_eq!(texts(raw), ["one\r\n--bb\r\nnot ours", "two\r\n"]);
    }

    #[test]
    fn an_unclosed_container_ends_where_its_own_container_does() {
        let raw = "Content-Type: multipart/mixed; boundary=o\n\n--o\n\
                   Content-Type: multipart/alternative; boundary=i\n\n--i\n\na\n--i\n\nb\n\
                   --o\n\nc\n--o--\n";
        assert_eq!(texts(raw), ["a", "b", "c"]);
    }

    #[test]
    fn a_container_without_its_boundary_is_one_text() {
        assert_eq!(
            texts("Content-Type: multipart/mixed; boundary=b\n\nhello\n"),
            ["hello\n"]
        );
        assert_eq!(
            texts("Content-Type: multipart/mixed\n\n--x\n\nhello\n").len(),
            1
        );
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let mut deep = String::new();
        for level in 0..200 {
            write!(
                deep,
                "Content-Type: multipart/mixed; boundary=b{level}x\n\n--b{level}x\n"
            )
            .unwrap();
        }
        assert!(Structure::split(deep.as_bytes()).is_too_deep);
        let rfc822 = "Content-Type: message/rfc822\n\n".repeat(200);
        assert!(Structure::split(rfc822.as_bytes()).is_too_deep);

        let wide = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned()
            + &"--b\n\nx\n".repeat(3_000);
        let structure = Structure::split(wide.as_bytes());
        assert!(structure.has_too_many_parts);
        assert!(
            structure.left_out[0].starts_with(b"\nx"),
            "{:?}",
            &structure.left_out[0][..9]
        );
    }
}
