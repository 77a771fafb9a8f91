//! Rate limits as Discord tells them in its headers: nothing is hard-coded.

use std::{collections::HashMap, time::Duration};

use reqwest::header::HeaderMap;
use tokio::time::Instant;

/// Until when each route, and everything, has to wait.
#[derive(Debug, Default)]
pub(super) struct Limits {
    everything: Option<Instant>,
    routes: HashMap<String, Instant>,
}

/// More routes than this are pruned of those that are free again.
const MANY: usize = 1_000;

impl Limits {
    /// How long `route` still has to wait.
    pub(super) fn wait(&self, route: &str, now: Instant) -> Option<Duration> {
        let until = self.everything.max(self.routes.get(route).copied())?;
        let wait = until.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// Takes note of a bucket that is used up.
    pub(super) fn learn(&mut self, route: &str, headers: &HeaderMap, now: Instant) {
        let number = |name: &str| -> Option<f64> { headers.get(name)?.to_str().ok()?.parse().ok() };
        let is_empty = number("x-ratelimit-remaining").is_some_and(|left| left < 1.0);
        if let (true, Some(reset)) = (is_empty, number("x-ratelimit-reset-after"))
            && let Ok(span) = Duration::try_from_secs_f64(reset)
        {
            self.hold(route, false, now + span);
        }
    }

    /// Holds a route, or everything, until then.
    pub(super) fn hold(&mut self, route: &str, is_global: bool, until: Instant) {
        if is_global {
            self.everything = self.everything.max(Some(until));
            return;
        }
        if self.routes.len() > MANY {
            let now = Instant::now();
            self.routes.retain(|_, until| *until > now);
        }
        let held = self.routes.entry(route.to_owned()).or_insert(until);
        *held = until.max(*held);
    }
}

/// What shares a limit: the method and the path, where ids other than the first do not count.
pub(super) fn route(method: &str, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let major = [parts.next(), parts.next()].into_iter().flatten();
    let is_id = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let minor = parts.map(|part| if is_id(part) { ":id" } else { part });
    let mut route = method.to_owned();
    for part in major.map(str::to_owned).chain(minor.map(str::to_owned)) {
        route.push('/');
        route.push_str(&part);
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_differ_by_method_and_first_id_only() {
        let card = route("PATCH", "/channels/7/messages/1");
        assert_eq!(card, route("PATCH", "/channels/7/messages/2?x=1"));
        assert_ne!(card, route("PATCH", "/channels/8/messages/1"));
        assert_ne!(card, route("DELETE", "/channels/7/messages/1"));
    }

    #[test]
    fn a_held_route_waits_and_others_do_not() {
        let (now, mut limits) = (Instant::now(), Limits::default());
        limits.hold("a", false, now + Duration::from_secs(5));
        limits.hold("a", false, now + Duration::from_secs(1));
        assert_eq!(limits.wait("a", now), Some(Duration::from_secs(5)));
        assert_eq!(limits.wait("b", now), None);
        assert_eq!(limits.wait("a", now + Duration::from_secs(6)), None);
        limits.hold("a", true, now + Duration::from_secs(9));
        assert_eq!(limits.wait("b", now), Some(Duration::from_secs(9)));
    }

    #[test]
    fn an_empty_bucket_is_learnt_from_the_headers() {
        let (now, mut limits) = (Instant::now(), Limits::default());
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset-after", "1.5".parse().unwrap());
        limits.learn("a", &headers, now);
        assert_eq!(limits.wait("a", now), Some(Duration::from_millis(1_500)));
        headers.insert("x-ratelimit-remaining", "3".parse().unwrap());
        limits.learn("b", &headers, now);
        assert_eq!(limits.wait("b", now), None);
    }
}
