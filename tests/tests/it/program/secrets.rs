//! 300 secrets in mails, of shapes and in sentences that the masker's own tests do not use: how many are
//! found, and that none that was found is in any text of the database or line of the finest log.

use tierdesk_tests::{Backend, look_into, on_both};

use super::with_customers;

on_both! {
    secrets_in_mails_are_in_no_text_and_no_log,
}

/// A generator that gives the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, of: &str, length: usize) -> String {
        let letters: Vec<char> = of.chars().collect();
        (0..length)
            .map(|_| {
                // Knuth's MMIX constants.
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(self.0 >> 33).unwrap_or_default() % letters.len();
                letters[at]
            })
            .collect()
    }
}

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Where each shape stands in words of its own: what stands before the secret, and the secret.
fn shapes(dice: &mut Dice) -> Vec<(&'static str, String)> {
    vec![
        ("access key id ", format!("AKIA{}", dice.roll(UPPER, 16))),
        ("aws_secret_access_key = ", dice.roll(BASE64, 40)),
        ("GITHUB_TOKEN=", format!("ghp_{}", dice.roll(ALNUM, 36))),
        (
            "",
            format!(
                "github_pat_{}_{}",
                dice.roll(ALNUM, 22),
                dice.roll(ALNUM, 59)
            ),
        ),
        ("", format!("glpat-{}", dice.roll(ALNUM, 20))),
        (
            "",
            format!(
                "xoxb-{}-{}-{}",
                dice.roll("0123456789", 12),
                dice.roll("0123456789", 12),
                dice.roll(ALNUM, 24)
            ),
        ),
        (
            "https://hooks.slack.com/services/",
            format!(
                "T{}/B{}/{}",
                dice.roll(UPPER, 8),
                dice.roll(UPPER, 8),
                dice.roll(ALNUM, 24)
            ),
        ),
        ("", format!("sk_live_{}", dice.roll(ALNUM, 24))),
        ("", format!("AIza{}", dice.roll(ALNUM, 35))),
        ("", format!("npm_{}", dice.roll(ALNUM, 36))),
        (
            "",
            format!(
                "eyJhbGciOiJIUzI1NiJ9.{}.{}",
                dice.roll(ALNUM, 60),
                dice.roll(ALNUM, 43)
            ),
        ),
        ("Authorization: Bearer ", dice.roll(ALNUM, 40)),
        (
            "password: ",
            format!("{}!{}", dice.roll(ALNUM, 8), dice.roll("0123456789", 4)),
        ),
        ("Das Passwort lautet: ", dice.roll(ALNUM, 14)),
        ("mot de passe : ", dice.roll(ALNUM, 12)),
        ("postgres://app:", dice.roll(ALNUM, 20)),
        ("client_secret=", dice.roll(ALNUM, 32)),
        ("api_key: ", dice.roll(HEX, 32)),
        ("", format!("dop_v1_{}", dice.roll(HEX, 64))),
        ("", format!("hvs.{}", dice.roll(ALNUM, 28))),
        (
            "",
            format!("SG.{}.{}", dice.roll(ALNUM, 22), dice.roll(ALNUM, 43)),
        ),
        ("X-Api-Key: ", dice.roll(ALNUM, 32)),
        ("\"token\": \"", dice.roll(ALNUM, 40)),
        ("DB_PASSWORD=", dice.roll(ALNUM, 18)),
        ("contraseña: ", dice.roll(ALNUM, 12)),
    ]
}

/// Sentences that people write around one; `@` stands for it.
const SENTENCES: [&str; 12] = [
    "Hello,\r\n\r\nwe use this one:\r\n@\r\nBest, Ann\r\n",
    "It fails with @ since Monday.\r\n",
    "1. open the console\r\n2. @\r\n3. press save\r\n",
    "$ curl -H '@' https://api.example/v1\r\nHTTP/1.1 403\r\n",
    "> You asked for it:\r\n> @\r\n\r\nIs that right?\r\n",
    "# .env of the staging host\r\n@\r\nLOG=debug\r\n",
    "(@)\r\n",
    "Grüße aus Köln, hier: @ – danke!\r\n",
    "2026-11-24T09:12:00Z ERROR login refused @ attempt=3\r\n",
    "<@>\r\n",
    "first line\r\n\t@\r\nlast line\r\n",
    "@\r\n",
];

async fn secrets_in_mails_are_in_no_text_and_no_log(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let mut dice = Dice(20_261_124);
    let (mut mbox, mut secrets) = (String::new(), Vec::new());
    for (round, sentence) in SENTENCES.iter().enumerate() {
        for (number, (before, secret)) in shapes(&mut dice).into_iter().enumerate() {
            let after = match before {
                "postgres://app:" => "@db.internal/app",
                "\"token\": \"" => "\"",
                _ => "",
            };
            let text = sentence.replace('@', &format!("{before}{secret}{after}"));
            mbox.extend([format!(
                "From x Tue Nov 24 09:00:00 2026\nFrom: admin@startupcorp.io\r\nSubject: mail {round}-{number}\r\n\
                 Message-ID: <s{round}-{number}@x>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\n"
            )]);
            secrets.push((before, secret));
        }
    }
    assert_eq!(secrets.len(), 300);
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("mails.mbox");
    std::fs::write(&file, mbox).expect("it is written");
    let path = file.to_str().expect("a path");
    let program = program.with("TIERDESK_LOG", "trace");
    let ended = program.run(&["mail", "import", "--live", path]);
    ended.done();

    let texts = texts_of(&program).await;
    assert!(
        texts.contains("press save"),
        "positive control: the texts are there"
    );
    let left: Vec<&str> = secrets
        .iter()
        .filter(|(_, secret)| texts.contains(secret.as_str()))
        .map(|(before, _)| *before)
        .collect();
    let found = secrets.len() - left.len();
    let logged = secrets.iter().filter(|(_, secret)| {
        ended.err.contains(secret.as_str()) || ended.out.contains(secret.as_str())
    });
    let logged = logged.count();
    println!(
        "secrets: {found} of {} masked in every text; {logged} in {} bytes of log; left after {left:?}",
        secrets.len(),
        ended.err.len()
    );
    assert!(ended.err.len() > 1_000, "positive control: there is a log");
    assert!(
        found * 100 >= secrets.len() * 95,
        "{found} of {}: {left:?}",
        secrets.len()
    );
    assert_eq!(logged, 0);
    drop(folder);
}

/// Every text that the import stored: mails, subjects, timelines, audit entries, jobs.
async fn texts_of(program: &tierdesk_tests::Program) -> String {
    let mut texts = String::new();
    for statement in [
        "SELECT body || ' ' || reply_text || ' ' || subject || ' ' || findings FROM messages",
        "SELECT subject || ' ' || trust_reasons FROM tickets",
        "SELECT detail FROM ticket_events",
        "SELECT fields FROM audit_entries",
        "SELECT payload || ' ' || COALESCE(last_error, '') FROM jobs",
    ] {
        let rows: Vec<(String,)> = look_into(program.url(), statement).await;
        for (text,) in rows {
            texts.push_str(&text);
            texts.push('\n');
        }
    }
    texts
}
