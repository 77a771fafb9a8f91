//! Setting the desk up: configuration file, tiers, database, first admin. Safe to repeat: what is
//! there already is kept.

use std::{
    fs,
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tierdesk_core::{
    customers::EmailAddress,
    desk::staff,
    refusal::{Refusal, RefusalCode},
    settings::{ANNOTATED, DatabaseUrl, Settings},
    tiers::Catalogue,
};

use crate::{
    args::Global,
    exit::Exit,
    output::Output,
    program::{Program, default_file, environment},
};

pub(super) async fn run(global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let file = global.config.clone().or_else(default_file).ok_or_else(|| {
        Refusal::new(
            RefusalCode::Configuration,
            "there is no home folder to put the configuration in",
        )
        .with_hint("name a file with --config FILE")
    })?;
    let tiers = file.with_file_name("tiers.toml");
    let is_new = !file.exists();
    if is_new {
        let answers = Answers::collect(global)?;
        // Checked before it is written: a file that does not load would be in everybody's way.
        let text = answers.configuration(&tiers);
        Settings::parse(
            Some((&file.display().to_string(), &text)),
            std::iter::empty(),
        )?;
        write_new(&tiers, Catalogue::EMBEDDED)?;
        write_new(&file, &text)?;
    }
    let global = Global {
        config: Some(file.clone()),
        json: global.json,
        database: global.database.clone(),
    };
    let program = Program::load(&global)?;
    let desk = program.open().await?;
    Program::warn(&desk, output).await?;
    let admin = staff::register_first_admin(&desk, &program.actor()).await?;
    super::finish(&desk).await;
    let tiers: Vec<&str> = desk
        .catalogue
        .iter()
        .map(|tier| tier.slug.as_str())
        .collect();
    let answer = serde_json::json!({
        "config": file, "created": is_new, "database": program.settings.database.url.to_string(),
        "tiers": tiers, "admin": admin.as_ref().map(|admin| &admin.name),
    });
    output.answer(&answer, |out| {
        let kept = if is_new { "written" } else { "kept as it is" };
        out.line(format!("configuration  {} ({kept})", file.display()));
        out.line(format!("database       {}", program.settings.database.url));
        out.line(format!("tiers          {}", tiers.join(", ")));
        match &admin {
            Some(admin) => out.line(format!("first admin    {}", admin.name)),
            None => out.line("staff          registered already"),
        }
        out.line("");
        out.line("Next:");
        out.line("  tierdesk customer import FILE    who the customers are (TOML, CSV or JSON)");
        out.line("  tierdesk customer suggest PATH   or let a mailbox propose them");
        out.line("  tierdesk mail import PATH        tickets from a Maildir or mbox");
    })
}

/// What is asked on a terminal, and the defaults elsewhere.
struct Answers {
    database: Option<String>,
    address: Option<String>,
}

impl Answers {
    fn collect(global: &Global) -> anyhow::Result<Self> {
        let defaults = Settings::load(None, environment())?;
        let is_asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let mut database = global.database.clone();
        let mut address = None;
        if is_asked && !global.json {
            if database.is_none() {
                database = ask("Database", &defaults.database.url.to_string(), |text| {
                    text.parse::<DatabaseUrl>()
                        .map(|_| ())
                        .map_err(|fault| fault.to_string())
                })?;
            }
            address = ask(
                "Support address that customers write to",
                &defaults.mail.address,
                |text| {
                    text.parse::<EmailAddress>()
                        .map(|_| ())
                        .map_err(|fault| fault.to_string())
                },
            )?;
        }
        Ok(Self { database, address })
    }

    /// The annotated defaults, with the answers in their places.
    fn configuration(&self, tiers: &Path) -> String {
        let mut section = "";
        let mut lines = Vec::new();
        for line in ANNOTATED.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
            }
            let value = match (section, line.split(['=', ' ']).next()) {
                ("database", Some("#url")) => {
                    self.database.as_ref().map(|url| ("url", url.clone()))
                }
                ("mail", Some("#address")) => self.address.as_ref().map(|a| ("address", a.clone())),
                ("tiers", Some("#file")) => Some(("file", absolute(tiers).display().to_string())),
                _ => None,
            };
            lines.push(match value {
                Some((key, value)) => format!("{key} = {value:?}"),
                None => line.to_owned(),
            });
        }
        lines.join("\n") + "\n"
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Asks a person until the answer can be used. An empty one takes the default, which is then not
/// written down.
fn ask(
    question: &str,
    default: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> anyhow::Result<Option<String>> {
    let mut terminal = std::io::stderr();
    loop {
        write!(terminal, "{question} [{default}]: ")?;
        terminal.flush()?;
        let mut answer = String::new();
        let is_over = std::io::stdin().lock().read_line(&mut answer)? == 0;
        let answer = answer.trim();
        if answer.is_empty() {
            return Ok(None);
        }
        match check(answer) {
            Ok(()) => return Ok(Some(answer.to_owned())),
            Err(fault) if is_over => anyhow::bail!(fault),
            Err(fault) => writeln!(terminal, "{fault}")?,
        }
    }
}

/// Writes a file that is not there yet, readable by its owner alone: it may hold passwords.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} could not be made", folder.display()))?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
    .with_context(|| format!("{} could not be written", path.display()))
}
