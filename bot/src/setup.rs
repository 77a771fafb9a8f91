//! Setting the server up: a channel for each tier and for triage, tags, roles. Safe to repeat:
//! what is there by name is taken as it is, and what is missing in it is added.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tierdesk_core::{
    desk::Desk, disclosure, discord::DiscordId, settings::TRIAGE, staff::Role, tickets::Status,
    tiers::Tier,
};

use crate::{
    Bot, card,
    guild::{ChannelKind, Snapshot, VIEW_CHANNEL, id},
    rest::RestError,
};

/// What setting up came to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SetupReport {
    /// What was made or would be, in words.
    pub steps: Vec<SetupStep>,
    /// What belongs into the configuration.
    pub configuration: String,
}

/// One thing that setting up looked after.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SetupStep {
    /// `there`, `make`, `change` or `refuse`.
    pub verdict: &'static str,
    /// What.
    pub what: String,
}

/// Why the server was not set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Discord did not do it.
    #[error("Discord did not let the server be set up")]
    Rest(#[from] RestError),
    /// A restricted tier's channel is open; nothing was made or changed.
    #[error("{0}")]
    Open(String),
    /// What the configuration or the server lacks; nothing was made or changed there.
    #[error("{0}")]
    Missing(String),
}

/// Discord's limit of tags in a forum.
const MOST_TAGS: usize = 20;

/// What the bot has to be able to do in a channel: see it, write, embed, read the history, manage
/// and make threads, write in them, manage messages (its own among others').
const BOT_ALLOW: u64 = VIEW_CHANNEL
    | (1 << 11)
    | (1 << 13)
    | (1 << 14)
    | (1 << 16)
    | (1 << 34)
    | (1 << 35)
    | (1 << 38);

/// Forum channels.
const FORUM: u64 = 15;

struct Wanted {
    key: String,
    name: String,
    is_restricted: bool,
    topic: String,
}

fn wanted(desk: &Desk) -> Vec<Wanted> {
    let of = |tier: &Tier| Wanted {
        key: tier.slug.to_string(),
        name: tier.discord_channel.clone(),
        is_restricted: disclosure::is_restricted(Some(tier)),
        topic: format!(
            "Tickets of {} customers. Shown here: {}.",
            tier.name, tier.disclosure
        ),
    };
    let triage = Wanted {
        key: TRIAGE.to_owned(),
        name: "support-triage".to_owned(),
        is_restricted: false,
        topic: "Tickets whose customer is not known. No content is shown here.".to_owned(),
    };
    desk.catalogue.iter().map(of).chain([triage]).collect()
}

fn tag_names(key: &str) -> Vec<String> {
    let statuses = Status::ALL.iter().map(|status| card::status_tag(*status));
    let tier = (key != TRIAGE).then_some(key);
    statuses.chain(tier).map(str::to_owned).collect()
}

/// What a staff role is called in Discord.
fn role_name(role: Role) -> String {
    format!("tierdesk {role}")
}

impl Bot {
    /// Makes what is missing, or with `is_dry` only says what it would make.
    pub async fn set_up(&self, is_dry: bool) -> Result<SetupReport, SetupError> {
        let server = self.guild.read().await?;
        let wanted = wanted(&self.desk);
        self.refuse_open(&server, &wanted)?;
        self.refuse_missing(&server, &wanted)?;
        let mut report = SetupReport {
            steps: Vec::new(),
            configuration: String::from("[discord.channels]\n"),
        };
        // Roles first: those of the staff see the channels that are hidden from everybody.
        let (mut staff, mut roles) = (Vec::new(), String::from("\n[discord.roles]\n"));
        for role in Role::ALL {
            let id = self.set_up_role(&server, role, is_dry, &mut report).await?;
            let _ = writeln!(roles, "{role} = \"{}\"", shown(id));
            staff.extend(id);
        }
        for one in &wanted {
            self.set_up_channel(&server, one, &staff, is_dry, &mut report)
                .await?;
        }
        report.configuration.push_str(&roles);
        self.guild.forget().await;
        Ok(report)
    }

    /// Refuses a server in which everybody sees a restricted tier's channel, before anything is made.
    fn refuse_open(&self, server: &Snapshot, wanted: &[Wanted]) -> Result<(), SetupError> {
        let is_open = |one: &&Wanted| {
            let found = self.guild.channel_in(server, &one.key, &one.name);
            one.is_restricted && found.is_some_and(|channel| channel.is_open)
        };
        let open: Vec<String> = wanted
            .iter()
            .filter(is_open)
            .map(|one| format!("#{}", one.name))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        Err(SetupError::Open(format!(
            "@everyone can see {}, whose tiers do not allow that; nothing was made or changed. \
             Take View Channel from @everyone there and repeat",
            open.join(" and ")
        )))
    }

