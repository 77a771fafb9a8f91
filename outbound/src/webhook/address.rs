//! To whom a webhook may connect: public addresses, and nothing of the house it runs in.
//!
//! The addresses that are checked are the ones that are connected to: the check is where names are looked
//! up for the connection itself, so a name that says one thing to a check and another to a connection has
//! nothing to gain. A name with one address of the house among its public ones is refused whole.

use std::{
    error, fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What a look-up answers, when it does.
pub type Looking<'l> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'l>>;

/// Who says what addresses a name has.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// The addresses of this name.
    fn lookup<'l>(&'l self, name: &'l str) -> Looking<'l>;
}

/// The machine's own way: its hosts file, its DNS servers.
#[derive(Clone, Copy, Debug)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'l>(&'l self, name: &'l str) -> Looking<'l> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// An address that is not to be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no public address")]
pub struct NotPublic(pub IpAddr);

/// Looks names up for the client and, when on guard, refuses what is not public.
pub(super) struct Resolver {
    lookup: Arc<dyn Lookup>,
    is_guarded: bool,
}

impl Resolver {
    pub(super) fn new(lookup: Arc<dyn Lookup>, is_guarded: bool) -> Self {
        Self { lookup, is_guarded }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, is_guarded) = (Arc::clone(&self.lookup), self.is_guarded);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            if is_guarded && let Some(bad) = found.iter().find(|address| !is_public(**address)) {
                return Err(Box::new(NotPublic(*bad)) as Box<dyn error::Error + Send + Sync>);
            }
            // The port is the URL's.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Whether this address belongs to the public internet. IANA's registries of special addresses say which
/// do not; an address that wraps one of the older kind is judged by what it wraps.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// First address and length of the prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by customers of one provider (RFC 6598), and Alibaba's metadata.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's machine agent, which looks public.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local, and the metadata of most clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let is_within = |(first, length): &(Ipv4Addr, u32)| {
        let beyond = 32 - length;
        bits >> beyond == first.to_bits() >> beyond
    };
    !SPECIAL_V4.iter().any(is_within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let parts = address.segments();
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = parts {
        // NAT64 (RFC 6052): how a network without the older addresses reaches them.
        return is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    // Outside of 2000::/3 nothing is given to the public. In it, Teredo, ORCHID and other protocols'
    // own (2001::/23), documentation, and 6to4, which may wrap anything.
    let is_special = match parts {
        [0x2001, second, ..] => second < 0x200 || second == 0xdb8,
        [0x2002, ..] => true,
        [0x3fff, second, ..] => second < 0x1000,
        _ => false,
    };
    parts[0] & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests;
