//! SQL text. One text serves both databases unless a statement says otherwise.
//!
//! To add a statement: name it in a `statements!` block of its module, `$1..$n` for values; the
//! contract suite then prepares it on both databases. migrations/README.md lists the portable
//! subset.

/// The text of one statement for both back ends.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// What SQLite runs.
    pub sqlite: &'static str,
    /// What PostgreSQL runs.
    pub postgres: &'static str,
}

impl Sql {
    /// The usual case: both run the same text.
    pub const fn same(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }

    /// The exception, counted by a test: locking, lists, functions with another name.
    pub const fn per_backend(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }

    /// Whether the two texts differ.
    pub fn is_per_backend(&self) -> bool {
        self.sqlite != self.postgres
    }
}

/// Names the statements of a store module and lists them for the test that prepares each one.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: $crate::store::sql::Sql = $sql;)+
        pub(in crate::store) const STATEMENTS: &[(&str, $crate::store::sql::Sql)] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+];
    };
}
pub(super) use statements;

/// Declares a row type that reads its columns by field name, from either back end.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$fmeta:meta])* $fvis:vis $field:ident: $type:ty,)+
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$fmeta])* $fvis $field: $type,)+ }
        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
    };
}
pub(super) use record;
