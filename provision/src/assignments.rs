//! Assigning permission sets: asked for one after another, because AWS changes an account's roles
//! one at a time, and each followed to its end, because one that fails says so only there.

use tierdesk_core::{
    cloud::{Assignment, Cloud, CloudError, CreationState},
    desk::{
        Desk,
        onboard::record::{self, StepOutcome, Work},
    },
    onboarding::{Observed, Step, StepName},
};

use crate::{act::center, run::StepError};

/// Follows the assignment that was asked for, or asks for the next that is missing.
pub(crate) async fn advance(
    desk: &Desk,
    cloud: &dyn Cloud,
    work: &Work,
    step: &Step,
    seen: &Observed,
) -> Result<StepOutcome, StepError> {
    let center = center(seen)?;
    let wait = |detail: String| StepOutcome::Wait {
        detail,
        class: None,
        after: cloud.look_every(),
    };
    if let Some(request) = &step.external_ref {
        let asked = cloud.assignment(center, request).await?;
        match asked.state {
            CreationState::InProgress => {
                return Ok(wait(format!("AWS assigns access ({request})")));
            }
            CreationState::Failed => {
                record::forget_intent(desk, &work.run, StepName::Assignments).await?;
                let reason = asked.failure.unwrap_or_default();
                return Ok(StepOutcome::failed(format!(
                    "AWS could not assign access: {reason}"
                )));
            }
            CreationState::Succeeded => {}
        }
    }
    let lost =
        |what: &str| CloudError::person(format!("{what} is missing, resume to make it again"));
    let is_missing = |set: &&tierdesk_core::onboarding::AccessSet| {
        let pair = (set.name.clone(), set.group.clone());
        !seen.assignments.contains(&pair)
    };
    let Some(set) = work.desired.sets.iter().find(is_missing) else {
        return Ok(wait("what was assigned does not show yet".to_owned()));
    };
    let account = seen.account.as_ref().ok_or_else(|| lost("the account"))?;
    let found = seen.sets.get(&set.name);
    let found = found.ok_or_else(|| lost("a permission set"))?;
    let group = seen.groups.get(&set.group);
    let group = group.ok_or_else(|| lost("a group"))?;
    let assignment = Assignment {
        account: account.id.clone(),
        permission_set: found.arn.clone(),
        group: group.clone(),
    };
    let asked = cloud.assign(center, &assignment).await?;
    record::remember(desk, &work.run, StepName::Assignments, &asked.id).await?;
    Ok(wait(format!("{} to {}", set.name, set.group)))
}
