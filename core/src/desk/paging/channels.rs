//! How members of staff can be reached: each says it of themselves, an admin of anybody. A channel counts
//! as one that wakes only once a test page was answered through it.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    customers::EmailAddress,
    desk::{Desk, Error},
    ids::{StaffChannelId, StaffId},
    paging::Channel,
    permit::{Actor, ChangeChannel, ChangesChannels, Permit, ReadStaff, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    staff::{Role, Staff, StaffStatus},
    store::{
        Tx,
        audit::{self, Change},
        pages::notices::Notice,
        staff,
        staff_channels::{self, Added, StaffChannel},
    },
};

/// What a webhook needs besides its shape; sealed where it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// The address.
    pub url: String,
    /// A routing key, a token.
    pub key: Option<String>,
    /// Whose device, where the other side asks for that as well.
    pub user: Option<String>,
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// A channel to be added.
#[derive(Clone, Debug)]
pub enum NewChannel {
    /// E-mail.
    Mail(EmailAddress),
    /// Direct messages in Discord, of the user that is linked.
    Direct,
    /// A webhook of one's own.
    Webhook {
        /// What it is called in lists.
        name: String,
        /// The shape of its body, as `[[webhook]]` has it.
        format: String,
        /// The rest.
        secret: WebhookSecret,
    },
}

/// A channel as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelReport {
    /// The id.
    pub id: StaffChannelId,
    /// What it is.
    pub kind: Channel,
    /// Where, without what is secret.
    pub target: String,
    /// The shape of a webhook's body.
    pub format: Option<String>,
    /// Whether it is said to wake.
    pub wakes: bool,
    /// When a test was last answered through it.
    pub proven_at: Option<Timestamp>,
    /// Since when.
    pub added_at: Timestamp,
}

impl From<StaffChannel> for ChannelReport {
    fn from(channel: StaffChannel) -> Self {
        Self {
            id: channel.id,
            kind: channel.kind,
            target: channel.target,
            format: channel.format,
            wakes: channel.wakes,
            proven_at: channel.proven_at,
            added_at: channel.added_at,
        }
    }
}

/// The member of staff of this name, whom the actor may change the channels of.
pub(super) async fn person<A: ChangesChannels>(
    permit: &mut Permit<'_, A>,
    name: &str,
) -> Result<Staff, Error> {
    let everybody = staff::list(permit).await?;
    let me = permit.staff();
    let found = everybody.iter().find(|one| {
        if name == "me" {
            Some(one.id) == me
        } else {
            one.name == name
        }
    });
    let found = found.ok_or_else(|| {
        let names: Vec<&str> = everybody.iter().map(|one| one.name.as_str()).collect();
        Refusal::not_found("member of staff", name)
            .with_hint(format!("known are me, {}", names.join(", ")))
    })?;
    if permit.staff() != Some(found.id) && permit.role() != Some(Role::Admin) {
        let message = format!("only {} and admins may do that", found.name);
        return Err(Refusal::new(RefusalCode::NotPermitted, message).into());
    }
    if found.status != StaffStatus::Active {
        return Err(Refusal::invalid(format!("{} is disabled", found.name)).into());
    }
    Ok(found.clone())
}

