//! What can be bound and what can be read: aliases over both back ends, so that callers are
//! generic over values and never over the database.

use sqlx::{
    Arguments as _, Encode, FromRow, Postgres, Sqlite, Type,
    error::BoxDynError,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

/// A value both back ends can store.
pub trait Value:
    for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send
{
}
impl<T> Value for T where
    T: for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + for<'q> Encode<'q, Postgres>
        + Type<Postgres>
        + Send
{
}

/// A row both back ends can decode.
pub trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}
impl<T> Record for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

/// The bound values of one statement, in `$1..$n` order: a tuple of [`Value`]s.
pub trait Params: Send {
    /// Encodes for SQLite.
    fn sqlite(self) -> Result<SqliteArguments, BoxDynError>;
    /// Encodes for PostgreSQL.
    fn postgres(self) -> Result<PgArguments, BoxDynError>;
}

impl Params for () {
    fn sqlite(self) -> Result<SqliteArguments, BoxDynError> {
        Ok(SqliteArguments::default())
    }
    fn postgres(self) -> Result<PgArguments, BoxDynError> {
        Ok(PgArguments::default())
    }
}

macro_rules! params {
    ($($value:ident),+) => {
        #[expect(non_snake_case, reason = "the type's name serves as the value's")]
        impl<$($value: Value),+> Params for ($($value,)+) {
            fn sqlite(self) -> Result<SqliteArguments, BoxDynError> {
                let ($($value,)+) = self;
                let mut arguments = SqliteArguments::default();
                $(arguments.add($value)?;)+
                Ok(arguments)
            }
            fn postgres(self) -> Result<PgArguments, BoxDynError> {
                let ($($value,)+) = self;
                let mut arguments = PgArguments::default();
                $(arguments.add($value)?;)+
                Ok(arguments)
            }
        }
    };
}

params!(A);
params!(A, B);
params!(A, B, C);
params!(A, B, C, D);
params!(A, B, C, D, E);
params!(A, B, C, D, E, F);
params!(A, B, C, D, E, F, G);
params!(A, B, C, D, E, F, G, H);
params!(A, B, C, D, E, F, G, H, I);
params!(A, B, C, D, E, F, G, H, I, J);
params!(A, B, C, D, E, F, G, H, I, J, K);
params!(A, B, C, D, E, F, G, H, I, J, K, L);
params!(A, B, C, D, E, F, G, H, I, J, K, L, M);
params!(A, B, C, D, E, F, G, H, I, J, K, L, M, N);
params!(A, B, C, D, E, F, G, H, I, J, K, L, M, N, O);
params!(A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P);
