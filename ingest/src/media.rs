//! What a part says of itself: Content-Type, Content-Disposition, Content-Transfer-Encoding.

mod file_name;

use mail_parser::{HeaderValue, parsers::MessageStream};

use crate::{
    encoded_words,
    fields::{Field, Fields, clean, guarded},
    limits,
};

/// How the bytes of a part are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// As they are: 7bit, 8bit, binary, or a word we do not know.
    Identity,
    Base64,
    QuotedPrintable,
}

/// What the MIME headers of a part say.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    /// `type/subtype`, lower case.
    pub(crate) content_type: String,
    pub(crate) charset: Option<String>,
    pub(crate) boundary: Option<String>,
    /// The `report-type` of a multipart/report, lower case.
    pub(crate) report_type: Option<String>,
    /// The file name as written, decoded.
    pub(crate) name: Option<String>,
    /// The name stands in Content-Disposition: it is a file, not a body that got a name.
    pub(crate) is_file: bool,
    pub(crate) is_attachment: bool,
    pub(crate) is_inline: bool,
    pub(crate) transfer: Transfer,
}

impl Media {
    /// Reads the MIME headers; `default` is the type of a part that names none.
    pub(crate) fn read(fields: &Fields<'_>, default: &str) -> Self {
        let media_type = fields.find("Content-Type").and_then(parameters);
        let disposition = fields.find("Content-Disposition").and_then(parameters);
        let attribute = |value: &Option<mail_parser::ContentType<'_>>, name: &str| {
            let text = value.as_ref()?.attribute(name).map(str::to_owned)?;
            (!text.trim().is_empty()).then_some(text)
        };
        let is = |word: &str| {
            disposition
                .as_ref()
                .is_some_and(|value| value.c_type.eq_ignore_ascii_case(word))
        };
        let has_id = fields.find("Content-ID").is_some();
        let extended = |header: &str, name: &str| {
            let field = fields.find(header)?;
            file_name::extended(field, name)
        };
        let file_name = extended("Content-Disposition", "filename")
            .or_else(|| attribute(&disposition, "filename"));
        let is_file = file_name.is_some();
        let name = file_name
            .or_else(|| extended("Content-Type", "name"))
            .or_else(|| attribute(&media_type, "name"));
        Self {
            content_type: match &media_type {
                Some(value) if !value.ctype().is_empty() => full_type(value),
                _ => default.to_owned(),
            },
            charset: attribute(&media_type, "charset"),
            boundary: attribute(&media_type, "boundary")
                .map(|boundary| boundary.trim_end().to_owned()),
            report_type: attribute(&media_type, "report-type").map(|kind| kind.to_lowercase()),
            // An encoded word is not allowed here, and yet it is what many programs write.
            name: name.map(|name| clean(&encoded_words::decode(&name))),
            is_file,
            is_attachment: is("attachment"),
            is_inline: is("inline") || (has_id && !is("attachment")),
            transfer: transfer(fields),
        }
    }

    pub(crate) fn is_multipart(&self) -> bool {
        self.content_type.starts_with("multipart/")
    }

    pub(crate) fn is_text(&self) -> bool {
        self.content_type.starts_with("text/")
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(&*self.content_type, "message/rfc822" | "message/global")
    }
}

fn transfer(fields: &Fields<'_>) -> Transfer {
    match fields
        .find("Content-Transfer-Encoding")
        .map(Field::keyword)
        .as_deref()
    {
        Some("base64") => Transfer::Base64,
        Some("quoted-printable") => Transfer::QuotedPrintable,
        _ => Transfer::Identity,
    }
}

fn full_type(value: &mail_parser::ContentType<'_>) -> String {
    // `Content-Type: text` is what some programs write for text/plain.
    let subtype = value
        .subtype()
        .unwrap_or(if value.ctype() == "text" { "plain" } else { "" });
    let text = format!("{}/{subtype}", value.ctype());
    clean(&text.replace(char::is_whitespace, "")).to_lowercase()
}

/// Reads a value with parameters through the library, within the bounds that keep it linear.
fn parameters(field: &Field<'_>) -> Option<mail_parser::ContentType<'static>> {
    let mut value = field.for_library(limits::PARAMETER_BYTES);
    if let Some((end, _)) = value
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b';')
        .nth(limits::PARAMETERS)
    {
        value.truncate(end);
        value.push(b'\n');
    }
    guarded(|| match MessageStream::new(&value).parse_content_type() {
        HeaderValue::ContentType(value) => Some(mail_parser::ContentType {
            c_type: value.c_type.into_owned().into(),
            c_subtype: value.c_subtype.map(|text| text.into_owned().into()),
            attributes: value.attributes.map(|list| {
                list.into_iter()
                    .map(|item| mail_parser::Attribute {
                        name: item.name.into_owned().into(),
                        value: item.value.into_owned().into(),
                    })
                    .collect()
            }),
        }),
        _ => None,
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(raw: &str) -> Media {
        Media::read(&Fields::split(raw.as_bytes()).0, "text/plain")
    }

    #[test]
    fn type_charset_and_boundary() {
        let read = media("Content-Type: Multipart/Mixed; boundary=\"=_A b\"; charset=UTF-8\n\n");
        assert_eq!(read.content_type, "multipart/mixed");
        assert_eq!(read.boundary.as_deref(), Some("=_A b"));
        assert_eq!(media("\n").content_type, "text/plain");
        assert_eq!(media("Content-Type: text\n\n").content_type, "text/plain");
    }

    #[test]
    fn names_in_all_the_ways_they_are_written() {
        for (header, name) in [
            (
                "Content-Disposition: attachment; filename=\"a b.pdf\"",
                "a b.pdf",
            ),
            (
                "Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.txt",
                "Grüße.txt",
            ),
            (
                "Content-Disposition: inline; filename*0=\"lo\"; filename*1=\"ng.txt\"",
                "long.txt",
            ),
            (
                "Content-Type: image/png; name=\"=?utf-8?Q?Gr=C3=BC=C3=9Fe.png?=\"",
                "Grüße.png",
            ),
        ] {
            assert_eq!(
                media(&format!("{header}\n\n")).name.as_deref(),
                Some(name),
                "{header}"
            );
        }
    }
}
