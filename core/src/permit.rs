//! Who may do what, proven in the type system.
//!
//! Functions that change the desk take a [`Permit`], and only [`authorise`] makes one, after
//! reading the staff row in the transaction that will make the change. A path that forgot the
//! check does not compile:
//!
//! ```compile_fail
//! # use tierdesk_core::{store::{Tx, tickets, StoreError}, tickets::Ticket};
//! async fn rename(tx: &mut Tx, ticket: &Ticket) -> Result<(), StoreError> {
//!     tickets::update(tx, ticket).await
//! }
//! ```
//!
//! The same with a permit does:
//!
//! ```
//! # use tierdesk_core::{permit::{Permit, SetSeverity}, store::{tickets, StoreError}, tickets::Ticket};
//! async fn rename(tx: &mut Permit<'_, SetSeverity>, ticket: &Ticket) -> Result<(), StoreError> {
//!     tickets::update(tx, ticket).await
//! }
//! ```
//!
//! A change that appends no audit entry is refused at commit ([`crate::store::Tx::commit`]).
//!
//! To add an action: one line in `actions!`, then a use case in `desk` that asks for it.

use std::{
    collections::BTreeSet,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use crate::{
    discord::Member,
    ids::{CustomerId, StaffId, TicketId},
    named::named_enum,
    refusal::{Refusal, RefusalCode},
    staff::{Attribute, Role, Staff, StaffStatus},
    store::{self, StoreError, Tx, bulk::BulkRow},
};

named_enum! {
    /// Parts of the program that act without a person.
    pub enum SystemRole as "system role" {
        /// Mail coming in.
        Ingest = "ingest",
        /// The durable queue.
        Worker = "worker",
        /// The sealer of the audit chain.
        Sealer = "sealer",
        /// Discord: posting what was committed.
        Bot = "bot",
        /// What other programs say over HTTP, proven by a signature.
        Http = "http",
        /// The desk testing itself.
        Watchdog = "watchdog",
        /// `tierdesk demo`, on its own database.
        Demo = "demo",
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A part of the program.
    System(SystemRole),
    /// A login on the machine that runs the terminal.
    OsUser {
        /// The login.
        name: String,
        /// Whether they own the configuration (or, without one, the database): until staff exist,
        /// that makes them admin.
        owns_configuration: bool,
    },
    /// A member of a Discord guild.
    Discord(Member),
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// No single thing: many at once, or one that does not exist yet.
    Desk,
    /// One ticket.
    Ticket(TicketId),
    /// One customer.
    Customer(CustomerId),
}

/// Something a person or a part of the program may want to do.
pub trait Action: Send + 'static {
    /// Its name in the audit trail: `ticket.assign`.
    const NAME: &'static str;
    /// The roles that may, besides admin.
    const ROLES: &'static [Role];
    /// The parts of the program that may.
    const SYSTEM: &'static [SystemRole];
}

/// Actions that change tickets and the messages on them.
pub trait ChangesTickets: Action {}
/// Actions that change customers, their domains and contacts.
pub trait ChangesDirectory: Action {}
/// Actions that change the staff.
pub trait ChangesStaff: Action {}
/// Actions that change jobs by hand.
pub trait ChangesJobs: Action {}

/// Actions that decide what is kept and what is removed.
pub trait KeepsRecords: Action {}

/// Actions that change who is on call.
pub trait ChangesRota: Action {}

/// Actions that change onboardings.
pub trait ChangesOnboarding: Action {}

/// Actions that keep the books on what stands in chat. They change nothing of the desk, and owe no
/// audit entry.
pub trait KeepsChat: Action {}

/// Actions that keep the books on how far a mailbox was read, and on the tokens it is read with. They
/// change nothing of the desk, and owe no audit entry.
pub trait KeepsMailboxes: Action {}

/// Actions that keep the books on letters that leave. They change nothing of the desk, and owe no audit
/// entry.
pub trait KeepsOutbox: Action {}

/// Actions that keep the books on notices that are sent. They change nothing of the desk, and owe no audit
/// entry.
pub trait KeepsPages: Action {}

/// Actions that change how members of staff can be reached.
pub trait ChangesChannels: Action {}

/// Actions that bring the index of words in step with what is stored. They change nothing of the desk,
/// and owe no audit entry.
pub trait KeepsSearch: Action {}

/// Actions that let the desk into a mailbox.
pub trait ConnectsMail: Action {}

/// The table of rights. Every role may read; auditors see no bodies (`desk::tickets`).
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, [$($role:ident),*], [$($system:ident),*], $capability:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl Action for $name {
                const NAME: &'static str = $text;
                const ROLES: &'static [Role] = &[$(Role::$role),*];
                const SYSTEM: &'static [SystemRole] = &[$(SystemRole::$system),*];
            }
            impl $capability for $name {}
        )+
        /// Every action with the roles that may: for the documentation and the matrix test.
        pub const ACTIONS: &[(&str, &[Role], &[SystemRole])] =
            &[$(($name::NAME, $name::ROLES, $name::SYSTEM)),+];
    };
}

