//! What Outlook wraps into `winmail.dat` (MS-OXTNEF): files, and sometimes the only text.
//!
//! Total over any bytes and linear in them. What is handed out are slices of the stream; only texts
//! are copied, within [`limits::TEXT_BYTES`]. A checksum that is wrong is passed over, since some
//! gateways rewrite the stream without counting again. To read one more property, name it in
//! [`properties`] and take it up in [`File`] or [`Texts`].

mod code_page;
mod properties;
mod rtf;
mod rtf_compressed;
#[cfg(test)]
pub(crate) mod tests;

use crate::{decoding, limits, media::Media};
use properties::{Value, id};

const SIGNATURE: [u8; 4] = 0x223E_9F78_u32.to_le_bytes();
/// Level, attribute, length; a checksum follows the data.
const HEAD: usize = 9;

/// The attributes that are read, by the lower half of their number; the upper one is a type.
mod attribute {
    pub(super) const BODY: u16 = 0x800C;
    pub(super) const ATTACH_DATA: u16 = 0x800F;
    pub(super) const ATTACH_TITLE: u16 = 0x8010;
    pub(super) const ATTACH_RENDERING: u16 = 0x9002;
    pub(super) const MESSAGE_PROPERTIES: u16 = 0x9003;
    pub(super) const ATTACHMENT_PROPERTIES: u16 = 0x9005;
    pub(super) const CODE_PAGE: u16 = 0x9007;
}

/// A file out of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File<'a> {
    /// As its sender wrote it; not yet made harmless.
    pub(crate) name: Option<String>,
    pub(crate) content_type: String,
    /// A page refers to it.
    pub(crate) is_inline: bool,
    pub(crate) bytes: &'a [u8],
}

/// What a stream holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tnef<'a> {
    pub(crate) files: Vec<File<'a>>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    /// Everything in it was understood, so nothing is lost where the stream itself is not kept.
    pub(crate) is_whole: bool,
}

/// Whether a part is such a stream, or says that it is one.
pub(crate) fn is_tnef(media: &Media, bytes: &[u8]) -> bool {
    let is_named = |name: &String| name.eq_ignore_ascii_case("winmail.dat");
    match &*media.content_type {
        "application/ms-tnef" | "application/vnd.ms-tnef" => true,
        _ => media.name.as_ref().is_some_and(is_named) && bytes.starts_with(&SIGNATURE),
    }
}

/// Reads a stream, of its files at most `most`; `None` where it does not begin like one.
pub(crate) fn read(bytes: &[u8], most: usize) -> Option<Tnef<'_>> {
    // The key after the signature tells streams apart and means nothing to a reader.
    let mut rest = bytes.strip_prefix(&SIGNATURE)?.get(2..)?;
    let mut reading = Reading {
        is_whole: true,
        most,
        ..Reading::default()
    };
    while rest.len() >= HEAD {
        let Some((number, data, after)) = split(rest) else {
            reading.is_whole = false;
            break;
        };
        reading.attribute(number, data);
        rest = after;
    }
    Some(reading.finish())
}

/// One attribute: its number, its data and what follows.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let number = u16::from_le_bytes(bytes.get(1..3)?.try_into().ok()?);
    let length = u32::from_le_bytes(bytes.get(5..HEAD)?.try_into().ok()?);
    let (data, after) = bytes[HEAD..].split_at_checked(usize::try_from(length).ok()?)?;
    Some((number, data, after.get(2..).unwrap_or_default()))
}

/// Text whose code page may be told only after it.
#[derive(Clone, Copy)]
enum Text<'a> {
    /// In the stream's code page.
    Bytes(&'a [u8]),
    Utf16(&'a [u8]),
}

#[derive(Default)]
struct Raw<'a> {
    title: Option<&'a [u8]>,
    long_name: Option<Text<'a>>,
    short_name: Option<Text<'a>>,
    display_name: Option<Text<'a>>,
    content_type: Option<Text<'a>>,
    has_content_id: bool,
    data: Option<&'a [u8]>,
    object: Option<&'a [u8]>,
}

#[derive(Default)]
struct Texts<'a> {
    body: Option<Text<'a>>,
    old_body: Option<&'a [u8]>,
    html: Option<Text<'a>>,
    rtf: Option<&'a [u8]>,
    html_code_page: Option<u32>,
}

#[derive(Default)]
struct Reading<'a> {
    files: Vec<Raw<'a>>,
    texts: Texts<'a>,
    code_page: Option<u32>,
    is_whole: bool,
    most: usize,
    /// The attributes belong to a file that was one too many.
    is_beyond: bool,
}

impl<'a> Reading<'a> {
    fn attribute(&mut self, number: u16, data: &'a [u8]) {
        match number {
            attribute::CODE_PAGE => self.code_page = properties::number(data),
            attribute::BODY => self.texts.old_body = Some(data),
            attribute::MESSAGE_PROPERTIES => {
                let texts = &mut self.texts;
                self.is_whole &= properties::each(data, |id, value| texts.take(id, value));
            }
            attribute::ATTACH_RENDERING => {
                self.is_beyond = self.files.len() >= self.most;
                if self.is_beyond {
                    self.is_whole = false;
                } else {
                    self.files.push(Raw::default());
                }
            }
            attribute::ATTACH_TITLE | attribute::ATTACH_DATA | attribute::ATTACHMENT_PROPERTIES => {
                let Some(file) = self.files.last_mut().filter(|_| !self.is_beyond) else {
                    self.is_whole = false;
                    return;
                };
                match number {
                    attribute::ATTACH_TITLE => file.title = Some(data),
                    attribute::ATTACH_DATA => file.data = Some(data),
                    _ => self.is_whole &= properties::each(data, |id, value| file.take(id, value)),
                }
            }
            _ => {}
        }
    }

