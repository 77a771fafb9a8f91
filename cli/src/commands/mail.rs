//! Mail coming in.

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
};

use anyhow::Context as _;
use serde::Serialize;
use tierdesk_core::{
    clock::Timestamp,
    desk::{
        Desk,
        outbox::Listed,
        recorded::{self, RecordedMail},
    },
    mail::{AttachmentInfo, Auto, Envelope, Importance, Mail, Mailbox},
    permit::Actor,
    receive::{Receipt, Road},
    refusal::{Refusal, RefusalCode},
};
use tierdesk_ingest::{
    import::{self, ImportOptions, ImportReport, Progress},
    limits, parse, process,
    sources::Source,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{mailboxes, outbox};
use crate::{
    args::MailCommand,
    exit::Exit,
    output::{Output, Tone, local},
    program::Program,
};

pub(super) async fn run(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    command: MailCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        MailCommand::Parse => parse(output),
        MailCommand::Deliver {
            envelope_from,
            recipient,
        } => {
            let envelope = Envelope {
                from: envelope_from,
                recipients: recipient,
                ..Envelope::default()
            };
            deliver(desk, envelope, output).await
        }
        MailCommand::Import { paths, live, batch } => {
            let options = ImportOptions {
                is_live: live,
                batch,
            };
            import_mailboxes(desk, actor, &paths, options, output).await
        }
        MailCommand::Outbox { all, ticket, limit } => {
            let is_all = all;
            outbox::list(desk, actor, Listed { is_all, ticket }, limit, output).await
        }
        MailCommand::Release { id } => outbox::release(desk, actor, id, output).await,
        MailCommand::Recorded { limit } => {
            let found = recorded::list(desk, actor, limit).await?;
            output.answer(&found, |out| show_recorded(out, &found))
        }
        MailCommand::Status => mailboxes::status(desk, actor, output).await,
        MailCommand::Connect {
            provider,
            account,
            client_id,
            refresh_token_file,
        } => {
            let settings = &program.settings;
            let account = mailboxes::account(settings, provider, account)?;
            let wanted = mailboxes::Wanted {
                provider,
                account,
                client_id,
                refresh_token_file,
            };
            mailboxes::connect(desk, actor, settings, wanted, output).await
        }
    }
}

/// Standard input up to the size that mail is read to, and how many bytes were beyond it.
fn read_stdin() -> anyhow::Result<(Vec<u8>, u64)> {
    let mut raw = Vec::new();
    let most = limits::SOURCE_BYTES;
    let mut input = std::io::stdin().lock();
    (&mut input)
        .take(most)
        .read_to_end(&mut raw)
        .context("standard input could not be read")?;
    let beyond = std::io::copy(&mut input, &mut std::io::sink())
        .context("standard input could not be read")?;
    Ok((raw, beyond))
}

fn nothing_to_keep(output: &Output) -> Exit {
    let refusal = Refusal::new(
        RefusalCode::Empty,
        "standard input holds no byte: there is nothing to keep",
    );
    output.failure(&refusal.into());
    Exit::Empty
}

fn show_recorded(out: &Output, found: &[RecordedMail]) {
    for mail in found {
        out.line(format!(
            "{}  {:10} {}  {}",
            local(mail.at),
            mail.kind,
            mail.from,
            mail.subject
        ));
        for reason in &mail.reasons {
            out.line(format!("    {reason}"));
        }
    }
    if found.is_empty() {
        out.line("Every mail is on a ticket.");
    }
}