/// Looking at things.
pub trait Reads: Action {}

actions! {
    /// Reading tickets and customers.
    ReadDesk = "desk.read", [Viewer, Agent, Provisioner, Approver, Auditor], [Ingest, Worker, Bot, Demo], Reads;
    /// Reading a ticket where it is written down who does.
    ReadTicket = "ticket.read", [Viewer, Agent, Provisioner, Approver, Auditor], [], Reads;
    /// Taking a ticket out as a file.
    ExportTicket = "ticket.export", [Agent], [], Reads;
    /// Taking a ticket's mails out as they came and left, with what was masked elsewhere.
    ExportMail = "ticket.export_mail", [], [], Reads;
    /// Reading the audit trail.
    ReadAudit = "audit.read", [Auditor], [Sealer], Reads;
    /// Handing a customer's part of the audit trail out.
    ExportAudit = "audit.export", [Auditor], [], Reads;
    /// Reading jobs.
    ReadJobs = "jobs.read", [Viewer, Agent, Provisioner, Approver, Auditor], [Worker], Reads;
    /// Looking for faults, also in the headers of stored mail.
    Diagnose = "desk.diagnose", [], [], Reads;
    /// Taking mail in.
    ReceiveMail = "mail.receive", [], [Ingest, Worker, Demo], ChangesTickets;
    /// Keeping the books on mailboxes.
    KeepMailbox = "mail.keep", [], [Ingest], KeepsMailboxes;
    /// Opening a ticket about a mailbox that is not read.
    RaiseMailAlarm = "mail.alarm", [], [Ingest], ChangesTickets;
    /// Letting the desk into a mailbox.
    ConnectMail = "mail.connect", [], [], ConnectsMail;
    /// Importing a mailbox.
    ImportMail = "mail.import", [], [], ChangesTickets;
    /// Answering a customer, and taking that back before it leaves.
    SendReply = "ticket.reply", [Agent], [Demo], ChangesTickets;
    /// Letting a letter go that was held.
    ReleaseLetter = "mail.release", [], [], ChangesTickets;
    /// Telling a customer that their mail is here.
    SendReceipt = "mail.receipt", [], [Worker, Demo], ChangesTickets;
    /// Keeping the books on letters that are handed over.
    KeepOutbox = "mail.hand_over", [], [Worker, Demo], KeepsOutbox;
    /// Writing down what became of a letter.
    RecordDelivery = "mail.delivery", [], [Worker, Demo], ChangesTickets;
    /// Opening a ticket by hand.
    OpenTicket = "ticket.open", [Agent], [], ChangesTickets;
    /// Giving a ticket to somebody.
    AssignTicket = "ticket.assign", [Agent], [], ChangesTickets;
    /// Changing how bad it is.
    SetSeverity = "ticket.severity", [Agent], [], ChangesTickets;
    /// Moving a ticket along.
    SetStatus = "ticket.status", [Agent], [], ChangesTickets;
    /// Having a ticket sleep, and waking it.
    SnoozeTicket = "ticket.snooze", [Agent], [Worker], ChangesTickets;
    /// Making two tickets one.
    MergeTickets = "ticket.merge", [Agent], [], ChangesTickets;
    /// Making two tickets of one.
    SplitTicket = "ticket.split", [Agent], [], ChangesTickets;
    /// Tying tickets, and tagging them.
    LinkTickets = "ticket.link", [Agent], [], ChangesTickets;
    /// Saying who takes part in a ticket.
    ChangeParticipants = "ticket.participants", [Agent], [], ChangesTickets;
    /// Writing for colleagues.
    WriteNote = "ticket.note", [Agent], [], ChangesTickets;
    /// Ending a ticket.
    CloseTicket = "ticket.close", [Agent], [], ChangesTickets;
    /// Taking an end back.
    ReopenTicket = "ticket.reopen", [Agent], [], ChangesTickets;
    /// Setting a mail aside that took an ended ticket up and asks for nothing.
    DismissMail = "ticket.dismiss", [Agent], [], ChangesTickets;
    /// Saying whose ticket it is.
    BindTicket = "ticket.bind", [Agent], [], ChangesTickets;
    /// Setting a ticket aside that nobody should answer.
    MarkSpam = "ticket.spam", [Agent], [], ChangesTickets;
    /// Removing what was written on a ticket.
    RedactTicket = "ticket.redact", [], [], ChangesTickets;
    /// Looking at what is due to be removed, and what keeps it.
    PlanRetention = "retention.plan", [Auditor], [], Reads;
    /// Removing what is due.
    RunRetention = "retention.run", [], [], ChangesTickets;
    /// Keeping something from being removed, and letting it go.
    SetHold = "retention.hold", [], [], KeepsRecords;
    /// Erasing a person or a customer.
    EraseData = "retention.erase", [], [], ChangesTickets;
    /// Adding a customer.
    AddCustomer = "customer.add", [Provisioner], [Demo], ChangesDirectory;
    /// Changing a customer.
    ChangeCustomer = "customer.set", [Provisioner], [], ChangesDirectory;
    /// Adding, removing or moving a mail domain.
    ChangeDomain = "customer.domain", [Provisioner], [], ChangesDirectory;
    /// Adding or removing a contact.
    ChangeContact = "customer.contact", [Agent, Provisioner], [], ChangesDirectory;
    /// Bringing the directory in line with a file.
    ImportCustomers = "customer.import", [Provisioner], [Demo], ChangesDirectory;
    /// Reading who works here.
    ReadStaff = "staff.read", [Viewer, Agent, Provisioner, Approver, Auditor], [], Reads;
    /// Posting tickets to chat.
    PostToChat = "chat.post", [], [Bot, Demo], KeepsChat;
    /// Using a button, menu or form in chat; what it does asks for its own right.
    UseChat = "chat.use", [Viewer, Agent, Provisioner, Approver, Auditor], [], KeepsChat;
    /// Planning an onboarding: the cloud is looked at, and nothing is changed there.
    PlanOnboarding = "onboarding.plan", [Provisioner], [Demo], ChangesOnboarding;
    /// Starting or resuming an onboarding.
    StartOnboarding = "onboarding.start", [Provisioner], [Demo], ChangesOnboarding;
    /// Agreeing to somebody else's onboarding.
    ApproveOnboarding = "onboarding.approve", [Approver], [], ChangesOnboarding;
    /// Giving an onboarding up.
    CancelOnboarding = "onboarding.cancel", [Provisioner], [], ChangesOnboarding;
    /// Writing down what was found and done in the cloud.
    RunOnboarding = "onboarding.run", [], [Worker], ChangesOnboarding;
    /// Comparing a customer with the cloud.
    VerifyCloud = "cloud.verify", [Viewer, Agent, Provisioner, Approver, Auditor], [Demo], Reads;
    /// Calling people, step by step.
    RunPages = "page.run", [], [Worker, Demo], ChangesTickets;
    /// Keeping the books on notices that are sent.
    KeepPages = "page.keep", [], [Worker, Bot, Demo], KeepsPages;
    /// Beginning a self-test, and hearing of it.
    WatchDesk = "watchdog.run", [], [Watchdog], ChangesTickets;
    /// Saying that one has it.
    AcknowledgePage = "page.acknowledge", [Agent, Provisioner, Approver], [Http], ChangesTickets;
    /// Calling the next people at once.
    EscalatePage = "page.escalate", [Agent, Provisioner, Approver], [], ChangesTickets;
    /// Calling people by hand.
    PageStaff = "page.send", [Agent, Provisioner, Approver], [], ChangesTickets;
    /// Changing how one can be reached, and trying it out; others' by an admin.
    ChangeChannel = "staff.channel", [Viewer, Agent, Provisioner, Approver, Auditor], [], ChangesChannels;
    /// Saying what is attested of somebody, and taking that back.
    AttestStaff = "staff.attest", [], [], ChangesStaff;
    /// Looking over who was given what.
    ReviewStaff = "staff.review", [Auditor], [], Reads;
    /// Reading who is on call.
    ReadRota = "oncall.read", [Viewer, Agent, Provisioner, Approver, Auditor], [Ingest, Worker, Bot, Demo], Reads;
    /// Saying who takes turns, and a temporary schedule in its place.
    ChangeSchedule = "oncall.schedule", [], [], ChangesRota;
    /// Saying who is on call whoever's turn it is; for others than oneself it takes an admin.
    OverrideRota = "oncall.override", [Agent], [], ChangesRota;
    /// Offering, taking and giving back shifts; for others than oneself it takes an admin.
    SwapShift = "oncall.swap", [Agent], [], ChangesRota;
    /// Saying when one is away; for others than oneself it takes an admin.
    EnterAbsence = "oncall.absence", [Agent], [], ChangesRota;
    /// Making the secret address of one's calendar; for others than oneself it takes an admin.
    ShareCalendar = "oncall.calendar", [Viewer, Agent, Provisioner, Approver, Auditor], [], ChangesRota;
    /// Adding or changing staff.
    ChangeStaff = "staff.set", [], [], ChangesStaff;
    /// Running a job again.
    RetryJob = "job.retry", [], [], ChangesJobs;
    /// Giving a job up.
    DropJob = "job.drop", [], [], ChangesJobs;
    /// Indexing what was stored before there was an index.
    FillIndex = "search.fill", [], [Worker, Demo], KeepsSearch;
}

