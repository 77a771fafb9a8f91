//! Onboarding from chat: planned, started, told step by step, active; approved by somebody else where
//! the tier asks for it; and nothing of a strict tier's customer in any request.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tierdesk_core::{
    cloud::Cloud,
    customers::CustomerStatus,
    desk::{
        customers,
        onboard::{self, PlanRequest},
    },
    jobs::{JobState, worker::Worker},
    staff::Role,
    store::jobs,
};
use tierdesk_provision::{ObserveCloud, ProvisionStep, SimulatedCloud, simulated::Pace};
use tierdesk_tests::{Backend, GuildDesk, Letter, on_both, owner};

on_both! {
    from_a_mail_to_an_active_customer,
    another_person_approves_and_little_is_told,
    the_strictest_tier_is_not_planned_in_chat,
}

fn cloud_worker(desk: &GuildDesk) -> Worker {
    let cloud = SimulatedCloud::new(desk.test.desk.database.clone(), Pace::REAL);
    let cloud: Arc<dyn Cloud> = Arc::new(cloud);
    let inner = Arc::new(desk.test.desk.clone());
    let observe = Arc::new(ObserveCloud {
        desk: Arc::clone(&inner),
        cloud: Arc::clone(&cloud),
    });
    let provision = Arc::new(ProvisionStep { desk: inner, cloud });
    let database = desk.test.desk.database.clone();
    Worker::new(database, "cloud", vec![observe, provision])
}

/// Does every job, the cloud's and the bot's, and moves the clock to the next one, until none is left.
async fn settle(desk: &GuildDesk) {
    let cloud = cloud_worker(desk);
    for _ in 0..2_000 {
        cloud.drain().await.expect("the queue is read");
        desk.worker().drain().await.expect("the queue is read");
        let mut tx = desk
            .test
            .desk
            .database
            .begin_read()
            .await
            .expect("it begins");
        let states = [JobState::Queued, JobState::Leased];
        let waiting = jobs::list(&mut tx, &states, 100).await.expect("it lists");
        let now = tx.now();
        let next = waiting.iter().map(|job| job.run_at.since(now)).min();
        drop(tx);
        let Some(next) = next else { return };
        desk.test.pass(next.max(Duration::from_millis(100)));
    }
    panic!("jobs are left over");
}

