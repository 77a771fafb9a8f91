//! Discord: what staff type is answered, what the desk commits is posted.
//!
//! Everything shown is made from what `tierdesk_core::disclosure` lets through; everything done
//! goes through the use cases of the desk, which ask for the right themselves. A [`message`] is
//! the only thing that can be sent, and cannot ping anybody.
//!
//! To add a command: its definition in [`commands`], a verb in `router`.

pub mod card;
pub mod commands;
mod digest;
pub mod escape;
pub mod gateway;
pub mod guild;
mod incoming;
pub mod message;
pub mod pages;
pub mod posts;
pub mod progress;
pub mod rest;
mod router;
pub mod setup;

use std::{collections::BTreeMap, sync::Arc};

use tierdesk_core::{
    desk::Desk,
    discord::DiscordId,
    permit::{Actor, SystemRole},
    refusal::{Refusal, RefusalCode},
    settings::{DiscordSettings, Secret},
    staff::Role,
};

use crate::{guild::Guild, rest::Rest};

/// The part of the program that posts to Discord.
pub const BOT: Actor = Actor::System(SystemRole::Bot);

/// The bot, before it is connected.
#[derive(Clone, Debug)]
pub struct Bot {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The way to Discord's REST API.
    pub rest: Arc<Rest>,
    /// The server, as far as posting needs it.
    pub guild: Arc<Guild>,
    /// Discord role by staff role.
    pub roles: Arc<BTreeMap<Role, DiscordId>>,
    token: Secret,
}

impl Bot {
    /// A bot by the configuration. Refuses one without token or server.
    pub fn new(desk: Arc<Desk>, settings: &DiscordSettings) -> Result<Self, Refusal> {
        let missing = |key: &str| {
            Refusal::new(
                RefusalCode::Configuration,
                format!("discord.{key} is not set; the bot was not started"),
            )
            .with_hint("docs/discord.md tells in ten minutes where it comes from")
        };
        let token = settings
            .token
            .clone()
            .ok_or_else(|| missing("token_file"))?;
        let guild_id = settings.guild_id.ok_or_else(|| missing("guild_id"))?;
        let rest = Arc::new(Rest::new(&settings.api_base, token.clone()));
        let guild = Guild::new(Arc::clone(&rest), guild_id, settings.channels.clone());
        Ok(Self {
            desk,
            rest,
            guild: Arc::new(guild),
            roles: Arc::new(settings.roles.clone()),
            token,
        })
    }
}
