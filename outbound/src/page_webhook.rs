//! Telling webhooks of pages: jobs of the kind `send_page_webhook`, for those of the configuration and those
//! of members of staff.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{
        Desk,
        paging::{
            deliver::{self, Destination, Dispatch},
            outcome::{Outcome, settle},
        },
        watchdog,
    },
    fault,
    ids::NoticeId,
    jobs::{Handler, HandlerFuture, Job, JobKind},
    paging::{PageKind, Signal},
    settings::Secret,
    telemetry,
};

use crate::{
    send::{field, job_error},
    webhook::{Alert, Answer, Endpoint, Webhooks},
};

/// Tells webhooks of pages.
#[derive(Debug)]
pub struct SendPageWebhook {
    /// The desk they are from.
    pub desk: Arc<Desk>,
    /// The way out.
    pub webhooks: Arc<Webhooks>,
}

/// However long a server asks us to wait: a page that waits longer has gone on elsewhere.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

impl Handler for SendPageWebhook {
    fn kind(&self) -> &str {
        JobKind::SendPageWebhook.as_str()
    }

    /// Longer than the client's own limit.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(20)
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let id: NoticeId = field(job, "notice")?;
            let begun = deliver::begin(&self.desk, id).await.map_err(job_error)?;
            let Some(dispatch) = begun else {
                return Ok(());
            };
            fault::point("notice.begun");
            let outcome = match self.endpoint(&dispatch) {
                _ if matches!(dispatch.to, Destination::Itself) => self.hear(&dispatch).await,
                Ok(endpoint) => outcome(self.webhooks.send(&endpoint, &alert(&dispatch)).await),
                Err(words) => Outcome::Never(words),
            };
            fault::point("notice.handed_over");
            settle(&self.desk, &dispatch, job, outcome).await
        })
    }
}

impl SendPageWebhook {
    /// What would leave for a server, the desk says to itself: everything before that was the real thing.
    async fn hear(&self, dispatch: &Dispatch) -> Outcome {
        let notice = &dispatch.notice;
        let heard = match notice.signal {
            Signal::Trigger => watchdog::hear(&self.desk, notice).await,
            Signal::Acknowledge | Signal::Resolve => Ok(()),
        };
        match heard {
            Ok(()) => Outcome::Sent {
                words: "the desk heard itself".to_owned(),
                proof: None,
            },
            Err(error) => Outcome::Later {
                words: telemetry::chain(&error),
                may_have_arrived: false,
                wait: None,
            },
        }
    }

    fn endpoint(&self, dispatch: &Dispatch) -> Result<Endpoint, String> {
        match &dispatch.to {
            Destination::DeskWebhook(name) => self
                .webhooks
                .find(name)
                .cloned()
                .ok_or_else(|| format!("the configuration has no webhook {name} any more")),
            Destination::OwnWebhook { format, secret } => {
                let format = format.parse().map_err(|_| format!("no format {format}"))?;
                let hidden = |text: &Option<String>| text.clone().map(Secret::new);
                let name = dispatch.notice.target.clone();
                let (key, user) = (hidden(&secret.key), hidden(&secret.user));
                Endpoint::personal(&name, Some(&secret.url), format, key, user)
                    .map_err(|fault| fault.to_string())
            }
            Destination::Chat { .. } | Destination::Mail(_) | Destination::Itself => {
                Err("that is no webhook".to_owned())
            }
        }
    }
}

fn alert(dispatch: &Dispatch) -> Alert {
    Alert {
        action: dispatch.notice.signal,
        key: dispatch.notice.key.clone(),
        title: dispatch.text.title.clone(),
        body: dispatch.text.lines.clone(),
        severity: dispatch.severity,
        tier: dispatch.tier.as_ref().map(ToString::to_string),
        link: None,
        at: dispatch.at,
        is_test: dispatch.kind == PageKind::Test,
    }
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Sent { words } => Outcome::Sent { words, proof: None },
        Answer::Never { words } => Outcome::Never(words),
        Answer::Later { words, wait } => Outcome::Later {
            words,
            may_have_arrived: false,
            wait: wait.map(|wait| wait.min(LONGEST_WAIT)),
        },
        Answer::Unknown { words } => Outcome::Later {
            words,
            may_have_arrived: true,
            wait: None,
        },
    }
}
