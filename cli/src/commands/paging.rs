//! Pages, and how people can be reached.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tierdesk_core::{
    desk::{
        Desk,
        paging::{
            self, NoticeReport, PageReport, Which,
            channels::{self, ChannelReport, NewChannel, WebhookSecret},
        },
    },
    jobs::{Handler, worker::Worker},
    paging::{Channel, NoticeState, PageState},
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    settings::{Secret, WebhookFormat},
    telemetry,
};
use tierdesk_outbound::{
    page_mail::SendPageMail, page_webhook::SendPageWebhook, webhook::Endpoint,
};

use crate::{
    args::{AddChannel, ChannelCommand, PageCommand, PagingCommand, WhichPage},
    exit::Exit,
    mail_out::relays,
    output::{Output, local},
    program::Program,
    webhooks::webhooks,
};

/// Pages that are listed.
const MOST: i64 = 200;
/// How long a command waits for what it sends itself.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: PagingCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use PageCommand as P;
    let command = match command {
        PagingCommand::Ack { which } => return ack(desk, actor, &which.0, output).await,
        PagingCommand::Page(command) => command,
    };
    match command {
        P::List { all } => {
            let pages = paging::list(desk, actor, all, MOST).await?;
            output.answer(&pages, |out| table(out, &pages))
        }
        P::Show {
            which: WhichPage(which),
        } => {
            let pages = paging::show(desk, actor, &which).await?;
            output.answer(&pages, |out| {
                if pages.is_empty() {
                    out.line("Nobody was paged for it.");
                }
                for page in &pages {
                    show(out, page);
                }
            })
        }
        P::Send { number, to, reason } => {
            let page = paging::send(desk, actor, number, to.as_deref(), &reason).await?;
            output.answer(&page, |out| {
                out.line(format!("{number}: {}.", next(&page)));
            })
        }
        P::Escalate {
            which: WhichPage(which),
            reason,
        } => {
            let page = paging::escalate(desk, actor, &which, reason.as_deref()).await?;
            output.answer(&page, |out| {
                out.line("The next people are called now.");
            })
        }
        P::HandOver {
            which: WhichPage(which),
            to,
        } => {
            let page = paging::hand_over(desk, actor, &which, &to).await?;
            output.answer(&page, |out| {
                out.line(format!("{to} is called; {}.", next(&page)));
            })
        }
    }
}

/// Takes a page.
pub(super) async fn ack(
    desk: &Desk,
    actor: &Actor,
    which: &Which,
    output: &Output,
) -> anyhow::Result<Exit> {
    let taken = paging::acknowledge(desk, actor, which, "terminal").await?;
    output.answer(&taken, |out| {
        let page = &taken.page;
        let what = page
            .ticket
            .map_or_else(|| "It".to_owned(), |number| number.to_string());
        match (&taken.was_taken_by, page.state) {
            (Some(by), _) => out.line(format!("{what} was acknowledged by {by} already.")),
            (None, PageState::Acknowledged) => {
                out.line(format!("{what} is acknowledged; nobody further is called."));
            }
            (None, _) => out.line("Thank you: that channel reaches you."),
        }
        if let Some(until) = page.next_at.filter(|_| page.ticket.is_some()) {
            let until = local(until);
            out.line(format!("Without an update it pages again at {until}."));
        }
    })
}

fn next(page: &PageReport) -> String {
    match (page.state, page.next_at) {
        (PageState::Waiting, Some(at)) => format!("it calls at {}", local(at)),
        (PageState::Open, Some(at)) => format!("the next step is at {}", local(at)),
        (PageState::Acknowledged, Some(at)) => format!("it pages again at {}", local(at)),
        (PageState::Acknowledged, None) => "somebody has it".to_owned(),
        (PageState::Exhausted, _) => "every step is over, the catch-all was told".to_owned(),
        (PageState::Resolved, _) if !page.kind.calls() => page.ending.clone().unwrap_or_default(),
        (PageState::Resolved, _) => {
            format!("over: {}", page.ending.as_deref().unwrap_or_default())
        }
        (PageState::Waiting | PageState::Open, None) => "nothing comes next".to_owned(),
    }
}

fn what(page: &PageReport) -> String {
    match page.ticket {
        Some(number) if page.tickets > 1 => format!("{number} +{}", page.tickets - 1),
        Some(number) => number.to_string(),
        None => page.kind.to_string(),
    }
}

fn table(out: &Output, pages: &[PageReport]) {
    if pages.is_empty() {
        out.line("Nobody is being paged.");
        return;
    }
    let rows = pages.iter().map(|page| {
        vec![
            what(page),
            page.severity.to_string(),
            page.tier
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
            page.state.to_string(),
            page.acknowledged_by
                .clone()
                .unwrap_or_else(|| "-".to_owned()),
            next(page),
        ]
    });
    out.table(
        &["about", "severity", "tier", "state", "who has it", "next"],
        rows.collect(),
    );
}

fn show(out: &Output, page: &PageReport) {
    out.line(format!(
        "{} · {} · {} · {}",
        what(page),
        page.severity,
        page.state,
        next(page)
    ));
    out.line(format!("  page       {}", page.id));
    let reason = page.reason.replace('\n', "\n             ");
    out.line(format!("  why        {reason}"));
    let schedule = match page.schedule.as_str() {
        "" => String::new(),
        schedule => format!(", schedule {schedule}"),
    };
    out.line(format!("  policy     {}{schedule}", page.policy));
    out.line(format!(
        "  step       {} of {}, round {}",
        page.step, page.steps, page.round
    ));
    if let (Some(by), Some(at)) = (&page.acknowledged_by, page.acknowledged_at) {
        let via = page.acknowledged_via.as_deref().unwrap_or_default();
        out.line(format!("  has it     {by} ({via}), since {}", local(at)));
    }
    let rows: Vec<Vec<String>> = page.notices.iter().map(notice_row).collect();
    if !rows.is_empty() {
        out.table(
            &["when", "step", "who", "channel", "says", "state", "words"],
            rows,
        );
    }
}

