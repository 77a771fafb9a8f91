//! Sealing stored content: a master key outside the database wraps one data key per customer, so
//! that destroying a customer's key destroys what was stored for them.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};

use super::StoreError;

/// The key from `store.key_file`. Printing it shows nothing.
pub struct MasterKey([u8; 32]);

/// A customer's own key, unwrapped.
#[derive(Clone)]
pub(super) struct DataKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey([REDACTED])")
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey([REDACTED])")
    }
}

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key file holds 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
pub struct KeyError;

impl MasterKey {
    /// From the text of a key file: 64 hexadecimal digits, surrounding white space ignored.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let digits = text.trim().to_ascii_lowercase();
        let bytes = data_encoding::HEXLOWER
            .decode(digits.as_bytes())
            .map_err(|_| KeyError)?;
        bytes.try_into().map(Self).map_err(|_| KeyError)
    }

    pub(super) fn wrap(&self, key: &DataKey, id: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
        encrypt(&self.0, nonce, id, &key.0)
    }

    pub(super) fn unwrap(&self, wrapped: &[u8], id: &[u8]) -> Result<DataKey, StoreError> {
        let wrong =
            || StoreError::Sealed("store.key_file is not the key it was sealed with".into());
        let bytes = decrypt(&self.0, id, wrapped).ok_or_else(wrong)?;
        bytes.try_into().map(DataKey).map_err(|_| wrong())
    }
}

impl DataKey {
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn seal(&self, nonce: [u8; NONCE], id: &[u8], content: &[u8]) -> Vec<u8> {
        encrypt(&self.0, nonce, id, content)
    }

    pub(super) fn open(&self, id: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        decrypt(&self.0, id, sealed)
            .ok_or_else(|| StoreError::Sealed("it was changed, or belongs to another row".into()))
    }
}

/// Bytes of an XChaCha20 nonce: long enough to be drawn at random.
pub(super) const NONCE: usize = 24;

/// Nonce, then ciphertext with its tag; `id` is bound in, so a row's content fits no other row.
fn encrypt(key: &[u8; 32], nonce: [u8; NONCE], id: &[u8], content: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg: content,
        aad: id,
    };
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(XNonce::from_slice(&nonce), payload)
        .expect("content is far below the cipher's limit of 256 GB");
    [&nonce[..], &sealed[..]].concat()
}

fn decrypt(key: &[u8; 32], id: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, content) = sealed.split_at_checked(NONCE)?;
    let payload = Payload {
        msg: content,
        aad: id,
    };
    XChaCha20Poly1305::new(key.into())
        .decrypt(XNonce::from_slice(nonce), payload)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_s_content_opens_with_its_key_and_its_id_only() {
        let key = DataKey::new([7; 32]);
        let sealed = key.seal([1; NONCE], b"row 1", b"mail");
        assert_eq!(key.open(b"row 1", &sealed).unwrap(), b"mail");
        assert!(key.open(b"row 2", &sealed).is_err());
        assert!(DataKey::new([8; 32]).open(b"row 1", &sealed).is_err());
        assert!(key.open(b"row 1", &sealed[..10]).is_err());
    }

    #[test]
    fn keys_never_print() {
        let master = MasterKey::parse(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{master:?}"), "MasterKey([REDACTED])");
        assert!(MasterKey::parse("short").is_err());
    }
}
