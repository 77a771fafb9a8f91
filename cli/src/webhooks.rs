//! The webhooks as the configuration has them.

use tierdesk_core::{
    refusal::{Refusal, RefusalCode},
    settings::Settings,
    telemetry,
};
use tierdesk_outbound::webhook::{Endpoint, WebhookError, Webhooks};

/// The webhooks, each address looked at and each template rendered with samples.
pub(crate) fn webhooks(settings: &Settings) -> Result<Webhooks, Refusal> {
    Webhooks::new(&settings.webhooks).map_err(|error| {
        let message = format!("{}; nothing was started", telemetry::chain(&error));
        Refusal::new(RefusalCode::Configuration, message).with_hint(hint(&error))
    })
}

/// The dead-man address, where there is one.
pub(crate) fn dead_man(settings: &Settings) -> Result<Option<Endpoint>, Refusal> {
    let ping = settings.watchdog.ping.as_ref();
    ping.map(Endpoint::pinged).transpose().map_err(|error| {
        let message = format!(
            "watchdog.ping_url cannot be used: {}; nothing was started",
            telemetry::chain(&error)
        );
        Refusal::new(RefusalCode::Configuration, message)
            .with_hint("copy the address that your monitor gave you")
    })
}

/// What to do about it.
pub(crate) fn hint(error: &WebhookError) -> &'static str {
    match error {
        WebhookError::Template { .. } => {
            "correct the file that template names in that [[webhook]], or leave template out"
        }
        WebhookError::Endpoint { .. } => "correct that [[webhook]]; docs/webhooks.md",
        WebhookError::Client(_) => "does this machine have certificates of authorities?",
    }
}
