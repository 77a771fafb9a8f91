//! Digests as text: of what is shown, of what is registered, for what is sent once.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of these parts, one after another, in hexadecimal.
pub(crate) fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize())
}

/// As much of it as Discord takes for a nonce: 25 characters at most.
pub(crate) fn nonce(parts: &[&[u8]]) -> String {
    let mut text = hex(parts);
    text.truncate(24);
    text
}