/// `mail parse`: what is understood of one message.
pub(super) fn parse(output: &Output) -> anyhow::Result<Exit> {
    let (raw, beyond) = read_stdin()?;
    if raw.is_empty() {
        return Ok(nothing_to_keep(output));
    }
    let mut mail = parse::parse(&raw, &Envelope::default());
    if beyond > 0 {
        mail.truncated = true;
        mail.findings
            .push(format!("the last {beyond} bytes were not read"));
    }
    let report = ParseReport {
        from: mail.from.first(),
        to: &mail.to,
        cc: &mail.cc,
        reply_to: &mail.reply_to,
        subject: &mail.subject,
        message_id: mail.message_id.as_deref(),
        in_reply_to: mail.in_reply_to.as_deref(),
        references: &mail.references,
        date: mail.date,
        text: &mail.text,
        reply_text: &mail.reply_text,
        html: mail.html.as_deref(),
        attachments: mail.attachments.iter().map(|one| &one.info).collect(),
        auto: &mail.auto,
        truncated: mail.truncated,
        importance: mail.importance,
        findings: &mail.findings,
        fingerprint: mail.fingerprint.to_string(),
    };
    drop(raw);
    output.answer(&report, |out| show_mail(out, &mail))
}

/// `mail parse --json`.
#[derive(Serialize)]
struct ParseReport<'m> {
    from: Option<&'m Mailbox>,
    to: &'m [Mailbox],
    cc: &'m [Mailbox],
    reply_to: &'m [Mailbox],
    subject: &'m str,
    message_id: Option<&'m str>,
    in_reply_to: Option<&'m str>,
    references: &'m [String],
    date: Option<Timestamp>,
    text: &'m str,
    reply_text: &'m str,
    html: Option<&'m str>,
    attachments: Vec<&'m AttachmentInfo>,
    auto: &'m Auto,
    truncated: bool,
    importance: Importance,
    findings: &'m [String],
    fingerprint: String,
}

fn show_mail(out: &Output, mail: &Mail) {
    let list = |mailboxes: &[Mailbox]| {
        let one = |mailbox: &Mailbox| match &mailbox.name {
            Some(name) => format!("{name} <{}>", mailbox.address),
            None => mailbox.address.clone(),
        };
        mailboxes.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    out.line(format!("From:    {}", list(&mail.from)));
    out.line(format!("To:      {}", list(&mail.to)));
    if !mail.cc.is_empty() {
        out.line(format!("Cc:      {}", list(&mail.cc)));
    }
    out.line(format!("Subject: {}", mail.subject));
    if let Some(date) = mail.date {
        out.line(format!("Date:    {}", local(date)));
    }
    if let Some(reason) = &mail.auto.reason {
        out.line(format!("Machine: {:?} ({reason})", mail.auto.kind));
    }
    for attachment in &mail.attachments {
        let AttachmentInfo {
            name,
            content_type,
            size,
            ..
        } = &attachment.info;
        out.line(format!("Attached: {name} ({content_type}, {size} bytes)"));
    }
    for finding in &mail.findings {
        out.line(format!("Note:    {finding}"));
    }
    out.line("");
    out.line(&mail.reply_text);
    let quoted = mail.text.len().saturating_sub(mail.reply_text.len());
    if quoted > 0 {
        out.line(out.paint(
            Tone::Faint,
            format!("({quoted} bytes of quotes and signature left out)"),
        ));
    }
}

async fn deliver(desk: &Desk, envelope: Envelope, output: &Output) -> anyhow::Result<Exit> {
    try_again_on_signal()?;
    let (raw, beyond) = read_stdin()?;
    if raw.is_empty() {
        return Ok(nothing_to_keep(output));
    }
    if beyond > 0 {
        let message = format!(
            "the mail has {} bytes, more than the {} that are taken; nothing was stored",
            raw.len() as u64 + beyond,
            limits::SOURCE_BYTES
        );
        let hint = "set a smaller limit at the mail server, which then tells the sender";
        return Err(Refusal::invalid(message).with_hint(hint).into());
    }
    let receipt = process::deliver(desk, Road::Deliver, envelope, raw).await?;
    output.answer(&receipt, |out| show_receipt(out, &receipt))
}

fn show_receipt(out: &Output, receipt: &Receipt) {
    let ticket = receipt
        .ticket
        .map(|number| number.to_string())
        .unwrap_or_default();
    let customer = receipt
        .customer
        .as_ref()
        .map_or("nobody", |slug| slug.as_str());
    out.line(format!(
        "{} {ticket} · {customer} · {}",
        receipt.outcome, receipt.trust
    ));
    for reason in &receipt.reasons {
        out.line(format!("  {reason}"));
    }
}

/// A mail server must be told to try again, also when somebody ends the delivery. What was stored
/// by then is found again by the next try.
fn try_again_on_signal() -> anyhow::Result<()> {
    for kind in [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
    ] {
        let mut signal = signal(kind)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "it only listens, and ends with the process"
        )]
        tokio::spawn(async move {
            signal.recv().await;
            std::process::exit(75);
        });
    }
    Ok(())
}

