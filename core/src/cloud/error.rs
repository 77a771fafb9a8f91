//! What a failed call means for whoever made it: the retry decision is the type.
//!
//! The classes are those of AWS's own documentation and of what happened to others: a throttled
//! read, a tree that somebody else changes, an account that is not ready, a duplicate, a quota.

use std::time::Duration;

/// Why a call did not succeed, as a decision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// The same call may succeed later; it had no effect.
    #[error("{reason}")]
    WaitAndRetry {
        /// The exception and its words.
        reason: String,
        /// How long to wait at least.
        after: Duration,
    },
    /// What was asked for is there already: look, and go on.
    #[error("{reason}")]
    AlreadyDone {
        /// The exception and its words.
        reason: String,
    },
    /// It cannot succeed until a person changed something.
    #[error("{reason}")]
    NeedsPerson {
        /// The exception and its words, and what to do where that is known.
        reason: String,
    },
    /// Nobody knows whether it acted: look before anything is sent again.
    #[error("{reason}")]
    UnknownOutcome {
        /// What was seen.
        reason: String,
    },
}

impl CloudError {
    /// The name of the class, as step rows keep it.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::WaitAndRetry { .. } => "wait",
            Self::AlreadyDone { .. } => "already",
            Self::NeedsPerson { .. } => "person",
            Self::UnknownOutcome { .. } => "unknown",
        }
    }

    /// Nothing is to be expected without a person.
    pub fn person(reason: impl Into<String>) -> Self {
        Self::NeedsPerson {
            reason: reason.into(),
        }
    }

    /// No answer, or one that cannot be read. A read is simply made again.
    pub fn no_answer(effect: Effect, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        match effect {
            Effect::Reads => Self::WaitAndRetry {
                reason,
                after: SOON,
            },
            Effect::Changes => Self::UnknownOutcome { reason },
        }
    }
}

/// Whether a call changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only looks.
    Reads,
    /// It makes or changes something.
    Changes,
}

/// A throttled call, a tree in change.
const SOON: Duration = Duration::from_secs(2);
/// An organisation that is being set up: up to an hour.
const LATER: Duration = Duration::from_secs(30);
/// More accounts are being made than AWS makes at once.
const A_SLOT: Duration = Duration::from_secs(5);

/// What AWS's answer means. `code` is the exception's name without name space; `reason` is what some
/// exceptions carry beside their words.
pub fn classify(code: &str, reason: Option<&str>, message: &str, effect: Effect) -> CloudError {
    let detail = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let words = format!("{code}{detail}: {message}");
    let wait = |after| CloudError::WaitAndRetry {
        reason: words.clone(),
        after,
    };
    match code {
        "FinalizingOrganizationException" => wait(LATER),
        "ConstraintViolationException"
            if reason == Some("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED") =>
        {
            wait(A_SLOT)
        }
        "ConflictException" if is_taken_name(reason, message) => already(words),
        // Any other conflict is a change that is under way.
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "ConcurrentModificationException"
        | "PolicyChangesInProgressException"
        | "ConflictException" => wait(SOON),
        "ServiceException"
        | "InternalServerException"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "RequestTimeout" => CloudError::no_answer(effect, words),
        _ if is_duplicate(code) => already(words),
        _ => CloudError::NeedsPerson {
            reason: match remedy(code, reason) {
                Some(remedy) => format!("{words}. {remedy}"),
                None => words,
            },
        },
    }
}

/// IAM Identity Center says the same of a name that is taken and of a change that is under way.
fn is_taken_name(reason: Option<&str>, message: &str) -> bool {
    let is_there = message.contains("already") && !message.contains("in progress");
    reason == Some("UNIQUENESS_CONSTRAINT_VIOLATION") || is_there
}

fn is_duplicate(code: &str) -> bool {
    code.starts_with("Duplicate") || code.contains("Already")
}

fn already(reason: String) -> CloudError {
    CloudError::AlreadyDone { reason }
}

