-- What people are told that calls nobody: who has come on call, whose shift begins soon, what waits.
-- Who was last told that they are on call; what is so now is held against it.
CREATE TABLE oncall_duties (
    schedule  TEXT NOT NULL,
    layer     TEXT NOT NULL CHECK (layer IN ('primary', 'secondary')),
    staff_id  BLOB REFERENCES staff (id),
    PRIMARY KEY (schedule, layer)
) STRICT;

-- What is told once, by a key that says what.
CREATE TABLE news (
    key  TEXT PRIMARY KEY NOT NULL,
    at   INTEGER NOT NULL
) STRICT;
CREATE INDEX news_by_time ON news (at);
