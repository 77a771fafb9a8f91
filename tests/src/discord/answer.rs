//! What a person sees after they did something.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Shared,
    interaction::{COMPLETE, DEFER, DEFER_UPDATE, Interaction, SAY, SHOW_FORM, UPDATE},
    limits::input_of,
    record::list_in,
    world::Message,
};

/// How long a test waits for what a deferred answer promised.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the bot answered at first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AnswerKind {
    /// With a message.
    Message,
    /// "Thinking", the message follows.
    Deferred,
    /// It changed the message that the component is on.
    Updated,
    /// It took note; the message that the component is on may change later.
    DeferredUpdate,
    /// With words to complete.
    Choices,
    /// With a form.
    Modal,
    /// Not within three seconds: "the application did not respond".
    Nothing,
}

/// A word to complete what is typed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// What is shown.
    pub name: String,
    /// What is sent.
    pub value: Value,
}

/// A field of a form.
#[derive(Clone, Debug)]
pub struct Input {
    /// What the bot knows it by.
    pub custom_id: String,
    /// What is shown above it.
    pub label: String,
    /// What stands in it already.
    pub value: Option<String>,
    /// Whether it must be filled in.
    pub is_required: bool,
}

/// A form in front of a person.
#[derive(Clone, Debug)]
pub struct Modal {
    /// What the bot knows it by.
    pub custom_id: String,
    /// Its title.
    pub title: String,
    /// Its fields.
    pub inputs: Vec<Input>,
}

impl Modal {
    pub(super) fn of(data: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parts = list_in(&data["components"]).iter();
        let inputs = parts.filter_map(input_of).map(|(label, input)| Input {
            custom_id: text(&input["custom_id"]),
            label: text(label),
            value: input["value"].as_str().map(str::to_owned),
            is_required: input["required"] != false,
        });
        Self {
            custom_id: text(&data["custom_id"]),
            title: text(&data["title"]),
            inputs: inputs.collect(),
        }
    }
}

/// An answer, and what has become of it since.
#[derive(Clone)]
pub struct Answer {
    shared: Arc<Shared>,
    id: u64,
    /// How the bot answered at first.
    pub kind: AnswerKind,
    /// From the event sent to the callback received.
    pub elapsed: Duration,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Answer")
            .field("kind", &self.kind)
            .field("elapsed", &self.elapsed)
            .field("text", &self.text())
            .finish_non_exhaustive()
    }
}

impl Answer {
    pub(super) fn of(shared: &Arc<Shared>, asked: &Interaction) -> Self {
        let kind = asked.callback.as_ref().map(|callback| match callback.kind {
            SAY => AnswerKind::Message,
            DEFER => AnswerKind::Deferred,
            DEFER_UPDATE => AnswerKind::DeferredUpdate,
            UPDATE => AnswerKind::Updated,
            COMPLETE => AnswerKind::Choices,
            SHOW_FORM => AnswerKind::Modal,
            _ => AnswerKind::Nothing,
        });
        let at = asked.callback.as_ref().map(|callback| callback.at);
        Self {
            shared: Arc::clone(shared),
            id: asked.id,
            kind: kind.unwrap_or(AnswerKind::Nothing),
            elapsed: at.map_or(Duration::ZERO, |at| at.saturating_sub(asked.sent)),
        }
    }

    fn asked(&self) -> Option<Interaction> {
        self.shared.world().interactions.get(&self.id).cloned()
    }

    /// The message that answers, or that the component is on, as it stands now.
    pub fn message(&self) -> Option<Message> {
        let id = self.asked()?.original?;
        self.shared.world().messages.get(&id).cloned()
    }

    /// Whether only the person sees it.
    pub fn is_ephemeral(&self) -> bool {
        self.message().is_some_and(|message| message.is_ephemeral())
    }

    /// Further messages under the interaction's token.
    pub fn followups(&self) -> Vec<Message> {
        let followups = self.asked().map(|asked| asked.followups);
        let world = self.shared.world();
        let followups = followups.into_iter().flatten();
        followups
            .filter_map(|id| world.messages.get(&id).cloned())
            .collect()
    }

    /// All that the person reads now: the message, then those that followed it.
    pub fn text(&self) -> String {
        let messages = self.message().into_iter().chain(self.followups());
        messages
            .map(|message| message.text())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The form, if the bot showed one.
    pub fn modal(&self) -> Option<Modal> {
        let callback = self.asked()?.callback?;
        (callback.kind == SHOW_FORM).then(|| Modal::of(&callback.data))
    }

    /// The words to complete with, if these were asked for.
    pub fn choices(&self) -> Vec<Choice> {
        let callback = self.asked().and_then(|asked| asked.callback);
        let data = callback.map(|callback| callback.data).unwrap_or_default();
        let choice = |choice: &Value| Choice {
            name: choice["name"].as_str().unwrap_or_default().to_owned(),
            value: choice["value"].clone(),
        };
        list_in(&data["choices"]).iter().map(choice).collect()
    }

    /// Whether what was deferred has come.
    fn is_settled(&self) -> bool {
        let Some(asked) = self.asked() else {
            return true;
        };
        match self.kind {
            AnswerKind::Deferred => self.message().is_none_or(|message| !message.is_loading()),
            AnswerKind::DeferredUpdate => asked.edits > 0,
            _ => true,
        }
    }

    /// The message that the person is left with: the answer once it is no longer deferred, or what
    /// followed a deferred update or a deleted answer.
    ///
    /// # Panics
    /// When it does not come within ten seconds, or there is none to come.
    pub async fn settled(&self) -> Message {
        let came = self
            .shared
            .until(PATIENCE, || self.is_settled().then_some(()))
            .await;
        assert!(
            came.is_some(),
            "the bot is still thinking after {PATIENCE:?}"
        );
        let followup = self.followups().pop();
        let message = match self.kind {
            AnswerKind::DeferredUpdate => followup.or_else(|| self.message()),
            _ => self.message().or(followup),
        };
        message.unwrap_or_else(|| panic!("no message comes of {self:?}"))
    }
}
