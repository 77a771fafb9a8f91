//! Bringing a ticket's post in line with the ticket: the `post_ticket` jobs.
//!
//! A place is recorded as intended, made, and recorded as made. A job that was cut off in between
//! looks in Discord for what it may have made. What may no longer be shown is deleted before
//! anything else is posted.

mod place;

use std::sync::Arc;

use serde_json::json;
use tierdesk_core::{
    chat::{ChatPost, PostState},
    desk::{
        Error,
        chat::{self, ToPost},
    },
    fault,
    ids::TicketId,
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
    telemetry,
    tickets::Status,
};

use crate::{
    BOT, Bot, card,
    guild::{Channel, ChannelKind},
    message::Message,
    rest::RestError,
};

/// Discord: the channel, thread or message is gone.
const UNKNOWN: [u64; 2] = [10_003, 10_008];

/// Does `post_ticket` jobs.
#[derive(Debug)]
pub struct PostTicket {
    /// The bot.
    pub bot: Arc<Bot>,
}

impl Handler for PostTicket {
    fn kind(&self) -> &str {
        JobKind::PostTicket.as_str()
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let payload: serde_json::Value = serde_json::from_str(&job.payload)
                .map_err(|fault| JobError::Fail(fault.to_string()))?;
            let ticket = payload["ticket"].as_str().and_then(|id| id.parse().ok());
            let ticket = ticket.ok_or_else(|| JobError::Fail("it names no ticket".to_owned()))?;
            self.bot.post(ticket).await
        })
    }
}

/// A use case that failed, as a job's failure.
pub(crate) fn job_error(error: Error) -> JobError {
    match error {
        Error::Failed(error) => error.into(),
        Error::Refused(refusal) => JobError::Fail(telemetry::chain(&refusal)),
    }
}

impl Bot {
    /// Brings one ticket's post in line.
    async fn post(&self, ticket: TicketId) -> Result<(), JobError> {
        let to_post = chat::to_post(&self.desk, &BOT, ticket).await;
        let Some(mut to_post) = to_post.map_err(job_error)? else {
            return Ok(());
        };
        for post in std::mem::take(&mut to_post.outgrown) {
            self.take_away(&post).await?;
        }
        let too_much = to_post.shows_too_much();
        if let Some(post) = to_post.post.take_if(|_| too_much) {
            self.take_away(&post).await?;
        }
        let is_shown = |post: &ChatPost| {
            post.state == PostState::Posted && post.shown_version >= to_post.version
        };
        if to_post.post.as_ref().is_some_and(is_shown) {
            return Ok(());
        }
        let channel = self.channel_of(&to_post).await?;
        if let Some(post) = to_post.post.take_if(|post| post.channel_id != channel.id) {
            self.move_away(&post, &to_post, &channel).await?;
        }
        match to_post.post.take() {
            Some(post) if post.message_id.is_some() => {
                match self.bring_up(&post, &to_post, &channel).await {
                    Err(error) if UNKNOWN.contains(&error.code()) => {
                        // Somebody deleted it in Discord. The ticket needs a place all the same.
                        let retired =
                            chat::retire_post(&self.desk, &BOT, &post, PostState::Deleted);
                        retired.await.map_err(job_error)?;
                        self.make(None, &to_post, &channel).await
                    }
                    other => other.map_err(JobError::from),
                }
            }
            intended => self.make(intended, &to_post, &channel).await,
        }
    }

    /// The channel of a ticket. One that shows too little to everybody must not be open to them.
    async fn channel_of(&self, to_post: &ToPost) -> Result<Channel, JobError> {
        let (key, name) = (&to_post.channel_key, &to_post.channel_name);
        let mut found = self.guild.find_channel(key, name).await?;
        if to_post.is_restricted && found.as_ref().is_none_or(|channel| channel.is_open) {
            // What was read may be out of date by now.
            self.guild.forget().await;
            found = self.guild.find_channel(key, name).await?;
        }
        let channel = found.ok_or_else(|| {
            self_help(&format!(
                "there is no channel for {key}: run `tierdesk discord setup`, or set discord.channels.{key}"
            ))
        })?;
        if to_post.is_restricted && channel.is_open {
            return Err(self_help(&format!(
                "#{} can be seen by @everyone, which {key} does not allow: take View Channel from @everyone there",
                channel.name
            )));
        }
        Ok(channel)
    }

