//! MAPI properties as a stream writes them down (MS-OXTNEF, section 2.1.3.4).

use super::Text;

/// The properties that are read (MS-OXPROPS).
pub(super) mod id {
    pub(in super::super) const BODY: u16 = 0x1000;
    pub(in super::super) const RTF_COMPRESSED: u16 = 0x1009;
    pub(in super::super) const HTML: u16 = 0x1013;
    pub(in super::super) const DISPLAY_NAME: u16 = 0x3001;
    pub(in super::super) const ATTACH_DATA: u16 = 0x3701;
    pub(in super::super) const ATTACH_FILENAME: u16 = 0x3704;
    pub(in super::super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub(in super::super) const ATTACH_MIME_TAG: u16 = 0x370E;
    pub(in super::super) const ATTACH_CONTENT_ID: u16 = 0x3712;
    pub(in super::super) const INTERNET_CODE_PAGE: u16 = 0x3FDE;
}

mod kind {
    pub(super) const OBJECT: u16 = 0x000D;
    pub(super) const STRING8: u16 = 0x001E;
    pub(super) const UNICODE: u16 = 0x001F;
    pub(super) const BINARY: u16 = 0x0102;
    pub(super) const MULTIPLE: u16 = 0x1000;
}

/// From here on a property has a name of its own before its value.
const FIRST_NAMED: u16 = 0x8000;

/// A value, as far as anything here asks for one.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Number(u32),
    String8(&'a [u8]),
    Unicode(&'a [u8]),
    Binary(&'a [u8]),
    Object(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn text(self) -> Option<Text<'a>> {
        match self {
            Self::String8(bytes) => Some(Text::Bytes(bytes)),
            Self::Unicode(bytes) => Some(Text::Utf16(bytes)),
            _ => None,
        }
    }
}

/// A number at the start of `bytes`.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?))
}

/// Hands every property of a block on; false if it could not be read to its end.
///
/// The counts in it are claims, but each thing counted takes bytes, and the first one that is not
/// there ends the reading.
pub(super) fn each<'a>(block: &'a [u8], mut take: impl FnMut(u16, Value<'a>)) -> bool {
    let mut rest = Rest(block);
    let Some(count) = rest.number() else {
        return false;
    };
    (0..count).all(|_| rest.property(&mut take).is_some())
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u32> {
        number(self.bytes(4)?)
    }

    /// Bytes with their length before and padding to four behind. The last of a block may lack it.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let bytes = self.bytes(length)?;
        let padding = length.wrapping_neg() % 4;
        self.0 = self.0.get(padding..).unwrap_or_default();
        Some(bytes)
    }

    fn property(&mut self, take: &mut impl FnMut(u16, Value<'a>)) -> Option<()> {
        let tag = self.number()?;
        let (kind, id) = (low_half(tag), low_half(tag >> 16));
        if id >= FIRST_NAMED {
            self.bytes(16)?;
            match self.number()? {
                0 => self.number().map(drop)?,
                _ => self.counted().map(drop)?,
            }
        }
        let is_multiple = kind & kind::MULTIPLE != 0;
        let kind = kind & !kind::MULTIPLE;
        let variable: Option<fn(&'a [u8]) -> Value<'a>> = match kind {
            kind::STRING8 => Some(Value::String8),
            kind::UNICODE => Some(Value::Unicode),
            kind::BINARY => Some(Value::Binary),
            kind::OBJECT => Some(Value::Object),
            _ => None,
        };
        if let Some(value) = variable {
            for at in 0..self.number()? {
                let bytes = self.counted()?;
                // Of several values none is what is asked for.
                if at == 0 && !is_multiple {
                    take(id, value(bytes));
                }
            }
            return Some(());
        }
        let size = fixed_size(kind)?;
        let count = if is_multiple { self.number()? } else { 1 };
        for _ in 0..count {
            let bytes = self.bytes(size)?;
            if !is_multiple && let Some(value) = number(bytes) {
                take(id, Value::Number(value));
            }
        }
        Some(())
    }
}

fn low_half(number: u32) -> u16 {
    let [first, second, ..] = number.to_le_bytes();
    u16::from_le_bytes([first, second])
}

/// The size of a value of a type with one, padding included.
fn fixed_size(kind: u16) -> Option<usize> {
    match kind {
        // Null, two-byte number, number, float, error, truth.
        0x0001..=0x0004 | 0x000A | 0x000B => Some(4),
        // Double, currency, two kinds of time, long number.
        0x0005..=0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        _ => None,
    }
}
