//! Users and groups of the identity store.

use aws_sdk_identitystore::{
    error::{ProvideErrorMetadata, SdkError},
    types::{AlternateIdentifier, Email, MemberId, Name, UniqueAttribute},
};
use aws_smithy_types::Document;
use tierdesk_core::{
    cloud::{CloudError, IdentityCenter, NewUser},
    customers::EmailAddress,
};

use super::{
    AwsCloud,
    failure::{Call, change, read},
};

impl AwsCloud {
    pub(super) async fn look_up_group(
        &self,
        center: &IdentityCenter,
        name: &str,
    ) -> Result<Option<String>, CloudError> {
        let call = read("GetGroupId");
        let request = self.reading.store.get_group_id();
        let request = request
            .identity_store_id(&center.store)
            .alternate_identifier(named(call, "displayName", name)?);
        match request.send().await {
            Ok(answer) => Ok(Some(answer.group_id)),
            Err(error) if is_unknown(&error) => Ok(None),
            Err(error) => Err(call.failed(error)),
        }
    }

    pub(super) async fn make_group(
        &self,
        center: &IdentityCenter,
        name: &str,
    ) -> Result<String, CloudError> {
        let request = self.changing().await?.store.create_group();
        let request = request.identity_store_id(&center.store).display_name(name);
        let call = change("CreateGroup");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        Ok(answer.group_id)
    }

    pub(super) async fn look_up_user(
        &self,
        center: &IdentityCenter,
        name: &EmailAddress,
    ) -> Result<Option<String>, CloudError> {
        let call = read("GetUserId");
        let request = self.reading.store.get_user_id();
        let request = request
            .identity_store_id(&center.store)
            .alternate_identifier(named(call, "userName", name.as_str())?);
        match request.send().await {
            Ok(answer) => Ok(Some(answer.user_id)),
            Err(error) if is_unknown(&error) => Ok(None),
            Err(error) => Err(call.failed(error)),
        }
    }

    pub(super) async fn make_user(
        &self,
        center: &IdentityCenter,
        user: &NewUser,
    ) -> Result<String, CloudError> {
        let name = Name::builder()
            .given_name(&user.given_name)
            .family_name(&user.family_name);
        let email = Email::builder()
            .value(user.address.as_str())
            .r#type("work")
            .primary(true);
        let request = self.changing().await?.store.create_user();
        let request = request
            .identity_store_id(&center.store)
            .user_name(user.address.as_str())
            .display_name(&user.display_name)
            .name(name.build())
            .emails(email.build());
        let call = change("CreateUser");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        Ok(answer.user_id)
    }

    pub(super) async fn look_up_member(
        &self,
        center: &IdentityCenter,
        group: &str,
        user: &str,
    ) -> Result<bool, CloudError> {
        let request = self.reading.store.is_member_in_groups();
        let request = request
            .identity_store_id(&center.store)
            .member_id(MemberId::UserId(user.to_owned()))
            .group_ids(group);
        let call = read("IsMemberInGroups");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        let mut results = answer.results.into_iter();
        let found = results.find(|result| result.group_id() == Some(group));
        Ok(call
            .part("result for the group", found)?
            .membership_exists())
    }

    pub(super) async fn make_member(
        &self,
        center: &IdentityCenter,
        group: &str,
        user: &str,
    ) -> Result<(), CloudError> {
        let request = self.changing().await?.store.create_group_membership();
        let request = request
            .identity_store_id(&center.store)
            .group_id(group)
            .member_id(MemberId::UserId(user.to_owned()));
        let call = change("CreateGroupMembership");
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }
}

fn is_unknown<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let service = error.as_service_error();
    service.and_then(ProvideErrorMetadata::code) == Some("ResourceNotFoundException")
}

fn named(call: Call, attribute: &str, value: &str) -> Result<AlternateIdentifier, CloudError> {
    let unique = UniqueAttribute::builder()
        .attribute_path(attribute)
        .attribute_value(Document::String(value.to_owned()))
        .build();
    match unique {
        Ok(unique) => Ok(AlternateIdentifier::UniqueAttribute(unique)),
        Err(error) => Err(CloudError::person(format!("{}: {error}", call.name))),
    }
}
