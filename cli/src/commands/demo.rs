//! The main job on a fresh database: the shipped customers, the shipped mails, the tickets they
//! become. Every value shown is read back from the database.

mod answer;
mod card;
mod onboarding;
mod rota;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use tierdesk_core::{
    customers::exchange::{self, Format},
    desk::{
        Desk, customers, import_customers,
        tickets::{self, TicketReport},
    },
    mail::Envelope,
    permit::{Actor, SystemRole},
    receive::{Receipt, Road},
    settings::Settings,
    store::{OpenOptions, tickets::Filter},
    tickets::Status,
};
use tierdesk_ingest::process;

use super::ticket_text;
use crate::{
    args::Global,
    exit::Exit,
    output::{Output, Tone, local},
    program::{Program, environment},
};

/// The mails that ship with the program, in the order in which they arrive.
macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../config/demo/", $name)) as &[u8])),+]
    };
}
const MAILS: &[(&str, &[u8])] = shipped![
    "01-dashboard-error.eml",
    "02-audit-export.eml",
    "03-vpc-endpoint.eml",
    "04-new-account.eml",
    "05-pasted-key.eml",
    "06-colleague-answers.eml",
    "07-out-of-office.eml",
    "08-stranger.eml",
    "09-look-alike.eml",
];

const CUSTOMERS: &str = include_str!("../../../config/customers.toml");
const DEMO: Actor = Actor::System(SystemRole::Demo);

pub(super) async fn run(
    global: &Global,
    keep: Option<PathBuf>,
    output: &Output,
) -> anyhow::Result<Exit> {
    let started = std::time::Instant::now();
    let folder = tempfile::tempdir()?;
    let place = keep.clone().unwrap_or_else(|| folder.path().to_owned());
    let file = place.join("demo.db");
    anyhow::ensure!(
        !file.exists(),
        "{} exists: the demo wants a fresh database, name another folder",
        file.display()
    );
    let desk = open(global, &file).await?;
    let records = exchange::read(Format::Toml, CUSTOMERS)
        .map_err(|faults| anyhow::anyhow!(faults.join("\n")))?;
    import_customers::import(&desk, &DEMO, records, false).await?;
    let on_call = rota::run(&desk, &file).await?;
    let mut arrivals = Vec::new();
    for (name, raw) in MAILS {
        let receipt = process::deliver(&desk, Road::Deliver, Envelope::default(), raw).await?;
        arrivals.push((*name, receipt));
    }
    let onboarded = onboarding::run(&desk).await?;
    let filter = Filter {
        statuses: Status::ALL.to_vec(),
        ..Filter::default()
    };
    let found = tickets::list(&desk, &DEMO, &filter).await?;
    let customers = customers::list(&desk, &DEMO, None).await?.len();
    let first = arrivals.first().and_then(|(_, receipt)| receipt.ticket);
    let first = first.context("the first mail opened no ticket")?;
    if !output.is_json {
        tell(&desk, &arrivals, &found, customers - 1, output).await?;
        rota::tell(output, &on_call);
    }
    let answered = answer::run(&desk, first, &place.join("sent")).await?;
    let seconds = started.elapsed().as_secs_f64();
    if output.is_json {
        output.json(&serde_json::json!({
            "tickets": found, "customers": customers, "onboarded": onboarded.customer,
            "answered": answered, "seconds": seconds,
        }))?;
    } else {
        answer::tell(&answered, output);
        onboarding::tell(output, &onboarded);
        farewell(output, keep.as_ref().map(|_| &file), seconds);
    }
    super::finish(&desk).await;
    Ok(Exit::Done)
}

/// The desk on its own database. Of a configuration only a named tier catalogue counts.
async fn open(global: &Global, file: &std::path::Path) -> anyhow::Result<Desk> {
    let names_database = |name: &str| name.starts_with("TIERDESK_DATABASE");
    let environment = environment().filter(|(name, _)| !names_database(name));
    let settings = Settings::load(global.config.as_deref(), environment)?;
    let program = Program {
        settings,
        file: None,
    };
    let url = format!("sqlite://{}", file.display());
    let database = OpenOptions::new(url)
        .open()
        .await
        .context("the demo's database")?;
    Ok(Desk {
        catalogue: Arc::new(program.catalogue()?),
        ..Desk::new(database)
    })
}

async fn tell(
    desk: &Desk,
    arrivals: &[(&str, Receipt)],
    found: &[TicketReport],
    customers: usize,
    out: &Output,
) -> anyhow::Result<()> {
    out.line(out.paint(
        Tone::Strong,
        format!(
            "{} mails reach the desk of {customers} customers",
            arrivals.len()
        ),
    ));
    for (name, receipt) in arrivals {
        let ticket = receipt
            .ticket
            .map_or_else(|| "-".to_owned(), |number| number.to_string());
        let customer = receipt
            .customer
            .as_ref()
            .map_or("nobody", |slug| slug.as_str());
        out.line(format!(
            "  {:24} {:9} {ticket:5} {customer}",
            name.trim_end_matches(".eml"),
            receipt.outcome
        ));
    }
    out.line("");
    out.line(out.paint(
        Tone::Strong,
        "The queue, in the order in which it should be worked",
    ));
    out.table(
        &[
            "ticket",
            "customer",
            "tier",
            "framework",
            "priority",
            "response due",
            "on call",
            "subject",
        ],
        found.iter().map(row).collect(),
    );
    out.line("");
    out.line(out.paint(
        Tone::Strong,
        "The case that started it: \"Dashboard error\", and nobody saw whose",
    ));
    let first = arrivals.first().and_then(|(_, receipt)| receipt.ticket);
    if let Some(number) = first {
        let detail = tickets::show(desk, &DEMO, number).await?;
        ticket_text::detail(out, &detail);
        card::tell(desk, number, out).await?;
    }
    if let Some(imitation) = found
        .iter()
        .find(|ticket| ticket.trust.as_str() == "contradicted")
    {
        out.line("");
        out.line(out.paint(Tone::Strong, "And one that only looks like a customer"));
        ticket_text::head(out, imitation);
    }
    Ok(())
}

fn row(ticket: &TicketReport) -> Vec<String> {
    let due = ticket
        .sla
        .first_response
        .due
        .map_or_else(|| "-".to_owned(), local);
    let customer = ticket
        .customer
        .as_ref()
        .map_or_else(|| "(triage)".to_owned(), ToString::to_string);
    vec![
        ticket.number.to_string(),
        customer,
        ticket
            .tier
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        ticket.framework.clone().unwrap_or_default(),
        format!("{} ({})", ticket.priority, ticket.severity),
        due,
        ticket.on_call.clone().unwrap_or_default(),
        format!("{}{}", ticket_text::trust_mark(ticket), ticket.subject),
    ]
}

fn farewell(out: &Output, kept: Option<&PathBuf>, seconds: f64) {
    out.line("");
    out.line(format!(
        "That took {seconds:.1} s. Every value above was read back from the database."
    ));
    out.line("");
    out.line("What to type next:");
    if let Some(file) = kept {
        let flag = format!("--database sqlite://{}", file.display());
        out.line(format!("  tierdesk {flag} ticket next"));
        out.line(format!("  tierdesk {flag} customer show acme"));
        out.line(format!("  tierdesk {flag} oncall preview --tier fintech"));
        out.line(format!("  tierdesk {flag} audit verify"));
    } else {
        out.line("  tierdesk demo --keep DIR         the same, kept for you to work on");
        out.line("  tierdesk init                    set it up for yourself");
        out.line("  tierdesk mail import ~/Maildir   tickets from a mailbox of your own");
    }
}