    /// Makes a post. `intended` was recorded by a job that did not come to its end.
    async fn make(
        &self,
        intended: Option<ChatPost>,
        to_post: &ToPost,
        channel: &Channel,
    ) -> Result<(), JobError> {
        let made = match &intended {
            Some(_) => self.find_made(to_post, channel).await?,
            None => None,
        };
        let mut post = if let Some(post) = intended {
            post
        } else {
            let begun = chat::begin_post(&self.desk, &BOT, to_post, channel.id);
            begun.await.map_err(job_error)?
        };
        fault::point("post.intended");
        let place = if let Some(place) = made {
            place
        } else {
            let card = self.card(to_post).await?;
            self.create(&post, &card, to_post, channel).await?
        };
        fault::point("post.made");
        post.thread_id = place.thread;
        post.message_id = Some(place.message);
        post.state = PostState::Posted;
        if place.is_new {
            post.shown = card::digest(&to_post.shown);
        }
        // Where it stands is known from here on; that it is up to date only when all is done.
        self.record(&post).await?;
        Ok(self.bring_up(&post, to_post, channel).await?)
    }

    /// The card with buttons of its own.
    async fn card(&self, to_post: &ToPost) -> Result<Message, JobError> {
        let verbs = card::verbs(&to_post.shown);
        let handles = chat::fresh_handles(&self.desk, &BOT, to_post, &verbs);
        let handles = handles.await.map_err(job_error)?;
        Ok(card::card(&to_post.shown, &handles))
    }

    async fn record(&self, post: &ChatPost) -> Result<(), JobError> {
        chat::record_post(&self.desk, &BOT, post)
            .await
            .map_err(job_error)
    }

    /// Edits what stands there, unless it shows the same.
    async fn bring_up(
        &self,
        post: &ChatPost,
        to_post: &ToPost,
        channel: &Channel,
    ) -> Result<(), PostError> {
        let mut post = post.clone();
        let digest = card::digest(&to_post.shown);
        if post.shown != digest {
            let card = self.card(to_post).await?;
            if let Some(thread) = post.thread_id {
                // An archived thread takes no edits, so it is opened first.
                let path = format!("/channels/{thread}");
                let mut state = json!({ "archived": false });
                let name = card::title(&to_post.shown);
                // Sent only where it differs: Discord counts each name, not each change.
                if self.rest.get(&path).await?["name"].as_str() != Some(name.as_str()) {
                    state["name"] = name.into();
                }
                if channel.kind == ChannelKind::Forum {
                    state["applied_tags"] = tag_ids(to_post, channel).into();
                }
                self.rest.patch(&path, &state).await?;
            }
            self.edit(&post, channel, &card).await?;
        }
        fault::point("post.shown");
        self.file_away(&post, to_post).await?;
        post.shown = digest;
        post.shown_version = to_post.version;
        post.level = to_post.shown.level;
        post.tier.clone_from(&to_post.shown.tier);
        Ok(self.record(&post).await?)
    }

    /// Edits the message that holds the card.
    async fn edit(
        &self,
        post: &ChatPost,
        channel: &Channel,
        card: &Message,
    ) -> Result<(), RestError> {
        let Some(message) = post.message_id else {
            return Ok(());
        };
        // A forum post's card stands in its thread, a text channel's in the channel.
        let holder = match channel.kind {
            ChannelKind::Forum => post.thread_id.unwrap_or(channel.id),
            ChannelKind::Text => channel.id,
        };
        let path = format!("/channels/{holder}/messages/{message}");
        self.rest.patch(&path, &card.body()).await.map(|_| ())
    }

