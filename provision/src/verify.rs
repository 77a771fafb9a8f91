//! Comparing a customer in the directory with what the cloud has. Changes nothing.

use serde::Serialize;
use tierdesk_core::{
    cloud::{Cloud, CloudError},
    customers::{AccountId, Slug},
    desk::{Desk, Error, onboard},
    onboarding::{StepName, Verdict, decide},
    permit::Actor,
    refusal::{Refusal, RefusalCode},
};

use crate::observe::{Part, observe};

/// What is compared, in the order of the steps.
const COMPARED: [StepName; 10] = [
    StepName::Validate,
    StepName::TierOu,
    StepName::TierScps,
    StepName::Account,
    StepName::Moved,
    StepName::Tagged,
    StepName::PermissionSets,
    StepName::Groups,
    StepName::User,
    StepName::Assignments,
];

/// `onboard verify --json`.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// The customer.
    pub customer: Slug,
    /// Its account.
    pub account_id: AccountId,
    /// Whether the cloud is as the directory says.
    pub ok: bool,
    /// What was compared.
    pub compared: Vec<StepName>,
    /// Where it is not.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The step that would have made it so.
    pub step: StepName,
    /// What is missing or different.
    pub detail: String,
}

/// Compares.
pub async fn verify(
    desk: &Desk,
    cloud: &dyn Cloud,
    actor: &Actor,
    name: &str,
) -> Result<VerifyReport, Error> {
    let (desired, account) = onboard::to_verify(desk, actor, name).await?;
    let seen = observe(cloud, &desired, Some(&account), Part::ALL)
        .await
        .map_err(|error| unreadable(&error))?;
    let mut differences = Vec::new();
    for step in COMPARED {
        let finding = decide(step, &desired, &seen);
        let detail = match (step, &seen.account) {
            (StepName::Account, None) => {
                format!("account {account} is not in the organisation")
            }
            // Each of these would say the same once more.
            (StepName::Moved | StepName::Tagged | StepName::Assignments, None) => continue,
            _ => format!("missing or different: {}", finding.detail),
        };
        if !matches!(finding.verdict, Verdict::Already | Verdict::Adopt) {
            differences.push(Difference { step, detail });
        }
    }
    Ok(VerifyReport {
        customer: desired.slug,
        account_id: account,
        ok: differences.is_empty(),
        compared: COMPARED.to_vec(),
        differences,
    })
}

fn unreadable(error: &CloudError) -> Refusal {
    let hint = match error {
        CloudError::NeedsPerson { .. } => "nothing was changed; correct that and try again",
        _ => "nothing was changed; try again in a minute",
    };
    let message = format!("the cloud could not be looked at: {error}");
    Refusal::new(RefusalCode::Configuration, message).with_hint(hint)
}