fn notice_row(notice: &NoticeReport) -> Vec<String> {
    vec![
        local(notice.created_at),
        notice.step.to_string(),
        notice.staff.clone().unwrap_or_else(|| "-".to_owned()),
        format!("{} {}", notice.channel, notice.target),
        notice.signal.to_string(),
        notice.state.to_string(),
        notice.reason.clone().unwrap_or_default(),
    ]
}

/// How people can be reached.
pub(super) async fn channel(
    desk: &Desk,
    actor: &Actor,
    command: ChannelCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        ChannelCommand::List { name } => {
            let all = channels::list(desk, actor, &name).await?;
            output.answer(&all, |out| channel_table(out, &name, &all))
        }
        ChannelCommand::Add(add) => {
            let (name, wakes) = (add.name.clone(), add.wakes);
            let new = new_channel(*add)?;
            let added = channels::add(desk, actor, &name, new, wakes).await?;
            output.answer(&added, |out| {
                out.line(format!("{} {} is added.", added.kind, added.target));
                out.line(format!("Prove it: tierdesk staff test-page {name}"));
            })
        }
        ChannelCommand::Remove { name, id } => {
            channels::remove(desk, actor, &name, id).await?;
            output.answer(&serde_json::json!({ "removed": id }), |out| {
                out.line("It is removed, with its secret.");
            })
        }
    }
}

fn new_channel(add: AddChannel) -> anyhow::Result<NewChannel> {
    if let Some(address) = add.mail {
        return Ok(NewChannel::Mail(address));
    }
    let Some(url) = add.webhook else {
        return Ok(NewChannel::Direct);
    };
    let refused = |why: String| {
        Refusal::new(RefusalCode::Invalid, format!("{why}; nothing was stored"))
            .with_hint("docs/webhooks.md says what each format needs")
    };
    let format = add.format.unwrap_or_default();
    let shape = format
        .parse::<WebhookFormat>()
        .map_err(|fault| refused(fault.to_string()))?;
    let key = match &add.key_file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} could not be read", file.display()))?;
            Some(text.trim().to_owned())
        }
        None => None,
    };
    let hidden = |text: &Option<String>| text.clone().map(Secret::new);
    let (sealed, user) = (hidden(&key), hidden(&add.user));
    let endpoint = Endpoint::personal("own", Some(&url), shape, sealed, user)
        .map_err(|fault| refused(telemetry::chain(&fault)))?;
    let host = endpoint.host().to_owned();
    Ok(NewChannel::Webhook {
        name: add.label.unwrap_or_else(|| format!("{format} at {host}")),
        format,
        secret: WebhookSecret {
            url,
            key,
            user: add.user,
        },
    })
}

fn channel_table(out: &Output, name: &str, all: &[ChannelReport]) {
    if all.is_empty() {
        out.line(format!(
            "{name} cannot be reached: tierdesk staff channel add {name} --mail ADDRESS"
        ));
        return;
    }
    let rows = all.iter().map(|one| {
        vec![
            one.kind.to_string(),
            one.target.clone(),
            if one.wakes { "yes" } else { "no" }.to_owned(),
            one.proven_at
                .map_or_else(|| "never: send a test".to_owned(), local),
            one.id.to_string(),
        ]
    });
    out.table(
        &["channel", "where", "wakes", "proven", "id"],
        rows.collect(),
    );
}

/// Sends somebody a test on every channel, and says what became of it.
pub(super) async fn test_page(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    name: &str,
    output: &Output,
) -> anyhow::Result<Exit> {
    let test = paging::test_page(desk, actor, name).await?;
    let handlers = senders(program, desk)?;
    let worker = Worker::new(desk.database.clone(), super::holder(), handlers);
    let which = Which::Page(test.page.id);
    let send = async {
        loop {
            worker.drain().await?;
            let pages = paging::show(desk, actor, &which).await?;
            let is_over = pages.iter().flat_map(|page| &page.notices).all(|notice| {
                // Chat is the bot's, which runs elsewhere.
                matches!(notice.channel, Channel::Direct | Channel::Thread)
                    || !matches!(notice.state, NoticeState::Due | NoticeState::Sending)
            });
            if is_over {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    if let Ok(sent) = tokio::time::timeout(PATIENCE, send).await {
        sent?;
    }
    let pages = paging::show(desk, actor, &which).await?;
    output.answer(&pages.first(), |out| {
        for page in &pages {
            let rows = page.notices.iter().map(notice_row).collect();
            out.table(
                &["when", "step", "who", "channel", "says", "state", "words"],
                rows,
            );
        }
        for missed in &test.missed {
            out.line(format!("Not tried: {missed}."));
        }
        out.line("Each notice has a code: tierdesk oncall ack CODE proves its channel.");
    })
}

/// What sends notices from this process.
fn senders(program: &Program, desk: &Desk) -> anyhow::Result<Vec<Arc<dyn Handler>>> {
    let desk = Arc::new(desk.clone());
    let webhooks = Arc::new(webhooks(&program.settings)?);
    let send = SendPageWebhook {
        desk: Arc::clone(&desk),
        webhooks,
    };
    let mut handlers: Vec<Arc<dyn Handler>> = vec![Arc::new(send)];
    if let Some(relays) = relays(&program.settings, &desk)? {
        let relays = Arc::new(relays);
        handlers.push(Arc::new(SendPageMail { desk, relays }));
    }
    Ok(handlers)
}
