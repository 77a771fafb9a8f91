//! 300 secrets in mails, of shapes and in sentences that the masker's own tests do not use.

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

/// A secret in a text.
#[derive(Clone, Debug)]
pub struct SeededSecret {
    /// What stands before it.
    pub before: &'static str,
    /// What must not be seen.
    pub secret: String,
    /// The text of a mail that holds it.
    pub text: String,
}

/// The same 300 in each run.
pub fn seeded_secrets() -> Vec<SeededSecret> {
    let mut dice = Dice(20_261_124);
    let mut all = Vec::new();
    for sentence in SENTENCES {
        for (before, secret) in shapes(&mut dice) {
            let after = match before {
                "postgres://app:" => "@db.internal/app",
                "\"token\": \"" => "\"",
                _ => "",
            };
            let text = sentence.replace('@', &format!("{before}{secret}{after}"));
            all.push(SeededSecret {
                before,
                secret,
                text,
            });
        }
    }
    all
}