/// What may be done in a direct message, with a button that was made for whoever presses it: a direct
/// message belongs to no server, so nothing else is answered there.
pub const IN_DIRECT_MESSAGES: &[&str] = &[AcknowledgePage::NAME, EscalatePage::NAME];

/// A customer changes tier, and its open tickets follow in the same unit of work.
impl ChangesTickets for ChangeCustomer {}
impl ChangesTickets for ImportCustomers {}
/// A self-test has a customer of its own, and settles the notice it was heard by.
impl ChangesDirectory for WatchDesk {}
impl KeepsPages for WatchDesk {}
/// Who was told what is part of the books on notices.
impl KeepsPages for RunPages {}
/// Whoever is concerned by a change of the rota is told of it in the same unit of work.
impl ChangesTickets for SwapShift {}
impl ChangesTickets for OverrideRota {}
impl ChangesTickets for EnterAbsence {}
/// An acknowledged test proves the channel it came through; a test is a page.
impl ChangesChannels for AcknowledgePage {}
/// A button on a page is used up with its effect, by the right that the effect asks for.
impl KeepsChat for AcknowledgePage {}
impl KeepsChat for EscalatePage {}
impl ChangesTickets for ChangeChannel {}
/// Mails and the position behind them commit together; so do an alarm and the note that it was raised.
impl KeepsMailboxes for ReceiveMail {}
impl KeepsMailboxes for RaiseMailAlarm {}
/// An onboarding reserves its customer's names, makes it active, and gives it back when given up.
impl ChangesDirectory for StartOnboarding {}
impl ChangesDirectory for RunOnboarding {}
impl ChangesDirectory for CancelOnboarding {}
/// Binding a ticket may put its sender into the directory.
impl ChangesDirectory for BindTicket {}
/// Removing what is due and erasing people reach into audit entries; a person's contact goes as well.
impl KeepsRecords for RunRetention {}
impl KeepsRecords for EraseData {}
impl ChangesDirectory for EraseData {}

