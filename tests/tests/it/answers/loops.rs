//! Two desks that write to each other, and two absent people whose programs answer for them, for a week: what
//! goes out beyond what people cause is counted.

use std::{collections::HashMap, time::Duration};

use tierdesk_core::{
    customers::{CustomerStatus, Slug},
    desk::customers::{NewCustomer, add},
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, MailDesk, SentMail, on_both, owner};

on_both! {
    a_week_of_two_desks_and_two_absent_people_brings_two_mails_at_most,
}

const A: &str = "support@securebase.example";
/// Of another desk, which is a customer of the first one's.
const B: &str = "help@acmefinance.com";
/// Her program says what it is.
const HONEST: &str = "john@acmefinance.com";
/// His program writes as if he did, to whatever comes, under another subject each time.
const RUDE: &str = "admin@startupcorp.io";

/// How the rude program is to write, and what servers on the way do.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// It has other words each time.
    varies: bool,
    /// It takes its time.
    is_slow: bool,
    /// A server between the desks takes off the header that says that a mail is automatic.
    strips: bool,
}

/// What went out in a week.
#[derive(Debug, Default)]
struct Week {
    /// What people wrote, to either desk or from it.
    by_people: usize,
    /// Receipts of both desks, by whom they went to.
    receipts: HashMap<String, usize>,
    /// Answers of the two programs.
    by_programs: usize,
}

impl Week {
    /// Each of the four wrote one mail that opened a ticket, so each is due one receipt.
    fn extra(&self) -> usize {
        self.receipts.values().map(|count| count - 1).sum()
    }
}

struct World {
    a: MailDesk,
    b: MailDesk,
    weather: Weather,
    week: Week,
}

impl World {
    async fn start(backend: Backend, weather: Weather) -> Self {
        let (a, b) = (
            MailDesk::start(backend).await,
            MailDesk::start_at(backend, B).await,
        );
        let new = NewCustomer {
            slug: Some(Slug::from_name("securebase").expect("a slug")),
            name: "SecureBase".to_owned(),
            tier: "standard".parse().expect("a tier"),
            domains: vec!["securebase.example".parse().expect("a domain")],
            contacts: vec![A.parse().expect("an address")],
            prefix: None,
            account_id: None,
            status: CustomerStatus::Active,
        };
        add(&b.test.desk, &owner(), new)
            .await
            .expect("it is a customer");
        Self {
            a,
            b,
            weather,
            week: Week::default(),
        }
    }

    fn pass(&self, span: Duration) {
        self.a.test.pass(span);
        self.b.test.pass(span);
    }

    /// A person writes to the first desk.
    async fn writes(&mut self, from: &str, id: &str) -> TicketNumber {
        self.week.by_people += 1;
        self.a.receive_on(&MailDesk::proven(from, id)).await
    }

    /// A colleague answers.
    async fn answers(&mut self, is_a: bool, number: TicketNumber, text: &str) {
        self.week.by_people += 1;
        let desk = if is_a { &self.a } else { &self.b };
        desk.reply(number, text).await;
    }

    /// Carries mail until nothing moves, or until there is no end to it.
    async fn settle(&mut self) {
        for _ in 0..50 {
            let (from_a, from_b) = (self.a.post_later().await, self.b.post_later().await);
            if from_a.is_empty() && from_b.is_empty() {
                return;
            }
            for mail in from_a {
                self.carry(true, mail).await;
            }
            for mail in from_b {
                self.carry(false, mail).await;
            }
        }
    }

