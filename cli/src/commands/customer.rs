//! The directory.

use std::{io::Read as _, path::Path};

use anyhow::Context as _;
use tierdesk_core::{
    customers::exchange::{self, Format},
    desk::{
        Desk,
        customers::{self, CustomerPatch, CustomerReport, NewCustomer},
        import_customers::{self, ImportPlan, PlannedAction},
    },
    permit::Actor,
    refusal::Refusal,
    staff::Attribute,
};

use crate::{
    args::{AddCustomer, ContactCommand, CustomerCommand, DomainCommand, SetCustomer},
    exit::Exit,
    output::{Output, Tone, dollars},
};

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: CustomerCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        CustomerCommand::List { tier } => {
            let found = customers::list(desk, actor, tier.as_ref()).await?;
            output.answer(&found, |out| list(out, &found))
        }
        CustomerCommand::Search { words } => {
            let words = words.join(" ");
            let found = customers::search(desk, actor, &words).await?;
            output.answer(&found, |out| {
                if found.is_empty() {
                    out.line(format!("Nobody fits {words:?}."));
                } else {
                    list(out, &found);
                }
            })
        }
        CustomerCommand::Show { words } => show(
            &customers::show(desk, actor, &words.join(" ")).await?,
            output,
        ),
        CustomerCommand::Resolve { address } => {
            let report = customers::resolve(desk, actor, &address).await?;
            output.answer(&report, |out| {
                let customer = report
                    .customer
                    .as_ref()
                    .map_or("nobody", |slug| slug.as_str());
                out.line(format!("{}: {customer}", report.address));
                out.line(format!("  {}", report.reason));
            })
        }
        CustomerCommand::Suggest { paths, tier, toml } => {
            super::suggest::run(desk, actor, &paths, &tier, toml, output).await
        }
        CustomerCommand::Add(new) => show(&add(desk, actor, new).await?, output),
        CustomerCommand::Set(patch) => show(&set(desk, actor, patch).await?, output),
        CustomerCommand::Domain(command) => show(&domain(desk, actor, command).await?, output),
        CustomerCommand::Contact(ContactCommand::Add {
            slug,
            address,
            name,
            role,
        }) => show(
            &customers::add_contact(desk, actor, &slug, address, name, role).await?,
            output,
        ),
        CustomerCommand::Contact(ContactCommand::Remove { slug, address }) => show(
            &customers::remove_contact(desk, actor, &slug, address).await?,
            output,
        ),
        CustomerCommand::Import {
            file,
            format,
            dry_run,
        } => import(desk, actor, &file, format, dry_run, output).await,
        CustomerCommand::Export { format } => {
            let found = customers::export(desk, actor).await?;
            // `--json` asks for a document: the JSON format is one already.
            let format = if output.is_json { Format::Json } else { format };
            output.line(exchange::write(format, &found).trim_end());
            Ok(Exit::Done)
        }
    }
}

async fn domain(
    desk: &Desk,
    actor: &Actor,
    command: DomainCommand,
) -> anyhow::Result<CustomerReport> {
    Ok(match command {
        DomainCommand::Add {
            slug,
            domains,
            moves,
        } => customers::add_domains(desk, actor, &slug, domains, moves).await?,
        DomainCommand::AttestTls {
            slug,
            domains,
            revoke,
        } => customers::attest_tls(desk, actor, &slug, domains, !revoke).await?,
        DomainCommand::Remove { slug, domains } => {
            customers::remove_domains(desk, actor, &slug, domains).await?
        }
    })
}

async fn add(desk: &Desk, actor: &Actor, new: AddCustomer) -> anyhow::Result<CustomerReport> {
    let AddCustomer {
        name,
        tier,
        slug,
        domain,
        contact,
        prefix,
        account,
        status,
    } = new;
    let new = NewCustomer {
        slug,
        name,
        tier,
        domains: domain,
        contacts: contact,
        prefix,
        account_id: account,
        status,
    };
    Ok(customers::add(desk, actor, new).await?)
}

async fn set(desk: &Desk, actor: &Actor, change: SetCustomer) -> anyhow::Result<CustomerReport> {
    let patch = CustomerPatch {
        name: change.name,
        tier: change.tier,
        status: change.status,
        prefix: change.prefix,
        account_id: change.account,
        framework: change.framework,
        monthly_price_cents: change.monthly_price_cents,
        include_subdomains: change.include_subdomains,
        staff_attributes: change.staff_attributes.map(|asked| asked.0),
        tags: change.tag,
    };
    Ok(customers::set(desk, actor, &change.slug, patch).await?)
}

