//! `[database]`: which database.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    Key,
    problem::Wrong,
    reader::Section,
    url::{PrivateUrl, wrong_scheme},
};

pub(super) const KEYS: &[Key] = &[Key::now(
    "database.url",
    "the database: sqlite:///absolute/path.db, sqlite://relative/path.db or postgres://USER:PASSWORD@HOST/DATABASE",
    "a SQLite file under the user's data directory",
)];

/// `[database]`
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// Where everything is kept.
    pub url: DatabaseUrl,
}

/// A SQLite file or a PostgreSQL server. Display and Debug hide the password.
#[derive(Clone)]
pub struct DatabaseUrl {
    url: PrivateUrl,
    sqlite: Option<PathBuf>,
}

impl DatabaseUrl {
    /// A SQLite database in this file.
    pub fn sqlite(path: &Path) -> Self {
        let url = PrivateUrl::hiding_password(&format!("sqlite://{}", path.display()));
        Self {
            url,
            sqlite: Some(path.to_owned()),
        }
    }

    /// The URL with the password in it.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// The file of a SQLite database, as written: relative to the working directory, nothing
    /// percent-decoded. `None` for PostgreSQL.
    pub fn sqlite_path(&self) -> Option<&Path> {
        self.sqlite.as_deref()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sqlite {
            Some(path) => write!(f, "sqlite://{}", path.display()),
            None => self.url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// A text that names no database we know. Never holds the text, which may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database URL {what}. {remedy}")]
pub struct InvalidDatabaseUrl {
    what: String,
    remedy: String,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|Wrong { what, remedy }| InvalidDatabaseUrl { what, remedy })
    }
}

fn parse(text: &str) -> Result<DatabaseUrl, Wrong> {
    let text = text.trim();
    let remedy = "Write sqlite:///absolute/path.db, sqlite://relative/path.db or \
                  postgres://USER:PASSWORD@HOST/DATABASE.";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Wrong::new("is not a URL with ://", remedy));
    };
    match scheme {
        "sqlite" if rest.is_empty() || rest.ends_with('/') || rest.starts_with(':') => {
            Err(Wrong::new("names no file", remedy))
        }
        "sqlite" if rest.contains(['?', '#']) => {
            Err(Wrong::new("has parameters after the file name", remedy))
        }
        "sqlite" => Ok(DatabaseUrl::sqlite(Path::new(rest))),
        "postgres" | "postgresql" if rest.is_empty() => Err(Wrong::new("names no host", remedy)),
        "postgres" | "postgresql" => Ok(DatabaseUrl {
            url: PrivateUrl::hiding_password(text),
            sqlite: None,
        }),
        _ => Err(Wrong::new(wrong_scheme(scheme), remedy)),
    }
}

pub(super) fn read(section: &Section<'_>, default: DatabaseUrl) -> DatabaseSettings {
    let url = section
        .parse("url", parse)
        .map_or(default, |given| given.value);
    section.finish();
    DatabaseSettings { url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_slashes_are_absolute_and_two_relative() {
        let url: DatabaseUrl = "sqlite:///var/lib/desk.db".parse().unwrap();
        assert_eq!(url.sqlite_path(), Some(Path::new("/var/lib/desk.db")));
        let url: DatabaseUrl = "sqlite://desk@home.db".parse().unwrap();
        assert_eq!(url.sqlite_path(), Some(Path::new("desk@home.db")));
        assert_eq!(
            (url.expose(), url.to_string().as_str()),
            ("sqlite://desk@home.db", url.expose())
        );
    }

    #[test]
    fn what_is_no_database_is_refused_without_being_repeated() {
        for text in [
            "",
            "desk.db",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://",
            "mysql://h/d",
            "sqlite:///x.db?mode=ro",
            "sqlite:///var/",
            "postgres://",
            "hunter2://h",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains("Write sqlite:///"), "{error}");
            assert!(
                !error.contains("hunter2") && !error.contains("mode=ro"),
                "{error}"
            );
        }
        let url: DatabaseUrl = "postgresql://u:hunter2@h/d".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
        assert!(url.expose().contains("hunter2"));
    }
}
