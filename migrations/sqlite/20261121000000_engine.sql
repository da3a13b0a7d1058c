-- migrate:up

CREATE TABLE romancy_instances (
  id             TEXT    NOT NULL PRIMARY KEY,
  workflow       TEXT    NOT NULL,
  -- Not IN (...), for which SQLite makes a table each time that a row is written.
  status         TEXT    NOT NULL CHECK (
    status = 'pending' OR status = 'running' OR status = 'waiting' OR status = 'compensating' OR status = 'blocked'
    OR status = 'completed' OR status = 'failed' OR status = 'cancelled' OR status = 'recurred'),
  input          TEXT    NOT NULL,
  output         TEXT,
  error          TEXT,
  parent_id      TEXT,
  root_id        TEXT,
  continued_from TEXT,
  tags           TEXT,
  priority       INTEGER NOT NULL DEFAULT 0 CHECK (priority >= 0),
  wake_at        INTEGER,
  worker_id      TEXT,
  epoch          INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  signals        INTEGER NOT NULL DEFAULT 0 CHECK (signals >= 0),
  cancel_reason  TEXT,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  completed_at   INTEGER
) STRICT;

-- Partial indexes: instances that have ended, which become most of them, cost nothing in them.
-- Claims: nobody's and due.
CREATE INDEX romancy_instances_due ON romancy_instances (wake_at) WHERE worker_id IS NULL AND wake_at IS NOT NULL;
-- Sweeps: by owner.
CREATE INDEX romancy_instances_owner ON romancy_instances (worker_id) WHERE worker_id IS NOT NULL;
-- Blocked instances are tried again when a worker starts.
CREATE INDEX romancy_instances_blocked ON romancy_instances (created_at) WHERE status = 'blocked';
-- Listings, newest first.
CREATE INDEX romancy_instances_created ON romancy_instances (created_at);

CREATE TABLE romancy_history (
  instance_id  TEXT    NOT NULL,
  seq          INTEGER NOT NULL CHECK (seq > 0),
  kind         TEXT    NOT NULL,
  operation_id TEXT    NOT NULL,
  data         TEXT,
  at           INTEGER NOT NULL,
  PRIMARY KEY (instance_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE romancy_workers (
  id          TEXT    NOT NULL PRIMARY KEY,
  incarnation TEXT    NOT NULL,
  host        TEXT    NOT NULL,
  pid         INTEGER NOT NULL,
  born        TEXT    NOT NULL,
  started_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT;

-- migrate:down

DROP TABLE romancy_workers;
DROP TABLE romancy_history;
DROP TABLE romancy_instances;
