-- Times are nanoseconds since 1970 in UTC, statuses 0 to 3.

CREATE TABLE results (
  name     TEXT    NOT NULL,
  slot     INTEGER NOT NULL,
  location TEXT    NOT NULL,
  run      TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  start    INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  status   INTEGER NOT NULL,
  cause    TEXT    NOT NULL,
  message  TEXT    NOT NULL,
  steps    TEXT    NOT NULL, -- JSON, see pack.go; empty if there are none
  labels   TEXT    NOT NULL, -- JSON; empty if there are none
  PRIMARY KEY (name, slot, location, run)
) STRICT, WITHOUT ROWID;

-- Everything that a summary reads, so that it need not touch the rows.
CREATE INDEX results_by_check ON results (name, start, slot, location, run, duration, status);
CREATE INDEX results_by_start ON results (start, name, slot, location, run);
CREATE INDEX results_by_run   ON results (run, start, name, slot, location) WHERE run <> '';

-- One row for what opened an event and one for what closed it, as they came.
CREATE TABLE events (
  seq      INTEGER PRIMARY KEY, -- of feed
  kind     TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  run      TEXT    NOT NULL,
  location TEXT    NOT NULL,
  start    INTEGER NOT NULL,
  ended    INTEGER,             -- null while it lasts
  text     TEXT    NOT NULL,
  labels   TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_key ON events (kind, subject, run, location, start, (ended IS NULL));
CREATE INDEX events_by_start ON events (start);

-- The log: what was new, in commit order. Without a name it is the event of that seq.
CREATE TABLE feed (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  received INTEGER NOT NULL,
  name     TEXT,
  slot     INTEGER,
  location TEXT,
  run      TEXT
) STRICT;

-- Evidence, each piece once however many results have it.
CREATE TABLE artifacts (
  id         TEXT PRIMARY KEY, -- SHA-256 of data in hexadecimal
  name       TEXT NOT NULL,
  media_type TEXT NOT NULL,
  data       BLOB NOT NULL
) STRICT;

-- How far each sink has read the feed.
CREATE TABLE cursors (
  sink TEXT    PRIMARY KEY,
  seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
