-- Onboarding: runs, their steps and approvals, and the simulated cloud's state. Same tables and
-- columns as the PostgreSQL chain.

CREATE TABLE onboarding_runs (
    id                    BLOB PRIMARY KEY NOT NULL,
    customer_id           BLOB REFERENCES customers (id),
    slug                  TEXT NOT NULL,
    name                  TEXT NOT NULL,
    tier                  TEXT NOT NULL,
    contact               TEXT NOT NULL,
    domain                TEXT NOT NULL,
    prefix                TEXT,
    root_email            TEXT NOT NULL,
    state                 TEXT NOT NULL CHECK (state IN ('planning', 'planned', 'awaiting_approval', 'running', 'done', 'failed', 'cancelled')),
    hash                  TEXT,
    cloud                 TEXT NOT NULL CHECK (cloud IN ('simulated', 'aws')),
    organization          TEXT,
    requested_by          TEXT NOT NULL,
    requester_id          BLOB REFERENCES staff (id),
    sole_operator_reason  TEXT,
    chat_channel          TEXT,
    account_id            TEXT,
    ou                    TEXT,
    note                  TEXT,
    estimate_low          INTEGER,
    estimate_likely       INTEGER,
    estimate_high         INTEGER,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    generation            INTEGER NOT NULL
) STRICT;
-- One open onboarding a customer, and a root address.
CREATE UNIQUE INDEX onboarding_runs_open ON onboarding_runs (slug)
    WHERE state IN ('planning', 'planned', 'awaiting_approval', 'running', 'failed');
CREATE UNIQUE INDEX onboarding_runs_open_root ON onboarding_runs (root_email)
    WHERE state IN ('planning', 'planned', 'awaiting_approval', 'running', 'failed');
CREATE INDEX onboarding_runs_by_slug ON onboarding_runs (slug, created_at, id);
CREATE INDEX onboarding_runs_by_hash ON onboarding_runs (hash);

CREATE TABLE onboarding_steps (
    run_id        BLOB NOT NULL REFERENCES onboarding_runs (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    position      INTEGER NOT NULL,
    verdict       TEXT NOT NULL CHECK (verdict IN ('create', 'adopt', 'already', 'blocked', 'skipped')),
    detail        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped')),
    attempts      INTEGER NOT NULL,
    intent_at     INTEGER,
    external_ref  TEXT,
    error_class   TEXT CHECK (error_class IN ('wait', 'already', 'person', 'unknown')),
    started_at    INTEGER,
    finished_at   INTEGER,
    PRIMARY KEY (run_id, name)
) STRICT;
-- Accounts being made: AWS makes five at once.
CREATE INDEX onboarding_steps_intended ON onboarding_steps (name, intent_at) WHERE state = 'running';

CREATE TABLE onboarding_approvals (
    run_id    BLOB NOT NULL REFERENCES onboarding_runs (id) ON DELETE CASCADE,
    staff_id  BLOB NOT NULL REFERENCES staff (id),
    hash      TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (run_id, staff_id)
) STRICT;

CREATE TABLE simulated_cloud (
    name        TEXT PRIMARY KEY NOT NULL,
    version     INTEGER NOT NULL,
    state       TEXT NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