    async fn carry(&mut self, is_from_a: bool, mut mail: SentMail) {
        let is_receipt = mail.header("Auto-Submitted").is_some();
        if is_receipt {
            *self
                .week
                .receipts
                .entry(mail.recipient.clone())
                .or_default() += 1;
        }
        if self.weather.strips {
            let text = String::from_utf8_lossy(&mail.raw).into_owned();
            let text = text.replace("Auto-Submitted: auto-replied\r\n", "");
            mail.raw = text
                .replace("X-Auto-Response-Suppress: All\r\n", "")
                .into_bytes();
        }
        match (is_from_a, mail.recipient.as_str()) {
            (true, B) => {
                let raw = MailDesk::vouched("securebase.example", &mail.raw);
                self.b.receive_raw(&raw).await;
            }
            (false, A) => {
                let raw = MailDesk::vouched("acmefinance.com", &mail.raw);
                self.a.receive_raw(&raw).await;
            }
            // Such programs leave automatic mail alone.
            (true, HONEST) if is_receipt => {}
            (true, HONEST) => {
                self.week.by_programs += 1;
                let away = MailDesk::proven(HONEST, &format!("away{}", self.week.by_programs))
                    .subject("Out of office")
                    .header("Auto-Submitted: auto-replied")
                    .body("I am away until Monday.");
                self.a.receive(&away).await;
            }
            (true, RUDE) => self.rude().await,
            (_, other) => panic!("who is {other}?"),
        }
    }

    async fn rude(&mut self) {
        let seconds = if self.weather.is_slow { 420 } else { 5 };
        self.pass(Duration::from_secs(seconds));
        self.week.by_programs += 1;
        let number = self.week.by_programs;
        let body = if self.weather.varies {
            format!("I am at sea. This is answer {number}.")
        } else {
            "I am at sea, and will read your mail when I am back.".to_owned()
        };
        let away: Letter = MailDesk::proven(RUDE, &format!("sea{number}"))
            .subject(&format!("I am away ({number})"))
            .body(&body);
        self.a.receive(&away).await;
    }

    /// A week in which people write on the first day, and are answered on every other one.
    async fn live(mut self) -> Week {
        // Somebody at the first desk writes to the second one from their mail program.
        let asks = MailDesk::proven(A, "asks").body("Do you take our mail?");
        self.week.by_people += 1;
        let on_b = self.b.receive_on(&asks).await;
        let john = self.writes(HONEST, "john").await;
        let admin = self.writes(RUDE, "admin").await;
        self.settle().await;
        // The second desk's answer, a person's words, opens a ticket at the first one.
        self.answers(false, on_b, "We do.").await;
        self.settle().await;
        for day in 1..7 {
            self.pass(Duration::from_hours(22));
            for number in [john, admin] {
                self.answers(true, number, &format!("Day {day}: we still look."))
                    .await;
            }
            self.answers(false, on_b, &format!("Day {day}: and you?"))
                .await;
            self.settle().await;
        }
        self.week
    }
}

async fn a_week_of_two_desks_and_two_absent_people_brings_two_mails_at_most(backend: Backend) {
    let tell = |what: &str, week: &Week| {
        println!(
            "{backend:?}, {what}: {} mails by people, {} answers of programs, {} receipts, {} more \
             than one each",
            week.by_people,
            week.by_programs,
            week.receipts.values().sum::<usize>(),
            week.extra()
        );
    };
    let plain = Weather::default();
    for (what, weather) in [
        ("as it is", plain),
        (
            "a header lost on the way",
            Weather {
                strips: true,
                ..plain
            },
        ),
        (
            "other words each time",
            Weather {
                varies: true,
                ..plain
            },
        ),
        (
            "the same words, slowly",
            Weather {
                is_slow: true,
                ..plain
            },
        ),
    ] {
        let week = World::start(backend, weather).await.live().await;
        tell(what, &week);
        for told in [A, B, HONEST, RUDE] {
            assert!(week.receipts.contains_key(told), "{told}: {week:?}");
        }
        assert!(week.by_programs >= 12, "the programs answered");
        assert!(week.extra() <= 2, "{week:?}");
    }
    // Positive control: a program that cannot be told from a person by what it does gets what a person would,
    // within the budgets of the hour and the day.
    let person = Weather {
        varies: true,
        is_slow: true,
        ..plain
    };
    let week = World::start(backend, person).await.live().await;
    tell("as a person would", &week);
    assert!((3..=140).contains(&week.extra()), "{week:?}");
}
