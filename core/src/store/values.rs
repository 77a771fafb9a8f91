//! How our values sit in columns, each choosing its own type per back end.
//!
//! `Timestamp`: TIMESTAMPTZ in PostgreSQL, INTEGER microseconds in SQLite. Ids: UUID and BLOB.
//! Enums: TEXT under a CHECK. Lists bound as one value: TEXT[] and a JSON array.

use sqlx::{
    Database, Decode, Encode, Postgres, Sqlite, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgHasArrayType, PgTypeInfo, types::Oid},
};

use crate::clock::Timestamp;

/// 2000-01-01T00:00:00Z, PostgreSQL's own epoch, in microseconds.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl Type<Sqlite> for Timestamp {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
    fn compatible(info: &sqlx::sqlite::SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(info)
    }
}
impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(
        &self,
        buffer: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Sqlite>>::encode(self.micros(), buffer)
    }
}
impl<'r> Decode<'r, Sqlite> for Timestamp {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self::from_micros(<i64 as Decode<Sqlite>>::decode(value)?))
    }
}
impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184)) // timestamptz, fixed in pg_type.dat
    }
}
impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185)) // timestamptz[]
    }
}
impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(
        &self,
        buffer: &mut <Postgres as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        // The wire form is microseconds since PostgreSQL's epoch, as a big-endian i64.
        <i64 as Encode<Postgres>>::encode(self.micros() - POSTGRES_EPOCH, buffer)
    }
}
impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self::from_micros(micros.saturating_add(POSTGRES_EPOCH)))
    }
}

/// Stores a domain value as the text that its `as_str` gives and its `FromStr` reads.
macro_rules! text_columns {
    ($($type:ty),+ $(,)?) => {$(
        impl<DB: Database> Type<DB> for $type where str: Type<DB> {
            fn type_info() -> DB::TypeInfo { <str as Type<DB>>::type_info() }
            fn compatible(info: &DB::TypeInfo) -> bool { <str as Type<DB>>::compatible(info) }
        }
        impl<'q, DB: Database> Encode<'q, DB> for $type where String: Encode<'q, DB> {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <String as Encode<DB>>::encode(self.as_str().to_owned(), buffer)
            }
        }
        impl<'r, DB: Database> Decode<'r, DB> for $type where &'r str: Decode<'r, DB> {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let text = <&str as Decode<DB>>::decode(value)?;
                text.parse().map_err(|_| format!(concat!("unknown ", stringify!($type), " {:?}"), text).into())
            }
        }
    )+};
}

text_columns!(
    crate::chat::PostState,
    crate::customers::AccountId,
    crate::customers::CustomerStatus,
    crate::customers::DomainName,
    crate::customers::EmailAddress,
    crate::customers::Prefix,
    crate::customers::Slug,
    crate::jobs::JobState,
    crate::oncall::Layer,
    crate::oncall::OverrideKind,
    crate::onboarding::RunState,
    crate::onboarding::StepName,
    crate::onboarding::StepState,
    crate::onboarding::Verdict,
    crate::receive::Outcome,
    crate::receive::Road,
    crate::paging::Channel,
    crate::paging::NoticeState,
    crate::paging::PageKind,
    crate::paging::PageState,
    crate::paging::PageVerb,
    crate::paging::Signal,
    crate::paging::Urgency,
    crate::mail::Provider,
    crate::mail::SenderCheck,
    crate::staff::GrantKind,
    crate::staff::Role,
    crate::staff::StaffStatus,
    crate::tickets::CloseReason,
    crate::outgoing::LetterKind,
    crate::outgoing::OutgoingState,
    crate::tickets::Delivery,
    crate::tickets::Direction,
    crate::tickets::LinkKind,
    crate::tickets::MessageKind,
    crate::tickets::ParticipantRole,
    crate::tickets::Status,
    crate::tiers::Disclosure,
    crate::tiers::Priority,
    crate::tiers::Severity,
    crate::tiers::TierSlug,
    crate::trust::SenderTrust,
);

impl<DB: Database> Type<DB> for crate::discord::DiscordId
where
    str: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <str as Type<DB>>::type_info()
    }
    fn compatible(info: &DB::TypeInfo) -> bool {
        <str as Type<DB>>::compatible(info)
    }
}
impl<'q, DB: Database> Encode<'q, DB> for crate::discord::DiscordId
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<DB>>::encode(self.to_string(), buffer)
    }
}
impl<'r, DB: Database> Decode<'r, DB> for crate::discord::DiscordId
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(<&str as Decode<DB>>::decode(value)?.parse()?)
    }
}

