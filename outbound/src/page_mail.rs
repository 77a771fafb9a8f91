//! Telling somebody of a page by mail: jobs of the kind `send_page_mail`.
//!
//! A plain text that a watch can show. It says how to take the page, and holds no link that does: mail
//! scanners open links. The Message-ID is the notice's own, the same at each try.

use std::{sync::Arc, time::Duration};

use lettre::message::{Mailbox, Message, header::ContentType};
use tierdesk_core::{
    customers::EmailAddress,
    desk::{
        Desk,
        paging::{
            deliver::{self, Destination, Dispatch},
            outcome::{Outcome, settle},
        },
    },
    fault,
    ids::NoticeId,
    jobs::{Handler, HandlerFuture, Job, JobKind},
    outgoing::{ComposeError, HeaderText, Party},
    telemetry,
};

use crate::{
    compose::{AutoSubmitted, SuppressAutoResponse, address, mailbox, system_time},
    relay::{Answer, Relays},
    send::{field, job_error},
};

/// Tells people of pages by mail.
#[derive(Debug)]
pub struct SendPageMail {
    /// The desk they are from.
    pub desk: Arc<Desk>,
    /// The ways out.
    pub relays: Arc<Relays>,
}

/// Somebody waits for help: a relay that is slower than this is tried again.
const LONGEST: Duration = Duration::from_secs(45);

impl Handler for SendPageMail {
    fn kind(&self) -> &str {
        JobKind::SendPageMail.as_str()
    }

    fn time_limit(&self) -> Duration {
        LONGEST + Duration::from_secs(5)
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let id: NoticeId = field(job, "notice")?;
            let begun = deliver::begin(&self.desk, id).await.map_err(job_error)?;
            let Some(dispatch) = begun else {
                return Ok(());
            };
            fault::point("notice.begun");
            let answer = self.hand_over(&dispatch).await;
            fault::point("notice.handed_over");
            settle(&self.desk, &dispatch, job, answer.into()).await
        })
    }
}

impl SendPageMail {
    async fn hand_over(&self, dispatch: &Dispatch) -> Answer {
        let (Some(mail_out), Destination::Mail(to)) = (&self.desk.mail_out, &dispatch.to) else {
            return Answer::Never("no mail leaves this desk".to_owned());
        };
        let from = &mail_out.sender;
        let bytes = match compose(from, to, dispatch) {
            Ok(bytes) => bytes,
            Err(error) => return Answer::Never(telemetry::chain(&error)),
        };
        let sender = from.address.as_str();
        let relay = self.relays.of(sender);
        let name = dispatch.notice.id.to_string();
        let sending = relay.send(&name, sender, to.as_str(), &bytes);
        match tokio::time::timeout(LONGEST, sending).await {
            Ok(answer) => answer,
            Err(_) => Answer::Unknown(format!("no answer within {} s", LONGEST.as_secs())),
        }
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        let later = |words, may_have_arrived| Self::Later {
            words,
            may_have_arrived,
            wait: None,
        };
        match answer {
            Answer::Taken(words) => Self::Sent { words, proof: None },
            Answer::Never(words) => Self::Never(words),
            Answer::Later(words) => later(words, false),
            Answer::Unknown(words) => later(words, true),
        }
    }
}

/// The bytes of a notice.
fn compose(from: &Party, to: &EmailAddress, dispatch: &Dispatch) -> Result<Vec<u8>, ComposeError> {
    let id = format!("<page.{}@{}>", dispatch.notice.id, from.address.domain());
    let mut text = dispatch.text.title.clone();
    for line in &dispatch.text.lines {
        text.push_str("\n\n");
        text.push_str(line);
    }
    text.push('\n');
    let message = Message::builder()
        .from(mailbox(from)?)
        .to(Mailbox::new(None, address(to)?))
        .message_id(Some(id))
        .date(system_time(dispatch.notice.created_at))
        .subject(HeaderText::new(&dispatch.text.title).as_str())
        .header(AutoSubmitted("auto-generated"))
        .header(SuppressAutoResponse)
        .header(ContentType::TEXT_PLAIN)
        .body(text)
        .map_err(|fault| ComposeError::Mail(fault.to_string()))?;
    Ok(message.formatted())
}