    fn finish(mut self) -> Tnef<'a> {
        let charset = self.code_page.and_then(code_page::charset);
        let files = std::mem::take(&mut self.files);
        let all = files.len();
        let files: Vec<_> = files
            .into_iter()
            .filter_map(|file| file.finish(charset))
            .collect();
        // A file that only points to where its bytes lie is not among them.
        let mut is_whole = self.is_whole && files.len() == all;
        let (text, html) = self.texts.finish(charset, &mut is_whole);
        // A number that stands for a character may be nought, which no text holds.
        let clean = |text: String| {
            if text.contains('\0') {
                text.replace('\0', "")
            } else {
                text
            }
        };
        Tnef {
            files,
            text: text.map(clean),
            html: html.map(clean),
            is_whole,
        }
    }
}

impl<'a> Raw<'a> {
    fn take(&mut self, id: u16, value: Value<'a>) {
        match (id, value) {
            (id::ATTACH_DATA, Value::Binary(bytes)) => self.data = Some(bytes),
            (id::ATTACH_DATA, Value::Object(bytes)) => self.object = Some(bytes),
            (id::ATTACH_LONG_FILENAME, value) => self.long_name = value.text(),
            (id::ATTACH_FILENAME, value) => self.short_name = value.text(),
            (id::DISPLAY_NAME, value) => self.display_name = value.text(),
            (id::ATTACH_MIME_TAG, value) => self.content_type = value.text(),
            (id::ATTACH_CONTENT_ID, value) => self.has_content_id = value.text().is_some(),
            _ => {}
        }
    }

    fn finish(self, charset: Option<&str>) -> Option<File<'a>> {
        let text = |text: Option<Text<'_>>| {
            let text = text?.read(charset);
            (!text.trim().is_empty()).then(|| text.trim().to_owned())
        };
        let name = text(self.long_name)
            .or_else(|| text(self.title.map(Text::Bytes)))
            .or_else(|| text(self.short_name))
            .or_else(|| text(self.display_name));
        let is_type = |text: &String| text.contains('/') && text.bytes().all(is_type_byte);
        let content_type = text(self.content_type).filter(is_type);
        let content_type = content_type.map(|text| text.to_ascii_lowercase());
        let (bytes, default) = match (self.object, self.data) {
            // An interface id stands before the object.
            (Some(object), _) => {
                let inner = object.get(16..).unwrap_or_default();
                if inner.starts_with(&SIGNATURE) {
                    (inner, "application/vnd.ms-tnef")
                } else {
                    (object, "application/octet-stream")
                }
            }
            (None, data) => (data?, "application/octet-stream"),
        };
        Some(File {
            name,
            content_type: content_type.unwrap_or_else(|| default.to_owned()),
            is_inline: self.has_content_id,
            bytes,
        })
    }
}

fn is_type_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/.+-_!#$&^".contains(&byte)
}

impl<'a> Texts<'a> {
    fn take(&mut self, id: u16, value: Value<'a>) {
        match (id, value) {
            (id::BODY, value) => self.body = value.text(),
            (id::HTML, Value::Binary(bytes)) => self.html = Some(Text::Bytes(bytes)),
            (id::HTML, value) => self.html = value.text(),
            (id::RTF_COMPRESSED, Value::Binary(bytes)) => self.rtf = Some(bytes),
            (id::INTERNET_CODE_PAGE, Value::Number(number)) => self.html_code_page = Some(number),
            _ => {}
        }
    }

    /// The plain text and the page. RTF is looked at only where neither stands beside it.
    fn finish(
        self,
        charset: Option<&str>,
        is_whole: &mut bool,
    ) -> (Option<String>, Option<String>) {
        let body = self.body.or(self.old_body.map(Text::Bytes));
        let mut text = body
            .map(|body| body.read(charset))
            .filter(|body| !body.trim().is_empty());
        let mut html = self.html.map(|html| match html {
            Text::Bytes(bytes) => {
                let meta = decoding::meta_charset(bytes);
                let named = self.html_code_page.and_then(code_page::charset);
                html.read(named.or(meta.as_deref()).or(charset))
            }
            Text::Utf16(_) => html.read(charset),
        });
        if text.is_none()
            && html.is_none()
            && let Some(compressed) = self.rtf
        {
            match rtf_compressed::decompress(compressed).map(|bytes| rtf::read(&bytes)) {
                Some(rtf) if rtf.is_html => html = Some(rtf.text),
                Some(rtf) => text = Some(rtf.text),
                None => *is_whole = false,
            }
        }
        (text, html)
    }
}

impl Text<'_> {
    /// At most [`limits::TEXT_BYTES`] of it, without the NUL at its end.
    fn read(self, charset: Option<&str>) -> String {
        let (bytes, charset) = match self {
            Self::Bytes(bytes) => (bytes, charset),
            Self::Utf16(bytes) => (bytes, Some("utf-16le")),
        };
        let within = &bytes[..bytes.len().min(limits::TEXT_BYTES)];
        let (text, _) = decoding::text(within, charset);
        text.trim_end_matches('\0').to_owned()
    }
}
