//! How many connections there may be: in all, and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The part of all connections that one address may have, and the least it always may.
const SHARE: usize = 16;
const LEAST: usize = 10;

/// Counts connections, and the bytes of mail they hold.
#[derive(Debug)]
pub(super) struct Gate {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
    held: AtomicUsize,
}

/// A connection that was let in. Dropped, it makes room.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    from: IpAddr,
    held: usize,
}

impl Gate {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: Mutex::default(),
            held: AtomicUsize::new(0),
        })
    }

    /// Lets a connection in, unless there are too many. Programs on this machine are trusted not to
    /// shut one another out.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let from = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let here = open.get(&from).copied().unwrap_or(0);
        let share = (self.most / SHARE).max(LEAST);
        if all >= self.most || (here >= share && !from.is_loopback()) {
            return None;
        }
        open.insert(from, here + 1);
        drop(open);
        Some(Pass {
            gate: Arc::clone(self),
            from,
            held: 0,
        })
    }
}

impl Pass {
    /// Says how many bytes of mail this connection holds now. Returns how many all hold.
    pub(super) fn hold(&mut self, bytes: usize) -> usize {
        let before = std::mem::replace(&mut self.held, bytes);
        let held = &self.gate.held;
        held.fetch_add(bytes, Ordering::Relaxed);
        held.fetch_sub(before, Ordering::Relaxed) - before
    }

    /// How many bytes of mail this connection holds.
    pub(super) fn held(&self) -> usize {
        self.held
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.hold(0);
        let mut open = self
            .gate
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = open.get_mut(&self.from) {
            *here -= 1;
            if *here == 0 {
                open.remove(&self.from);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 that an IPv6 host has to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_has_a_share_and_all_have_a_limit() {
        let gate = Gate::new(24);
        let here: Vec<_> = (0..LEAST)
            .map(|_| gate.enter(ip("192.0.2.1")).expect("its share"))
            .collect();
        assert!(gate.enter(ip("192.0.2.1")).is_none());
        assert!(gate.enter(ip("::ffff:192.0.2.1")).is_none(), "the same");
        let there: Vec<_> = (1..=LEAST)
            .map(|host| {
                gate.enter(ip(&format!("2001:db8::{host:x}")))
                    .expect("a share")
            })
            .collect();
        assert!(gate.enter(ip("2001:db8::ffff")).is_none(), "one /64");
        let local: Vec<_> = (0..4)
            .map(|_| gate.enter(ip("127.0.0.1")).expect("room"))
            .collect();
        assert!(gate.enter(ip("127.0.0.1")).is_none(), "24 in all");
        drop((there, local));
        assert!(gate.enter(ip("2001:db8::ffff")).is_some());
        assert!(gate.enter(ip("192.0.2.1")).is_none());
        drop(here);
        assert!(gate.enter(ip("192.0.2.1")).is_some());
        assert!(gate.open.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn held_bytes_are_counted_and_given_back() {
        let gate = Gate::new(9);
        let mut one = gate.enter(ip("127.0.0.1")).expect("room");
        let mut two = gate.enter(ip("127.0.0.1")).expect("room");
        assert_eq!(one.hold(10), 10);
        assert_eq!(two.hold(5), 15);
        assert_eq!(one.hold(4), 9);
        drop(one);
        assert_eq!(two.hold(5), 5);
    }
}
