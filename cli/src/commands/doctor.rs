//! `tierdesk doctor`: what is set up, what does not work, and what to do about it.

use std::sync::Arc;

use serde::Serialize;
use tierdesk_bot::Bot;
use tierdesk_core::{
    desk::{Desk, doctor, mailboxes, oncall, watchdog},
    permit::Actor,
    settings::CloudKind,
    telemetry,
};
use tierdesk_ingest::authentication_results::{Proposal, propose};
use tierdesk_outbound::webhook::Webhooks;

use crate::{
    exit::Exit,
    output::{Output, Tone},
    program::Program,
};

/// So many mails are looked at for whose word on senders to take.
const MAILS: i64 = 50;

/// What became of one check.
#[derive(Clone, Debug, Serialize)]
struct Check {
    /// What was looked at.
    name: String,
    /// `ok`, `failed`, or `off` for what is not configured.
    state: &'static str,
    /// What was found.
    detail: String,
    /// What to do.
    hint: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: "ok",
            detail: detail.into(),
            hint: None,
        }
    }

    fn off(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: "off",
            detail: detail.into(),
            hint: None,
        }
    }

    fn failed(name: impl Into<String>, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: "failed",
            detail: detail.into(),
            hint: Some(hint.into()),
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

pub(super) async fn run(program: &Program, output: &Output) -> anyhow::Result<Exit> {
    let mut checks = vec![configuration(program)];
    match program.open().await {
        Ok(desk) => {
            let actor = program.actor();
            look(program, &desk, &actor, &mut checks).await?;
            super::finish(&desk).await;
        }
        Err(error) => checks.push(Check::failed(
            "database",
            telemetry::chain(&*error),
            "put that right first: the rest needs the database",
        )),
    }
    let has_failed = checks.iter().any(|check| check.state == "failed");
    output.answer(&checks, |out| show(out, &checks))?;
    Ok(if has_failed { Exit::Failed } else { Exit::Done })
}

fn show(out: &Output, checks: &[Check]) {
    for check in checks {
        let state = format!("{:7}", check.state);
        let state = match check.state {
            "failed" => out.paint(Tone::Alarm, state),
            "off" => out.paint(Tone::Faint, state),
            _ => state,
        };
        out.line(format!("{state} {:14} {}", check.name, check.detail));
        if let Some(hint) = &check.hint {
            out.line(format!("{:22} → {hint}", ""));
        }
    }
}

fn configuration(program: &Program) -> Check {
    match &program.file {
        Some(file) => Check::ok("configuration", file.display().to_string()),
        None => Check::ok("configuration", "none: built-in defaults")
            .hint("`tierdesk init` writes one that says what each key does"),
    }
}

async fn look(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    checks: &mut Vec<Check>,
) -> anyhow::Result<()> {
    let version = desk.database.schema_version().await?;
    let kind = if desk.database.is_sqlite() {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    checks.push(if desk.database.bypasses_row_security().await? {
        Check::failed(
            "database",
            format!("{kind}, schema {version}; its role passes row-level security by"),
            "use a role that is no superuser and has no BYPASSRLS",
        )
    } else {
        Check::ok("database", format!("{kind}, schema {version}"))
    });
    checks.push(match &program.settings.store.key_file {
        Some(file) => Check::ok(
            "sealing",
            format!("stored mail is sealed with {}", file.display()),
        ),
        None => Check::off(
            "sealing",
            "stored mail is not sealed: store.key_file is not set",
        ),
    });
    checks.push(match doctor::staff_count(desk, actor).await? {
        0 => Check::failed(
            "staff",
            "nobody",
            "`tierdesk init` makes you the first admin",
        ),
        count => Check::ok("staff", format!("{count} active")),
    });
    roads(program, desk, actor, checks).await?;
    checks.push(senders(program, desk, actor).await?);
    mail_out(program, desk, checks).await?;
    on_call(desk, actor, checks).await?;
    webhooks(program, checks);
    checks.push(watchdog(program, desk, actor).await?);
    checks.push(discord(program, desk).await);
    checks.push(cloud(program, desk).await);
    Ok(())
}

/// Whether mail can leave: every relay is connected to. The templates were rendered when the desk was
/// opened.
async fn mail_out(program: &Program, desk: &Desk, checks: &mut Vec<Check>) -> anyhow::Result<()> {
    let desk = Arc::new(desk.clone());
    let Some(relays) = crate::mail_out::relays(&program.settings, &desk)? else {
        checks.push(Check::off(
            "mail out",
            "no mail leaves: mail.smtp_url is not set",
        ));
        return Ok(());
    };
    let others = relays.by_domain.iter();
    let others = others.map(|(domain, relay)| (format!("mail out of {domain}"), relay));
    for (name, relay) in [("mail out".to_owned(), &relays.default)]
        .into_iter()
        .chain(others)
    {
        checks.push(match relay.test().await {
            Ok(words) => Check::ok(name, words),
            Err(words) => Check::failed(
                name,
                words,
                "see docs/mail-out.md; letters wait until it works",
            ),
        });
    }
    Ok(())
}

/// Whether somebody is on call for every tier in the weeks ahead. Without any schedule the admins are called, which
/// is a way to begin.
async fn on_call(desk: &Desk, actor: &Actor, checks: &mut Vec<Check>) -> anyhow::Result<()> {
    let found = oncall::check(desk, actor).await?;
    if !found.has_any {
        checks.push(
            Check::off("on call", "there is no rota: the admins are called")
                .hint("docs/oncall.md; tierdesk oncall schedule set --file ROTA.toml"),
        );
        return Ok(());
    }
    if found.alarms.is_empty() {
        checks.push(Check::ok(
            "on call",
            "somebody is on call for every tier in the next four weeks",
        ));
    }
    for alarm in found.alarms {
        let detail = format!("{}: {}", alarm.whom, alarm.message);
        checks.push(Check::failed("on call", detail, alarm.hint));
    }
    if !found.vacant_roles.is_empty() {
        let roles = found.vacant_roles.join(", ");
        let detail = format!("no schedule for {roles}: the steps that call these roles are passed");
        checks.push(
            Check::off("roles", detail).hint("give each a schedule of its name: docs/oncall.md"),
        );
    }
    let rows = oncall::now(desk, actor, None).await?;
    let mut unproven = rows
        .iter()
        .filter(|row| !row.unproven.is_empty())
        .peekable();
    if unproven.peek().is_none() {
        checks.push(Check::ok(
            "can be woken",
            "whoever is on call around the clock answered a test page",
        ));
    }
    for row in unproven {
        let names = row.unproven.join(", ");
        checks.push(Check::failed(
            "can be woken",
            format!(
                "{}: {names} is on call around the clock, and no channel that wakes was proven",
                row.tier
            ),
            "tierdesk staff channel add NAME …; then tierdesk staff test-page NAME, and answer it",
        ));
    }
    Ok(())
}

/// How the desk's self-tests go. The dead-man address is looked at, and never told: that would be a lie.
async fn watchdog(program: &Program, desk: &Desk, actor: &Actor) -> anyhow::Result<Check> {
    let found = watchdog::report(desk, actor).await?;
    if found.every_seconds.is_none() {
        return Ok(Check::off("watchdog", found.detail)
            .hint("set watchdog.every and watchdog.ping_url: docs/oncall.md"));
    }
    if let Err(refusal) = crate::webhooks::dead_man(&program.settings) {
        let hint = "copy the address that your monitor gave you";
        return Ok(Check::failed("watchdog", refusal.message, hint));
    }
    if !found.ok {
        let hint =
            "does `serve` run, with the worker role? tierdesk oncall watchdog shows the last ones";
        return Ok(Check::failed("watchdog", found.detail, hint));
    }
    let last = found.rounds.iter().find(|round| round.closed_at.is_some());
    if found.pings
        && let Some(fault) = last.and_then(|round| round.ping_fault.as_ref())
    {
        let hint = "nobody outside hears that the desk works: look at watchdog.ping_url and at the network";
        let detail = format!("the dead-man address was not told: {fault}");
        return Ok(Check::failed("watchdog", detail, hint));
    }
    let check = Check::ok("watchdog", found.detail);
    Ok(if found.pings {
        check
    } else {
        check.hint(
            "set watchdog.ping_url: where this machine is gone, only somebody outside can tell",
        )
    })
}

/// Whether alerts could leave: addresses and templates are looked at, and nothing is sent.
fn webhooks(program: &Program, checks: &mut Vec<Check>) {
    match Webhooks::new(&program.settings.webhooks) {
        Ok(webhooks) if webhooks.endpoints().is_empty() => {
            checks.push(Check::off("webhooks", "no [[webhook]] is set"));
        }
        Ok(webhooks) => checks.extend(webhooks.endpoints().iter().map(|one| {
            let detail = format!("{} to {}; nothing was sent", one.format(), one.host());
            Check::ok(format!("webhook {}", one.name()), detail)
        })),
        Err(error) => {
            let hint = crate::webhooks::hint(&error);
            checks.push(Check::failed("webhooks", telemetry::chain(&error), hint));
        }
    }
}

/// Where mail comes in.
async fn roads(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    checks: &mut Vec<Check>,
) -> anyhow::Result<()> {
    let mail = &program.settings.mail;
    for folder in &mail.maildirs {
        let place = folder.display();
        checks.push(if folder.join("new").is_dir() {
            Check::ok("Maildir", place.to_string())
        } else {
            let hint = "make it with cur, new and tmp, or correct [[mail.maildir]] path";
            Check::failed("Maildir", format!("{place} is no Maildir"), hint)
        });
    }
    for listener in &mail.listeners {
        let address = listener.address;
        let answers = tokio::time::timeout(
            std::time::Duration::from_secs(2),
            tokio::net::TcpStream::connect(address),
        );
        checks.push(match answers.await {
            Ok(Ok(_)) => Check::ok("listener", format!("{address} answers")),
            _ => Check::failed(
                "listener",
                format!("nothing answers at {address}"),
                "start `tierdesk serve`",
            ),
        });
    }
    let status = mailboxes::status(desk, actor).await?;
    for mailbox in &status.mailboxes {
        let name = mailbox.mailbox.clone();
        checks.push(match (mailbox.state, &mailbox.last_error) {
            ("ok" | "starting", _) => Check::ok("mailbox", format!("{name} is {}", mailbox.state)),
            (state, error) => Check::failed(
                "mailbox",
                format!(
                    "{name}: {state}: {}",
                    error.as_deref().unwrap_or("not read")
                ),
                "docs/mail.md, \"When it does not work\"; `tierdesk mail status`",
            ),
        });
    }
    let unread = mail.imap.len().saturating_sub(status.mailboxes.len());
    if unread > 0 {
        let detail = format!("{unread} of {} were never read", mail.imap.len());
        checks.push(Check::failed("mailbox", detail, "start `tierdesk serve`"));
    }
    Ok(())
}

/// Whose word on senders is taken, and whose the recent mails carry.
async fn senders(program: &Program, desk: &Desk, actor: &Actor) -> anyhow::Result<Check> {
    let configured = program.settings.mail.authserv_id.as_deref();
    let (mails, unreadable) = doctor::recent_mail(desk, actor, MAILS).await?;
    if unreadable > 0 {
        let detail = format!("{unreadable} of the newest mails cannot be read back");
        return Ok(Check::failed(
            "senders",
            detail,
            "is store.key_file the one they were sealed with?",
        ));
    }
    let looked = mails.len();
    Ok(
        match (propose(mails.iter().map(Vec::as_slice)), configured) {
            (Proposal::Authserv(name, count), Some(ours)) if name.eq_ignore_ascii_case(ours) => {
                Check::ok(
                    "senders",
                    format!("{count} of the newest {looked} mails were checked by {name}"),
                )
            }
            (Proposal::Authserv(name, count), Some(ours)) => Check::failed(
                "senders",
                format!(
                    "mail.authserv_id is {ours}, but {count} of the newest {looked} mails name {name}"
                ),
                format!("if {name} is your own mail server: mail.authserv_id = {name:?}"),
            ),
            (Proposal::Authserv(name, count), None) => Check::failed(
                "senders",
                format!(
                    "no sender is proven; {count} of the newest {looked} mails were checked by {name}"
                ),
                format!("if {name} is your own mail server: mail.authserv_id = {name:?}"),
            ),
            (Proposal::Exchange(count), _) => Check::ok(
                "senders",
                format!("{count} of the newest {looked} mails came through Microsoft 365"),
            )
            .hint("sender_check = \"exchange\" in the section of that mailbox, and nowhere else"),
            (Proposal::None, Some(ours)) if looked > 0 => Check::failed(
                "senders",
                format!("none of the newest {looked} mails carries the word of {ours}"),
                "correct mail.authserv_id, or let your mail server add Authentication-Results",
            ),
            (Proposal::None, ours) => Check::off(
                "senders",
                match ours {
                    Some(ours) => format!("the word of {ours} is taken; there is no mail yet"),
                    None => "nobody checks senders: each is unproven (docs/senders.md)".to_owned(),
                },
            ),
        },
    )
}

async fn discord(program: &Program, desk: &Desk) -> Check {
    let settings = &program.settings.discord;
    if settings.token.is_none() || settings.guild_id.is_none() {
        return Check::off(
            "Discord",
            "discord.token and discord.guild_id are not both set",
        );
    }
    let bot = match Bot::new(Arc::new(desk.clone()), settings) {
        Ok(bot) => bot,
        Err(error) => return Check::failed("Discord", telemetry::chain(&error), "docs/discord.md"),
    };
    match bot.guild.read().await {
        Ok(server) => Check::ok(
            "Discord",
            format!(
                "the server has {} channels for us to see",
                server.channels.len()
            ),
        ),
        Err(error) => Check::failed(
            "Discord",
            telemetry::chain(&error),
            "is the token right, and the bot in the server? docs/discord.md",
        ),
    }
}

async fn cloud(program: &Program, desk: &Desk) -> Check {
    let aws = &program.settings.aws;
    if aws.cloud == CloudKind::Simulated {
        return Check::off("AWS", "simulated: no account is ever made (aws.cloud)");
    }
    let Some(wanted) = &aws.organization_id else {
        return Check::failed("AWS", "aws.organization_id is not set", "docs/aws.md");
    };
    let cloud = match program.cloud(desk).await {
        Ok(cloud) => cloud,
        Err(error) => return Check::failed("AWS", telemetry::chain(&*error), "docs/aws.md"),
    };
    let limit = std::time::Duration::from_secs(30);
    match tokio::time::timeout(limit, cloud.organization()).await {
        Ok(Ok(found)) if found.id == *wanted => Check::ok("AWS", format!("organisation {wanted}")),
        Ok(Ok(found)) => Check::failed(
            "AWS",
            format!("these credentials are of {}, not of {wanted}", found.id),
            "correct aws.organization_id, or use other credentials",
        ),
        Ok(Err(error)) => Check::failed("AWS", telemetry::chain(&error), "docs/aws.md"),
        Err(_) => Check::failed("AWS", "no answer within 30 seconds", "docs/aws.md"),
    }
}
