//! The commands as Discord knows them. Registered for the one server, which shows them at once,
//! and only when their definition has changed: Discord counts registrations.

use std::sync::Arc;

use serde_json::{Value, json};
use tierdesk_core::{
    desk::{Desk, chat},
    discord::DiscordId,
    tickets::{CloseReason, Status},
    tiers::Severity,
};

use crate::{BOT, Bot, digest::hex, guild::list, posts::job_error};

/// Types of options.
const SUB_COMMAND: u8 = 1;
const STRING: u8 = 3;

fn sub(name: &str, description: &str, options: &[Value]) -> Value {
    json!({ "type": SUB_COMMAND, "name": name, "description": description, "options": options })
}

fn text(name: &str, description: &str, is_required: bool) -> Value {
    json!({ "type": STRING, "name": name, "description": description, "required": is_required })
}

fn completed(name: &str, description: &str, is_required: bool) -> Value {
    let mut option = text(name, description, is_required);
    option["autocomplete"] = true.into();
    option
}

fn choice(name: &str, description: &str, is_required: bool, values: &[&str]) -> Value {
    let mut option = text(name, description, is_required);
    option["choices"] = values
        .iter()
        .map(|value| json!({ "name": value, "value": value }))
        .collect();
    option
}

fn command(name: &str, description: &str, options: &[Value]) -> Value {
    // Whoever may use them is asked of the desk, each time; what Discord hides is for looks.
    json!({ "type": 1, "name": name, "description": description, "options": options,
        "integration_types": [0], "contexts": [0] })
}

/// Every command.
pub fn definitions(desk: &Desk) -> Value {
    let tiers: Vec<&str> = desk
        .catalogue
        .iter()
        .map(|tier| tier.slug.as_str())
        .collect();
    json!([
        customer_command(&tiers),
        ticket_command(&tiers),
        onboard_command(&tiers),
        oncall_command(),
        command("help", "What the desk can do here, with examples", &[]),
    ])
}

fn customer_command(tiers: &[&str]) -> Value {
    let who = completed(
        "who",
        "Name, short name, domain, address or account id",
        true,
    );
    command(
        "customer",
        "Who the customers are",
        &[
            sub("show", "Shows one customer", &[who]),
            sub(
                "list",
                "Lists customers",
                &[choice("tier", "Only of this tier", false, tiers)],
            ),
            sub(
                "search",
                "Finds customers",
                &[text(
                    "words",
                    "Part of a name, domain, address or account",
                    true,
                )],
            ),
        ],
    )
}

fn ticket_command(tiers: &[&str]) -> Value {
    let ticket = || {
        completed(
            "ticket",
            "SB-12; not needed in the ticket's own thread",
            false,
        )
    };
    let statuses: Vec<&str> = Status::ALL
        .iter()
        .filter(|status| !matches!(status, Status::New | Status::Closed))
        .map(|status| status.as_str())
        .collect();
    let reasons: Vec<&str> = CloseReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    let customer = completed("customer", "Whose it is", true);
    command(
        "ticket",
        "Working tickets",
        &[
            sub(
                "list",
                "Lists open tickets, what comes first first",
                &[
                    choice("tier", "Only of this tier", false, tiers),
                    choice(
                        "whose",
                        "Only mine, or only nobody's",
                        false,
                        &["mine", "triage"],
                    ),
                ],
            ),
            sub(
                "show",
                "Shows a ticket, as much as may be shown here",
                &[ticket()],
            ),
            sub("take", "Makes a ticket yours", &[ticket()]),
            sub(
                "status",
                "Moves a ticket",
                &[choice("status", "Where to", true, &statuses), ticket()],
            ),
            sub(
                "note",
                "Writes for colleagues; customers never see it",
                &[
                    ticket(),
                    text("text", "The note; without it a form opens", false),
                ],
            ),
            sub(
                "close",
                "Ends a ticket",
                &[
                    choice("reason", "Why; done where absent", false, &reasons),
                    ticket(),
                ],
            ),
            sub("bind", "Says whose ticket it is", &[customer, ticket()]),
        ],
    )
}

fn onboard_command(tiers: &[&str]) -> Value {
    let run = || completed("run", "The run, or its customer", true);
    command(
        "onboard",
        "Provisioning a customer in AWS",
        &[
            sub(
                "plan",
                "Looks at the cloud and says what would be done; changes nothing",
                &[
                    text("name", "The company's name", true),
                    choice("tier", "What they bought", true, tiers),
                    text("contact", "Their first contact's address", true),
                    text("domain", "Their mail domain", true),
                    text("prefix", "The short name in AWS", false),
                ],
            ),
            sub("start", "Does what was planned, exactly that", &[run()]),
            sub("approve", "Agrees to somebody else's plan", &[run()]),
            sub("status", "Shows how far a run is", &[run()]),
            sub("resume", "Goes on with a run that stopped", &[run()]),
            sub("list", "Lists runs", &[]),
        ],
    )
}

fn oncall_command() -> Value {
    let ticket = completed(
        "ticket",
        "SB-12; not needed in the ticket's own thread",
        false,
    );
    command(
        "oncall",
        "Who is on call, and who is being called",
        &[
            sub("now", "Shows who is on call for each tier", &[]),
            sub("pages", "Lists pages that are not over", &[]),
            sub(
                "ack",
                "Says that you have it: nobody further is called",
                &[ticket],
            ),
        ],
    )
}

/// The severities as a menu offers them.
pub fn severities() -> Vec<(&'static str, &'static str)> {
    Severity::ALL
        .iter()
        .map(|severity| {
            let label = match severity {
                Severity::Sev1 => "sev1 — down, or data at risk",
                Severity::Sev2 => "sev2 — badly impaired",
                Severity::Sev3 => "sev3 — impaired",
                Severity::Sev4 => "sev4 — a question or a wish",
            };
            (severity.as_str(), label)
        })
        .collect()
}

/// The reasons for closing as a menu offers them.
pub fn reasons() -> Vec<(&'static str, &'static str)> {
    CloseReason::ALL
        .iter()
        .map(|reason| {
            let label = match reason {
                CloseReason::Done => "Done",
                CloseReason::Spam => "Spam: nobody should answer",
                CloseReason::Duplicate => "Another ticket has it already",
                CloseReason::NoAnswer => "The customer did not answer",
            };
            (reason.as_str(), label)
        })
        .collect()
}

/// Registers the commands, unless they are registered as they are. Returns whether it did.
pub(crate) async fn register(bot: &Arc<Bot>, application: DiscordId) -> Result<bool, String> {
    let definitions = definitions(&bot.desk);
    let digest = hex(&[definitions.to_string().as_bytes()]);
    let name = format!("commands:{application}:{}", bot.guild.id);
    let known = chat::find_fact(&bot.desk, &BOT, &name).await;
    let is_known = known.map_err(|error| job_error(error).to_string())? == Some(digest.clone());
    let path = format!(
        "/applications/{application}/guilds/{}/commands",
        bot.guild.id
    );
    // A bot that was taken out of the server and invited again has none there.
    if is_known {
        let there = bot.rest.get(&path).await;
        let there = there.map_err(|error| error.to_string())?;
        if list(&there).count() == list(&definitions).count() {
            return Ok(false);
        }
    }
    let put = bot.rest.put(&path, &definitions).await;
    put.map_err(|error| error.to_string())?;
    let set = chat::set_fact(&bot.desk, &BOT, &name, &digest).await;
    set.map_err(|error| job_error(error).to_string())?;
    Ok(true)
}
