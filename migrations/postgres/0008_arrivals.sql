-- Mail servers try again: whether the same bytes wait already is asked for each mail that a
-- listener takes, and must not cost more the more of them wait.
CREATE INDEX inbox_waiting_sha256 ON inbox (sha256) WHERE state = 'waiting';
