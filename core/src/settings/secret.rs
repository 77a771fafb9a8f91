//! Values that must not be seen: they have no Display, and Debug shows none of them.

use std::{fmt, fs::File, io::Read};

use secrecy::{ExposeSecret, SecretString};

use super::problem::Wrong;

/// A password, token or key. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value as it is.
    pub fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The value. Every call is a place to look at in a review.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// A secret file is a token, not a document; a device or a log named by mistake must not be read
/// to its end.
const FILE_LIMIT: u64 = 64 * 1024;

/// A secret written in the configuration itself.
pub(super) fn check(text: &str) -> Result<Secret, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new("is empty", "Give a value or leave the key out."));
    }
    Ok(Secret::new(text.to_owned()))
}

/// A secret from a file, without the newline at its end. The path stays out of the error: it may
/// be the secret itself, put under the wrong key.
pub(super) fn read(path: &str) -> Result<Secret, Wrong> {
    let remedy = "Name a file with the secret as its only line, readable by this program.";
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(FILE_LIMIT + 1).read_to_string(&mut text))
        .map_err(|error| {
            Wrong::new(
                format!("names a file that cannot be read ({})", error.kind()),
                remedy,
            )
        })?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(Wrong::new("names a file of more than 64 KiB", remedy));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() {
        return Err(Wrong::new("names an empty file", remedy));
    }
    Ok(Secret::new(line.to_owned()))
}
