//! Mail in any number, the same every time: conversations of many customers, with quotes, HTML,
//! attachments, auto-replies and strangers in the proportions of an ordinary support mailbox.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// What a corpus is made of.
#[derive(Clone, Copy, Debug)]
pub struct Corpus {
    /// How many mails.
    pub mails: usize,
    /// Customers that write; their domains are `customer-N.example`.
    pub customers: usize,
    /// Words of an ordinary body; attachments are larger. 20 KB a mail is about 1,000.
    pub words: usize,
    /// Another seed, other mails.
    pub seed: u64,
}

/// A small generator with good enough spread (xorshift64*), so that no test depends on a crate's
/// idea of random.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator; the same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).expect("it is below a usize")
    }
}

const WORDS: [&str; 24] = [
    "account",
    "dashboard",
    "please",
    "the",
    "policy",
    "region",
    "cannot",
    "since",
    "yesterday",
    "access",
    "error",
    "role",
    "our",
    "auditors",
    "network",
    "and",
    "with",
    "report",
    "shows",
    "team",
    "production",
    "thanks",
    "update",
    "für",
];

impl Corpus {
    /// The mails, in the order in which they were written.
    pub fn letters(self) -> impl Iterator<Item = Vec<u8>> {
        let mut random = Random::new(self.seed);
        (0..self.mails).map(move |number| self.letter(number, &mut random))
    }

    /// Writes the mails into a Maildir, in file-name order. Returns the number of bytes.
    pub fn write_maildir(self, folder: &Path) -> std::io::Result<u64> {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let mut bytes = 0;
        for (number, letter) in self.letters().enumerate() {
            bytes += letter.len() as u64;
            fs::write(folder.join(format!("new/{number:08}.desk")), letter)?;
        }
        Ok(bytes)
    }

    /// The customers that write, as a file for `customer import`.
    pub fn customers_toml(self) -> String {
        let tiers = ["standard", "fintech", "healthcare", "gov-federal"];
        (0..self.customers).fold(String::new(), |mut text, number| {
            let tier = tiers[number % tiers.len()];
            writeln!(
                text,
                "[[customers]]\nname = \"Customer {number}\"\ntier = \"{tier}\"\ndomains = [\"customer-{number}.example\"]"
            )
            .expect("a String takes any text");
            text
        })
    }

    fn letter(self, number: usize, random: &mut Random) -> Vec<u8> {
        let id = |number: usize| format!("mail-{number}-{}@corpus.example", self.seed);
        let customer = random.below(self.customers);
        // One mail in thirty is a stranger's.
        let domain = match random.below(30) {
            0 => format!("stranger-{number}.example"),
            _ => format!("customer-{customer}.example"),
        };
        let mut mail = format!(
            "Received: from mx.{domain} by mail.desk.example; Mon, 23 Nov 2026 09:00:00 +0000\r\n\
             From: Person {number} <person-{}@{domain}>\r\nTo: support@desk.example\r\n\
             Date: Mon, {} Nov 2026 {:02}:{:02}:00 +0000\r\nMessage-ID: <{}>\r\nMIME-Version: 1.0\r\n",
            random.below(9),
            1 + number % 28,
            number % 24,
            number % 60,
            id(number)
        );
        let subject = Self::words(4, random);
        // One in three answers an earlier mail: sometimes of the same customer, often of another,
        // which must not be let in.
        if number > 0 && random.below(3) == 0 {
            let parent = id(random.below(number));
            write!(
                mail,
                "In-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\nSubject: Re: {subject}\r\n"
            )
        } else {
            write!(mail, "Subject: {subject}\r\n")
        }
        .expect("a String takes any text");
        if random.below(30) == 0 {
            mail.push_str("Auto-Submitted: auto-replied\r\n");
        }
        let body = Self::words(self.words / 2 + random.below(self.words.max(1)), random);
        match random.below(10) {
            0..5 => write!(mail, "Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"),
            5..8 => write!(
                mail,
                "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; \
                 charset=utf-8\r\n\r\n{body}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{body}\
                 </p></body></html>\r\n--b--\r\n"
            ),
            _ => write!(
                mail,
                "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; \
                 charset=utf-8\r\n\r\n{body}\r\n--b\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\n\
                 Content-Disposition: attachment; filename=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                 {}\r\n--b--\r\n",
                attachment(self.words * 24, random)
            ),
        }
        .expect("a String takes any text");
        mail.into_bytes()
    }

    fn words(count: usize, random: &mut Random) -> String {
        let mut text = String::with_capacity(count * 8);
        for word in 0..count {
            if word > 0 {
                text.push_str(if word % 12 == 0 { "\r\n" } else { " " });
            }
            text.push_str(WORDS[random.below(WORDS.len())]);
        }
        // Headers hold one line.
        if count < 12 {
            text.replace("\r\n", " ")
        } else {
            text
        }
    }
}

/// Base64 that does not compress, as attachments do not.
fn attachment(bytes: usize, random: &mut Random) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes + bytes / 38);
    for at in 0..bytes {
        if at > 0 && at % 76 == 0 {
            text.push_str("\r\n");
        }
        text.push(char::from(ALPHABET[random.below(64)]));
    }
    text
}

/// A Maildir with a corpus in it, in a folder that goes with the value.
#[derive(Debug)]
pub struct Maildir {
    /// Where the Maildir is.
    pub path: PathBuf,
    /// What it is made of.
    pub corpus: Corpus,
    /// How many bytes its mails have.
    pub bytes: u64,
    _folder: tempfile::TempDir,
}

impl Maildir {
    /// Writes the corpus.
    pub fn new(corpus: Corpus) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("Maildir");
        let bytes = corpus.write_maildir(&path).expect("the corpus is written");
        Self {
            path,
            corpus,
            bytes,
            _folder: folder,
        }
    }
}
