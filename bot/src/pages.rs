//! Calling people to pages, in a ticket's thread and by direct message: the `send_page_chat` jobs. What was
//! said is changed once somebody has the page, or it is over.
//!
//! A notice has one nonce, the same at each try, so that one whose answer was lost makes no second message
//! within the minutes that Discord remembers it. What can never arrive is failed, so that the next people
//! are called at once; what may arrive later is tried again soon.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tierdesk_core::{
    desk::paging::{
        deliver::{self, Destination, Dispatch},
        outcome::{Outcome, settle},
        press::{self, Offer, Standing},
    },
    discord::DiscordId,
    fault,
    ids::{NoticeId, TicketId},
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
    paging::{PageText, PageVerb, Signal},
};

use crate::{
    BOT, Bot, card, digest, escape,
    guild::id,
    message::{Call, Message, button, limit},
    posts::job_error,
    rest::RestError,
};

/// What every custom id of a page's buttons begins with. The rest is a handle of the desk's.
pub const PREFIX: &str = "tdp:";

/// Somebody waits for help: a Discord that is slower than this is tried again.
const LONGEST: Duration = Duration::from_secs(15);
/// How soon it is looked again for a thread that is about to be made.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// For how long a thread is waited for.
const THREAD_WITHIN: Duration = Duration::from_mins(1);
/// However long Discord asks us to wait: a page that waits longer has gone on elsewhere.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// Discord: the channel, thread or message is gone.
const UNKNOWN: [u64; 2] = [10_003, 10_008];

/// Does `send_page_chat` jobs.
#[derive(Debug)]
pub struct SendPageChat {
    /// The bot.
    pub bot: Arc<Bot>,
}

impl Handler for SendPageChat {
    fn kind(&self) -> &str {
        JobKind::SendPageChat.as_str()
    }

    fn time_limit(&self) -> Duration {
        LONGEST + Duration::from_secs(5)
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let payload: Value = serde_json::from_str(&job.payload)
                .map_err(|fault| JobError::Fail(fault.to_string()))?;
            let notice = payload["notice"].as_str().and_then(|id| id.parse().ok());
            let notice: NoticeId =
                notice.ok_or_else(|| JobError::Fail("it names no notice".to_owned()))?;
            self.bot.hand_over(notice, job).await
        })
    }
}

impl Bot {
    async fn hand_over(&self, notice: NoticeId, job: &Job) -> Result<(), JobError> {
        let begun = deliver::begin(&self.desk, notice).await;
        let Some(dispatch) = begun.map_err(job_error)? else {
            return Ok(());
        };
        fault::point("notice.begun");
        let Destination::Chat { user, thread_of } = dispatch.to else {
            let outcome = Outcome::Never("that is no place in chat".to_owned());
            return settle(&self.desk, &dispatch, job, outcome).await;
        };
        let working = async {
            match (dispatch.notice.signal, thread_of) {
                (Signal::Acknowledge | Signal::Resolve, _) => {
                    self.bring_up_to_date(&dispatch).await
                }
                (Signal::Trigger, Some(ticket)) => {
                    self.call_in_thread(&dispatch, user, ticket).await
                }
                (Signal::Trigger, None) => self.call_directly(&dispatch, user).await,
            }
        };
        let outcome = match tokio::time::timeout(LONGEST, working).await {
            Ok(worked) => worked?,
            Err(_) => Outcome::Later {
                words: format!("no answer within {} s", LONGEST.as_secs()),
                may_have_arrived: true,
                wait: None,
            },
        };
        fault::point("notice.handed_over");
        settle(&self.desk, &dispatch, job, outcome).await
    }

