//! The table of what a secret begins with, or what stands before one.

use super::{
    SecretKind::{
        self, ApiToken, AwsAccessKey, AwsSessionToken, DiscordWebhook, GitHubToken, GitLabToken,
        GoogleApiKey, NpmToken, PrivateKey, PyPiToken, SlackToken, SlackWebhook, StripeKey,
        TwilioKey,
    },
    Span, assigned, card, pem, tokens,
    values::{alnum, base64, before, dashed, hex, is_varied, run_end, word},
};

/// What to do where a lead stands.
enum Rule {
    /// The lead begins the secret; `least..=most` bytes of a class follow.
    Run {
        kind: SecretKind,
        class: fn(u8) -> bool,
        least: usize,
        most: usize,
    },
    /// As `Run`, but the lead itself is no secret and stays: a host and a path.
    Tail {
        kind: SecretKind,
        class: fn(u8) -> bool,
        least: usize,
    },
    /// Decided by a function of the text, the lead's start and its end.
    Ask(fn(&[u8], usize, usize) -> Option<Span>),
}

struct Lead {
    text: &'static str,
    is_any_case: bool,
    /// A bare AWS secret key may follow.
    gives_context: bool,
    rule: Rule,
}

const NO_END: usize = usize::MAX;

const fn run(text: &'static str, kind: SecretKind, class: fn(u8) -> bool, least: usize) -> Lead {
    sized(text, kind, class, least, NO_END)
}

const fn sized(
    text: &'static str,
    kind: SecretKind,
    class: fn(u8) -> bool,
    least: usize,
    most: usize,
) -> Lead {
    let rule = Rule::Run {
        kind,
        class,
        least,
        most,
    };
    Lead {
        text,
        is_any_case: false,
        gives_context: false,
        rule,
    }
}

const fn tail(text: &'static str, kind: SecretKind, class: fn(u8) -> bool, least: usize) -> Lead {
    let rule = Rule::Tail { kind, class, least };
    Lead {
        text,
        is_any_case: true,
        gives_context: false,
        rule,
    }
}

type Ask = fn(&[u8], usize, usize) -> Option<Span>;

const fn shape(text: &'static str, ask: Ask) -> Lead {
    Lead {
        text,
        is_any_case: false,
        gives_context: false,
        rule: Rule::Ask(ask),
    }
}

const fn keyword(text: &'static str, ask: Ask) -> Lead {
    Lead {
        text,
        is_any_case: true,
        gives_context: false,
        rule: Rule::Ask(ask),
    }
}

const fn with_context(lead: Lead) -> Lead {
    Lead {
        gives_context: true,
        ..lead
    }
}

fn path(byte: u8) -> bool {
    dashed(byte) || byte == b'/'
}

fn dotted(byte: u8) -> bool {
    dashed(byte) || byte == b'.'
}