/// A newtype id over a UUIDv7: UUID in PostgreSQL, a 16-byte BLOB in SQLite.
macro_rules! id_columns {
    ($($type:ty),+ $(,)?) => {$(
        impl<DB: Database> Type<DB> for $type where uuid::Uuid: Type<DB> {
            fn type_info() -> DB::TypeInfo { <uuid::Uuid as Type<DB>>::type_info() }
            fn compatible(info: &DB::TypeInfo) -> bool { <uuid::Uuid as Type<DB>>::compatible(info) }
        }
        impl<'q, DB: Database> Encode<'q, DB> for $type where uuid::Uuid: Encode<'q, DB> {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <uuid::Uuid as Encode<DB>>::encode_by_ref(&self.0, buffer)
            }
        }
        impl<'r, DB: Database> Decode<'r, DB> for $type where uuid::Uuid: Decode<'r, DB> {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                <uuid::Uuid as Decode<DB>>::decode(value).map(Self)
            }
        }
    )+};
}

id_columns!(
    crate::ids::AbsenceId,
    crate::ids::AuditId,
    crate::ids::BlobId,
    crate::ids::BlobKeyId,
    crate::ids::ChatPostId,
    crate::ids::ContactId,
    crate::ids::CustomerId,
    crate::ids::EventId,
    crate::ids::GrantId,
    crate::ids::HoldId,
    crate::ids::InboxId,
    crate::ids::JobId,
    crate::ids::MessageId,
    crate::ids::NoticeId,
    crate::ids::PageId,
    crate::ids::StaffChannelId,
    crate::ids::OutgoingId,
    crate::ids::OverrideId,
    crate::ids::RunId,
    crate::ids::ScheduleId,
    crate::ids::StaffId,
    crate::ids::TemporaryId,
    crate::ids::TicketId,
);

impl<DB: Database> Type<DB> for crate::tickets::TicketNumber
where
    i64: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <i64 as Type<DB>>::type_info()
    }
    fn compatible(info: &DB::TypeInfo) -> bool {
        <i64 as Type<DB>>::compatible(info)
    }
}
impl<'q, DB: Database> Encode<'q, DB> for crate::tickets::TicketNumber
where
    i64: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<DB>>::encode_by_ref(&self.0, buffer)
    }
}
impl<'r, DB: Database> Decode<'r, DB> for crate::tickets::TicketNumber
where
    i64: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<DB>>::decode(value).map(Self)
    }
}

/// Many texts bound as one value, for `IN (SELECT value FROM json_each($n))` and `= ANY($n)`.
#[derive(Clone, Debug, Default)]
pub struct TextList(pub Vec<String>);

impl<S: Into<String>> FromIterator<S> for TextList {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        Self(texts.into_iter().map(Into::into).collect())
    }
}

/// Many binary keys (ids, digests) bound as one value, for
/// `IN (SELECT unhex(value) FROM json_each($n))` and `= ANY($n)`.
#[derive(Clone, Debug, Default)]
pub struct BytesList(pub Vec<Vec<u8>>);

/// Many ids bound as one value: hexadecimal JSON in SQLite, UUID[] in PostgreSQL.
#[derive(Clone, Debug, Default)]
pub struct IdList(pub Vec<uuid::Uuid>);

macro_rules! list_columns {
    ($($type:ty => $element:ty, $json:expr;)+) => {$(
        impl Type<Sqlite> for $type {
            fn type_info() -> sqlx::sqlite::SqliteTypeInfo { <str as Type<Sqlite>>::type_info() }
        }
        impl Encode<'_, Sqlite> for $type {
            fn encode_by_ref(&self, buffer: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let json: fn(&$element) -> std::borrow::Cow<'_, str> = $json;
                let list: Vec<_> = self.0.iter().map(json).collect();
                <String as Encode<Sqlite>>::encode(serde_json::to_string(&list)?, buffer)
            }
        }
        impl Type<Postgres> for $type {
            fn type_info() -> PgTypeInfo { <Vec<$element> as Type<Postgres>>::type_info() }
        }
        impl Encode<'_, Postgres> for $type {
            fn encode_by_ref(&self, buffer: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <Vec<$element> as Encode<Postgres>>::encode_by_ref(&self.0, buffer)
            }
        }
    )+};
}

list_columns!(
    TextList => String, |text| text.as_str().into();
    BytesList => Vec<u8>, |bytes| data_encoding::HEXLOWER.encode(bytes).into();
    IdList => uuid::Uuid, |id| data_encoding::HEXLOWER.encode(id.as_bytes()).into();
);
