//! Looking at rows past the store, to see what it really wrote.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tierdesk_core::store::Record;

use crate::TestDesk;

/// The rows of a query on the database at `url`, in its own words.
pub async fn look_into<T: Record>(url: &str, sql: &str) -> Vec<T> {
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url)
            .await
            .expect("SQLite opens the file");
        let query = sqlx::query_as(AssertSqlSafe(sql.to_owned()));
        query
            .fetch_all(&mut connection)
            .await
            .expect("SQLite runs it")
    } else {
        let mut connection = PgConnection::connect(url)
            .await
            .expect("PostgreSQL answers");
        connection
            .execute("SELECT set_config('tierdesk.scope', 'desk', false)")
            .await
            .expect("the scope is set");
        let query = sqlx::query_as(AssertSqlSafe(sql.to_owned()));
        query
            .fetch_all(&mut connection)
            .await
            .expect("PostgreSQL runs it")
    }
}

impl TestDesk {
    /// The columns, as `table.column`, in which a word stands anywhere in the database. Of content that is
    /// compressed, words of short mails stand there as they are.
    pub async fn places_of(&self, word: &str) -> Vec<String> {
        let columns: Vec<(String, String, String)> = self
            .look_at(
                "SELECT t.name, c.name, c.type FROM sqlite_master t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND c.type IN ('TEXT', 'BLOB') ORDER BY t.name, c.name",
                "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT)
                 FROM information_schema.columns
                 WHERE table_schema = 'public' AND data_type IN ('text', 'bytea')
                 ORDER BY table_name, column_name",
            )
            .await;
        assert!(columns.len() > 100, "the schema is seen");
        let hex = data_encoding::HEXLOWER.encode(word.as_bytes());
        let mut places = Vec::new();
        for (table, column, kind) in columns {
            let condition = match kind.as_str() {
                "TEXT" | "BLOB" => format!("instr(CAST({column} AS BLOB), x'{hex}') > 0"),
                "bytea" => format!("position('\\x{hex}'::bytea in {column}) > 0"),
                _ => format!("position('{word}' in {column}) > 0"),
            };
            let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM {table} WHERE {condition}");
            let rows: Vec<(i64,)> = self.look(&sql).await;
            if rows[0].0 > 0 {
                places.push(format!("{table}.{column}"));
            }
        }
        places
    }

    /// The rows of a query that both databases read alike.
    pub async fn look<T: Record>(&self, sql: &str) -> Vec<T> {
        self.look_at(sql, sql).await
    }

    /// The rows of a query that each database has in its own words.
    pub async fn look_at<T: Record>(&self, sqlite: &str, postgres: &str) -> Vec<T> {
        let sql = if self.desk.database.is_sqlite() {
            sqlite
        } else {
            postgres
        };
        look_into(&self.url, sql).await
    }

    /// The one number that a query gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows: Vec<(i64,)> = self.look(sql).await;
        rows.first().expect("the query gives a row").0
    }

    /// How many rows each table has, by name.
    pub async fn counts(&self) -> Vec<(String, i64)> {
        let mut counts = Vec::new();
        let catalogue = self.desk.database.catalogue().await;
        let mut tables: Vec<&str> = catalogue
            .iter()
            .filter_map(|line| line.split_once('.').map(|(table, _)| table))
            .filter(|table| *table != "counters")
            .collect();
        tables.dedup();
        for table in tables {
            let rows = self.number(&format!("SELECT COUNT(*) FROM {table}")).await;
            counts.push((table.to_owned(), rows));
        }
        counts
    }

    /// Changes rows as an attacker or an accident would. Returns how many.
    pub async fn tamper(&self, sql: &str) -> u64 {
        self.desk.database.tamper(sql, sql).await
    }
}