/// The proof that an actor may do `A`, together with the transaction it was proven in.
#[derive(Debug)]
pub struct Permit<'tx, A: Action> {
    tx: &'tx mut Tx,
    actor: String,
    staff: Option<StaffId>,
    role: Option<Role>,
    subject: Subject,
    action: PhantomData<A>,
}

impl<A: Action> Permit<'_, A> {
    /// Who acts, as the audit trail writes it: `staff:NAME`, `os:LOGIN`, `system:ROLE`.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The staff row, where the actor has one.
    pub fn staff(&self) -> Option<StaffId> {
        self.staff
    }

    /// The role under which it was permitted; `None` for the program itself.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The transaction, for a change that must be audited before commit.
    pub(crate) fn change(&mut self) -> &mut Tx {
        self.tx.expect_audit();
        self.tx
    }

    /// Inserts rows as a change. None are no change, and owe no audit entry.
    pub(crate) async fn insert_all<R: BulkRow>(&mut self, rows: Vec<R>) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.change().insert_many(rows).await
    }

    /// The changes made so far have their audit entries.
    pub(crate) fn audit_written(&mut self) {
        self.tx.settle_audit();
    }

    /// Refuses a change to another ticket than the one that was asked about.
    pub(crate) fn check_ticket(&self, id: TicketId) -> Result<(), StoreError> {
        match self.subject {
            Subject::Ticket(permitted) if permitted != id => Err(StoreError::Inconsistent {
                table: "tickets",
                detail: format!("a permit for {permitted} was used on {id}"),
            }),
            _ => Ok(()),
        }
    }
}

