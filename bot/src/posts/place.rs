//! Where a ticket's card is put, and finding one again that a cut-off job may have put there.

use serde_json::{Value, json};
use tierdesk_core::{chat::ChatPost, desk::chat::ToPost, discord::DiscordId, jobs::JobError};

use super::tag_ids;
use crate::{
    Bot, card, digest, escape,
    guild::{Channel, ChannelKind, id, list},
    message::Message,
    rest::RestError,
};

/// Discord archives a thread after so many minutes of silence: a week, its longest.
const AUTO_ARCHIVE: u64 = 10_080;
/// Discord: there is a thread for this message already.
const THREAD_EXISTS: u64 = 160_004;
/// Discord: the server has as many open threads as it may (1,000).
const TOO_MANY_THREADS: u64 = 160_006;

/// A card in Discord.
pub(super) struct Place {
    pub(super) thread: Option<DiscordId>,
    pub(super) message: DiscordId,
    /// Whether it shows what the ticket is now.
    pub(super) is_new: bool,
}

impl Bot {
    /// Puts the card into its channel.
    pub(super) async fn create(
        &self,
        post: &ChatPost,
        card: &Message,
        to_post: &ToPost,
        channel: &Channel,
    ) -> Result<Place, JobError> {
        match channel.kind {
            ChannelKind::Forum => self.create_in_forum(card, to_post, channel).await,
            ChannelKind::Text => self.create_in_text(post, card, to_post, channel).await,
        }
    }

    async fn create_in_forum(
        &self,
        card: &Message,
        to_post: &ToPost,
        channel: &Channel,
    ) -> Result<Place, JobError> {
        let body = json!({
            "name": card::title(&to_post.shown),
            "auto_archive_duration": AUTO_ARCHIVE,
            "applied_tags": tag_ids(to_post, channel),
            "message": card.body(),
        });
        let path = format!("/channels/{}/threads", channel.id);
        let made = match self.rest.post(&path, &body).await {
            Err(error) if error.code() == TOO_MANY_THREADS => {
                // A forum holds nothing but threads. Closing tickets makes room; until then the
                // ticket is in the queue, and this is tried again.
                let reason = "the server has no room for another open thread: close tickets, or archive threads";
                return Err(JobError::Retry(reason.to_owned()));
            }
            other => other?,
        };
        let thread = read_id(&made["id"])?;
        // The first message of a post has the id of its thread.
        let message = id(&made["message"]["id"]).unwrap_or(thread);
        Ok(Place {
            thread: Some(thread),
            message,
            is_new: true,
        })
    }

    async fn create_in_text(
        &self,
        post: &ChatPost,
        card: &Message,
        to_post: &ToPost,
        channel: &Channel,
    ) -> Result<Place, JobError> {
        let path = format!("/channels/{}/messages", channel.id);
        let made = self.rest.post(&path, &card.once(&nonce(post))).await?;
        let message = read_id(&made["id"])?;
        let thread = self.start_thread(channel, message, to_post).await?;
        Ok(Place {
            thread,
            message,
            is_new: true,
        })
    }

