//! `discord setup`: says what it would make, makes it, finds it again, and refuses an open channel.

use tierdesk_bot::{Bot, setup::SetupError};
use tierdesk_tests::{
    Backend, TestDesk,
    discord::{ChannelKind, FakeDiscord},
    make_bot,
};

const FORUMS: [&str; 5] = [
    "support-gov-federal",
    "support-healthcare",
    "support-fintech",
    "support-standard",
    "support-triage",
];

fn bot(discord: &FakeDiscord, test: &TestDesk) -> std::sync::Arc<Bot> {
    make_bot(&test.desk, discord, std::collections::BTreeMap::new())
}

#[tokio::test]
async fn what_is_missing_is_made_once() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let discord = FakeDiscord::start().await;
    let bot = bot(&discord, &test);
    let planned = bot.set_up(true).await.expect("it can be planned");
    let changing = |discord: &FakeDiscord| {
        let requests = discord.requests();
        requests.iter().filter(|one| one.method != "GET").count()
    };
    assert_eq!(changing(&discord), 0, "a plan changes nothing");
    let makes = planned.steps.iter().filter(|step| step.verdict == "make");
    assert_eq!(makes.count(), FORUMS.len() + 6);

    let done = bot.set_up(false).await.expect("it is set up");
    assert_eq!(changing(&discord), FORUMS.len() + 6);
    for name in FORUMS {
        let channel = discord.channel_by_name(name).expect("it was made");
        assert_eq!(channel.kind, ChannelKind::Forum, "{name}");
        assert!(channel.tags.len() >= 6, "{name}: {:?}", channel.tags);
        let id = channel.id.to_string();
        assert!(
            done.configuration.contains(&id),
            "{name}: {}",
            done.configuration
        );
    }
    let again = bot.set_up(false).await.expect("once more");
    assert_eq!(changing(&discord), FORUMS.len() + 6, "nothing twice");
    assert!(
        again.steps.iter().all(|step| step.verdict == "there"),
        "{again:?}"
    );
    assert_eq!(again.configuration, done.configuration);
    let settings = tierdesk_core::settings::Settings::parse(
        Some(("printed.toml", &done.configuration)),
        std::iter::empty(),
    );
    let settings = settings.expect("what is printed can be pasted");
    assert_eq!(settings.discord.channels.len(), FORUMS.len());
    assert_eq!(settings.discord.roles.len(), 6);
    discord.assert_clean();
}

#[tokio::test]
async fn an_open_channel_of_a_restricted_tier_is_refused() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let discord = FakeDiscord::start().await;
    let open = discord.add_forum("support-healthcare", &[]);
    discord.add_forum("support-fintech", &["new"]);
    let bot = bot(&discord, &test);
    for is_dry in [true, false] {
        let refused = bot.set_up(is_dry).await.expect_err("everybody sees it");
        let SetupError::Open(message) = refused else {
            panic!("{refused:?}");
        };
        assert!(message.contains("#support-healthcare"), "{message}");
    }
    assert!(
        discord.channel_by_name("support-triage").is_none(),
        "nothing was made"
    );
    discord.hide_from_everyone(open);
    let done = bot.set_up(false).await.expect("it is hidden now");
    let changed = done.steps.iter().filter(|step| step.verdict == "change");
    assert_eq!(changed.count(), 2, "tags were missing: {done:?}");
    discord.assert_clean();
}
