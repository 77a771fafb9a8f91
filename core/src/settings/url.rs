//! URLs that may carry a password: whoever prints one prints it without.

use std::fmt;

use super::{problem::Wrong, secret::Secret};

const HIDDEN: &str = "[redacted]";

/// A URL whose Display and Debug leave out what must not be seen.
#[derive(Clone)]
pub struct PrivateUrl {
    text: Secret,
    shown: String,
}

impl PrivateUrl {
    /// Hides the password before the `@` and query parameters named like secrets.
    pub(super) fn hiding_password(text: &str) -> Self {
        Self {
            text: Secret::new(text.to_owned()),
            shown: without_password(text),
        }
    }

    /// Shows scheme and host only: the path of a webhook is its password.
    pub fn hiding_path(text: &str) -> Self {
        Self {
            text: Secret::new(text.to_owned()),
            shown: without_path(text),
        }
    }

    /// The URL with everything in it.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The part before the first colon, lower case by the check at the edge.
    pub fn scheme(&self) -> &str {
        self.expose()
            .split_once(':')
            .map_or("", |(scheme, _)| scheme)
    }
}

impl fmt::Display for PrivateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PrivateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown)
    }
}

/// Takes the last `@` as the end of the password, wherever it stands: a password with a raw `/`
/// or `?` in it must not show through, and hiding too much does no harm.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return HIDDEN.to_owned();
    };
    let rest = match rest.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{host}"),
            None => format!("{credentials}@{host}"),
        },
        None => rest.to_owned(),
    };
    let Some((address, query)) = rest.split_once('?') else {
        return format!("{scheme}://{rest}");
    };
    let query: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret_name(name) => format!("{name}={HIDDEN}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{scheme}://{address}?{}", query.join("&"))
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "secret", "token", "key", "sig"]
        .iter()
        .any(|part| name.contains(part))
}

fn without_path(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return HIDDEN.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if rest.contains('@') {
        return format!("{scheme}://{HIDDEN}");
    }
    format!("{scheme}://{authority}/{HIDDEN}")
}

/// Checks that `text` is a URL of one of `schemes` with a host.
pub(super) fn check<'t>(text: &'t str, schemes: &[&str]) -> Result<&'t str, Wrong> {
    let text = text.trim();
    let remedy = || {
        let forms: Vec<String> = schemes
            .iter()
            .map(|scheme| format!("{scheme}://HOST"))
            .collect();
        format!("Write {}.", forms.join(" or "))
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Wrong::new("is not a URL", remedy()));
    };
    if !schemes.contains(&scheme) {
        return Err(Wrong::new(wrong_scheme(scheme), remedy()));
    }
    if rest.is_empty() || rest.starts_with('/') {
        return Err(Wrong::new("names no host", remedy()));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let what = "contains a space or a control character";
        return Err(Wrong::new(what, "Write it as %20, or remove it."));
    }
    Ok(text)
}

/// Quotes the scheme only when it looks like one; anything else may be part of a password.
pub(super) fn wrong_scheme(scheme: &str) -> String {
    let plain = scheme.len() <= 12 && scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    if plain {
        format!("has the scheme {scheme:?}, which does not fit here")
    } else {
        "has a scheme that does not fit here".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_password_is_shown() {
        for (url, shown) in [
            ("postgres://u:pw@h/db", "postgres://u:[redacted]@h/db"),
            ("postgres://u:p/w?x@h/db", "postgres://u:[redacted]@h/db"),
            (
                "postgres://u:p@w@h:5/db?a=b",
                "postgres://u:[redacted]@h:5/db?a=b",
            ),
            (
                "postgres://h/db?user=u&password=pw",
                "postgres://h/db?user=u&password=[redacted]",
            ),
            ("smtps://me@h", "smtps://me@h"),
            ("nonsense", "[redacted]"),
        ] {
            assert_eq!(PrivateUrl::hiding_password(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn a_webhook_shows_its_host_at_most() {
        for (url, shown) in [
            (
                "https://hooks.example/T0/B0/x",
                "https://hooks.example/[redacted]",
            ),
            ("https://u:p@hooks.example/x", "https://[redacted]"),
            ("https://hooks.example/a@secret", "https://[redacted]"),
            (
                "https://hooks.example?key=x",
                "https://hooks.example/[redacted]",
            ),
        ] {
            let url = PrivateUrl::hiding_path(url);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("{shown:?}"));
        }
    }
}