impl<A: Action> Deref for Permit<'_, A> {
    type Target = Tx;
    fn deref(&self) -> &Tx {
        self.tx
    }
}

impl<A: Action> DerefMut for Permit<'_, A> {
    fn deref_mut(&mut self) -> &mut Tx {
        self.tx
    }
}

/// Asks whether `actor` may do `A` to `subject`, now, in this transaction.
pub async fn authorise<'tx, A: Action>(
    tx: &'tx mut Tx,
    actor: &Actor,
    _action: A,
    subject: Subject,
) -> Result<Permit<'tx, A>, crate::error::Error> {
    let permit = |tx, actor, staff, role| Permit {
        tx,
        actor,
        staff,
        role,
        subject,
        action: PhantomData,
    };
    let (staff, who) = match actor {
        Actor::System(role) if A::SYSTEM.contains(role) => {
            return Ok(permit(tx, format!("system:{role}"), None, None));
        }
        Actor::System(role) => return Err(denied(&format!("system:{role}"), A::NAME).into()),
        Actor::OsUser { name, .. } => {
            (store::staff::find_by_os_user(tx, name).await?, name.clone())
        }
        Actor::Discord(member) => (
            find_member::<A>(tx, member).await?,
            format!("discord:{}", member.user),
        ),
    };
    if let Some(staff) = staff {
        check_staff::<A>(&staff, actor)?;
        check_attributes(tx, &staff, A::NAME, subject).await?;
        let name = format!("staff:{}", staff.name);
        return Ok(permit(tx, name, Some(staff.id), Some(staff.role)));
    }
    if let Actor::OsUser {
        name,
        owns_configuration: true,
    } = actor
        && store::staff::count(tx).await? == 0
    {
        return Ok(permit(tx, format!("os:{name}"), None, Some(Role::Admin)));
    }
    let hint = match actor {
        Actor::Discord(member) => format!(
            "you are not on the staff yet; ask an admin to run: tierdesk staff link-discord NAME {}",
            member.user
        ),
        _ => "ask an admin to add you to the staff, or run it as the owner of the configuration"
            .to_owned(),
    };
    Err(denied(&who, A::NAME).with_hint(hint).into())
}

