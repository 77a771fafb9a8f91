//! Writing letters: templates and Markdown to the bytes of a mail.
//!
//! Every header is made by lettre from a typed value, and core's types hold no line breaks, so nothing that
//! anybody wrote can become a header of its own. What was written in Markdown is shown as it was typed to
//! readers of plain text, and cleaned by ammonia for readers of HTML.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use lettre::{
    Address,
    message::{
        Attachment as File, Mailbox, Message, MultiPart, SinglePart,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use tierdesk_core::{
    clock::Timestamp,
    customers::EmailAddress,
    macros::{KNOWN_VARIABLES, Macros},
    mail::{Attachment, AttachmentInfo},
    outgoing::{
        Compose, ComposeError, HeaderId, HeaderText, Letter, LetterFacts, LetterKind, Party, Quote,
    },
    tickets::TicketNumber,
    tiers::{Severity, TierSlug},
};

use crate::templates::{Templates, sample_instant};

/// Writes letters with these templates.
#[derive(Debug)]
pub struct Composer {
    templates: Templates,
}

/// What templates are given.
#[derive(Serialize)]
struct Words<'l> {
    subject: &'l str,
    text: &'l str,
    quotes: Vec<QuoteWords<'l>>,
    number: String,
    severity: Severity,
    tier: &'l str,
    tier_name: Option<&'l str>,
    customer: Option<&'l str>,
    author: Option<&'l str>,
    response_due: Option<Timestamp>,
}

#[derive(Serialize)]
struct QuoteWords<'l> {
    author: &'l str,
    at: Timestamp,
    text: &'l str,
}

impl Composer {
    /// With these templates.
    pub fn new(templates: Templates) -> Self {
        Self { templates }
    }

    /// Renders every template with samples: a reply and a receipt, for each of these tiers and for none,
    /// with and without what may be missing.
    pub fn check(&self, tiers: &[TierSlug]) -> Result<(), ComposeError> {
        let tiers = tiers.iter().cloned().map(Some).chain([None]);
        for tier in tiers {
            for kind in LetterKind::ALL {
                for is_full in [true, false] {
                    self.compose(&sample(kind, tier.clone(), is_full))?;
                }
            }
        }
        Ok(())
    }
}

impl Composer {
    /// Fills every macro in with samples.
    pub fn check_macros(&self, macros: &Macros) -> Result<(), ComposeError> {
        for one in macros.iter() {
            let mut words = one.variables.clone();
            for name in KNOWN_VARIABLES {
                let sample = match *name {
                    "response_due" => sample_instant().to_string(),
                    _ => "sample".to_owned(),
                };
                words.insert((*name).to_owned(), sample);
            }
            self.fill(&format!("macro {}", one.name), &one.text, &words)?;
        }
        Ok(())
    }
}

impl Compose for Composer {
    fn fill(
        &self,
        name: &str,
        text: &str,
        words: &BTreeMap<String, String>,
    ) -> Result<String, ComposeError> {
        self.templates.fill(name, text, words)
    }

    fn compose(&self, letter: &Letter) -> Result<Vec<u8>, ComposeError> {
        let facts = &letter.facts;
        let text = letter.text.trim();
        let words = Words {
            subject: letter.subject.as_str(),
            text,
            quotes: letter.quotes.iter().map(quote_words).collect(),
            number: facts.number.to_string(),
            severity: facts.severity,
            tier: facts.tier.as_ref().map_or("", |tier| tier.as_str()),
            tier_name: facts.tier_name.as_deref(),
            customer: facts.customer.as_deref(),
            author: facts.author.as_deref(),
            response_due: facts.response_due,
        };
        let rendered = self.templates.render(letter.kind, &words)?;
        let mut builder = Message::builder()
            .from(mailbox(&letter.from)?)
            .reply_to(Mailbox::new(None, address(&letter.reply_to)?))
            .message_id(Some(bracketed(&letter.message_id)))
            .date(system_time(letter.date))
            .subject(HeaderText::new(&rendered.subject).as_str());
        for party in &letter.to {
            builder = builder.to(mailbox(party)?);
        }
        for party in &letter.cc {
            builder = builder.cc(mailbox(party)?);
        }
        if let Some(id) = &letter.in_reply_to {
            builder = builder.in_reply_to(bracketed(id));
        }
        if !letter.references.is_empty() {
            let ids: Vec<String> = letter.references.iter().map(bracketed).collect();
            builder = builder.references(ids.join(" "));
        }
        if letter.kind == LetterKind::Receipt {
            builder = builder
                .header(AutoSubmitted("auto-replied"))
                .header(SuppressAutoResponse);
        }
        let body = MultiPart::alternative()
            .singlepart(SinglePart::plain(
                rendered.text.trim_end().to_owned() + "\n",
            ))
            .singlepart(SinglePart::html(rendered.html));
        let message = if letter.attachments.is_empty() {
            builder.multipart(body)
        } else {
            let mut mixed = MultiPart::mixed().multipart(body);
            for attachment in &letter.attachments {
                mixed = mixed.singlepart(file(attachment));
            }
            builder.multipart(mixed)
        };
        let message = message.map_err(|fault| ComposeError::Mail(fault.to_string()))?;
        Ok(message.formatted())
    }
}

