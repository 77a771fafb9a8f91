//! Accounts: their making, their place in the tree, their tags, and whether they work yet.

use std::time::Duration;

use aws_sdk_organizations::{
    error::{ProvideErrorMetadata, SdkError},
    types::{Account, AccountState, AccountStatus, CreateAccountState, CreateAccountStatus, Tag},
};
use tierdesk_core::{
    clock::Timestamp,
    cloud::{CloudAccount, CloudError, Creation, CreationState, NewAccount, Tags},
    customers::AccountId,
};

use super::{
    AwsCloud,
    failure::{Call, change, every_page, read},
};

/// What a young account answers instead of "not yet", as people met it: the role is not known to
/// IAM everywhere, the region's token service is not on, the subscription is not finished.
const NOT_YET: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "OptInRequired",
    "RegionDisabledException",
    "SubscriptionRequiredException",
];
/// Most accounts are usable within some minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// The role may do everything in the account; what is taken of it may do nothing.
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
/// The shortest session that can be had: it is thrown away.
const SESSION_SECONDS: i32 = 900;

impl AwsCloud {
    pub(super) async fn make_account(&self, account: &NewAccount) -> Result<Creation, CloudError> {
        let call = change("CreateAccount");
        let mut request = self.changing().await?.organizations.create_account();
        request = request
            .email(account.email.as_str())
            .account_name(&account.name)
            .role_name(&account.role);
        for tag in sdk_tags(call, &account.tags)? {
            request = request.tags(tag);
        }
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        creation(
            call,
            call.part("CreateAccountStatus", answer.create_account_status)?,
        )
    }

    pub(super) async fn describe_creation(&self, id: &str) -> Result<Creation, CloudError> {
        let call = read("DescribeCreateAccountStatus");
        let client = &self.reading.organizations;
        let request = client
            .describe_create_account_status()
            .create_account_request_id(id);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        creation(
            call,
            call.part("CreateAccountStatus", answer.create_account_status)?,
        )
    }

    pub(super) async fn list_creations(&self) -> Result<Vec<Creation>, CloudError> {
        let request = self.reading.organizations.list_create_account_status();
        let found = every_page!("ListCreateAccountStatus", request, create_account_statuses);
        let call = read("ListCreateAccountStatus");
        found.into_iter().map(|one| creation(call, one)).collect()
    }

    pub(super) async fn list_accounts(&self) -> Result<Vec<CloudAccount>, CloudError> {
        let request = self.reading.organizations.list_accounts();
        let found = every_page!("ListAccounts", request, accounts);
        let call = read("ListAccounts");
        found.into_iter().map(|one| account(call, one)).collect()
    }

    pub(super) async fn find_parent(&self, child: &AccountId) -> Result<String, CloudError> {
        let request = self.reading.organizations.list_parents();
        let found = every_page!("ListParents", request.child_id(child.as_str()), parents);
        let call = read("ListParents");
        let parent = call.part("parent", found.into_iter().next())?;
        call.part("Id", parent.id)
    }

    pub(super) async fn shift_account(
        &self,
        account: &AccountId,
        from: &str,
        to: &str,
    ) -> Result<(), CloudError> {
        let request = self.changing().await?.organizations.move_account();
        let request = request
            .account_id(account.as_str())
            .source_parent_id(from)
            .destination_parent_id(to);
        let call = change("MoveAccount");
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }

    pub(super) async fn read_tags(&self, account: &AccountId) -> Result<Tags, CloudError> {
        let request = self.reading.organizations.list_tags_for_resource();
        let request = request.resource_id(account.as_str());
        let found = every_page!("ListTagsForResource", request, tags);
        Ok(found.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    pub(super) async fn set_tags(
        &self,
        account: &AccountId,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let call = change("TagResource");
        let request = self.changing().await?.organizations.tag_resource();
        let request = request
            .resource_id(account.as_str())
            .set_tags(Some(sdk_tags(call, tags)?));
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }

    /// Takes the role and drops it: what counts is that it could be taken.
    pub(super) async fn try_role(&self, account: &AccountId, role: &str) -> Result<(), CloudError> {
        let request = self.reading.tokens.assume_role();
        let request = request
            .role_arn(format!("arn:{}:iam::{account}:role/{role}", self.partition))
            .role_session_name("tierdesk")
            .policy(NOTHING)
            .duration_seconds(SESSION_SECONDS);
        let call = read("AssumeRole");
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_not_yet(&error) => Err(CloudError::WaitAndRetry {
                reason: call.failed(error).to_string(),
                after: LOOK_AGAIN,
            }),
            Err(error) => Err(call.failed(error)),
        }
    }
}

fn is_not_yet<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let service = error.as_service_error();
    let code = service.and_then(ProvideErrorMetadata::code);
    code.is_some_and(|code| NOT_YET.contains(&code))
}

fn sdk_tags(call: Call, tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    tags.iter()
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|error| CloudError::person(format!("{}: {error}", call.name)))
        })
        .collect()
}

fn creation(call: Call, found: CreateAccountStatus) -> Result<Creation, CloudError> {
    let state = match call.part("State", found.state)? {
        CreateAccountState::InProgress => CreationState::InProgress,
        CreateAccountState::Succeeded => CreationState::Succeeded,
        CreateAccountState::Failed => CreationState::Failed,
        other => return Err(call.incomplete(&format!("state that is known, but {other}"))),
    };
    let account = match found.account_id {
        Some(id) => Some(call.part("AccountId", id.parse().ok())?),
        None => None,
    };
    let asked_at = call.part("RequestedTimestamp", found.requested_timestamp)?;
    Ok(Creation {
        id: call.part("Id", found.id)?,
        account_name: call.part("AccountName", found.account_name)?,
        state,
        requested_at: timestamp(call, asked_at)?,
        account,
        failure: found
            .failure_reason
            .map(|reason| reason.as_str().to_owned()),
    })
}

fn timestamp(
    call: Call,
    at: aws_sdk_organizations::primitives::DateTime,
) -> Result<Timestamp, CloudError> {
    let micros = i64::try_from(at.as_nanos() / 1_000).ok();
    call.part("time in our range", micros.map(Timestamp::from_micros))
}

fn account(call: Call, found: Account) -> Result<CloudAccount, CloudError> {
    // AWS replaces Status by State, and older endpoints have only the former.
    let is_active = match (found.state(), found.status()) {
        (Some(state), _) => *state == AccountState::Active,
        (None, status) => status == Some(&AccountStatus::Active),
    };
    let id = call.part("Id", found.id)?;
    Ok(CloudAccount {
        id: call.part("Id", id.parse().ok())?,
        name: call.part("Name", found.name)?,
        email: call.part("Email", found.email)?,
        is_active,
    })
}