/// What a failed creation of an account means.
pub fn creation_failure(reason: &str) -> CloudError {
    let words = format!("AWS could not make the account: {reason}");
    match reason {
        "INTERNAL_FAILURE" | "CONCURRENT_ACCOUNT_MODIFICATION" => CloudError::WaitAndRetry {
            reason: words,
            after: LATER,
        },
        _ => CloudError::NeedsPerson {
            reason: match remedy("", Some(reason)) {
                Some(remedy) => format!("{words}. {remedy}"),
                None => words,
            },
        },
    }
}

/// What a person does about it.
fn remedy(code: &str, reason: Option<&str>) -> Option<&'static str> {
    match (code, reason) {
        (_, Some("ACCOUNT_LIMIT_EXCEEDED" | "ACCOUNT_NUMBER_LIMIT_EXCEEDED")) => Some(
            "The organisation has as many accounts as its quota allows: ask AWS to raise the quota \
             \"Default maximum number of accounts\", then resume",
        ),
        (_, Some("EMAIL_ALREADY_EXISTS")) => Some(
            "Another AWS account has this root address: change aws.root_email_template, cancel and \
             plan again",
        ),
        ("AccessDeniedException" | "AccessDenied", _) => Some(
            "The credentials may not do this: they must be of the management account and carry the \
             permissions that docs/aws.md lists",
        ),
        (
            "ExpiredTokenException"
            | "ExpiredToken"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException",
            _,
        ) => Some(
            "AWS does not take the credentials: get new ones, and see that the machine's clock is \
             right",
        ),
        (_, Some("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")) => Some(
            "Five policies are attached there, FullAWSAccess among them: detach or merge some, then \
             resume",
        ),
        ("AWSOrganizationsNotInUseException", _) => Some(
            "The account of these credentials has no organisation: make one with all features \
             first",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: &str, reason: Option<&str>, effect: Effect) -> &'static str {
        classify(code, reason, "words", effect).class()
    }

    #[test]
    fn every_answer_is_a_decision() {
        use Effect::{Changes, Reads};
        for (code, reason, effect, expected) in [
            ("TooManyRequestsException", None, Changes, "wait"),
            ("ConcurrentModificationException", None, Changes, "wait"),
            ("FinalizingOrganizationException", None, Changes, "wait"),
            (
                "DuplicatePolicyAttachmentException",
                None,
                Changes,
                "already",
            ),
            (
                "PolicyTypeAlreadyEnabledException",
                None,
                Changes,
                "already",
            ),
            (
                "ConflictException",
                Some("UNIQUENESS_CONSTRAINT_VIOLATION"),
                Changes,
                "already",
            ),
            ("ConflictException", None, Changes, "wait"),
            ("ServiceException", None, Reads, "wait"),
            ("ServiceException", None, Changes, "unknown"),
            ("AccessDeniedException", None, Reads, "person"),
            ("MalformedPolicyDocumentException", None, Changes, "person"),
            (
                "ConstraintViolationException",
                Some("ACCOUNT_NUMBER_LIMIT_EXCEEDED"),
                Changes,
                "person",
            ),
            (
                "ConstraintViolationException",
                Some("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"),
                Changes,
                "wait",
            ),
        ] {
            assert_eq!(class(code, reason, effect), expected, "{code} {reason:?}");
        }
    }

    #[test]
    fn a_conflict_is_a_name_that_is_taken_or_a_change_under_way() {
        for (message, expected) in [
            ("PermissionSet with name x already exists", "already"),
            (
                "the set already has an attachment to this policy",
                "already",
            ),
            ("an operation is already in progress", "wait"),
            ("another request is being processed", "wait"),
        ] {
            let told = classify("ConflictException", None, message, Effect::Changes);
            assert_eq!(told.class(), expected, "{message}");
        }
    }

    #[test]
    fn what_needs_a_person_says_what_to_do() {
        let told = creation_failure("ACCOUNT_LIMIT_EXCEEDED").to_string();
        assert!(told.contains("raise the quota"), "{told}");
        let told = creation_failure("EMAIL_ALREADY_EXISTS").to_string();
        assert!(told.contains("root_email_template"), "{told}");
        assert_eq!(creation_failure("INTERNAL_FAILURE").class(), "wait");
    }
}