    async fn call_in_thread(
        &self,
        dispatch: &Dispatch,
        user: DiscordId,
        ticket: TicketId,
    ) -> Result<Outcome, JobError> {
        let thread = press::thread_of(&self.desk, &BOT, ticket).await;
        match thread.map_err(job_error)? {
            Some(thread) => self.call(dispatch, user, thread).await,
            None if deliver::age(&self.desk, &dispatch.notice) >= THREAD_WITHIN => {
                let words = format!("the ticket has no thread after {THREAD_WITHIN:?}");
                Ok(Outcome::Never(words))
            }
            None => {
                let words = "the ticket has no thread yet";
                self.look_again(dispatch, words).await
            }
        }
    }

    /// Soon, and however often that was done: a wait that doubles would miss the thread.
    async fn look_again(&self, dispatch: &Dispatch, words: &str) -> Result<Outcome, JobError> {
        let put = deliver::postponed(&self.desk, &dispatch.notice, words, false).await;
        put.map_err(job_error)?;
        Err(JobError::RetryAfter(LOOK_AGAIN, words.to_owned()))
    }

    async fn call_directly(
        &self,
        dispatch: &Dispatch,
        user: DiscordId,
    ) -> Result<Outcome, JobError> {
        let whom = json!({ "recipient_id": user });
        let opened = match self.rest.post("/users/@me/channels", &whom).await {
            Ok(opened) => opened,
            Err(error) => return Ok(outcome(&error, false)),
        };
        if let Some(channel) = id(&opened["id"]) {
            return self.call(dispatch, user, channel).await;
        }
        let words = "the answer names no channel".to_owned();
        Ok(outcome(&RestError::Unavailable(words), false))
    }

    async fn call(
        &self,
        dispatch: &Dispatch,
        user: DiscordId,
        channel: DiscordId,
    ) -> Result<Outcome, JobError> {
        let handles = press::fresh_handles(&self.desk, &BOT, dispatch).await;
        let handles = handles.map_err(job_error)?;
        let nonce = digest::nonce(&[dispatch.notice.id.0.as_bytes()]);
        let body = if dispatch.kind.calls() {
            call(user, &dispatch.text, &handles).once(&nonce)
        } else {
            Message::text(news(&dispatch.text)).silently(&nonce)
        };
        let path = format!("/channels/{channel}/messages");
        let sent = match self.rest.post(&path, &body).await {
            Ok(sent) => sent,
            Err(error) => return Ok(outcome(&error, true)),
        };
        let Some(message) = id(&sent["id"]) else {
            let words = "the answer names no message".to_owned();
            return Ok(outcome(&RestError::Unavailable(words), true));
        };
        Ok(Outcome::Sent {
            words: "it stands in Discord".to_owned(),
            proof: Some(press::proof(channel, message)),
        })
    }

    /// Takes the buttons off what was said, and says how it stands.
    async fn bring_up_to_date(&self, dispatch: &Dispatch) -> Result<Outcome, JobError> {
        let standing = press::standing(&self.desk, &BOT, &dispatch.notice).await;
        let messages = match standing.map_err(job_error)? {
            Standing::Messages(messages) => messages,
            Standing::OnItsWay => {
                let words = "what it is about is on its way still";
                return self.look_again(dispatch, words).await;
            }
        };
        let message = Message::text(words(&dispatch.text));
        for (channel, id) in messages {
            match self.edit_call(channel, id, &message).await {
                Ok(()) => {}
                Err(error) if UNKNOWN.contains(&error.code()) => {}
                Err(error) => return Ok(outcome(&error, true)),
            }
        }
        Ok(Outcome::Sent {
            words: "its messages say so".to_owned(),
            proof: None,
        })
    }

    async fn edit_call(
        &self,
        channel: DiscordId,
        id: DiscordId,
        message: &Message,
    ) -> Result<(), RestError> {
        let (holder, path) = (
            format!("/channels/{channel}"),
            format!("/channels/{channel}/messages/{id}"),
        );
        // An archived thread takes no edits. It is put away again, for its ticket may be closed.
        let known = self.rest.get(&holder).await?;
        let is_archived = known["thread_metadata"]["archived"] == true;
        if is_archived {
            self.rest
                .patch(&holder, &json!({ "archived": false }))
                .await?;
        }
        let edited = self.rest.patch(&path, &message.body()).await;
        if is_archived {
            self.rest
                .patch(&holder, &json!({ "archived": true }))
                .await?;
        }
        edited.map(|_| ())
    }
}

