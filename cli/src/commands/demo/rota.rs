//! The demo's staff, and who of them is on call.

use std::path::Path;

use tierdesk_core::{
    desk::{
        Desk,
        oncall::{self, TierDuty},
        staff::{self, NewStaff},
    },
    staff::{Attribute, Role},
};

use crate::{
    output::{Output, Tone, local},
    program::person,
};

const ROTA: &str = include_str!("../../../../config/demo/rota.toml");
/// Who takes turns in it.
const PEOPLE: [&str; 5] = ["dana", "lee", "noor", "sam", "kim"];
/// What the stricter tiers ask of whoever works for them.
const ATTESTED: [&str; 2] = ["hipaa-trained", "screened"];
const YEAR: std::time::Duration = std::time::Duration::from_hours(365 * 24);

/// Makes whoever runs the demo its first admin, hires, and sets the rota. Who is on call is read back.
pub(super) async fn run(desk: &Desk, file: &Path) -> anyhow::Result<Vec<TierDuty>> {
    let admin = person(std::iter::once(file));
    let first = staff::register_first_admin(desk, &admin).await?;
    let until = desk.database.clock().read().plus(YEAR);
    let grounds = || Some("made up for the demo".to_owned());
    let attest = async |name: &str| -> anyhow::Result<()> {
        for attribute in ATTESTED {
            let attribute: Attribute = attribute.parse()?;
            staff::attest(desk, &admin, name, attribute, until, grounds()).await?;
        }
        Ok(())
    };
    // While nobody else could, so that what is kept can be worked on by whoever ran it.
    let own = first.map(|first| first.name);
    if let Some(own) = &own {
        attest(own).await?;
    }
    for name in PEOPLE.iter().filter(|name| own.as_deref() != Some(**name)) {
        let new = NewStaff {
            name: (*name).to_owned(),
            role: Role::Agent,
            os_user: None,
            discord_user_id: None,
            reason: Some("the demo's staff".to_owned()),
        };
        staff::add(desk, &admin, new).await?;
        attest(name).await?;
    }
    oncall::set_schedules(desk, &admin, ROTA, "config/demo/rota.toml", false).await?;
    Ok(oncall::now(desk, &super::DEMO, None).await?)
}

/// Shows who is on call.
pub(super) fn tell(out: &Output, rows: &[TierDuty]) {
    out.line("");
    out.line(out.paint(Tone::Strong, "Who is on call, by the demo's rota"));
    let rows = rows.iter().map(|row| {
        vec![
            row.tier.to_string(),
            row.primary.clone(),
            row.secondary.clone().unwrap_or_else(|| "-".to_owned()),
            local(row.until),
            row.source.to_string(),
        ]
    });
    out.table(
        &["tier", "primary", "secondary", "until", "source"],
        rows.collect(),
    );
}
