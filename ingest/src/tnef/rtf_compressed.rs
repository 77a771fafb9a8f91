//! Compressed RTF (MS-OXRTFCP): references into a ring of 4 KB that begins with common words.

use crate::limits;

const COMPRESSED: [u8; 4] = *b"LZFu";
const UNCOMPRESSED: [u8; 4] = *b"MELA";
/// Two sizes, the kind and a checksum.
const HEAD: usize = 16;
const RING: usize = 4_096;
/// What the ring holds at the start (section 2.1.2.1).
const PREFILLED: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \
\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\
\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The RTF, at most [`limits::TEXT_BYTES`] of it; `None` for what is nothing of the kind or breaks
/// off before it has begun.
pub(super) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, data) = bytes.split_at_checked(HEAD)?;
    let size = u32::from_le_bytes(head[4..8].try_into().ok()?);
    let size = usize::try_from(size).ok()?.min(limits::TEXT_BYTES);
    match head[8..12].try_into().ok()? {
        UNCOMPRESSED => Some(data[..data.len().min(size)].to_vec()),
        COMPRESSED => Some(inflate(data, size)).filter(|rtf| !rtf.is_empty()),
        _ => None,
    }
}

fn inflate(data: &[u8], size: usize) -> Vec<u8> {
    let mut ring = [0; RING];
    ring[..PREFILLED.len()].copy_from_slice(PREFILLED);
    let mut at = PREFILLED.len();
    // A claim of the sender's: it is no reason to reserve so much.
    let mut rtf = Vec::with_capacity(size.min(data.len() * 2));
    let mut write = |byte: u8, ring: &mut [u8; RING], rtf: &mut Vec<u8>| {
        rtf.push(byte);
        ring[at] = byte;
        at = (at + 1) % RING;
        at
    };
    let mut next = PREFILLED.len();
    let mut bytes = data.iter().copied();
    while let Some(control) = bytes.next() {
        for bit in 0..8 {
            if rtf.len() >= size {
                return rtf;
            }
            let Some(first) = bytes.next() else {
                return rtf;
            };
            if control >> bit & 1 == 0 {
                next = write(first, &mut ring, &mut rtf);
                continue;
            }
            let Some(second) = bytes.next() else {
                return rtf;
            };
            let reference = usize::from(u16::from_be_bytes([first, second]));
            let (mut from, length) = (reference >> 4, (reference & 15) + 2);
            // A reference to the place that is written next ends the data.
            if from == next {
                return rtf;
            }
            for _ in 0..length.min(size - rtf.len()) {
                let byte = ring[from];
                next = write(byte, &mut ring, &mut rtf);
                from = (from + 1) % RING;
            }
        }
    }
    rtf
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(kind: [u8; 4], size: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap() + 12;
        let head = [length.to_le_bytes(), size.to_le_bytes(), kind, [0; 4]];
        [&head.concat(), data].concat()
    }

    #[test]
    fn references_reach_into_the_prefilled_ring_and_into_themselves() {
        assert_eq!(PREFILLED.len(), 207);
        // `{\rtf1`, then "x" once and seven times more by a reference that overlaps itself.
        let word = [0x00, 0x04];
        let at = u16::try_from(207 + 6).unwrap();
        let again = (at << 4 | (7 - 2)).to_be_bytes();
        let end = (u16::try_from(207 + 6 + 8).unwrap() << 4).to_be_bytes();
        let data = [&[0b1101][..], &word, b"x", &again, &end, b"after"].concat();
        let rtf = decompress(&packed(COMPRESSED, 500, &data)).unwrap();
        assert_eq!(String::from_utf8(rtf).unwrap(), "{\\rtf1xxxxxxxx");
    }

    #[test]
    fn sizes_bound_and_other_kinds_are_none() {
        let plain = decompress(&packed(UNCOMPRESSED, 5, b"words and more"));
        assert_eq!(plain.unwrap(), b"words");
        let data = [&[0][..], b"abcdefgh"].concat();
        assert_eq!(decompress(&packed(COMPRESSED, 3, &data)).unwrap(), b"abc");
        assert_eq!(decompress(&packed(*b"none", 3, &data)), None);
        assert_eq!(decompress(b"short"), None);
        // Seventeen bytes out of every pair of bytes; of the two places, the one that is not written next.
        let bomb = [&[0xFF][..], &[0, 0x0F, 0, 0x1F].repeat(4)].concat();
        let rtf = decompress(&packed(COMPRESSED, u32::MAX, &bomb.repeat(120_000)));
        assert_eq!(rtf.unwrap().len(), limits::TEXT_BYTES);
    }
}