/// First match wins where one lead begins with another.
static LEADS: &[Lead] = &[
    with_context(sized("AKIA", AwsAccessKey, alnum, 16, 16)),
    with_context(sized("ASIA", AwsAccessKey, alnum, 16, 16)),
    run("FwoGZXIvYXdz", AwsSessionToken, base64, 60),
    run("FQoGZXIvYXdz", AwsSessionToken, base64, 60),
    run("IQoJb3JpZ2lu", AwsSessionToken, base64, 60),
    shape("-----BEGIN ", pem::private_key),
    shape("eyJ", tokens::json_web_token),
    run("ghp_", GitHubToken, alnum, 30),
    run("gho_", GitHubToken, alnum, 30),
    run("ghu_", GitHubToken, alnum, 30),
    run("ghs_", GitHubToken, alnum, 30),
    run("ghr_", GitHubToken, alnum, 30),
    run("github_pat_", GitHubToken, word, 40),
    run("glpat-", GitLabToken, dotted, 20),
    run("xoxb-", SlackToken, dashed, 20),
    run("xoxp-", SlackToken, dashed, 20),
    run("xoxa-", SlackToken, dashed, 20),
    run("xoxr-", SlackToken, dashed, 20),
    run("xoxs-", SlackToken, dashed, 20),
    run("xapp-", SlackToken, dashed, 20),
    tail("hooks.slack.com/services/", SlackWebhook, path, 20),
    tail("hooks.slack.com/workflows/", SlackWebhook, path, 20),
    run("sk_live_", StripeKey, alnum, 16),
    run("rk_live_", StripeKey, alnum, 16),
    run("sk_test_", StripeKey, alnum, 16),
    run("rk_test_", StripeKey, alnum, 16),
    run("whsec_", StripeKey, base64, 24),
    sized("AIza", GoogleApiKey, dashed, 35, 35),
    run("npm_", NpmToken, alnum, 36),
    run("pypi-", PyPiToken, dashed, 50),
    shape("SG.", tokens::send_grid),
    sized("SK", TwilioKey, hex, 32, 32),
    shape(".", tokens::discord_bot),
    tail("discord.com/api/webhooks/", DiscordWebhook, path, 40),
    tail("discordapp.com/api/webhooks/", DiscordWebhook, path, 40),
    run("sk-ant-", ApiToken, dashed, 30),
    run("sk-proj-", ApiToken, dashed, 30),
    run("hvs.", ApiToken, dashed, 24),
    run("hf_", ApiToken, alnum, 30),
    run("dop_v1_", ApiToken, hex, 40),
    run("shpat_", ApiToken, hex, 30),
    run("AGE-SECRET-KEY-1", PrivateKey, alnum, 40),
    shape("://", tokens::url_password),
    keyword("password", assigned::password),
    keyword("passwort", assigned::password),
    keyword("passphrase", assigned::password),
    keyword("passcode", assigned::password),
    keyword("passwd", assigned::password),
    keyword("pass", assigned::short_password),
    keyword("pwd", assigned::password),
    keyword("kennwort", assigned::password),
    keyword("mot de passe", assigned::password),
    keyword("contraseña", assigned::password),
    keyword("wachtwoord", assigned::password),
    keyword("senha", assigned::password),
    keyword("hasło", assigned::password),
    keyword("пароль", assigned::password),
    keyword("Пароль", assigned::password),
    keyword("パスワード", assigned::password),
    keyword("密码", assigned::password),
    keyword("密碼", assigned::password),
    with_context(keyword("secret", assigned::token)),
    keyword("token", assigned::token),
    keyword("key", assigned::key),
    keyword("bearer", tokens::bearer),
    keyword("basic", tokens::basic),
    shape("0", card::number),
    shape("1", card::number),
    shape("2", card::number),
    shape("3", card::number),
    shape("4", card::number),
    shape("5", card::number),
    shape("6", card::number),
];

/// One bit for each pair of bytes with which a lead can begin.
static PAIRS: [u64; 1024] = pairs();

const fn pairs() -> [u64; 1024] {
    let mut set = [0; 1024];
    let mut index = 0;
    while index < LEADS.len() {
        let lead = &LEADS[index];
        let text = lead.text.as_bytes();
        if text.len() > 1 {
            set = with_pair(set, text[0], text[1]);
            if lead.is_any_case {
                let (upper, second) = (text[0].to_ascii_uppercase(), text[1].to_ascii_uppercase());
                set = with_pair(set, upper, text[1]);
                set = with_pair(set, text[0], second);
                set = with_pair(set, upper, second);
            }
        } else {
            // A digit or a dot: something of a token must follow.
            let mut second = 0;
            while second < 128 {
                if second == b'-' || second == b'_' || second.is_ascii_alphanumeric() {
                    set = with_pair(set, text[0], second);
                }
                second += 1;
            }
        }
        index += 1;
    }
    set
}

const fn with_pair(mut set: [u64; 1024], first: u8, second: u8) -> [u64; 1024] {
    let pair = (first as usize) << 8 | second as usize;
    set[pair >> 6] |= 1 << (pair & 63);
    set
}

/// The most leads that share a first byte; building the program fails when there are more.
const SHARED: usize = 12;

/// For each first byte the numbers of its leads, in the order of the table, ended by 255.
static BY_FIRST: [[u8; SHARED + 1]; 256] = by_first();

