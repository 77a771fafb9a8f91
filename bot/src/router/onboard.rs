//! `/onboard`: planning, starting, approving and following. The work is done by jobs, wherever the
//! cloud's credentials are; this follows their rows.

use std::time::Duration;

use tierdesk_core::{
    desk::{Error, chat, onboard::PlanRequest},
    disclosure::DisclosedRun,
    permit::Actor,
    refusal::Refusal,
};

use super::{Answer, Asked, CHOICES, Choice};
use crate::{
    Bot, escape,
    message::{Message, limit},
    progress::{short, step_line},
};

/// How long a plan is waited for.
const PLANNING: Duration = Duration::from_mins(2);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(300);

pub(super) async fn run(verb: &str, asked: &Asked<'_>) -> Result<Answer, Error> {
    let (desk, actor) = (&asked.bot.desk, asked.actor);
    match verb {
        "plan" => plan(asked).await,
        "start" => start(asked).await,
        "approve" => {
            let run = chat::approve_run(desk, actor, asked.needed("run")?).await?;
            Ok(told("Your approval counts.", &run))
        }
        "resume" => {
            let run = chat::resume_run(desk, actor, asked.needed("run")?).await?;
            Ok(told("It goes on.", &run))
        }
        "status" => {
            let run = chat::show_run(desk, actor, asked.needed("run")?).await?;
            Ok(told("", &run))
        }
        "list" => {
            let runs = chat::list_runs(desk, actor, true).await?;
            Ok(list(&runs))
        }
        other => Err(Refusal::not_found("command", format!("onboard {other}")).into()),
    }
}

/// Runs that what was typed so far may mean: for the verbs that act, those that are not over.
pub(super) async fn choices(
    bot: &Bot,
    actor: &Actor,
    path: &str,
    so_far: &str,
) -> Result<Vec<Choice>, Error> {
    let is_all = path.ends_with("status");
    // Who starts or approves means the plan that the list showed, not a later one of the same run.
    let is_exact = path.ends_with("start") || path.ends_with("approve");
    let wanted = so_far.trim().to_lowercase();
    let runs = chat::list_runs(&bot.desk, actor, is_all).await?;
    let name = |run: &DisclosedRun| format!("{} · {} · {}", run.name, run.state, short(run));
    Ok(runs
        .iter()
        .filter(|run| name(run).to_lowercase().contains(&wanted))
        .take(CHOICES)
        .map(|run| Choice {
            name: escape::plain(&name(run), limit::NAME),
            value: if is_exact && !run.hash.is_empty() {
                run.hash.clone()
            } else {
                run.run.clone()
            },
        })
        .collect())
}

async fn plan(asked: &Asked<'_>) -> Result<Answer, Error> {
    let (desk, actor) = (&asked.bot.desk, asked.actor);
    let request = PlanRequest {
        name: asked.needed("name")?.to_owned(),
        tier: parse(asked.needed("tier")?, "a tier")?,
        contact: parse(asked.needed("contact")?, "a mail address")?,
        domain: parse(asked.needed("domain")?, "a domain")?,
        prefix: match asked.option("prefix") {
            Some(prefix) => Some(parse(prefix, "a short name of letters and digits")?),
            None => None,
        },
        chat_channel: None,
    };
    let mut run = chat::plan_run(desk, actor, request).await?;
    let since = tokio::time::Instant::now();
    while run.is_planning && since.elapsed() < PLANNING {
        tokio::time::sleep(LOOK).await;
        run = chat::show_run(desk, actor, &run.run).await?;
    }
    if run.is_planning {
        return Ok(Answer::say(format!(
            "The cloud has not been looked at yet: does `tierdesk serve` run where its credentials are? `/onboard status run:{}` tells when it was.",
            short(&run)
        )));
    }
    Ok(told(
        "Nothing was changed. This is what would be done:",
        &run,
    ))
}

/// What somebody typed, as what it should be.
fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| {
        let message = format!("{text} is not {what}; nothing was planned");
        Refusal::new(tierdesk_core::refusal::RefusalCode::Empty, message)
    })
}

/// Progress is told in the channel of the customer's tier.
async fn start(asked: &Asked<'_>) -> Result<Answer, Error> {
    let (bot, actor, name) = (asked.bot, asked.actor, asked.needed("run")?);
    let planned = chat::show_run(&bot.desk, actor, name).await?;
    let tier = planned
        .tier
        .as_deref()
        .and_then(|slug| bot.desk.catalogue.get(slug));
    let channel = match tier {
        Some(tier) => bot
            .guild
            .find_channel(tier.slug.as_str(), &tier.discord_channel)
            .await
            .ok()
            .flatten()
            .map(|channel| channel.id),
        None => None,
    };
    let run = chat::start_run(&bot.desk, actor, name, channel).await?;
    let words = match (run.state.as_str(), channel) {
        ("awaiting_approval", _) => "It waits for other people's approval.".to_owned(),
        (_, Some(channel)) => format!("It runs. Each step is told in a thread of <#{channel}>."),
        (_, None) => "It runs. There is no channel for its tier to tell the steps in.".to_owned(),
    };
    Ok(told(&words, &run))
}

/// A run with its steps.
fn told(words: &str, run: &DisclosedRun) -> Answer {
    let mut lines: Vec<String> = vec![words.to_owned()];
    lines.retain(|line| !line.is_empty());
    lines.push(format!(
        "**{}** · {} · **{}** · {} cloud · run {}",
        escape::line(&run.name, 60),
        run.tier.as_deref().unwrap_or("unknown tier"),
        run.state,
        run.cloud,
        short(run)
    ));
    lines.extend(
        run.steps
            .iter()
            .map(|step| escape::cut(&step_line(step), 130)),
    );
    if let Some(account) = &run.account {
        lines.push(format!("Account {account}"));
    }
    if let Some((low, likely, high)) = run.estimate {
        lines.push(format!(
            "Takes about {} ({} to {})",
            span(likely),
            span(low),
            span(high)
        ));
    }
    let (needed, given, possible) = run.approvals;
    if needed > 0 {
        let enough = if possible >= needed {
            ""
        } else {
            ", which is too few"
        };
        lines.push(format!(
            "Approvals: {given} of {needed}; {possible} other people could{enough}"
        ));
    }
    if run.is_sole_operator {
        lines.push(
            "Goes on without approval: one person works alone, which is reported.".to_owned(),
        );
    }
    if let Some(note) = &run.note {
        lines.push(escape::line(note, 300));
    }
    if run.state == "planned" && !run.hash.is_empty() {
        let hash: String = run.hash.chars().take(12).collect();
        lines.push(format!("Start exactly this: `/onboard start run:{hash}`"));
    }
    Answer::Message(Message::text(lines.join("\n")))
}

fn span(seconds: i64) -> String {
    if seconds < 120 {
        format!("{seconds} s")
    } else {
        format!("{} min", (seconds + 30) / 60)
    }
}

fn list(runs: &[DisclosedRun]) -> Answer {
    if runs.is_empty() {
        return Answer::say("There was no onboarding yet. `/onboard plan` begins one.");
    }
    let mut lines: Vec<String> = runs
        .iter()
        .take(20)
        .map(|run| {
            format!(
                "**{}** · {} · {} · run {}",
                escape::line(&run.name, 50),
                run.tier.as_deref().unwrap_or("unknown tier"),
                run.state,
                short(run)
            )
        })
        .collect();
    if runs.len() > lines.len() {
        lines.push("…and more: `tierdesk onboard list --all`".to_owned());
    }
    Answer::say(lines.join("\n"))
}
