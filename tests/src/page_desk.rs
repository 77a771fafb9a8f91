//! A desk at night: a rota, people with channels, and an outside that writes down who was told when.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tierdesk_core::{
    clock::Timestamp,
    desk::{
        Desk, oncall,
        paging::{
            channels::{self, NewChannel},
            deliver, engine,
        },
        staff::{self, NewStaff, StaffPatch, register_first_admin},
    },
    ids::NoticeId,
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind, worker::Worker},
    paging::{Channel, Signal, next_try},
    permit::Actor,
    staff::Role,
    store::staff as staff_rows,
};

use crate::{Backend, MailDesk, owner, test_desk::START};

/// Who works here: name, and what they are to the rota.
const PEOPLE: &[&str] = &["ada", "ben", "pia", "sid", "eve"];

/// Schedules for every tier: ada and ben take turns by the week, roles are somebody's for good.
pub const ROTA: &str = r#"
[[schedule]]
slug = "gov-federal"
zone = "UTC"
[[schedule.rotation]]
layer = "primary"
people = ["ada", "ben"]
every = "1 week"
starts = "2026-11-16 00:00"
[[schedule.rotation]]
layer = "secondary"
people = ["ben", "ada"]
every = "1 week"
starts = "2026-11-16 00:00"

[[schedule]]
slug = "platform-lead"
zone = "UTC"
[[schedule.rotation]]
layer = "primary"
people = ["pia"]
every = "1 week"
starts = "2026-11-16 00:00"

[[schedule]]
slug = "security-lead"
zone = "UTC"
[[schedule.rotation]]
layer = "primary"
people = ["sid"]
every = "1 week"
starts = "2026-11-16 00:00"

[[schedule]]
slug = "engineering-director"
zone = "UTC"
[[schedule.rotation]]
layer = "primary"
people = ["eve"]
every = "1 week"
starts = "2026-11-16 00:00"
"#;

/// Somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Seconds since the desk began.
    pub at: u64,
    /// Who; the target for a webhook or an address of the desk.
    pub who: String,
    /// How.
    pub channel: Channel,
    /// What it says.
    pub signal: Signal,
    /// Whether it calls them, and is more than something to know.
    pub calls: bool,
    /// Its first line.
    pub title: String,
    /// The others.
    pub lines: Vec<String>,
    /// The notice.
    pub id: NoticeId,
    /// Its code.
    pub code: Option<String>,
}

/// The outside, as the senders of notices find it.
#[derive(Debug, Default)]
pub struct Outside {
    told: Mutex<Vec<Told>>,
    /// Channels that are away: nothing can be sent there now.
    away: Mutex<BTreeSet<Channel>>,
    /// Channels that refuse for good.
    refuses: Mutex<BTreeSet<Channel>>,
    read: Mutex<usize>,
}

/// Hands notices of one kind over to an [`Outside`].
#[derive(Debug)]
struct Sender {
    desk: Arc<Desk>,
    outside: Arc<Outside>,
    kind: JobKind,
}