fn list(out: &Output, found: &[CustomerReport]) {
    if found.is_empty() {
        out.line("No customers yet.");
        return out
            .line("  tierdesk customer import FILE   or   tierdesk customer add NAME --tier TIER");
    }
    let row = |customer: &CustomerReport| {
        if let Some(alias) = &customer.chat_alias {
            out.line(format!("  in chat   {alias}"));
        }
        let domains: Vec<&str> = customer
            .domains
            .iter()
            .map(tierdesk_core::customers::DomainName::as_str)
            .collect();
        vec![
            customer.slug.to_string(),
            customer.name.clone(),
            customer.tier.to_string(),
            customer.framework.clone(),
            customer.status.to_string(),
            domains.join(" "),
            customer.open_tickets.to_string(),
        ]
    };
    let rows = found.iter().map(row).collect();
    out.table(
        &[
            "slug",
            "name",
            "tier",
            "framework",
            "status",
            "domains",
            "open",
        ],
        rows,
    );
}

fn show(customer: &CustomerReport, output: &Output) -> anyhow::Result<Exit> {
    output.answer(customer, |out| {
        let name = out.paint(Tone::Strong, &customer.name);
        out.line(format!("{name}  {}  {}", customer.slug, customer.status));
        let price = dollars(customer.monthly_price_cents);
        out.line(format!(
            "  tier      {} · {} · {price} a month",
            customer.tier, customer.framework
        ));
        let domains: Vec<&str> = customer
            .domains
            .iter()
            .map(tierdesk_core::customers::DomainName::as_str)
            .collect();
        let scope = if customer.include_subdomains {
            ""
        } else {
            " (without sub-domains)"
        };
        out.line(format!(
            "  domains   {}{scope}",
            or_none(&domains.join(" "))
        ));
        for contact in &customer.contacts {
            let about: Vec<&str> = [&contact.name, &contact.role]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            out.line(format!("  contact   {} {}", contact.address, about.join(", ")).trim_end());
        }
        if !customer.staff_attributes.is_empty() {
            let asked: Vec<&str> = customer
                .staff_attributes
                .iter()
                .map(Attribute::as_str)
                .collect();
            out.line(format!("  staff     {}", asked.join(", ")));
        }
        let account = customer
            .aws
            .account_id
            .as_ref()
            .map_or("", |account| account.as_str());
        let ou = customer.aws.ou.as_deref().unwrap_or_default();
        out.line(format!("  aws       {} {ou}", or_none(account)).trim_end());
        for (key, value) in &customer.tags {
            out.line(format!("  tag       {key}={value}"));
        }
        out.line(format!("  tickets   {} open", customer.open_tickets));
    })
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

async fn import(
    desk: &Desk,
    actor: &Actor,
    file: &Path,
    format: Option<Format>,
    is_dry_run: bool,
    output: &Output,
) -> anyhow::Result<Exit> {
    let Some(format) = format.or_else(|| Format::of_path(file)) else {
        let message = format!("the ending of {} names no format", file.display());
        return Err(Refusal::invalid(message)
            .with_hint("say it with --format toml|json|csv")
            .into());
    };
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("standard input could not be read")?;
    } else {
        text = std::fs::read_to_string(file)
            .with_context(|| format!("{} could not be read", file.display()))?;
    }
    let records = exchange::read(format, &text).map_err(|faults| {
        Refusal::invalid(faults.join("\n")).with_hint("nothing was imported; correct these")
    })?;
    let plan = import_customers::import(desk, actor, records, is_dry_run).await?;
    output.answer(&plan, |out| show_plan(out, &plan))
}

fn show_plan(out: &Output, plan: &ImportPlan) {
    for change in &plan.changes {
        let sign = match change.action {
            PlannedAction::Create => "+",
            PlannedAction::Update => "~",
            PlannedAction::Unchanged => continue,
        };
        out.line(format!("{sign} {}", change.slug));
        for detail in &change.details {
            out.line(format!("    {detail}"));
        }
    }
    let ImportPlan {
        created,
        updated,
        unchanged,
        ..
    } = plan;
    let verb = if plan.applied {
        "Done"
    } else {
        "Planned, nothing changed"
    };
    out.line(format!(
        "{verb}: {created} new, {updated} changed, {unchanged} as they were."
    ));
}
