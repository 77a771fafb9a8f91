//! The words of our mail: templates that are shipped with the program and can be replaced one by one.
//!
//! A folder (`mail.templates`) with a file of the same name, `receipt/text.txt` say, replaces the shipped
//! one. Files ending in `.html` escape what they are given. All of them are rendered with samples when the
//! program starts and by `doctor`, so a mistake is found before a customer is to get the mail.

use std::{fs, io, path::Path};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Kwargs};
use serde::Serialize;
use tierdesk_core::{
    clock::Timestamp,
    outgoing::{ComposeError, LetterKind},
};

use crate::compose::html;

/// The shipped templates: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    (
        "reply/subject.txt",
        include_str!("../../config/mail/reply/subject.txt"),
    ),
    (
        "reply/text.txt",
        include_str!("../../config/mail/reply/text.txt"),
    ),
    (
        "reply/html.html",
        include_str!("../../config/mail/reply/html.html"),
    ),
    (
        "receipt/subject.txt",
        include_str!("../../config/mail/receipt/subject.txt"),
    ),
    (
        "receipt/text.txt",
        include_str!("../../config/mail/receipt/text.txt"),
    ),
    (
        "receipt/html.html",
        include_str!("../../config/mail/receipt/html.html"),
    ),
    (
        "signature/default.txt",
        include_str!("../../config/mail/signature/default.txt"),
    ),
    (
        "signature/healthcare.txt",
        include_str!("../../config/mail/signature/healthcare.txt"),
    ),
    (
        "signature/gov-federal.txt",
        include_str!("../../config/mail/signature/gov-federal.txt"),
    ),
];

/// The templates of one desk.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

/// What a template rendered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Templates {
    /// The shipped ones.
    pub fn shipped() -> Self {
        Self::load(None).expect("a test renders the shipped templates")
    }

    /// The shipped ones, with those of `folder` in their place. Every file there must be a template of
    /// a name that is used, or a signature.
    pub fn load(folder: Option<&Path>) -> Result<Self, ComposeError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if has_ending(name, "html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        environment.add_filter("as_reply", as_reply);
        environment.add_filter("instant", instant);
        environment.add_filter("quoted", quoted);
        environment.add_filter("markdown", |text: &str| Value::from_safe_string(html(text)));
        for (name, text) in SHIPPED {
            add(&mut environment, name, text)?;
        }
        if let Some(folder) = folder {
            for (name, text) in read(folder)? {
                add(&mut environment, &name, &text)?;
            }
        }
        Ok(Self { environment })
    }

    pub(crate) fn render(
        &self,
        kind: LetterKind,
        words: &impl Serialize,
    ) -> Result<Rendered, ComposeError> {
        let part = |file: &str| {
            let name = format!("{kind}/{file}");
            let template = self.environment.get_template(&name);
            let rendered = template.and_then(|template| template.render(words));
            rendered.map_err(|fault| wrong(&name, &fault))
        };
        Ok(Rendered {
            subject: part("subject.txt")?,
            text: part("text.txt")?,
            html: part("html.html")?,
        })
    }
}

impl Templates {
    /// A text that is no template of ours, with these words in its places.
    pub(crate) fn fill(
        &self,
        name: &str,
        text: &str,
        words: &impl Serialize,
    ) -> Result<String, ComposeError> {
        let filled = self.environment.render_named_str(name, text, words);
        filled.map_err(|fault| wrong(name, &fault))
    }
}

fn add(environment: &mut Environment<'static>, name: &str, text: &str) -> Result<(), ComposeError> {
    environment
        .add_template_owned(name.to_owned(), text.to_owned())
        .map_err(|fault| wrong(name, &fault))
}

fn wrong(name: &str, fault: &minijinja::Error) -> ComposeError {
    let place = fault.name().unwrap_or(name).to_owned();
    let line = fault.line().map(|line| format!(", line {line}"));
    let detail = fault.detail().map(|detail| format!(": {detail}"));
    ComposeError::Template {
        name: place,
        detail: format!(
            "{}{}{}",
            fault.kind(),
            detail.unwrap_or_default(),
            line.unwrap_or_default()
        ),
    }
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == ending)
}

/// The files of a folder of templates, two levels deep, by name.
fn read(folder: &Path) -> Result<Vec<(String, String)>, ComposeError> {
    let fault = |path: &Path, error: &io::Error| ComposeError::Template {
        name: path.display().to_string(),
        detail: error.to_string(),
    };
    let list = |path: &Path| -> Result<Vec<std::path::PathBuf>, ComposeError> {
        let entries = fs::read_dir(path).map_err(|error| fault(path, &error))?;
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(|error| fault(path, &error))?.path());
        }
        paths.sort();
        Ok(paths)
    };
    let mut found = Vec::new();
    for place in list(folder)?.into_iter().filter(|path| path.is_dir()) {
        for file in list(&place)?.into_iter().filter(|path| path.is_file()) {
            let part = |path: &Path| {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            };
            let name = format!("{}/{}", part(&place), part(&file));
            let is_signature = name.starts_with("signature/") && has_ending(&name, "txt");
            if !is_signature && !SHIPPED.iter().any(|(known, _)| *known == name) {
                let known: Vec<&str> = SHIPPED.iter().map(|(known, _)| *known).collect();
                return Err(ComposeError::Template {
                    name: file.display().to_string(),
                    detail: format!("nothing uses it; known are {}", known.join(", ")),
                });
            }
            let text = fs::read_to_string(&file).map_err(|error| fault(&file, &error))?;
            found.push((name, text));
        }
    }
    Ok(found)
}

/// `Re: ` in front, once, whatever language's was there already.
fn as_reply(subject: &str) -> String {
    const MARKS: [&str; 8] = ["re", "aw", "sv", "antw", "ref", "rif", "res", "odp"];
    let mark = subject.split(':').next().unwrap_or_default().trim();
    let is_reply = subject.contains(':') && MARKS.contains(&mark.to_lowercase().as_str());
    if is_reply {
        subject.to_owned()
    } else {
        format!("Re: {subject}")
    }
}

/// An instant as people read it, with its zone: `28 Nov 2026, 16:35 UTC`.
fn instant(value: &Value, _: Kwargs) -> Result<String, minijinja::Error> {
    let wrong =
        |detail: String| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, detail);
    let text = value
        .as_str()
        .ok_or_else(|| wrong(format!("{value} is no instant")))?;
    let at: jiff::Timestamp = text
        .parse()
        .map_err(|fault| wrong(format!("{text}: {fault}")))?;
    Ok(at.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// Each line behind `> `.
fn quoted(text: &str) -> String {
    let line = |line: &str| format!("> {line}").trim_end().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// An instant for samples.
pub(crate) fn sample_instant() -> Timestamp {
    Timestamp::from_seconds(1_795_876_200)
}