/// The member of staff who is this member of our guild, or who answers what was sent to them alone.
async fn find_member<A: Action>(
    tx: &mut Tx,
    member: &Member,
) -> Result<Option<Staff>, crate::error::Error> {
    if !member.is_in_our_guild {
        if member.is_direct && IN_DIRECT_MESSAGES.contains(&A::NAME) {
            let staff = store::staff::find_by_discord_user(tx, member.user).await?;
            if let Some(staff) = staff.filter(|staff| member.answers_for(staff.id)) {
                return Ok(Some(staff));
            }
        }
        return Err(denied(&format!("discord:{}", member.user), A::NAME)
            .with_hint("the desk answers in its own server only")
            .into());
    }
    Ok(store::staff::find_by_discord_user(tx, member.user).await?)
}

/// Whether somebody of the staff may do `A`, as who they are and where they do it.
fn check_staff<A: Action>(staff: &Staff, actor: &Actor) -> Result<(), Refusal> {
    if staff.status != StaffStatus::Active {
        return Err(denied(&staff.name, A::NAME).with_hint("an admin can enable you again"));
    }
    if staff.role != Role::Admin && !A::ROLES.contains(&staff.role) {
        let needed: Vec<&str> = A::ROLES.iter().map(|role| role.as_str()).collect();
        let hint = format!(
            "it needs the role {}",
            [&needed[..], &["admin"]].concat().join(" or ")
        );
        return Err(denied(&staff.name, A::NAME).with_hint(hint));
    }
    if let Actor::Discord(member) = actor
        && member.lacks.contains(&staff.role)
    {
        let hint = format!(
            "you lack the server's role for {}; ask whoever runs the server",
            staff.role
        );
        return Err(denied(&staff.name, A::NAME).with_hint(hint));
    }
    Ok(())
}

/// Whether what a ticket's tier and contract demand is attested of whoever works on it. Whoever is alone
/// at the desk cannot have anything attested by somebody else, and is let through; `staff review` says so.
async fn check_attributes(
    tx: &mut Tx,
    staff: &Staff,
    action: &str,
    subject: Subject,
) -> Result<(), crate::error::Error> {
    let Subject::Ticket(ticket) = subject else {
        return Ok(());
    };
    let demanded = store::staff::demanded(tx, ticket).await?;
    match missing(tx, staff.id, &demanded).await? {
        Some(lacking) => Err(denied(&staff.name, action)
            .with_hint(format!(
                "the customer's tier or contract asks for {lacking} of whoever works for them; an admin who \
                 has seen the proof runs: tierdesk staff attest {} {} --until DATE",
                staff.name,
                lacking.split(", ").next().unwrap_or_default()
            ))
            .into()),
        None => Ok(()),
    }
}

/// What of the demanded is not attested of somebody, in words.
pub(crate) async fn missing(
    tx: &mut Tx,
    staff: StaffId,
    demanded: &BTreeSet<Attribute>,
) -> Result<Option<String>, StoreError> {
    if demanded.is_empty() {
        return Ok(None);
    }
    let held = store::staff::attributes(tx, staff).await?;
    let lacking: Vec<&str> = demanded.difference(&held).map(Attribute::as_str).collect();
    if lacking.is_empty() || store::staff::is_alone(tx).await? {
        return Ok(None);
    }
    Ok(Some(lacking.join(", ")))
}

fn denied(who: &str, action: &str) -> Refusal {
    Refusal::new(
        RefusalCode::NotPermitted,
        format!("{who} may not do {action}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_names_are_unique_and_admins_are_never_listed() {
        let mut names: Vec<_> = ACTIONS.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTIONS.len());
        assert!(
            ACTIONS
                .iter()
                .all(|(_, roles, _)| !roles.contains(&Role::Admin))
        );
    }
}