    /// Refuses a configured channel that is not there: made again under its name, each run would make
    /// another.
    fn refuse_missing(&self, server: &Snapshot, wanted: &[Wanted]) -> Result<(), SetupError> {
        let missing: Vec<String> = wanted
            .iter()
            .filter_map(|one| {
                let id = self.guild.missing(server, &one.key)?;
                Some(format!("discord.channels.{} ({id})", one.key))
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(SetupError::Missing(format!(
            "the server has no forum or text channel for {}; nothing was made or changed. Correct \
             the id, or take the key out of the configuration and repeat",
            missing.join(" and ")
        )))
    }

    async fn set_up_channel(
        &self,
        server: &Snapshot,
        wanted: &Wanted,
        staff: &[DiscordId],
        is_dry: bool,
        report: &mut SetupReport,
    ) -> Result<(), SetupError> {
        let tags = tag_names(&wanted.key);
        let found = self.guild.channel_in(server, &wanted.key, &wanted.name);
        let mut channel_id = found.map(|channel| channel.id);
        match found {
            None => {
                report.step("make", format!("forum #{}{}", wanted.name, hidden(wanted)));
                if !is_dry {
                    let made = self.make_forum(wanted, &tags, staff).await?;
                    channel_id = id(&made["id"]);
                }
            }
            Some(channel) => {
                let missing: Vec<&String> = tags
                    .iter()
                    .filter(|tag| {
                        channel.kind == ChannelKind::Forum && !channel.tags.contains_key(*tag)
                    })
                    .collect();
                if missing.is_empty() {
                    report.step("there", format!("#{}", wanted.name));
                } else {
                    let words: Vec<&str> = missing.iter().map(|tag| tag.as_str()).collect();
                    report.step(
                        "change",
                        format!("#{}: tags {}", wanted.name, words.join(", ")),
                    );
                    if !is_dry {
                        // As they are, with their signs and rights: a list replaces the old one.
                        let kept = channel.raw_tags.iter().cloned();
                        let new = missing.iter().map(|name| json!({ "name": name }));
                        let all: Vec<Value> = kept.chain(new).collect();
                        if all.len() > MOST_TAGS {
                            return Err(SetupError::Missing(format!(
                                "#{} has no room for {}: a forum has at most {MOST_TAGS} tags. \
                                 Take some away there and repeat",
                                wanted.name,
                                words.join(", ")
                            )));
                        }
                        let path = format!("/channels/{}", channel.id);
                        self.rest
                            .patch(&path, &json!({ "available_tags": all }))
                            .await?;
                    }
                }
            }
        }
        let line = format!("{} = \"{}\"\n", wanted.key, shown(channel_id));
        report.configuration.push_str(&line);
        Ok(())
    }

    async fn make_forum(
        &self,
        wanted: &Wanted,
        tags: &[String],
        staff: &[DiscordId],
    ) -> Result<Value, SetupError> {
        let me = self.guild.own_user().await?;
        let mut overwrites = vec![
            json!({ "id": me.to_string(), "type": 1, "allow": BOT_ALLOW.to_string(), "deny": "0" }),
        ];
        if wanted.is_restricted {
            let of = |id: DiscordId, allow: u64, deny: u64| {
                json!({ "id": id.to_string(), "type": 0, "allow": allow.to_string(),
                    "deny": deny.to_string() })
            };
            overwrites.push(of(self.guild.id, 0, VIEW_CHANNEL));
            overwrites.extend(staff.iter().map(|role| of(*role, VIEW_CHANNEL, 0)));
        }
        let tags: Vec<Value> = tags.iter().map(|name| json!({ "name": name })).collect();
        let body = json!({ "name": wanted.name, "type": FORUM, "topic": wanted.topic,
            "available_tags": tags, "permission_overwrites": overwrites });
        let path = format!("/guilds/{}/channels", self.guild.id);
        Ok(self.rest.post(&path, &body).await?)
    }

    async fn set_up_role(
        &self,
        server: &Snapshot,
        role: Role,
        is_dry: bool,
        report: &mut SetupReport,
    ) -> Result<Option<DiscordId>, SetupError> {
        let name = role_name(role);
        let found = server.roles.iter().find(|one| one.name == name);
        let mut role_id = found.map(|one| one.id);
        if found.is_some() {
            report.step("there", format!("role {name}"));
        } else {
            report.step("make", format!("role {name}, without rights in Discord"));
            if !is_dry {
                let path = format!("/guilds/{}/roles", self.guild.id);
                let body = json!({ "name": name, "permissions": "0", "mentionable": false });
                role_id = id(&self.rest.post(&path, &body).await?["id"]);
            }
        }
        Ok(role_id)
    }
}

/// An id as the configuration has it; what a plan does not know yet is left open.
fn shown(id: Option<DiscordId>) -> String {
    id.map_or_else(|| "…".to_owned(), |id| id.to_string())
}

fn hidden(wanted: &Wanted) -> &'static str {
    if wanted.is_restricted {
        ", hidden from @everyone, seen by the roles of the staff"
    } else {
        ""
    }
}

impl SetupReport {
    fn step(&mut self, verdict: &'static str, what: String) {
        self.steps.push(SetupStep { verdict, what });
    }
}
