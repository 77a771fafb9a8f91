//! Answers that are written often: which there are, and one filled in for a ticket.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Desk, Error, letters::staff_name, reading::Reader, reply::way_out, tickets::not_found,
};
use crate::{
    macros::{Macro, Step},
    permit::{Action, Actor, Permit, ReadDesk, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{customers, tickets},
    tickets::{Ticket, TicketNumber},
};

/// A macro as `ticket macros --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct MacroReport {
    /// How it is asked for.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// Where the ticket goes.
    pub then: Step,
    /// Tags that the ticket gets.
    pub tags: Vec<String>,
    /// What must or can be given, with the default.
    pub variables: BTreeMap<String, String>,
}

impl From<&Macro> for MacroReport {
    fn from(one: &Macro) -> Self {
        Self {
            name: one.name.clone(),
            title: one.title.clone(),
            then: one.then,
            tags: one.tags.clone(),
            variables: one.variables.clone(),
        }
    }
}

/// A macro filled in for a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Its name.
    pub name: String,
    /// Markdown, ready to be sent.
    pub text: String,
    /// Where the ticket goes.
    pub then: Step,
    /// Tags that the ticket gets.
    pub tags: Vec<String>,
}

/// The macros that there are, or that may be used on a ticket.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    number: Option<TicketNumber>,
) -> Result<Vec<MacroReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let Some(number) = number else {
        return Ok(desk.macros.iter().map(MacroReport::from).collect());
    };
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    let fitting = desk
        .macros
        .iter()
        .filter(|one| one.fits(ticket.tier.as_ref()));
    Ok(fitting.map(MacroReport::from).collect())
}

/// A macro with everything that it needs of a ticket and of `given` in its places.
pub async fn fill(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    name: &str,
    given: &BTreeMap<String, String>,
) -> Result<Filled, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    let one = get(desk, name)?;
    let words = words_for(&mut permit, &ticket, one, given).await?;
    fill_in(desk, one, &words)
}

/// What goes into a macro's places on this ticket.
pub(super) async fn words_for<A: Action>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    one: &Macro,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    let (number, name) = (ticket.number, &one.name);
    if let Some(why) = Reader::of(permit).await?.withheld(ticket) {
        let message = format!("you cannot answer {number} {why}");
        return Err(Refusal::new(RefusalCode::NotPermitted, message).into());
    }
    if !one.fits(ticket.tier.as_ref()) {
        let tiers: Vec<String> = one.tiers.iter().map(ToString::to_string).collect();
        let message = format!(
            "the macro {name} is for {}, and {number} is not",
            tiers.join(", ")
        );
        return Err(Refusal::invalid(message)
            .with_hint(format!("tierdesk ticket macros {number}"))
            .into());
    }
    let mut words = variables(one, given)?;
    let customer = match ticket.customer_id {
        Some(id) => customers::get(permit, id).await?.name,
        None => String::new(),
    };
    let known = [
        ("number", number.to_string()),
        ("name", first_name(ticket.requester_name.as_deref())),
        ("customer", customer),
        (
            "tier",
            ticket
                .tier
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("severity", ticket.severity.to_string()),
        ("author", staff_name(permit.actor())),
        (
            "response_due",
            ticket
                .clocks
                .first_response
                .due
                .map(|due| due.to_string())
                .unwrap_or_default(),
        ),
    ];
    words.extend(known.map(|(name, value)| (name.to_owned(), value)));
    Ok(words)
}

/// A macro with these words in its places.
pub(super) fn fill_in(
    desk: &Desk,
    one: &Macro,
    words: &BTreeMap<String, String>,
) -> Result<Filled, Error> {
    let composer = &way_out(desk)?.composer;
    let text = composer
        .fill(&one.name, &one.text, words)
        .map_err(|fault| {
            let message = format!("the macro could not be filled in: {fault}");
            Refusal::new(RefusalCode::Configuration, message).with_hint(
                "correct it in the file that mail.macros names; `tierdesk doctor` checks it",
            )
        })?;
    Ok(Filled {
        name: one.name.clone(),
        text: text.trim().to_owned(),
        then: one.then,
        tags: one.tags.clone(),
    })
}

fn get<'d>(desk: &'d Desk, name: &str) -> Result<&'d Macro, Refusal> {
    desk.macros.get(name).ok_or_else(|| {
        let names: Vec<&str> = desk.macros.iter().map(|one| one.name.as_str()).collect();
        Refusal::not_found("macro", name).with_hint(format!("there are {}", names.join(", ")))
    })
}

/// What was given, over the defaults. What the text does not ask for is a mistake, and so is a gap.
fn variables(
    one: &Macro,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    if let Some(name) = given.keys().find(|name| !one.variables.contains_key(*name)) {
        let known: Vec<&str> = one.variables.keys().map(String::as_str).collect();
        let hint = match known.as_slice() {
            [] => "it asks for nothing".to_owned(),
            known => format!("it asks for {}", known.join(", ")),
        };
        let message = format!("the macro {} does not ask for {name}", one.name);
        return Err(Refusal::invalid(message).with_hint(hint));
    }
    let mut words = one.variables.clone();
    words.extend(given.clone());
    if let Some((name, _)) = words.iter().find(|(_, value)| value.trim().is_empty()) {
        let message = format!("the macro {} needs {name}; nothing was sent", one.name);
        return Err(
            Refusal::new(RefusalCode::Empty, message).with_hint(format!("--set {name}='…'"))
        );
    }
    Ok(words)
}

/// How somebody is greeted: by the first word of their name, if they gave one.
fn first_name(name: Option<&str>) -> String {
    let first = name.and_then(|name| name.split_whitespace().next());
    let first = first.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    first
        .filter(|word| !word.is_empty())
        .unwrap_or("there")
        .to_owned()
}
