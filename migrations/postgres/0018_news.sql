-- What people are told that calls nobody: who has come on call, whose shift begins soon, what waits.
-- Who was last told that they are on call; what is so now is held against it.
CREATE TABLE oncall_duties (
    schedule  TEXT COLLATE "C" NOT NULL,
    layer     TEXT NOT NULL CHECK (layer IN ('primary', 'secondary')),
    staff_id  UUID REFERENCES staff (id),
    PRIMARY KEY (schedule, layer)
);

-- What is told once, by a key that says what.
CREATE TABLE news (
    key  TEXT COLLATE "C" PRIMARY KEY,
    at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX news_by_time ON news (at);

ALTER TABLE oncall_duties ENABLE ROW LEVEL SECURITY;
ALTER TABLE oncall_duties FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oncall_duties USING ((SELECT tierdesk_scope()) = 'desk');
ALTER TABLE news ENABLE ROW LEVEL SECURITY;
ALTER TABLE news FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON news USING ((SELECT tierdesk_scope()) = 'desk');
