//! How the things of the world are written in answers and events.

use serde_json::{Value, json};

use super::{
    EVERYTHING_FROM,
    world::{Channel, ChannelKind, Member, Message, Role, Tag, World},
};

fn ids(list: &[u64]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

pub(super) fn role(role: &Role) -> Value {
    json!({
        "id": role.id.to_string(), "name": role.name, "description": null, "color": 0,
        "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
        "hoist": false, "icon": null, "unicode_emoji": null, "position": 1,
        "permissions": role.permissions.to_string(), "managed": false, "mentionable": false,
        "flags": 0,
    })
}

fn tag(tag: &Tag) -> Value {
    json!({
        "id": tag.id.to_string(), "name": tag.name, "moderated": tag.is_moderated,
        "emoji_id": null, "emoji_name": null,
    })
}

impl World {
    pub(super) fn user(&self, id: u64) -> Value {
        let known = self.members.get(&id).map(|member| member.name.as_str());
        let name = known.unwrap_or("somebody");
        json!({
            "id": id.to_string(), "username": name, "discriminator": "0", "global_name": name,
            "avatar": null, "public_flags": 0, "flags": 0, "bot": id == self.bot,
            "primary_guild": null, "banner": null, "accent_color": null,
        })
    }

    pub(super) fn member(&self, member: &Member) -> Value {
        json!({
            "user": self.user(member.id), "nick": null, "avatar": null, "banner": null,
            "roles": ids(&member.roles), "joined_at": EVERYTHING_FROM, "premium_since": null,
            "deaf": false, "mute": false, "flags": 0, "pending": false,
            "communication_disabled_until": null,
        })
    }

    pub(super) fn channel(&self, channel: &Channel) -> Value {
        if channel.kind == ChannelKind::Direct {
            let recipient = self.user(channel.recipient.unwrap_or_default());
            return json!({
                "id": channel.id.to_string(), "type": 1, "last_message_id": null, "flags": 0,
                "recipients": [recipient],
            });
        }
        let mut object = json!({
            "id": channel.id.to_string(), "type": channel.kind.number(),
            "guild_id": self.guild.to_string(), "name": channel.name,
            "parent_id": channel.parent.map(|id| id.to_string()), "flags": channel.flags,
            "rate_limit_per_user": 0,
            "last_message_id": self.messages_in(channel.id)
                .rfind(|message| !message.is_ephemeral())
                .map(|message| message.id.to_string()),
        });
        if channel.kind.is_thread() {
            self.thread_into(channel, &mut object);
            return object;
        }
        let overwrites: Vec<Value> = channel
            .overwrites
            .iter()
            .map(|one| {
                json!({
                    "id": one.id.to_string(), "type": u8::from(one.is_member),
                    "allow": one.allow.to_string(), "deny": one.deny.to_string(),
                })
            })
            .collect();
        object["permission_overwrites"] = overwrites.into();
        object["position"] = 0.into();
        object["nsfw"] = false.into();
        object["topic"] = json!(channel.topic);
        if channel.kind == ChannelKind::Forum {
            object["available_tags"] = channel.tags.iter().map(tag).collect();
            object["default_reaction_emoji"] = Value::Null;
            object["default_sort_order"] = Value::Null;
            object["default_forum_layout"] = 0.into();
        }
        object
    }

    fn thread_into(&self, thread: &Channel, object: &mut Value) {
        let count = self.messages_in(thread.id).count();
        object["owner_id"] = json!(thread.owner.map(|id| id.to_string()));
        object["thread_metadata"] = json!({
            "archived": thread.is_archived, "locked": thread.is_locked,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": thread.archived_at.to_string(),
            "create_timestamp": thread.created_at.to_string(),
            "invitable": false,
        });
        object["message_count"] = count.into();
        object["total_message_sent"] = count.into();
        object["member_count"] = 1.into();
        object["bitrate"] = 64000.into();
        object["user_limit"] = 0.into();
        object["rtc_region"] = Value::Null;
        object["permissions"] = self.permissions_in(self.bot, thread).to_string().into();
        object["applied_tags"] = json!(ids(&thread.applied_tags));
    }

    pub(super) fn message(&self, message: &Message) -> Value {
        let embeds: Vec<Value> = message
            .embeds
            .iter()
            .map(|embed| {
                let mut embed = embed.clone();
                embed["type"] = "rich".into();
                embed
            })
            .collect();
        let files: Vec<Value> = message
            .files
            .iter()
            .zip(1_u64..)
            .map(|((name, size), at)| {
                let url = format!("https://cdn.invalid/{}/{name}", message.id);
                json!({
                    "id": (message.id + at).to_string(), "filename": name, "size": size, "url": url,
                    "proxy_url": url, "content_type": "application/octet-stream",
                })
            })
            .collect();
        let mut object = json!({
            "id": message.id.to_string(), "channel_id": message.channel.to_string(),
            "type": self.message_kind(message), "author": self.user(message.author), "content": message.content,
            "timestamp": message.created_at.to_string(),
            "edited_timestamp": message.edited_at.map(|at| at.to_string()),
            "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
            "attachments": files, "embeds": embeds, "components": with_ids(&message.components),
            "pinned": false, "flags": message.flags,
        });
        if let Some(nonce) = &message.nonce {
            object["nonce"] = nonce.clone();
        }
        let thread = self.channels.get(&message.id);
        if let Some(thread) = thread.filter(|thread| thread.id != message.channel) {
            object["thread"] = self.channel(thread);
        }
        if message.interaction.is_some() {
            object["webhook_id"] = self.application.to_string().into();
            object["application_id"] = self.application.to_string().into();
        }
        object
    }

    /// 20 for what a slash command was answered, 0 for all else.
    fn message_kind(&self, message: &Message) -> u64 {
        let asked = message
            .interaction
            .and_then(|id| self.interactions.get(&id));
        if asked.is_some_and(|asked| asked.kind == 2 && asked.original == Some(message.id)) {
            20
        } else {
            0
        }
    }

    /// The guild as `GET /guilds/{id}` has it.
    pub(super) fn guild(&self) -> Value {
        let roles: Vec<Value> = self.roles.values().map(role).collect();
        json!({
            "id": self.guild.to_string(), "name": "tierdesk's guild", "icon": null,
            "description": null, "home_header": null, "splash": null, "discovery_splash": null,
            "features": [], "banner": null, "owner_id": self.owner.to_string(),
            "application_id": null, "region": "deprecated", "afk_channel_id": null,
            "afk_timeout": 300, "system_channel_id": null, "system_channel_flags": 0,
            "widget_enabled": false, "widget_channel_id": null, "verification_level": 0,
            "roles": roles, "default_message_notifications": 1, "mfa_level": 0,
            "explicit_content_filter": 0, "max_presences": null, "max_members": 500_000,
            "max_stage_video_channel_users": 50, "max_video_channel_users": 25,
            "vanity_url_code": null, "premium_tier": 0, "premium_subscription_count": 0,
            "preferred_locale": "en-US", "rules_channel_id": null, "safety_alerts_channel_id": null,
            "public_updates_channel_id": null, "premium_progress_bar_enabled": false,
            "nsfw": false, "nsfw_level": 0, "incidents_data": null, "emojis": [], "stickers": [],
        })
    }

    /// The guild as the gateway tells it after READY.
    pub(super) fn guild_event(&self) -> Value {
        let mut guild = self.guild();
        let visible = |thread: bool| -> Vec<Value> {
            let channels = self.channels.values();
            let of_guild = channels.filter(|channel| channel.kind != ChannelKind::Direct);
            let wanted = of_guild.filter(|one| one.kind.is_thread() == thread && !one.is_archived);
            wanted.map(|channel| self.channel(channel)).collect()
        };
        let members: Vec<Value> = self.members.values().map(|one| self.member(one)).collect();
        guild["joined_at"] = EVERYTHING_FROM.into();
        guild["large"] = false.into();
        guild["unavailable"] = false.into();
        guild["member_count"] = members.len().into();
        guild["members"] = members.into();
        guild["channels"] = visible(false).into();
        guild["threads"] = visible(true).into();
        for empty in [
            "voice_states",
            "presences",
            "stage_instances",
            "guild_scheduled_events",
            "soundboard_sounds",
        ] {
            guild[empty] = Value::Array(Vec::new());
        }
        guild
    }

    pub(super) fn application(&self) -> Value {
        json!({
            "id": self.application.to_string(), "name": "tierdesk", "icon": null, "description": "",
            "type": null, "bot": self.user(self.bot), "bot_public": false,
            "bot_require_code_grant": false, "verify_key": "0".repeat(64), "flags": 0,
            "owner": self.user(self.owner), "team": null, "redirect_uris": [],
            "interactions_endpoint_url": null, "role_connections_verification_url": null,
            "approximate_guild_count": 1, "max_participants": null, "summary": "",
            "integration_types_config": {"0": {}}, "flags_new": "0",
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0, "eligible_oauth2_scopes": [],
        })
    }
}

/// Components as answers show them: each with a number that their message knows it by, a select
/// with the bounds that it was not given.
fn with_ids(rows: &[Value]) -> Vec<Value> {
    let mut next = 0_u64;
    let mut numbered = |mut one: Value| {
        next += 1;
        if let Some(object) = one.as_object_mut() {
            object.entry("id").or_insert_with(|| next.into());
            if object.get("type").and_then(Value::as_u64) == Some(3) {
                object.entry("min_values").or_insert_with(|| 1.into());
                object.entry("max_values").or_insert_with(|| 1.into());
            }
        }
        one
    };
    let mut shown = Vec::new();
    for row in rows {
        let mut row = numbered(row.clone());
        let inner = row["components"].as_array_mut().map(std::mem::take);
        let inner: Vec<Value> = inner.into_iter().flatten().map(&mut numbered).collect();
        row["components"] = inner.into();
        shown.push(row);
    }
    shown
}
