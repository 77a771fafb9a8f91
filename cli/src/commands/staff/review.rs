//! `staff review` for people.

use tierdesk_core::desk::staff::{GrantReport, StaffReview};

use crate::output::{Output, Tone, local};

pub(super) fn show(out: &Output, review: &StaffReview) {
    for finding in &review.findings {
        out.line(out.paint(Tone::Alarm, format!("! {finding}")));
    }
    for one in &review.members {
        let last = one
            .last_active
            .map_or_else(|| "nothing yet".to_owned(), local);
        let head = format!(
            "{}  {}, {}, here since {}, last act: {last}",
            one.name,
            one.role,
            one.status,
            local(one.created_at)
        );
        out.line("");
        out.line(out.paint(Tone::Strong, head));
        for grant in &one.grants {
            out.line(format!("  {}", grant_line(grant)));
        }
        for finding in &one.findings {
            out.line(out.paint(Tone::Alarm, format!("  ! {finding}")));
        }
    }
    if review.members.is_empty() {
        out.line("Nobody is registered: the owner of the configuration acts as admin.");
    }
}

fn grant_line(grant: &GrantReport) -> String {
    let sign = if grant.is_valid { "+" } else { "-" };
    let because = |reason: &Option<String>| {
        let reason = reason.as_ref();
        reason.map_or_else(String::new, |reason| format!(": {reason}"))
    };
    let until = grant
        .until
        .map_or_else(String::new, |until| format!(", until {}", local(until)));
    let removed = grant.removed_at.map_or_else(String::new, |removed| {
        let by = grant.removed_by.as_deref().unwrap_or_default();
        let why = because(&grant.removal_reason);
        format!("; taken away {} by {by}{why}", local(removed))
    });
    format!(
        "{sign} {} {}, {} by {}{until}{}{removed}",
        grant.kind,
        grant.name,
        local(grant.granted_at),
        grant.granted_by,
        because(&grant.reason)
    )
}
