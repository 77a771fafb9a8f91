//! `[http]`: the pages.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Key, mail::socket_address, reader::Section, url};

pub(super) const KEYS: &[Key] = &[
    Key::later(
        "http.listen",
        "IP:PORT on which the pages are served",
        "127.0.0.1:8080",
    ),
    Key::later(
        "http.public_url",
        "the address under which staff reach the pages",
        "none",
    ),
];

/// `[http]`
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where the pages are served.
    pub listen: SocketAddr,
    /// What links to the pages begin with, without a slash at the end.
    pub public_url: Option<String>,
}

pub(super) fn read(section: &Section<'_>) -> HttpSettings {
    let settings = HttpSettings {
        listen: section
            .parse("listen", socket_address)
            .map_or_else(|| (Ipv4Addr::LOCALHOST, 8080).into(), |given| given.value),
        public_url: section
            .parse("public_url", |text| {
                let url = url::check(text, &["https", "http"])?;
                Ok(url.trim_end_matches('/').to_owned())
            })
            .map(|given| given.value),
    };
    section.finish();
    settings
}
