-- migrate:up

-- Ids and names compare as bytes, whatever the database's collation: COLLATE "C". Times are epoch milliseconds.
CREATE TABLE romancy_instances (
  id             TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  workflow       TEXT   COLLATE "C" NOT NULL,
  status         TEXT   COLLATE "C" NOT NULL CHECK (status IN ('pending', 'running', 'waiting', 'compensating', 'blocked', 'completed', 'failed', 'cancelled', 'recurred')),
  input          TEXT   NOT NULL,
  output         TEXT,
  error          TEXT,
  parent_id      TEXT   COLLATE "C",
  root_id        TEXT   COLLATE "C",
  continued_from TEXT   COLLATE "C",
  tags           TEXT,
  priority       BIGINT NOT NULL DEFAULT 0 CHECK (priority >= 0),
  wake_at        BIGINT,
  worker_id      TEXT   COLLATE "C",
  epoch          BIGINT NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  signals        BIGINT NOT NULL DEFAULT 0 CHECK (signals >= 0),
  recoveries     BIGINT NOT NULL DEFAULT 0 CHECK (recoveries >= 0),
  cancel_reason  TEXT,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  completed_at   BIGINT
);

-- Partial indexes: instances that have ended, which become most of them, cost nothing in them.
-- Claims: nobody's and due.
CREATE INDEX romancy_instances_due ON romancy_instances (wake_at) WHERE worker_id IS NULL AND wake_at IS NOT NULL;
-- Sweeps: by owner.
CREATE INDEX romancy_instances_owner ON romancy_instances (worker_id) WHERE worker_id IS NOT NULL;
-- Blocked instances are tried again when a worker starts.
CREATE INDEX romancy_instances_blocked ON romancy_instances (created_at) WHERE status = 'blocked';
-- Listings, newest first.
CREATE INDEX romancy_instances_created ON romancy_instances (created_at, id);

CREATE TABLE romancy_history (
  instance_id  TEXT   COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL CHECK (seq > 0),
  kind         TEXT   COLLATE "C" NOT NULL,
  operation_id TEXT   COLLATE "C" NOT NULL,
  data         TEXT,
  at           BIGINT NOT NULL,
  PRIMARY KEY (instance_id, seq)
);

CREATE TABLE romancy_workers (
  id          TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  incarnation TEXT   COLLATE "C" NOT NULL,
  host        TEXT   COLLATE "C" NOT NULL,
  pid         BIGINT NOT NULL,
  born        TEXT   COLLATE "C" NOT NULL,
  lock_name   TEXT   COLLATE "C",
  started_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL
);

-- migrate:down

DROP TABLE romancy_workers;
DROP TABLE romancy_history;
DROP TABLE romancy_instances;