impl Handler for Sender {
    fn kind(&self) -> &str {
        self.kind.as_str()
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let payload: serde_json::Value =
                serde_json::from_str(&job.payload).expect("it is JSON");
            let id = payload["notice"].as_str().expect("it names a notice");
            let id: NoticeId = id.parse().expect("it is an id");
            let begun = deliver::begin(&self.desk, id).await.expect("it begins");
            let Some(dispatch) = begun else {
                return Ok(());
            };
            let notice = &dispatch.notice;
            let is = |set: &Mutex<BTreeSet<Channel>>| locked(set).contains(&notice.channel);
            if is(&self.outside.refuses) {
                let failed = deliver::failed(&self.desk, notice, "no such address").await;
                failed.expect("it is recorded");
                return Err(JobError::Fail("no such address".to_owned()));
            }
            if is(&self.outside.away) {
                let age = deliver::age(&self.desk, notice);
                let Some(wait) = next_try(notice.attempts, age, 0) else {
                    let failed = deliver::failed(&self.desk, notice, "given up").await;
                    failed.expect("it is recorded");
                    return Err(JobError::Fail("given up".to_owned()));
                };
                let put = deliver::postponed(&self.desk, notice, "it is away", false).await;
                put.expect("it is recorded");
                return Err(JobError::RetryAfter(wait, "it is away".to_owned()));
            }
            let who = match notice.staff_id {
                Some(id) => {
                    let mut tx = self.desk.database.begin_read().await.expect("it begins");
                    let everybody = staff_rows::list(&mut tx).await.expect("it is read");
                    let found = everybody.into_iter().find(|one| one.id == id);
                    found.expect("they work here").name
                }
                None => notice.target.clone(),
            };
            locked(&self.outside.told).push(Told {
                at: dispatch.at.since(START).as_secs(),
                who,
                channel: notice.channel,
                signal: notice.signal,
                calls: dispatch.kind.calls(),
                title: dispatch.text.title.clone(),
                lines: dispatch.text.lines.clone(),
                id: notice.id,
                code: notice.code.clone(),
            });
            deliver::sent(&self.desk, notice, job, "ok", None).await
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A desk at night.
pub struct PageDesk {
    /// The desk and its mail.
    pub mail: MailDesk,
    /// What is around it.
    pub outside: Arc<Outside>,
}

/// Somebody of the staff, at a terminal.
pub fn login(name: &str) -> Actor {
    Actor::OsUser {
        name: name.to_owned(),
        owns_configuration: false,
    }
}

impl PageDesk {
    /// With people, a rota for every tier, and one webhook.
    pub async fn start(backend: Backend) -> Self {
        Self::on(MailDesk::start(backend).await).await
    }

    /// The same with a key, under which people's webhooks are sealed.
    pub async fn sealing(backend: Backend) -> Self {
        Self::on(MailDesk::sealing(backend, &"5e".repeat(32)).await).await
    }

    async fn on(mut mail: MailDesk) -> Self {
        mail.test.desk.webhooks = vec!["pagerduty".to_owned()];
        mail.test.desk.catch_all = vec!["lead@securebase.example".parse().expect("an address")];
        let desk = Self {
            mail,
            outside: Arc::default(),
        };
        desk.hire().await;
        let tiers = ["healthcare", "fintech", "standard"];
        let rota = tiers.iter().fold(ROTA.to_owned(), |rota, tier| {
            let first = ROTA.split("\n\n").next().expect("it has a schedule");
            rota + "\n" + &first.replace("gov-federal", tier)
        });
        desk.rota(&rota).await;
        desk
    }

    /// The desk itself.
    pub fn desk(&self) -> &Desk {
        &self.mail.test.desk
    }

    /// Brings the rota in line with this text.
    pub async fn rota(&self, text: &str) {
        oncall::set_schedules(self.desk(), &owner(), text, "rota.toml", false)
            .await
            .expect("the rota is set");
    }

    async fn hire(&self) {
        register_first_admin(self.desk(), &owner())
            .await
            .expect("it registers");
        for name in PEOPLE {
            let new = NewStaff {
                name: (*name).to_owned(),
                role: Role::Agent,
                os_user: Some((*name).to_owned()),
                discord_user_id: None,
                reason: None,
            };
            staff::add(self.desk(), &owner(), new)
                .await
                .expect("they are added");
            self.add_mail(name).await;
            for attribute in ["screened", "hipaa-trained"] {
                let until = START.plus(Duration::from_hours(24 * 365));
                let what = attribute.parse().expect("it names an attribute");
                staff::attest(self.desk(), &owner(), name, what, until, None)
                    .await
                    .expect("it is attested");
            }
        }
    }

    /// Somebody can be reached by mail.
    pub async fn add_mail(&self, name: &str) {
        let address = format!("{name}@staff.example");
        let address = address.parse().expect("it is an address");
        channels::add(self.desk(), &owner(), name, NewChannel::Mail(address), None)
            .await
            .expect("the channel is added");
    }

    /// Nobody gives this member of staff anything any more.
    pub async fn disable(&self, name: &str) {
        let patch = StaffPatch {
            status: Some(tierdesk_core::staff::StaffStatus::Disabled),
            ..StaffPatch::default()
        };
        staff::set(self.desk(), &owner(), name, patch)
            .await
            .expect("they are disabled");
    }

    /// Whoever hands notices over.
    pub fn worker(&self) -> Worker {
        let desk = Arc::new(self.desk().clone());
        let sender = |kind| -> Arc<dyn Handler> {
            Arc::new(Sender {
                desk: Arc::clone(&desk),
                outside: Arc::clone(&self.outside),
                kind,
            })
        };
        let kinds = [
            JobKind::SendPageChat,
            JobKind::SendPageMail,
            JobKind::SendPageWebhook,
        ];
        let database = self.desk().database.clone();
        Worker::new(database, "pages", kinds.map(sender).to_vec())
    }

    /// What the desk does by itself at this instant, until nothing is left to do now.
    pub async fn work(&self) {
        let worker = self.worker();
        loop {
            let advanced = engine::advance(self.desk()).await.expect("it advances");
            let sent = worker.drain().await.expect("the queue can be read");
            if advanced.pages == 0 && sent == 0 {
                break;
            }
        }
    }

    /// Lets the time pass second by second, as far as something happens in it.
    pub async fn pass(&self, span: Duration) {
        self.work().await;
        let end = self.mail.test.clock.read().plus(span);
        let step = Duration::from_secs(10);
        while self.mail.test.clock.read() < end {
            let left = end.since(self.mail.test.clock.read());
            self.mail.test.pass(step.min(left));
            self.work().await;
        }
    }

    /// A channel is away, or is there again.
    pub fn set_away(&self, channel: Channel, is_away: bool) {
        let mut away = locked(&self.outside.away);
        if is_away {
            away.insert(channel);
        } else {
            away.remove(&channel);
        }
    }

    /// A channel refuses for good.
    pub fn set_refusing(&self, channel: Channel) {
        locked(&self.outside.refuses).insert(channel);
    }

    /// Who was told since the last time this was asked.
    pub fn told(&self) -> Vec<Told> {
        let told = locked(&self.outside.told);
        let mut read = locked(&self.outside.read);
        let new = told[*read..].to_vec();
        *read = told.len();
        new
    }

    /// The same as minute and name, for those who were called.
    pub fn called(&self) -> Vec<(u64, String)> {
        let told = self.told().into_iter();
        told.filter(|one| one.signal == Signal::Trigger && one.calls)
            .map(|one| (one.at / 60, one.who))
            .collect()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.mail.test.clock.read()
    }

    /// Every page will reach somebody.
    pub async fn is_healthy(&self) {
        let health = engine::check(self.desk()).await.expect("it is checked");
        assert_eq!(health.broken, Vec::<String>::new());
    }
}
