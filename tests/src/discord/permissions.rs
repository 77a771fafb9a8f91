//! Who may what where: Discord's bits and the order in which they are added up.

use super::world::{Channel, World};

/// May do everything.
pub const ADMINISTRATOR: u64 = 1 << 3;
/// May make, change and delete channels.
pub const MANAGE_CHANNELS: u64 = 1 << 4;
/// May see a channel.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// May write in a channel and open a forum's post.
pub const SEND_MESSAGES: u64 = 1 << 11;
/// May delete what others wrote.
pub const MANAGE_MESSAGES: u64 = 1 << 13;
/// May show embeds.
pub const EMBED_LINKS: u64 = 1 << 14;
/// May send files.
pub const ATTACH_FILES: u64 = 1 << 15;
/// May read what was written before.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// May make roles and give overwrites.
pub const MANAGE_ROLES: u64 = 1 << 28;
/// May use slash commands.
pub const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
/// May lock, archive and tag the threads of others.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// May open threads that all may read.
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
/// May open threads for the invited.
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
/// May write in threads.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;

/// What everybody may in a fresh guild.
pub const EVERYONE: u64 = VIEW_CHANNEL
    | SEND_MESSAGES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | SEND_MESSAGES_IN_THREADS;

/// What the bot's role may: all that this fake asks for, but not everything.
pub const BOT: u64 = EVERYONE
    | MANAGE_CHANNELS
    | MANAGE_MESSAGES
    | MANAGE_ROLES
    | MANAGE_THREADS
    | EMBED_LINKS
    | ATTACH_FILES
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS;

impl World {
    /// What a member may in the guild: everybody's bits and those of their roles.
    pub(super) fn guild_permissions(&self, member: u64) -> u64 {
        if member == self.owner {
            return u64::MAX >> 8;
        }
        let of_role = |id: &u64| self.roles.get(id).map_or(0, |role| role.permissions);
        let roles = self.members.get(&member).map(|member| &member.roles);
        let granted = roles.into_iter().flatten().map(of_role);
        let sum = granted.fold(of_role(&self.guild), |sum, bits| sum | bits);
        if sum & ADMINISTRATOR == 0 {
            sum
        } else {
            u64::MAX >> 8
        }
    }

    /// What a member may in a channel: the guild's bits, then the overwrites of everybody, of their
    /// roles together, of themselves, in this order.
    pub(super) fn permissions_in(&self, member: u64, channel: &Channel) -> u64 {
        let channel = self.governing(channel);
        let in_guild = self.guild_permissions(member);
        if in_guild & ADMINISTRATOR != 0 || member == self.owner {
            return in_guild;
        }
        let Some(roles) = self.members.get(&member).map(|member| &member.roles) else {
            return 0;
        };
        let applied = |bits: u64, (allow, deny): (u64, u64)| (bits & !deny) | allow;
        let sum_of = |is_meant: &dyn Fn(u64, bool) -> bool| {
            let overwrites = channel.overwrites.iter();
            overwrites
                .filter(|overwrite| is_meant(overwrite.id, overwrite.is_member))
                .fold((0, 0), |(allow, deny), one| {
                    (allow | one.allow, deny | one.deny)
                })
        };
        let everybody = sum_of(&|id, is_member| !is_member && id == self.guild);
        let of_roles = sum_of(&|id, is_member| !is_member && roles.contains(&id));
        let own = sum_of(&|id, is_member| is_member && id == member);
        [everybody, of_roles, own]
            .into_iter()
            .fold(in_guild, applied)
    }
}
