//! What the buttons of pages lead to.

use tierdesk_core::{
    desk::{
        Error,
        chat::Input,
        paging::press::{self, PagePressed},
    },
    discord::Member,
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    tickets::TicketNumber,
};

use super::Answer;
use crate::{
    Bot, escape,
    guild::{id, list},
    message::{Message, menu},
    pages::PREFIX,
    rest::RestError,
};

/// A button or menu of a page was used.
pub(super) async fn press(
    bot: &Bot,
    actor: &Actor,
    handle: &str,
    input: Input,
) -> Result<Answer, Error> {
    let actor = &in_person(bot, actor).await?;
    let pressed = press::press(&bot.desk, actor, handle, input).await?;
    Ok(match pressed {
        PagePressed::Acknowledged {
            ticket,
            is_others: true,
        } => Answer::say(format!("A colleague has {} already.", named(ticket))),
        PagePressed::Acknowledged { ticket, .. } => {
            let named = named(ticket);
            Answer::say(format!(
                "You have {named}. Nobody further is called for now."
            ))
        }
        PagePressed::Proven => Answer::say("It reached you, and this channel of yours is proven."),
        PagePressed::Escalated(ticket) => {
            let named = named(ticket);
            Answer::say(format!("Whoever comes next is called for {named}, now."))
        }
        PagePressed::Ask {
            handle,
            people,
            ticket,
        } => ask(&handle, &people, ticket),
        PagePressed::HandedOver { ticket, to } => {
            let (named, to) = (named(ticket), escape::line(&to, 60));
            Answer::say(format!("{to} is called for {named}, now."))
        }
    })
}

/// In a direct message Discord does not say which roles somebody holds in the server; where the desk asks
/// for one, it is looked up.
async fn in_person(bot: &Bot, actor: &Actor) -> Result<Actor, Error> {
    let Actor::Discord(member) = actor else {
        return Ok(actor.clone());
    };
    if !member.is_direct || bot.roles.is_empty() {
        return Ok(actor.clone());
    }
    let (guild, user) = (bot.guild.id, member.user);
    let found = bot
        .rest
        .get(&format!("/guilds/{guild}/members/{user}"))
        .await;
    let refused = |message: &str| {
        Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("in the terminal: tierdesk oncall page list")
    };
    let found = match found {
        Ok(found) => found,
        Err(RestError::NotFound { .. }) => {
            return Err(refused("you are not in the desk's server any more").into());
        }
        Err(_) => return Err(refused("Discord does not say now which roles you hold").into()),
    };
    let held: Vec<_> = list(&found["roles"]).filter_map(id).collect();
    let member = Member::new(guild, &bot.roles, None, user, &held);
    Ok(Actor::Discord(member))
}

fn named(ticket: Option<TicketNumber>) -> String {
    ticket.map_or_else(|| "the page".to_owned(), |number| number.to_string())
}

fn ask(handle: &str, people: &[String], ticket: Option<TicketNumber>) -> Answer {
    let options: Vec<(&str, &str)> = people
        .iter()
        .map(|name| (name.as_str(), name.as_str()))
        .collect();
    let menu = menu(&format!("{PREFIX}{handle}"), "Colleague", &options);
    let text = format!("Who takes {}? They are called at once.", named(ticket));
    Answer::Message(Message::text(text).row(&[menu]))
}
