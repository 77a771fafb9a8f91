//! Making an account: the one call that AWS does not take back and does not recognise when it is
//! repeated.
//!
//! That it will be made is committed before it is asked for, under a name that no other run uses; it
//! is sent once. Cut off in between, the creation is looked for by that name and the account by its
//! address, and only when neither shows up for a while is it sent again.

use std::time::Duration;

use tierdesk_core::{
    clock::Timestamp,
    cloud::{Cloud, CloudError, Creation, CreationState, NewAccount, creation_failure},
    desk::{
        Desk,
        onboard::record::{self, Intent, StepOutcome, Work},
    },
    fault,
    onboarding::{MANAGED_ROLE, Step, StepName, TAG_RUN},
};

use crate::run::StepError;

/// How long a creation may take to show up in AWS's lists after it was sent.
const GRACE: Duration = Duration::from_secs(90);
/// AWS's clock against ours.
const SKEW: Duration = Duration::from_mins(5);

/// What to do next, where no account with the customer's root address was found.
pub(crate) async fn advance(
    desk: &Desk,
    cloud: &dyn Cloud,
    work: &Work,
    step: &Step,
    now: Timestamp,
) -> Result<StepOutcome, StepError> {
    if let Some(request) = &step.external_ref {
        let creation = cloud.creation(request).await?;
        return follow(desk, cloud, work, &creation).await;
    }
    let name = work.desired.account_name(&work.run.id.to_string());
    let Some(intent_at) = step.intent_at else {
        return send(desk, cloud, work, name).await;
    };
    let since = intent_at.minus(SKEW);
    let ours = |one: &&Creation| one.account_name == name && one.requested_at >= since;
    let creations = cloud.creations().await?;
    // One that is under way first: an earlier one may have failed.
    let under_way = |one: &&Creation| one.state == CreationState::InProgress;
    let found = creations.iter().filter(ours).find(under_way);
    let found = found.or_else(|| {
        let by_time = |one: &&Creation| one.requested_at;
        creations.iter().filter(ours).max_by_key(by_time)
    });
    if let Some(creation) = found {
        record::remember(desk, &work.run, StepName::Account, &creation.id).await?;
        return follow(desk, cloud, work, creation).await;
    }
    let until = intent_at.plus(GRACE / cloud.times_faster().max(1));
    if now < until {
        return Ok(StepOutcome::Wait {
            detail: "it is not certain whether AWS was asked; looking for the account".to_owned(),
            class: Some("unknown"),
            after: until.since(now),
        });
    }
    record::forget_intent(desk, &work.run, StepName::Account).await?;
    send(desk, cloud, work, name).await
}

/// What a creation that AWS knows came to.
async fn follow(
    desk: &Desk,
    cloud: &dyn Cloud,
    work: &Work,
    creation: &Creation,
) -> Result<StepOutcome, StepError> {
    match creation.state {
        CreationState::InProgress => Ok(StepOutcome::Wait {
            detail: format!("AWS makes the account ({})", creation.id),
            class: None,
            after: cloud.look_every(),
        }),
        CreationState::Succeeded => Ok(StepOutcome::Done {
            detail: match &creation.account {
                Some(account) => format!("account {account}"),
                None => "the account was made".to_owned(),
            },
            account: creation.account.clone(),
            ou: None,
        }),
        CreationState::Failed => {
            record::forget_intent(desk, &work.run, StepName::Account).await?;
            let reason = creation.failure.as_deref().unwrap_or("no reason was given");
            Ok(creation_failure(reason).into())
        }
    }
}

async fn send(
    desk: &Desk,
    cloud: &dyn Cloud,
    work: &Work,
    name: String,
) -> Result<StepOutcome, StepError> {
    let no_room = || StepOutcome::Wait {
        detail: "AWS makes five accounts at once; this one waits its turn".to_owned(),
        class: None,
        after: cloud.look_every(),
    };
    let known = record::our_creations(desk).await?;
    let creations = cloud.creations().await?;
    let others = creations
        .iter()
        .filter(|one| one.state == CreationState::InProgress && !known.contains(&one.id));
    match record::intend_account(desk, &work.run, others.count()).await? {
        Intent::Noted => {}
        Intent::NoRoom => return Ok(no_room()),
        Intent::Stopped => {
            return Ok(StepOutcome::Wait {
                detail: "the run was stopped".to_owned(),
                class: None,
                after: Duration::ZERO,
            });
        }
    }
    fault::point("onboard.account_intended");
    let mut tags = work.desired.tags.clone();
    tags.insert(TAG_RUN.to_owned(), work.run.id.to_string());
    let account = NewAccount {
        name,
        email: work.desired.root_email.clone(),
        role: MANAGED_ROLE.to_owned(),
        tags,
    };
    match cloud.create_account(&account).await {
        Ok(creation) => {
            fault::point("onboard.account_sent");
            record::remember(desk, &work.run, StepName::Account, &creation.id).await?;
            follow(desk, cloud, work, &creation).await
        }
        // It may have acted: the intent stays, and what it did is looked for.
        Err(error @ CloudError::UnknownOutcome { .. }) => Err(error.into()),
        Err(error) => {
            record::forget_intent(desk, &work.run, StepName::Account).await?;
            Err(error.into())
        }
    }
}