    /// Starts the thread of a card. Without room for one the card stands alone.
    async fn start_thread(
        &self,
        channel: &Channel,
        message: DiscordId,
        to_post: &ToPost,
    ) -> Result<Option<DiscordId>, RestError> {
        let path = format!("/channels/{}/messages/{message}/threads", channel.id);
        let body = json!({
            "name": card::title(&to_post.shown),
            "auto_archive_duration": AUTO_ARCHIVE,
        });
        match self.rest.post(&path, &body).await {
            Ok(made) => Ok(id(&made["id"])),
            // A thread begun from a message has the message's id.
            Err(error) if error.code() == THREAD_EXISTS => Ok(Some(message)),
            Err(error) if error.code() == TOO_MANY_THREADS => {
                tracing::warn!(ticket = %to_post.shown.number, "no room for another thread: the card stands alone");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What a cut-off job may have made for this post: a thread of ours whose name begins with the ticket's number, or a card that does.
    pub(super) async fn find_made(
        &self,
        to_post: &ToPost,
        channel: &Channel,
    ) -> Result<Option<Place>, JobError> {
        let number = to_post.shown.number.to_string();
        match channel.kind {
            ChannelKind::Forum => {
                let others = &to_post.other_places;
                let thread = self.find_thread(channel.id, &number, others).await?;
                Ok(thread.map(|thread| Place {
                    thread: Some(thread),
                    message: thread,
                    is_new: false,
                }))
            }
            ChannelKind::Text => {
                let Some(message) = self
                    .find_message(channel.id, &number, &to_post.other_places)
                    .await?
                else {
                    return Ok(None);
                };
                let thread = self.start_thread(channel, message, to_post).await?;
                Ok(Some(Place {
                    thread,
                    message,
                    is_new: false,
                }))
            }
        }
    }

    /// Deletes what a cut-off job may have made for a post that must not be shown any more.
    pub(super) async fn delete_made(&self, post: &ChatPost) -> Result<ChatPost, JobError> {
        let to_post = tierdesk_core::desk::chat::to_post(&self.desk, &crate::BOT, post.ticket_id);
        let to_post = to_post.await.map_err(super::job_error)?;
        if let Some(to_post) = to_post {
            let number = to_post.shown.number.to_string();
            let others = &to_post.other_places;
            let found = self.find_thread(post.channel_id, &number, others).await?;
            if let Some(thread) = found {
                self.rest.delete(&format!("/channels/{thread}")).await?;
            }
            let found = self.find_message(post.channel_id, &number, others).await?;
            if let Some(message) = found {
                let path = format!("/channels/{}/messages/{message}", post.channel_id);
                self.rest.delete(&path).await?;
            }
        }
        Ok(post.clone())
    }

    /// A thread of ours in this channel whose name begins with the number, and which is none of
    /// `others`.
    pub(crate) async fn find_thread(
        &self,
        channel: DiscordId,
        number: &str,
        others: &[DiscordId],
    ) -> Result<Option<DiscordId>, RestError> {
        let me = self.guild.own_user().await?;
        let active = format!("/guilds/{}/threads/active", self.guild.id);
        let archived = format!("/channels/{channel}/threads/archived/public?limit=100");
        let is_ours = |thread: &&Value| {
            let name = thread["name"].as_str().unwrap_or_default();
            let rest = name.strip_prefix(number);
            id(&thread["parent_id"]) == Some(channel)
                && id(&thread["owner_id"]) == Some(me)
                && id(&thread["id"]).is_some_and(|id| !others.contains(&id))
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        for path in [active, archived] {
            let found = self.rest.get(&path).await?;
            if let Some(thread) = list(&found["threads"]).find(is_ours) {
                return Ok(id(&thread["id"]));
            }
        }
        Ok(None)
    }

    /// A message of ours whose card begins with the number. Not by its nonce, which Discord tells
    /// nobody afterwards.
    async fn find_message(
        &self,
        channel: DiscordId,
        number: &str,
        others: &[DiscordId],
    ) -> Result<Option<DiscordId>, RestError> {
        let (me, begin) = (self.guild.own_user().await?, escape::line(number, 20));
        let path = format!("/channels/{channel}/messages?limit=100");
        let found = match self.rest.get(&path).await {
            // A forum has no messages of its own.
            Err(RestError::Refused { .. } | RestError::NotFound { .. }) => return Ok(None),
            other => other?,
        };
        let is_ours = |message: &&Value| {
            let title = message["embeds"][0]["title"].as_str().unwrap_or_default();
            let rest = title.strip_prefix(begin.as_str());
            id(&message["author"]["id"]) == Some(me)
                && id(&message["id"]).is_some_and(|id| !others.contains(&id))
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        Ok(list(&found)
            .find(is_ours)
            .and_then(|message| id(&message["id"])))
    }
}

/// The same for every try of one post: 25 characters are what Discord takes.
fn nonce(post: &ChatPost) -> String {
    digest::nonce(&[post.id.0.as_bytes()])
}

fn read_id(value: &Value) -> Result<DiscordId, RestError> {
    id(value).ok_or_else(|| RestError::Unavailable("the answer names no id".to_owned()))
}
