-- Version 1 of the ledger. A later version is a further file of steps (see schema.py), never an edit of this one.
-- Times are UTC epoch seconds. Without STRICT where SQLite is older than 3.37.

-- ledger_id, created_at, epoch (fence of the writer), head (last event), base (last event that a
-- compaction took away). Account and endpoint are in the events.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row per run. `since` is the head when it began; the counts of wanted copies are written when
-- it ends, or when the next run begins.
CREATE TABLE runs (
    number      INTEGER PRIMARY KEY,
    run         TEXT NOT NULL UNIQUE,
    plan        TEXT NOT NULL,
    started_at  REAL NOT NULL,
    since       INTEGER NOT NULL,
    finished_at REAL,
    verdict     TEXT,
    exit_code   INTEGER,
    result      TEXT,
    wanted      INTEGER,
    ready       INTEGER,
    failed      INTEGER
) STRICT;

-- The truth: what happened, in order, without a gap between base and head.
CREATE TABLE events (
    seq      INTEGER PRIMARY KEY,
    at       REAL NOT NULL,
    run      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

CREATE INDEX events_of_run ON events (run, kind);

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_stay BEFORE DELETE ON events
WHEN OLD.seq > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'base')
BEGIN
    SELECT RAISE(ABORT, 'events stay until a compaction has raised the base');
END;

-- A projection of the events, for `status`: where each copy stands. `run` is the last run that
-- wanted it, NULL when none did.
CREATE TABLE copies (
    origin      TEXT NOT NULL,
    source      TEXT NOT NULL,
    destination TEXT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    image       TEXT,
    call        TEXT,
    progress    INTEGER,
    updated_at  REAL NOT NULL,
    run         TEXT,
    PRIMARY KEY (origin, source, destination)
) STRICT, WITHOUT ROWID;

CREATE INDEX copies_by_image ON copies (destination, image) WHERE image IS NOT NULL;