/// Plans from chat while the cloud's worker is at work, and gives the answer.
async fn plan(desk: &GuildDesk, user: u64, options: serde_json::Value) -> String {
    let planned = desk.discord.command(user, "onboard plan", options);
    let work = async {
        let worker = cloud_worker(desk);
        for _ in 0..100 {
            worker.drain().await.expect("the queue is read");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (answer, ()) = tokio::join!(planned, work);
    answer.settled().await.text()
}

fn request(name: &str, tier: &str, domain: &str) -> PlanRequest {
    PlanRequest {
        name: name.to_owned(),
        tier: tier.parse().expect("a tier"),
        contact: format!("quartzops@{domain}").parse().expect("an address"),
        domain: domain.parse().expect("a domain"),
        prefix: None,
        chat_channel: None,
    }
}

/// The story of the whole: a mail comes in, its card is worked, and a customer is onboarded.
async fn from_a_mail_to_an_active_customer(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.test
        .receive(&Letter::new("john@acmefinance.com", "a").subject("Dashboard error"))
        .await;
    settle(&desk).await;
    let card = desk.card("support-fintech").id;
    desk.discord.press(desk.dana, card, "Take").await;
    settle(&desk).await;
    let asked = desk.discord.press(desk.dana, card, "Close").await;
    let menu = asked.message().expect("a menu is offered").id;
    desk.discord
        .select(desk.dana, menu, "Reason", &["done"])
        .await;
    settle(&desk).await;
    assert!(desk.thread("support-fintech").is_archived);

    let pat = desk.hire("pat", Role::Provisioner).await;
    let options = json!({ "name": "New Bank", "tier": "fintech", "contact": "ops@newbank.example", "domain": "newbank.example" });
    let planned = plan(&desk, pat, options).await;
    assert!(planned.contains("Nothing was changed"), "{planned}");
    assert!(planned.contains("create"), "{planned}");
    let runs = desk
        .discord
        .autocomplete(pat, "onboard start", "run", "new bank")
        .await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    let start = planned
        .split("/onboard start run:")
        .nth(1)
        .expect("it says how to start");
    let hash: String = start.chars().take_while(char::is_ascii_hexdigit).collect();
    let started = desk
        .discord
        .command(pat, "onboard start", json!({ "run": hash }))
        .await;
    assert!(started.text().contains("It runs"), "{started:?}");
    settle(&desk).await;
    let threads = desk.threads("support-fintech");
    let told = threads
        .iter()
        .find(|thread| thread.name.starts_with("Onboarding "));
    let told = told.expect("progress has its thread");
    let lines = desk.discord.messages_in(told.id);
    let text: Vec<String> = lines.iter().map(|line| line.content.clone()).collect();
    let text = text.join("\n");
    for said in ["**account** done", "**assignments** done", "**Done.**"] {
        assert!(text.replace('\\', "").contains(said), "{said}: {text}");
    }
    let once = text.matches("**Done.**").count();
    assert_eq!(once, 1, "{text}");
    let known = customers::show(&desk.test.desk, &owner(), "new-bank").await;
    assert_eq!(known.expect("it is known").status, CustomerStatus::Active);
    let shown = desk
        .discord
        .command(pat, "customer show", json!({ "who": "New Bank" }))
        .await;
    assert!(shown.text().contains("active"), "{shown:?}");
    let status = desk
        .discord
        .command(pat, "onboard status", json!({ "run": hash }))
        .await;
    assert!(status.text().contains("done"), "{status:?}");
    let list = desk.discord.command(pat, "onboard list", json!({})).await;
    assert!(list.text().contains("New Bank"), "{list:?}");
    let refused = desk
        .discord
        .command(desk.dana, "onboard start", json!({ "run": hash }))
        .await;
    assert!(
        refused.text().contains("may not do"),
        "an agent may not: {refused:?}"
    );
    desk.end().await;
}

async fn another_person_approves_and_little_is_told(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let pat = desk.hire("pat", Role::Provisioner).await;
    let amy = desk.hire("amy", Role::Approver).await;
    let options = json!({ "name": "Quartz Clinic", "tier": "healthcare", "contact": "ops@quartz.example", "domain": "quartz.example" });
    let refused = desk.discord.command(pat, "onboard plan", options).await;
    assert!(
        refused.text().contains("not planned in chat"),
        "{refused:?}"
    );

    let before = desk.discord.requests().len();
    let request = request("Quartz Clinic", "healthcare", "quartzclinic.example");
    let planned = onboard::plan(&desk.test.desk, &owner(), request).await;
    let run = planned.expect("it is planned in the terminal").run;
    settle(&desk).await;
    let start = json!({ "run": run });
    let started = desk
        .discord
        .command(pat, "onboard start", start.clone())
        .await;
    assert!(started.text().contains("approval"), "{started:?}");
    let own = desk
        .discord
        .command(pat, "onboard approve", start.clone())
        .await;
    assert!(own.text().contains("Not done"), "{own:?}");
    settle(&desk).await;
    let approved = desk
        .discord
        .command(amy, "onboard approve", start.clone())
        .await;
    assert!(approved.text().contains("approval counts"), "{approved:?}");
    let again = desk.discord.command(amy, "onboard approve", start).await;
    assert!(again.text().contains("Not done"), "{again:?}");
    settle(&desk).await;
    let known = customers::show(&desk.test.desk, &owner(), "quartz-clinic").await;
    assert_eq!(known.expect("it is known").status, CustomerStatus::Active);
    let requests = desk.discord.requests();
    let sent: Vec<String> = requests[before..]
        .iter()
        .map(|request| format!("{} {}", request.path, request.body))
        .collect();
    let sent = sent.join(
        "
",
    );
    assert!(
        sent.contains("Quartz Clinic"),
        "the name may be shown at this level"
    );
    for hidden in ["quartzops", "quartzclinic", "quartz-clinic"] {
        assert!(
            !sent.contains(hidden),
            "{hidden}: address, domain and handle stay here"
        );
    }
    desk.end().await;
}

async fn the_strictest_tier_is_not_planned_in_chat(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let request = request("Quartz Agency", "gov-federal", "quartzagency.example");
    let planned = onboard::plan(&desk.test.desk, &owner(), request).await;
    let run = planned.expect("it is planned in the terminal").run;
    settle(&desk).await;
    let pat = desk.hire("pat", Role::Provisioner).await;
    let amy = desk.hire("amy", Role::Approver).await;
    let zoe = desk.hire("zoe", Role::Approver).await;
    let named = json!({ "run": run });
    let started = desk
        .discord
        .command(pat, "onboard start", named.clone())
        .await;
    assert!(started.text().contains("Client"), "by alias: {started:?}");
    for approver in [amy, zoe] {
        desk.discord
            .command(approver, "onboard approve", named.clone())
            .await;
    }
    settle(&desk).await;
    let status = desk.discord.command(pat, "onboard status", named).await;
    assert!(status.text().contains("done"), "{status:?}");
    let runs = desk
        .discord
        .autocomplete(pat, "onboard status", "run", "")
        .await;
    assert_eq!(runs.len(), 1);
    let sent = desk.discord.everything_sent().to_lowercase();
    assert!(
        !sent.contains("quartz"),
        "neither name nor address nor domain"
    );
    assert!(sent.contains("onboarding"), "positive control: it was told");
    desk.end().await;
}