const fn by_first() -> [[u8; SHARED + 1]; 256] {
    let mut lists = [[u8::MAX; SHARED + 1]; 256];
    let mut counts = [0; 256];
    let mut index: u8 = 0;
    while (index as usize) < LEADS.len() {
        let lead = &LEADS[index as usize];
        let first = lead.text.as_bytes()[0];
        let firsts = [
            first,
            if lead.is_any_case {
                first.to_ascii_uppercase()
            } else {
                first
            },
        ];
        let mut which = 0;
        while which < if firsts[0] == firsts[1] { 1 } else { 2 } {
            let byte = firsts[which] as usize;
            assert!(counts[byte] < SHARED, "raise SHARED");
            lists[byte][counts[byte]] = index;
            counts[byte] += 1;
            which += 1;
        }
        index += 1;
    }
    lists
}

/// The leads that begin with this byte.
fn sharing(first: u8) -> impl Iterator<Item = &'static Lead> {
    BY_FIRST[usize::from(first)]
        .iter()
        .map_while(|index| LEADS.get(usize::from(*index)))
}

/// Whether any lead begins with these two bytes.
pub(super) fn may_start(first: u8, second: u8) -> bool {
    let pair = usize::from(first) << 8 | usize::from(second);
    PAIRS[pair >> 6] >> (pair & 63) & 1 == 1
}

/// What the table says of one place.
#[derive(Default)]
pub(super) struct Hit {
    pub(super) span: Option<Span>,
    pub(super) gives_context: bool,
}

/// Asks the leads that stand at `at`.
pub(super) fn at(text: &[u8], at: usize) -> Hit {
    let rest = &text[at..];
    let mut hit = Hit::default();
    for lead in sharing(text[at]) {
        let length = lead.text.len();
        let Some(start) = rest.get(..length) else {
            continue;
        };
        let stands = if lead.is_any_case {
            start.eq_ignore_ascii_case(lead.text.as_bytes())
        } else {
            start == lead.text.as_bytes()
        };
        if !stands {
            continue;
        }
        hit.gives_context |= lead.gives_context;
        hit.span = lead.rule.apply(text, at, at + length);
        if hit.span.is_some() {
            break;
        }
    }
    hit
}

/// Whether a secret that is known by its own shape begins here.
pub(super) fn has_shape(text: &[u8], at: usize) -> bool {
    let Some(first) = text.get(at) else {
        return false;
    };
    sharing(*first)
        .filter(|lead| !lead.is_any_case && text[at..].starts_with(lead.text.as_bytes()))
        .any(|lead| {
            lead.rule
                .apply(text, at, at + lead.text.len())
                .is_some_and(|s| s.start == at)
        })
}

impl Rule {
    fn apply(&self, text: &[u8], at: usize, after: usize) -> Option<Span> {
        match *self {
            Self::Run {
                kind,
                class,
                least,
                most,
            } => {
                if before(text, at).is_some_and(word) {
                    return None;
                }
                let end = run_of(text, after, class, least, most)?;
                Some(Span {
                    kind,
                    start: at,
                    end,
                })
            }
            Self::Tail { kind, class, least } => {
                let end = run_of(text, after, class, least, NO_END)?;
                Some(Span {
                    kind,
                    start: after,
                    end,
                })
            }
            Self::Ask(ask) => ask(text, at, after),
        }
    }
}

/// Decides on the first bytes and only then runs to the end.
fn run_of(
    text: &[u8],
    start: usize,
    class: fn(u8) -> bool,
    least: usize,
    most: usize,
) -> Option<usize> {
    let decided = run_end(text, start, least.max(64).min(most), class);
    if decided - start < least || !is_varied(&text[start..decided]) {
        return None;
    }
    if most < NO_END {
        let goes_on = text
            .get(decided)
            .is_some_and(|next| class(*next) || word(*next));
        return (!goes_on).then_some(decided);
    }
    let end = run_end(text, decided, NO_END, class);
    // The full stop of a sentence is not part of a token.
    Some(if text[end - 1] == b'.' { end - 1 } else { end })
}