pub(crate) fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

fn quote_words(quote: &Quote) -> QuoteWords<'_> {
    QuoteWords {
        author: &quote.author,
        at: quote.at,
        text: &quote.text,
    }
}

pub(crate) fn address(address: &EmailAddress) -> Result<Address, ComposeError> {
    address.as_str().parse().map_err(
        |fault: lettre::address::AddressError| ComposeError::Address {
            address: address.to_string(),
            detail: fault.to_string(),
        },
    )
}

pub(crate) fn mailbox(party: &Party) -> Result<Mailbox, ComposeError> {
    let name = party.name.as_ref().map(|name| name.as_str().to_owned());
    Ok(Mailbox::new(name, address(&party.address)?))
}

fn bracketed(id: &HeaderId) -> String {
    format!("<{}>", id.as_str())
}

fn file(attachment: &Attachment) -> SinglePart {
    let octets = || ContentType::parse("application/octet-stream").expect("it is a media type");
    let kind = ContentType::parse(&attachment.info.content_type).unwrap_or_else(|_| octets());
    File::new(HeaderText::new(&attachment.info.name).as_str().to_owned())
        .body(attachment.content.clone(), kind)
}

/// RFC 3834: a program wrote it, and programs must not answer.
#[derive(Clone, Debug)]
pub(crate) struct AutoSubmitted(pub(crate) &'static str);

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self("auto-generated"))
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.to_owned())
    }
}

/// The same in the words of Exchange.
#[derive(Clone, Debug)]
pub(crate) struct SuppressAutoResponse;

impl Header for SuppressAutoResponse {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Auto-Response-Suppress")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "All".to_owned())
    }
}

/// Markdown as HTML that only says and links, and loads nothing.
pub(crate) fn html(markdown: &str) -> String {
    use pulldown_cmark::{Options, Parser, html};
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut raw = String::new();
    html::push_html(&mut raw, Parser::new_ext(markdown, options));
    ammonia::Builder::default()
        .rm_tags(["img", "map", "area"])
        .link_rel(Some("noopener noreferrer"))
        .clean(&raw)
        .to_string()
}

fn sample(kind: LetterKind, tier: Option<TierSlug>, is_full: bool) -> Letter {
    let party = |address: &str, name: &str| Party {
        address: address.parse().expect("it is an address"),
        name: is_full.then(|| HeaderText::new(name)),
    };
    let at = sample_instant();
    let quote = Quote {
        author: "John <john@customer.example>".to_owned(),
        at,
        text: "It does not work.\nSince Monday.".to_owned(),
    };
    let some = |text: &str| is_full.then(|| text.to_owned());
    Letter {
        kind,
        from: party("support@securebase.example", "Support"),
        reply_to: party("support@securebase.example", "").address,
        to: vec![party("john@customer.example", "John")],
        cc: Vec::new(),
        subject: HeaderText::new("Dashboard error"),
        message_id: HeaderId::new("sample@securebase.example").expect("it is an id"),
        in_reply_to: None,
        references: Vec::new(),
        date: at,
        text: if kind == LetterKind::Reply {
            "**Hello**, it works."
        } else {
            ""
        }
        .to_owned(),
        quotes: if is_full { vec![quote] } else { Vec::new() },
        attachments: if is_full {
            vec![sample_file()]
        } else {
            Vec::new()
        },
        facts: LetterFacts {
            number: TicketNumber(12),
            severity: Severity::Sev3,
            tier_name: tier.as_ref().map(ToString::to_string),
            tier,
            customer: some("Customer Ltd"),
            author: some("dana"),
            response_due: is_full.then_some(at),
        },
    }
}

fn sample_file() -> Attachment {
    Attachment {
        info: AttachmentInfo {
            name: "report.txt".to_owned(),
            content_type: "text/plain".to_owned(),
            size: 2,
            inline: false,
        },
        content: b"ok".to_vec(),
    }
}