async fn import_mailboxes(
    desk: &Desk,
    actor: &Actor,
    paths: &[PathBuf],
    options: ImportOptions,
    output: &Output,
) -> anyhow::Result<Exit> {
    let sources = super::sources::open(paths)?;
    // Arrivals whose receiver died come first: what follows may answer them.
    process::process_waiting(desk).await?;
    let stop = stop_on_interrupt();
    let bar = progress_bar(&sources);
    let mut show = |done: Progress| {
        bar.set_position(done.bytes);
        bar.set_message(format!("{} mails", done.mails));
    };
    let outcome = import::import(desk, actor, sources, options, stop, &mut show).await;
    bar.finish_and_clear();
    let (report, error) = match outcome {
        Ok(report) => (report, None),
        Err((error, report)) => (report, Some(error)),
    };
    for failure in &report.failures {
        output.note(format!("not imported: {failure}"));
    }
    if let Some(error) = error {
        if !output.is_json {
            summary(output, &report);
        }
        output.note("Stopped; what was imported stays. Run the same command again to go on.");
        return Err(error.into());
    }
    output.answer(&report, |out| summary(out, &report))?;
    if report.is_stopped {
        output.note("Stopped; what was imported stays. Run the same command again to go on.");
        return Ok(Exit::Failed);
    }
    Ok(if report.failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// Ctrl-C lets the batch in hand finish; a second one ends at once, which loses nothing either.
fn stop_on_interrupt() -> CancellationToken {
    let stop = CancellationToken::new();
    let heard = stop.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "it only listens, and ends with the process"
    )]
    tokio::spawn(async move {
        let mut is_first = true;
        while tokio::signal::ctrl_c().await.is_ok() {
            if !std::mem::replace(&mut is_first, false) {
                std::process::exit(130);
            }
            heard.cancel();
        }
    });
    stop
}

/// On a terminal only; hidden in a pipe.
fn progress_bar(sources: &[Source]) -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let total = sources.iter().map(Source::total_bytes).sum();
    let style = "{wide_bar} {bytes}/{total_bytes} {msg} {eta}";
    let style = indicatif::ProgressStyle::with_template(style)
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(total).with_style(style)
}

fn summary(out: &Output, report: &ImportReport) {
    let rate = f64_of(report.read) / report.seconds.max(0.001);
    out.line(format!(
        "{} mails in {:.1} s ({rate:.0}/s)",
        report.read, report.seconds
    ));
    for (count, what) in [
        (report.opened, "opened a ticket"),
        (report.appended, "continued a ticket"),
        (report.triaged, "opened a ticket in triage"),
        (report.recorded, "recorded: auto-replies, bounces, lists"),
        (report.duplicate, "were here already"),
        (report.failed, "could not be imported"),
    ] {
        if count > 0 {
            out.line(format!("  {count:>7}  {what}"));
        }
    }
    for (slug, count) in &report.by_customer {
        out.line(format!("  {count:>7}  from {slug}"));
    }
    if report.triaged > 0 {
        out.line("To make fewer of them triage: tierdesk customer suggest PATH");
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn f64_of(count: u64) -> f64 {
    count as f64
}