/// The title and the lines of a page, as Discord shows them.
fn words(text: &PageText) -> String {
    let title = escape::line_within(&text.title, limit::TITLE * 2);
    let lines = text.lines.join("\n");
    format!(
        "**{title}**\n{}",
        escape::text_within(&lines, limit::CONTENT / 2)
    )
}

/// What asks for nothing, as Discord shows it: as many whole lines as there is room for.
fn news(text: &PageText) -> String {
    /// Room for what is said of the lines that are left out.
    const REST: usize = 60;
    let mut shown = format!("**{}**", escape::line_within(&text.title, limit::TITLE * 2));
    for line in &text.lines {
        let line = escape::line_within(line, limit::CONTENT / 4);
        let length = shown.chars().count() + 1 + line.chars().count();
        if length > limit::CONTENT - REST {
            return format!("{shown}\n… and more than there is room for here.");
        }
        shown.push('\n');
        shown.push_str(&line);
    }
    shown
}

/// The message that calls somebody, with a button for each handle.
pub fn call(user: DiscordId, text: &PageText, handles: &[(Offer, String)]) -> Call {
    let buttons = handles.iter().map(|(offer, handle)| match offer {
        Offer::Page(verb) => {
            let (label, style) = label(*verb);
            button(label, style, &format!("{PREFIX}{handle}"))
        }
        Offer::Severity => button("Severity", 2, &format!("{}{handle}", card::PREFIX)),
        Offer::Reply => {
            let (label, style) = card::REPLY;
            button(label, style, &format!("{}{handle}", card::PREFIX))
        }
    });
    Call::new(user, words(text)).row(&buttons.collect::<Vec<_>>())
}

fn label(verb: PageVerb) -> (&'static str, u8) {
    match verb {
        PageVerb::Acknowledge => ("Acknowledge", 1),
        PageVerb::Escalate => ("Can't take it: next now", 4),
        PageVerb::AskHandOver | PageVerb::HandOver => ("Hand over", 2),
    }
}

/// What a request that did not succeed means for a notice.
fn outcome(error: &RestError, is_message: bool) -> Outcome {
    let words = error.to_string();
    match error {
        RestError::RateLimited { after } => Outcome::Later {
            words,
            may_have_arrived: false,
            wait: Some((*after).min(LONGEST_WAIT)),
        },
        RestError::Unavailable(_) => Outcome::Later {
            words,
            may_have_arrived: is_message,
            wait: None,
        },
        // Somebody has to put it right, and the page does not wait for that.
        RestError::Unauthorised
        | RestError::NotFound { .. }
        | RestError::Forbidden { .. }
        | RestError::Refused { .. } => Outcome::Never(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_cut_behind_a_whole_line_and_say_so() {
        let text = |count: usize| PageText {
            title: "tierdesk digest, fintech".to_owned(),
            lines: (0..count)
                .map(|n| format!("SEV4 SB-{n} a_customer (fintech): {}", "*".repeat(60)))
                .collect(),
        };
        let short = news(&text(3));
        assert_eq!(short.lines().count(), 4);
        assert!(!short.contains("room"), "{short}");
        let long = news(&text(40));
        assert!(
            long.chars().count() <= limit::CONTENT,
            "{}",
            long.chars().count()
        );
        assert!(long.ends_with("… and more than there is room for here."));
        let whole = long.lines().skip(1).filter(|line| line.starts_with("SEV4"));
        assert!(whole.clone().count() > 5);
        assert!(whole.clone().all(|line| line.ends_with("\\*")), "{long}");
    }
}