/// Adds a way to reach somebody.
pub async fn add(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    new: NewChannel,
    wakes: Option<bool>,
) -> Result<ChannelReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeChannel, Subject::Desk).await?;
    let person = person(&mut permit, name).await?;
    let (kind, target, format, secret) = match new {
        NewChannel::Mail(address) => (Channel::Mail, address.to_string(), None, None),
        NewChannel::Direct => {
            let user = person.discord_user_id.ok_or_else(|| {
                Refusal::invalid(format!("{} is not linked to a Discord user", person.name))
                    .with_hint("tierdesk staff link-discord NAME ID")
            })?;
            (Channel::Direct, user.to_string(), None, None)
        }
        NewChannel::Webhook {
            name,
            format,
            secret,
        } => (Channel::Webhook, name, Some(format), Some(secret)),
    };
    let by_itself = matches!(format.as_deref(), Some("pagerduty" | "pushover" | "ntfy"));
    let channel = StaffChannel {
        id: permit.new_id(),
        staff_id: person.id,
        kind,
        target: target.clone(),
        format,
        wakes: wakes.unwrap_or(by_itself),
        added_at: permit.now(),
        added_by: permit.actor().to_owned(),
        proven_at: None,
    };
    let secret = secret.map(|secret| serde_json::to_vec(&secret));
    let secret = secret
        .transpose()
        .map_err(|fault| Refusal::invalid(format!("that webhook cannot be stored: {fault}")))?;
    match staff_channels::insert(&mut permit, &channel, secret.as_deref()).await? {
        Added::Done => {}
        Added::Taken => {
            let message = format!("{} has {kind} {target} already", person.name);
            return Err(Refusal::new(RefusalCode::Taken, message).into());
        }
        Added::Unsealed => {
            let message = "a webhook's address is a secret, and there is no key to seal it with; \
                           nothing was stored";
            return Err(Refusal::new(RefusalCode::Configuration, message)
                .with_hint("set store.key_file; tierdesk init --key-file makes one")
                .into());
        }
    }
    let change = Change::to(format!("staff:{}", person.name))
        .with("channel", kind.as_str())
        .with("target", target)
        .with("wakes", channel.wakes.to_string());
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(channel.into())
}

/// Takes a way to reach somebody away.
pub async fn remove(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    id: StaffChannelId,
) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeChannel, Subject::Desk).await?;
    let person = person(&mut permit, name).await?;
    let channel = staff_channels::find(&mut permit, id).await?;
    let channel = channel.filter(|channel| channel.staff_id == person.id);
    let channel = channel.ok_or_else(|| Refusal::not_found("channel", id))?;
    staff_channels::remove(&mut permit, id).await?;
    let change = Change::to(format!("staff:{}", person.name))
        .with("channel_removed", channel.kind.as_str())
        .with("target", channel.target);
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(())
}

/// How somebody can be reached.
pub async fn list(desk: &Desk, actor: &Actor, name: &str) -> Result<Vec<ChannelReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadStaff, Subject::Desk).await?;
    let everybody = staff::list(&mut permit).await?;
    let me = permit.staff();
    let found = everybody
        .iter()
        .find(|one| one.name == name || (name == "me" && Some(one.id) == me));
    let found = found.ok_or_else(|| Refusal::not_found("member of staff", name))?;
    let channels = staff_channels::list(&mut permit, found.id).await?;
    Ok(channels.into_iter().map(ChannelReport::from).collect())
}

/// The channel of a member of staff that a notice went through, if it is still there.
async fn channel_of(tx: &mut Tx, notice: &Notice) -> Result<Option<StaffChannel>, Error> {
    let Some(staff) = notice.staff_id else {
        return Ok(None);
    };
    let channels = staff_channels::list(tx, staff).await?;
    Ok(channels.into_iter().find(|channel| match notice.channel {
        Channel::Webhook => notice.target == format!("staff:{}", channel.id),
        kind => channel.kind == kind && channel.target == notice.target,
    }))
}

/// A notice was answered: its channel reaches its owner.
pub(super) async fn prove<A: ChangesChannels>(
    permit: &mut Permit<'_, A>,
    notice: &Notice,
) -> Result<(), Error> {
    if let Some(channel) = channel_of(permit, notice).await? {
        staff_channels::mark_as_proven(permit, channel.id).await?;
    }
    Ok(())
}

/// Whether somebody can be woken: a channel that wakes, and a test that was answered through it.
pub(in crate::desk) async fn can_be_woken(tx: &mut Tx, staff: StaffId) -> Result<bool, Error> {
    let channels = staff_channels::list(tx, staff).await?;
    Ok(channels
        .iter()
        .any(|channel| channel.wakes && channel.proven_at.is_some()))
}
