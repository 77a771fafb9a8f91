//! One whole onboarding a tier, done by the saga's own code with the real SDK: at our own server and
//! at moto the organisation must look the same in the end.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    cloud::Cloud,
    desk::{
        Desk,
        onboard::{self, PlanRequest, RunReport, StartOptions},
    },
    jobs::{JobState, worker::Worker},
    onboarding::Blueprint,
    settings::AwsSettings,
    store::jobs,
    tiers::{Catalogue, Tier},
};
use tierdesk_provision::{
    ObserveCloud, ProvisionStep,
    simulated::{Pace, Simulated},
    verify,
};
use tierdesk_tests::{Backend, TestDesk, aws_server::AwsServer, moto::Moto, owner};

use super::picture::picture;

/// A desk whose cloud is AWS.
struct Stage {
    test: TestDesk,
    desk: Desk,
    cloud: Arc<dyn Cloud>,
}

impl Stage {
    fn new(test: TestDesk, settings: &AwsSettings, cloud: impl Cloud + 'static) -> Self {
        let blueprint = Blueprint {
            is_real: true,
            organization_id: settings.organization_id.clone(),
            root_email_template: settings.root_email_template.clone(),
            ..Blueprint::embedded()
        };
        let desk = Desk {
            blueprint: Arc::new(blueprint),
            ..test.desk.clone()
        };
        let cloud = Arc::new(cloud);
        Self { test, desk, cloud }
    }

    /// Does due jobs and moves the clock to the next one, until none is left.
    async fn settle(&self) {
        let desk = Arc::new(self.desk.clone());
        let observe = Arc::new(ObserveCloud {
            desk: Arc::clone(&desk),
            cloud: Arc::clone(&self.cloud),
        });
        let provision = Arc::new(ProvisionStep {
            desk: Arc::clone(&desk),
            cloud: Arc::clone(&self.cloud),
        });
        let worker = Worker::new(desk.database.clone(), "aws", vec![observe, provision]);
        for _ in 0..500 {
            worker.drain().await.expect("the queue is read");
            let mut tx = desk.database.begin_read().await.expect("it begins");
            let open = [JobState::Queued, JobState::Leased];
            let waiting = jobs::list(&mut tx, &open, 100).await.expect("a list");
            let now = tx.now();
            drop(tx);
            let Some(next) = waiting.iter().map(|job| job.run_at.since(now)).min() else {
                return;
            };
            self.test.pass(next.max(Duration::from_millis(100)));
        }
        panic!("jobs are left over");
    }

    async fn onboard(&self, tier: &Tier) -> RunReport {
        let request = PlanRequest {
            name: "New Bank".to_owned(),
            tier: tier.slug.clone(),
            contact: "ops@newbank.com".parse().expect("an address"),
            domain: "newbank.com".parse().expect("a domain"),
            prefix: None,
            chat_channel: None,
        };
        let planned = onboard::plan(&self.desk, &owner(), request).await;
        let run = planned.expect("it is planned").run;
        self.settle().await;
        let options = StartOptions {
            sole_operator: (tier.approvals > 0).then(|| "a test".to_owned()),
            ..StartOptions::default()
        };
        let started = onboard::start(&self.desk, &owner(), &run, options).await;
        started.expect("it is started");
        self.settle().await;
        let status = onboard::status(&self.desk, &owner(), &run).await;
        status.expect("it is known")
    }

    async fn check(&self, tier: &Tier) {
        let done = self.onboard(tier).await;
        assert_eq!(done.state, "done", "{}: {done:#?}", tier.slug);
        assert_eq!(done.ou.as_deref(), Some(tier.ou.as_str()));
        assert!(done.account_id.is_some());
        let drift = verify(&self.desk, &*self.cloud, &owner(), "new-bank").await;
        let drift = drift.expect("it is compared");
        assert!(drift.ok, "{}: {drift:#?}", tier.slug);
    }
}

/// Onboards at both and compares.
async fn compare(slug: &str) {
    let catalogue = Catalogue::embedded();
    let tier = catalogue.iter().find(|tier| tier.slug.as_str() == slug);
    let tier = tier.expect("a tier of the catalogue");
    let test = TestDesk::new(Backend::Sqlite).await;
    let machine = Simulated::new(7, Pace::REAL);
    let server = AwsServer::start(machine, test.clock.clone()).await;
    let ours = Stage::new(test, &server.settings(), server.cloud().await);
    ours.check(tier).await;
    assert_eq!(server.received("CreateAccount"), 1);

    let moto = Moto::organization();
    let test = TestDesk::new(Backend::Sqlite).await;
    let theirs = Stage::new(test, &moto.settings(), moto.cloud().await);
    theirs.check(tier).await;

    let held = server.machine(|machine| machine.picture());
    let names = |part: &str| -> Vec<String> {
        serde_json::from_value(held[part].clone()).expect("a list of names")
    };
    let (groups, users) = (names("groups"), names("users"));
    assert!(!groups.is_empty() && !users.is_empty());
    let at_ours = picture(&*ours.cloud, &groups, &users).await;
    let at_moto = picture(&*theirs.cloud, &groups, &users).await;
    assert_eq!(at_ours, at_moto);
    let held = |part: &str| at_ours[part].as_array().map(Vec::len);
    assert_eq!(held("policies"), Some(tier.scps.len()));
    assert_eq!(held("assignments"), Some(tier.permission_sets.len()));
}

macro_rules! tiers {
    ($($name:ident = $slug:literal,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                compare($slug).await;
            }
        )+

        #[test]
        fn no_tier_is_left_out() {
            let catalogue = Catalogue::embedded();
            let all: Vec<&str> = catalogue.iter().map(|tier| tier.slug.as_str()).collect();
            assert_eq!(all, [$($slug),+]);
        }
    };
}

tiers! {
    gov_federal = "gov-federal",
    healthcare = "healthcare",
    fintech = "fintech",
    standard = "standard",
}
