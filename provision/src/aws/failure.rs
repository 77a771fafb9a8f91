//! What the SDK answers when a call does not succeed, as the port's decisions.

use std::{error::Error, io, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_organizations::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use tierdesk_core::cloud::{CloudError, Effect, classify};

/// A name server or a network that is away for a moment.
const UNREACHABLE: Duration = Duration::from_secs(10);

/// A call, as its failure is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The operation's name at AWS.
    pub(super) name: &'static str,
    pub(super) effect: Effect,
}

/// A call that only looks.
pub(super) const fn read(name: &'static str) -> Call {
    Call {
        name,
        effect: Effect::Reads,
    }
}

/// A call that changes something.
pub(super) const fn change(name: &'static str) -> Call {
    Call {
        name,
        effect: Effect::Changes,
    }
}

impl Call {
    /// The decision, written to the log with the whole chain of causes.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it stands in map_err, which gives the error away"
    )]
    pub(super) fn failed<E>(self, error: SdkError<E>) -> CloudError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let decision = self.decide(&error);
        let told = match &error {
            // Its context prints the answer, which for AssumeRole is made of secrets.
            SdkError::ResponseError(_) => innermost(&error),
            _ => DisplayErrorContext(&error).to_string(),
        };
        let (operation, class) = (self.name, decision.class());
        tracing::debug!(
            operation,
            class,
            error = told,
            "a call to AWS did not succeed"
        );
        decision
    }

    fn decide<E>(self, error: &SdkError<E>) -> CloudError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let name = self.name;
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let (code, message) = (answer.err().code(), answer.err().message());
                let reason = reason(answer.raw().body().bytes());
                self.refused(status, code, reason.as_deref(), message)
            }
            SdkError::TimeoutError(_) => {
                CloudError::no_answer(self.effect, format!("{name}: AWS did not answer in time"))
            }
            SdkError::ResponseError(answer) => {
                self.refused(answer.raw().status().as_u16(), None, None, None)
            }
            // It could not be put together, so nothing was sent; but credentials are looked for in
            // the same phase.
            SdkError::ConstructionFailure(_) if !is_about_credentials(error) => {
                CloudError::person(format!("{name}: {}", innermost(error)))
            }
            _ => self.not_sent(error),
        }
    }

    /// No answer at all. Whether something was sent is known in some cases.
    fn not_sent(self, error: &(dyn Error + 'static)) -> CloudError {
        let name = self.name;
        if let Some(fault) =
            causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())
        {
            let words = match fault {
                CredentialsError::CredentialsNotLoaded(_) => {
                    "none were found where AWS's own programs look".to_owned()
                }
                _ => innermost(error),
            };
            return CloudError::person(format!(
                "{name}: no credentials for AWS: {words}. Set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run with an instance role; docs/aws.md \
                 lists what is read"
            ));
        }
        let is_refused = |cause: &(dyn Error + 'static)| {
            let io = cause.downcast_ref::<io::Error>();
            io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused)
        };
        if causes(error).any(is_refused) {
            return CloudError::WaitAndRetry {
                reason: format!("{name}: the connection to AWS was refused; nothing was sent"),
                after: UNREACHABLE,
            };
        }
        CloudError::no_answer(self.effect, format!("{name}: {}", innermost(error)))
    }

    /// There was an answer, and it is no, or none that can be read.
    fn refused(
        self,
        status: u16,
        code: Option<&str>,
        reason: Option<&str>,
        message: Option<&str>,
    ) -> CloudError {
        let name = self.name;
        if status < 300 {
            let words = format!("{name}: AWS's answer could not be read");
            return CloudError::no_answer(self.effect, words);
        }
        let unnamed = format!("HTTP {status}");
        let message = format!("{name}: {}", message.unwrap_or("AWS gives no words for it"));
        let decision = classify(code.unwrap_or(&unnamed), reason, &message, self.effect);
        let CloudError::NeedsPerson { reason } = decision else {
            return decision;
        };
        // Names that nobody listed: the status still says whose fault it is, and whether to wait.
        match status {
            500.. => CloudError::no_answer(self.effect, reason),
            429 => CloudError::no_answer(Effect::Reads, reason),
            _ => CloudError::NeedsPerson { reason },
        }
    }

    /// The answer lacks what AWS's documents promise.
    pub(super) fn incomplete(self, what: &str) -> CloudError {
        let words = format!("{}: AWS's answer has no {what}", self.name);
        CloudError::no_answer(self.effect, words)
    }

    /// A promised part of the answer.
    pub(super) fn part<T>(self, what: &str, part: Option<T>) -> Result<T, CloudError> {
        part.ok_or_else(|| self.incomplete(what))
    }
}

/// Some exceptions say why in a word of their own, which the SDK has in a type for each.
fn reason(body: Option<&[u8]>) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body?).ok()?;
    body["Reason"].as_str().map(str::to_owned)
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn Error + 'static) = *error;
        error.source()
    })
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(<dyn Error + 'static>::is::<CredentialsError>)
}

/// Reads all pages of a list: until there is no token, empty pages too. A token that comes twice
/// would end the SDK's own walk in silence, so it is told.
macro_rules! every_page {
    ($name:literal, $request:expr, $items:ident) => {{
        let call = crate::aws::failure::read($name);
        let mut pages = $request.into_paginator().send();
        let mut all = Vec::new();
        let mut token = None;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| call.failed(error))?;
            token = page.next_token().map(str::to_owned);
            all.extend(page.$items.into_iter().flatten());
        }
        if token.is_some_and(|token| !token.is_empty()) {
            return Err(call.incomplete("end: the same page came twice"));
        }
        all
    }};
}
pub(super) use every_page;
