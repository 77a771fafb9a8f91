//! From what somebody did to what they see. Each verb calls one use case; the right is asked for
//! there. A refusal goes to the person, a fault goes to the log.

mod answer;
mod customer;
mod help;
mod onboard;
mod oncall;
mod page;
mod reply;
mod ticket;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{
        Error,
        chat::{self, Input, Pressed},
    },
    disclosure,
    discord::DiscordId,
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    telemetry,
    tickets::TicketNumber,
};

use crate::{
    Bot,
    incoming::{Did, Incoming},
};
pub(crate) use answer::{Answer, Choice};

/// An answer that takes longer is announced first: Discord waits three seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long the work behind an interaction may take; its token is good for 15 minutes.
const TIME_LIMIT: Duration = Duration::from_mins(14);
/// Choices that Discord shows while somebody types.
const CHOICES: usize = 25;

/// A command as it was given, with who gave it and where.
pub(crate) struct Asked<'a> {
    pub(crate) bot: &'a Bot,
    pub(crate) actor: &'a Actor,
    pub(crate) channel: Option<DiscordId>,
    pub(crate) options: &'a BTreeMap<String, String>,
}

impl Asked<'_> {
    /// An option's text, without what surrounds it.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let text = self.options.get(name)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// An option that Discord would not have let be left out.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.option(name)
            .ok_or_else(|| Refusal::new(RefusalCode::Empty, format!("{name} is missing")))
    }

    /// The ticket that is meant: the one named, else the one in whose thread this is.
    pub(crate) async fn ticket(&self) -> Result<TicketNumber, Error> {
        if let Some(named) = self.option("ticket") {
            return named.parse().map_err(|_| {
                Refusal::new(RefusalCode::NotFound, format!("{named} is no ticket")).into()
            });
        }
        let here = match self.channel {
            Some(channel) => {
                chat::find_ticket_of_thread(&self.bot.desk, self.actor, channel).await?
            }
            None => None,
        };
        here.ok_or_else(|| {
            Refusal::new(RefusalCode::Empty, "this is no ticket's thread")
                .with_hint("name the ticket: ticket:SB-12")
                .into()
        })
    }
}

/// Answers one interaction, whatever comes of it.
pub(crate) async fn handle(bot: &Arc<Bot>, incoming: Incoming) {
    let work = respond(bot, &incoming);
    tokio::pin!(work);
    let quick = tokio::select! {
        answer = &mut work => Some(answer),
        () = tokio::time::sleep(PATIENCE) => None,
    };
    let sent = match quick {
        Some(answer) => {
            let body = answer.first();
            bot.rest.answer(incoming.id, &incoming.token, &body).await
        }
        None => later(bot, &incoming, work).await,
    };
    if let Err(error) = sent {
        let interaction = incoming.id.to_string();
        tracing::warn!(interaction, error = %error, "an answer did not get through");
    }
}

/// Announces the answer, then gives it.
async fn later(
    bot: &Bot,
    incoming: &Incoming,
    work: impl Future<Output = Answer>,
) -> Result<(), crate::rest::RestError> {
    if matches!(incoming.did, Did::Typing(..)) {
        // Nobody waits for choices any more.
        return Ok(());
    }
    let coming = Answer::deferred();
    // Both at once: work that holds the database must not stand still for Discord.
    let deferring = bot.rest.answer(incoming.id, &incoming.token, &coming);
    let (deferred, done) = tokio::join!(deferring, tokio::time::timeout(TIME_LIMIT, work));
    deferred?;
    let answer = done.unwrap_or_else(|_| {
        Answer::say(
            "That took longer than Discord lets me answer, and was given up. Look with show or status whether it was done.",
        )
    });
    bot.rest
        .edit_answer(incoming.application, &incoming.token, &answer.edited())
        .await
}

/// What the person sees.
async fn respond(bot: &Bot, incoming: &Incoming) -> Answer {
    let Incoming { actor, channel, .. } = incoming;
    let channel = *channel;
    let outcome = match &incoming.did {
        Did::Command(path, options) => {
            let asked = Asked {
                bot,
                actor,
                channel,
                options,
            };
            command(path, &asked).await
        }
        Did::Typing(path, option, so_far) => {
            // Somebody without the right sees no choice; being told so with each key helps nobody.
            let choices = typing(bot, actor, path, option, so_far).await;
            return Answer::Choices(choices.unwrap_or_default());
        }
        Did::Used(handle, input) => use_handle(bot, actor, handle, input.clone()).await,
        Did::OnPage(handle, input) => page::press(bot, actor, handle, input.clone()).await,
        Did::Foreign => Err(Refusal::new(
            RefusalCode::Changed,
            "this button or command is not the desk's any more",
        )
        .into()),
    };
    outcome.unwrap_or_else(|error| failure(incoming, &error))
}

async fn command(path: &str, asked: &Asked<'_>) -> Result<Answer, Error> {
    match path.split_once(' ').unwrap_or((path, "")) {
        ("customer", verb) => customer::run(verb, asked).await,
        ("ticket", verb) => ticket::run(verb, asked).await,
        ("onboard", verb) => onboard::run(verb, asked).await,
        ("oncall", verb) => oncall::run(verb, asked).await,
        ("help", _) => help::run(asked).await,
        _ => Err(Refusal::not_found("command", path).into()),
    }
}

/// The choices for an option that is being typed.
async fn typing(
    bot: &Bot,
    actor: &Actor,
    path: &str,
    option: &str,
    so_far: &str,
) -> Result<Vec<Choice>, Error> {
    match option {
        "who" | "customer" => customer::choices(bot, actor, so_far).await,
        "ticket" => ticket::choices(bot, actor, so_far).await,
        "run" => onboard::choices(bot, actor, path, so_far).await,
        _ => Ok(Vec::new()),
    }
}

/// A button, menu or form was used.
async fn use_handle(bot: &Bot, actor: &Actor, handle: &str, input: Input) -> Result<Answer, Error> {
    Ok(match chat::press(&bot.desk, actor, handle, input).await? {
        Pressed::Done { verb, ticket } => ticket::done(verb, &ticket),
        Pressed::Ask {
            verb,
            handle,
            number,
        } => ticket::ask(verb, &handle, number),
        Pressed::Offer {
            handle,
            number,
            replies,
            further,
        } => reply::offer(&handle, number, &replies, further),
        Pressed::Draft { handle, answer } => reply::draft(&handle, &answer),
        Pressed::Sent {
            handle,
            answer,
            leave_at,
        } => reply::sent(&handle, &answer, leave_at),
        Pressed::TakenBack {
            number,
            is_restored,
        } => reply::taken_back(number, is_restored),
    })
}

/// A refusal in words; a fault as a reference to the log.
fn failure(incoming: &Incoming, error: &Error) -> Answer {
    match error {
        Error::Refused(refusal) => Answer::refusal(&disclosure::refusal(refusal)),
        Error::Failed(fault) => {
            let reference = incoming.id.to_string();
            let chain = telemetry::chain(fault);
            tracing::error!(reference, error = chain, "an interaction failed");
            let when = if fault.is_transient() {
                "The database is busy or away; try again in a minute."
            } else {
                "Nothing was changed."
            };
            Answer::say(format!(
                "That did not work, and it is not your fault. {when} Reference: {reference}"
            ))
        }
    }
}