    /// Archives the thread of a closed ticket.
    async fn file_away(&self, post: &ChatPost, to_post: &ToPost) -> Result<(), RestError> {
        if let (Some(thread), Status::Closed) = (post.thread_id, to_post.shown.status) {
            self.rest
                .patch(&format!("/channels/{thread}"), &json!({ "archived": true }))
                .await?;
        }
        Ok(())
    }

    /// Deletes what shows more than may be shown now.
    async fn take_away(&self, post: &ChatPost) -> Result<(), JobError> {
        if let Some(thread) = post.thread_id {
            self.rest.delete(&format!("/channels/{thread}")).await?;
        }
        // A forum's card went with its thread; in a text channel it stands in the channel.
        let snapshot = self.guild.snapshot().await?;
        let is_forum = snapshot
            .channels
            .iter()
            .any(|channel| channel.id == post.channel_id && channel.kind == ChannelKind::Forum);
        if let (Some(message), false) = (post.message_id, is_forum) {
            let path = format!("/channels/{}/messages/{message}", post.channel_id);
            self.rest.delete(&path).await?;
        }
        let mut gone = post.clone();
        if post.message_id.is_none() {
            // Intended, and perhaps made: what was made goes by what it is called.
            gone = self.delete_made(post).await?;
        }
        chat::retire_post(&self.desk, &BOT, &gone, PostState::Deleted)
            .await
            .map_err(job_error)
    }

    /// Leaves a pointer where a ticket stood; what colleagues said there stays, archived.
    async fn move_away(
        &self,
        post: &ChatPost,
        to_post: &ToPost,
        to: &Channel,
    ) -> Result<(), JobError> {
        let pointer = Message::text(format!("{} moved to <#{}>.", to_post.shown.number, to.id));
        let snapshot = self.guild.snapshot().await?;
        let from = snapshot
            .channels
            .iter()
            .find(|channel| channel.id == post.channel_id);
        if let Some(from) = from {
            if let Some(thread) = post.thread_id {
                let open = json!({ "archived": false });
                ignore_gone(self.rest.patch(&format!("/channels/{thread}"), &open).await)?;
            }
            ignore_gone(self.edit(post, from, &pointer).await)?;
            if let Some(thread) = post.thread_id {
                let shut = json!({ "archived": true });
                ignore_gone(self.rest.patch(&format!("/channels/{thread}"), &shut).await)?;
            }
        }
        chat::retire_post(&self.desk, &BOT, post, PostState::Moved)
            .await
            .map_err(job_error)
    }
}

/// The ids of a ticket's tags in a forum. One that the forum lacks is left out: `discord setup`
/// makes them.
fn tag_ids(to_post: &ToPost, channel: &Channel) -> Vec<String> {
    card::tags(&to_post.shown)
        .iter()
        .filter_map(|name| channel.tags.get(name).cloned())
        .take(5)
        .collect()
}

fn ignore_gone<T>(result: Result<T, RestError>) -> Result<(), RestError> {
    match result {
        Err(error) if !UNKNOWN.contains(&error.code()) => Err(error),
        _ => Ok(()),
    }
}

/// What a person must put right. It is tried again until they did.
fn self_help(what: &str) -> JobError {
    JobError::Retry(what.to_owned())
}

/// Why a post could not be brought in line: Discord's answer is looked at before it is a job's.
enum PostError {
    Rest(RestError),
    Job(JobError),
}

impl PostError {
    fn code(&self) -> u64 {
        match self {
            Self::Rest(error) => error.code(),
            Self::Job(_) => 0,
        }
    }
}

impl From<RestError> for PostError {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

impl From<JobError> for PostError {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<PostError> for JobError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Rest(error) => error.into(),
            PostError::Job(error) => error,
        }
    }
}
