//! What somebody did in Discord, as plain values: nothing after this knows serenity's types.

use std::collections::BTreeMap;

use serenity::model::application::{
    ActionRowComponent, CommandDataOption, CommandDataOptionValue, CommandInteraction,
    ComponentInteraction, ComponentInteractionDataKind, Interaction, ModalInteraction,
};
use tierdesk_core::{
    desk::chat::Input,
    discord::{DiscordId, Member},
    permit::Actor,
};

use crate::{Bot, card::PREFIX, pages};

/// An interaction.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    /// Its id.
    pub(crate) id: DiscordId,
    /// What answering it needs; good for 15 minutes. A secret for so long.
    pub(crate) token: String,
    /// The application it was meant for.
    pub(crate) application: DiscordId,
    /// The channel or thread in which it happened.
    pub(crate) channel: Option<DiscordId>,
    /// Who did it.
    pub(crate) actor: Actor,
    /// What they did.
    pub(crate) did: Did,
}

/// What was done.
#[derive(Clone, Debug)]
pub(crate) enum Did {
    /// A command was given: `ticket take`, with its options.
    Command(String, BTreeMap<String, String>),
    /// An option is being typed: the command, the option, what is there.
    Typing(String, String, String),
    /// A button, menu or form of ours was used.
    Used(String, Input),
    /// A button or menu of a page was used.
    OnPage(String, Input),
    /// Something that is not ours.
    Foreign,
}

impl Incoming {
    /// Reads an interaction; `None` for kinds that need no answer.
    pub(crate) fn read(bot: &Bot, interaction: &Interaction) -> Option<Self> {
        match interaction {
            Interaction::Command(command) => Some(Self::of_command(bot, command, false)),
            Interaction::Autocomplete(command) => Some(Self::of_command(bot, command, true)),
            Interaction::Component(component) => Some(Self::of_component(bot, component)),
            Interaction::Modal(modal) => Some(Self::of_modal(bot, modal)),
            _ => None,
        }
    }

    fn of_command(bot: &Bot, command: &CommandInteraction, is_typing: bool) -> Self {
        let mut path = command.data.name.clone();
        let mut options = BTreeMap::new();
        let mut typed = None;
        read_options(&command.data.options, &mut path, &mut options, &mut typed);
        let did = match typed {
            Some((option, so_far)) if is_typing => Did::Typing(path, option, so_far),
            _ if is_typing => Did::Foreign,
            _ => Did::Command(path, options),
        };
        Self {
            id: number(command.id.get()),
            token: command.token.clone(),
            application: number(command.application_id.get()),
            channel: DiscordId::new(command.channel_id.get()),
            actor: actor(
                bot,
                command.guild_id.map(u64::from),
                command.user.id.get(),
                &roles(command.member.as_deref()),
            ),
            did,
        }
    }

    fn of_component(bot: &Bot, component: &ComponentInteraction) -> Self {
        let input = match &component.data.kind {
            ComponentInteractionDataKind::StringSelect { values } => values
                .first()
                .map_or(Input::None, |one| Input::Choice(one.clone())),
            _ => Input::None,
        };
        Self {
            id: number(component.id.get()),
            token: component.token.clone(),
            application: number(component.application_id.get()),
            channel: DiscordId::new(component.channel_id.get()),
            actor: actor(
                bot,
                component.guild_id.map(u64::from),
                component.user.id.get(),
                &roles(component.member.as_ref()),
            ),
            did: used(&component.data.custom_id, input),
        }
    }

    fn of_modal(bot: &Bot, modal: &ModalInteraction) -> Self {
        // A form that comes in another shape than ours parses to no field at all; the desk then
        // says that the note is empty, and nothing is lost in silence.
        let written = modal
            .data
            .components
            .iter()
            .flat_map(|row| &row.components)
            .find_map(|part| match part {
                ActionRowComponent::InputText(field) => field.value.clone(),
                _ => None,
            });
        Self {
            id: number(modal.id.get()),
            token: modal.token.clone(),
            application: number(modal.application_id.get()),
            channel: DiscordId::new(modal.channel_id.get()),
            actor: actor(
                bot,
                modal.guild_id.map(u64::from),
                modal.user.id.get(),
                &roles(modal.member.as_ref()),
            ),
            did: used(
                &modal.data.custom_id,
                Input::Text(written.unwrap_or_default()),
            ),
        }
    }
}

fn roles(member: Option<&serenity::model::guild::Member>) -> Vec<DiscordId> {
    member
        .into_iter()
        .flat_map(|member| &member.roles)
        .filter_map(|role| DiscordId::new(role.get()))
        .collect()
}

fn actor(bot: &Bot, guild: Option<u64>, user: u64, roles: &[DiscordId]) -> Actor {
    let guild = guild.and_then(DiscordId::new);
    let member = Member::new(bot.guild.id, &bot.roles, guild, number(user), roles);
    Actor::Discord(member)
}

fn used(custom_id: &str, input: Input) -> Did {
    if let Some(handle) = custom_id.strip_prefix(pages::PREFIX) {
        return Did::OnPage(handle.to_owned(), input);
    }
    match custom_id.strip_prefix(PREFIX) {
        Some(handle) => Did::Used(handle.to_owned(), input),
        None => Did::Foreign,
    }
}

/// serenity holds ids as numbers above zero, as we do.
fn number(id: u64) -> DiscordId {
    DiscordId::new(id).expect("serenity's ids are above zero")
}

/// Flattens subcommands into the path, and options into texts.
fn read_options(
    given: &[CommandDataOption],
    path: &mut String,
    options: &mut BTreeMap<String, String>,
    typed: &mut Option<(String, String)>,
) {
    for option in given {
        let text = match &option.value {
            CommandDataOptionValue::SubCommand(inner)
            | CommandDataOptionValue::SubCommandGroup(inner) => {
                path.push(' ');
                path.push_str(&option.name);
                read_options(inner, path, options, typed);
                continue;
            }
            CommandDataOptionValue::Autocomplete { value, .. } => {
                *typed = Some((option.name.clone(), value.clone()));
                continue;
            }
            CommandDataOptionValue::String(text) => text.clone(),
            CommandDataOptionValue::Integer(number) => number.to_string(),
            CommandDataOptionValue::Boolean(answer) => answer.to_string(),
            CommandDataOptionValue::Number(number) => number.to_string(),
            _ => continue,
        };
        options.insert(option.name.clone(), text);
    }
}
