//! Reading the simulated cloud's answers, which are AWS's on the wire.

use serde_json::Value;
use tierdesk_core::{
    clock::Timestamp,
    cloud::{AssignmentRequest, CloudError, Creation, PermissionSet, Policy, Tags, Unit},
    customers::AccountId,
};

use crate::simulated::{AlternateIdentifier, Tag, UniqueAttribute};

/// A text of an answer.
pub(super) fn text(value: &Value, path: &str) -> Result<String, CloudError> {
    let found = value.pointer(path).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| unreadable(path))
}

pub(super) fn unreadable(path: &str) -> CloudError {
    CloudError::person(format!("the simulated cloud's answer lacks {path}"))
}

pub(super) fn account_id(value: &Value, path: &str) -> Result<AccountId, CloudError> {
    text(value, path)?.parse().map_err(|_| unreadable(path))
}

/// The elements of a list of an answer.
pub(super) fn each<T>(
    value: &Value,
    path: &str,
    read: impl Fn(&Value) -> Result<T, CloudError>,
) -> Result<Vec<T>, CloudError> {
    let list = value.pointer(path).and_then(Value::as_array);
    list.ok_or_else(|| unreadable(path))?
        .iter()
        .map(read)
        .collect()
}

pub(super) fn unit(value: &Value) -> Result<Unit, CloudError> {
    Ok(Unit {
        id: text(value, "/Id")?,
        name: text(value, "/Name")?,
    })
}

pub(super) fn policy(value: &Value) -> Result<Policy, CloudError> {
    Ok(Policy {
        id: text(value, "/Id")?,
        name: text(value, "/Name")?,
        is_aws_managed: value["AwsManaged"] == true,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "AWS's own form; microseconds of this century fit"
)]
pub(super) fn creation(value: &Value) -> Result<Creation, CloudError> {
    let state = text(value, "/State")?;
    let requested = value["RequestedTimestamp"].as_f64();
    let requested = requested.ok_or_else(|| unreadable("/RequestedTimestamp"))?;
    Ok(Creation {
        id: text(value, "/Id")?,
        account_name: text(value, "/AccountName")?,
        state: state.parse().map_err(|_| unreadable("/State"))?,
        requested_at: Timestamp::from_micros((requested * 1e6).round() as i64),
        account: match value.get("AccountId") {
            Some(_) => Some(account_id(value, "/AccountId")?),
            None => None,
        },
        failure: value["FailureReason"].as_str().map(str::to_owned),
    })
}

pub(super) fn permission_set(value: &Value) -> Result<PermissionSet, CloudError> {
    Ok(PermissionSet {
        arn: text(value, "/PermissionSet/PermissionSetArn")?,
        name: text(value, "/PermissionSet/Name")?,
        session_duration: text(value, "/PermissionSet/SessionDuration")?,
    })
}

pub(super) fn request(value: &Value) -> Result<AssignmentRequest, CloudError> {
    let status = &value["AccountAssignmentCreationStatus"];
    let state = text(status, "/Status")?;
    Ok(AssignmentRequest {
        id: text(status, "/RequestId")?,
        state: state.parse().map_err(|_| unreadable("/Status"))?,
        failure: status["FailureReason"].as_str().map(str::to_owned),
    })
}

/// Absence is an answer.
pub(super) fn optional(
    result: Result<Value, CloudError>,
    path: &str,
) -> Result<Option<String>, CloudError> {
    match result {
        Ok(value) => text(&value, path).map(Some),
        Err(CloudError::NeedsPerson { reason })
            if reason.starts_with("ResourceNotFoundException") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn by(attribute: &str, value: &str) -> AlternateIdentifier {
    AlternateIdentifier {
        unique_attribute: UniqueAttribute {
            attribute_path: attribute.to_owned(),
            attribute_value: value.into(),
        },
    }
}

pub(super) fn tag_list(tags: &Tags) -> Vec<Tag> {
    let pairs = tags.iter();
    pairs
        .map(|(key, value)| Tag {
            key: key.clone(),
            value: value.clone(),
        })
        .collect()
}
