//! `/customer`: who they are.

use tierdesk_core::{
    desk::{Error, chat},
    disclosure::DisclosedCustomer,
    permit::Actor,
    refusal::Refusal,
    tiers::{Disclosure, TierSlug},
};

use super::{Answer, Asked, CHOICES, Choice};
use crate::{
    Bot, escape,
    message::{Embed, Message, limit},
};

/// Lines that a list shows.
const LINES: usize = 25;

pub(super) async fn run(verb: &str, asked: &Asked<'_>) -> Result<Answer, Error> {
    let (desk, actor) = (&asked.bot.desk, asked.actor);
    match verb {
        "show" => {
            let shown = chat::show_customer(desk, actor, asked.needed("who")?).await?;
            Ok(Answer::Message(Message::text("").embed(embed(&shown))))
        }
        "list" => {
            let tier: Option<TierSlug> = match asked.option("tier") {
                Some(tier) => Some(tier.parse().map_err(|_| Refusal::not_found("tier", tier))?),
                None => None,
            };
            let found = chat::list_customers(desk, actor, tier.as_ref()).await?;
            Ok(list(&found, "There are no customers yet."))
        }
        "search" => {
            let words = asked.needed("words")?;
            let found = chat::search_customers(desk, actor, words, LINES + 1).await?;
            Ok(list(&found, "No customer matches that."))
        }
        other => Err(Refusal::not_found("command", format!("customer {other}")).into()),
    }
}

/// Customers that what was typed so far may mean.
pub(super) async fn choices(bot: &Bot, actor: &Actor, so_far: &str) -> Result<Vec<Choice>, Error> {
    let found = chat::search_customers(&bot.desk, actor, so_far, CHOICES).await?;
    Ok(found
        .iter()
        .map(|customer| Choice {
            name: escape::plain(
                &format!("{} · {}", customer.name, tier(customer)),
                limit::NAME,
            ),
            value: customer.handle.clone(),
        })
        .collect())
}

fn tier(customer: &DisclosedCustomer) -> &str {
    customer
        .tier
        .as_ref()
        .map_or("unknown tier", TierSlug::as_str)
}

fn embed(customer: &DisclosedCustomer) -> Embed {
    let line = |text: &String| escape::line(text, limit::FIELD / 4);
    let joined = |texts: &[String]| {
        let (shown, more) = texts.split_at(texts.len().min(15));
        let mut lines: Vec<String> = shown.iter().map(|text| escape::line(text, 120)).collect();
        if !more.is_empty() {
            lines.push(format!("and {} more", more.len()));
        }
        lines.join("\n")
    };
    let mut embed = Embed {
        title: escape::line(&customer.name, limit::TITLE / 2),
        ..Embed::default()
    };
    embed.field("Tier", Some(tier(customer).to_owned()));
    embed.field("Framework", customer.framework.as_ref().map(line));
    embed.field("Status", customer.status.map(|status| status.to_string()));
    embed.field("Open tickets", Some(customer.open_tickets.to_string()));
    embed.field("Price a month", customer.monthly_price_cents.map(dollars));
    embed.field("Account", customer.account_id.as_ref().map(line));
    embed.field("Organisational unit", customer.ou.as_ref().map(line));
    embed.field("Short name", customer.prefix.as_ref().map(line));
    embed.field("Domains", Some(joined(&customer.domains)));
    embed.field("Contacts", Some(joined(&customer.contacts)));
    embed.field("Contacts there", Some(joined(&customer.contact_roles)));
    if customer.level < Disclosure::Subject {
        let more = "More of this tier's customers is not shown in chat. \
            In the terminal: `tierdesk customer show`";
        more.clone_into(&mut embed.description);
    }
    embed
}

fn dollars(cents: i64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

fn list(found: &[DisclosedCustomer], none: &str) -> Answer {
    if found.is_empty() {
        return Answer::say(none);
    }
    let line = |customer: &DisclosedCustomer| {
        let open = match customer.open_tickets {
            0 => String::new(),
            1 => " · 1 open ticket".to_owned(),
            many => format!(" · {many} open tickets"),
        };
        format!(
            "**{}** · {}{open}",
            escape::line(&customer.name, 80),
            tier(customer)
        )
    };
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for customer in found.iter().take(LINES) {
        let line = line(customer);
        length += line.chars().count() + 1;
        if length > limit::CONTENT - 200 {
            break;
        }
        lines.push(line);
    }
    if lines.len() < found.len() {
        lines.push(format!(
            "…and more: {} of {} shown. `/customer search` finds one, `tierdesk customer list` shows all.",
            lines.len(),
            found.len()
        ));
    }
    Answer::say(lines.join("\n"))
}
