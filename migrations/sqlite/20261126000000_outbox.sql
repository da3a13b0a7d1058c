-- migrate:up

-- Events for brokers, written with the work that they tell of, and sent afterwards.
CREATE TABLE romancy_outbox (
  -- Events of one instance are sent in this order.
  position     INTEGER NOT NULL PRIMARY KEY,
  id           TEXT    NOT NULL,
  instance_id  TEXT    NOT NULL,
  attributes   TEXT    NOT NULL,
  -- As it is sent, bytes in base64.
  body         TEXT,
  is_binary    INTEGER NOT NULL CHECK (is_binary IN (0, 1)),
  status       TEXT    NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'published', 'invalid', 'failed', 'expired')),
  attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- When a worker should look at it next.
  next_at      INTEGER NOT NULL,
  -- Since when it is to be sent.
  queued_at    INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  published_at INTEGER,
  last_error   TEXT,
  -- The worker that sends it, and the fencing token of that claim.
  claimed_by   TEXT,
  claim_token  TEXT,
  CHECK ((claimed_by IS NULL) = (claim_token IS NULL)),
  CHECK (claimed_by IS NULL OR status = 'pending'),
  CHECK ((published_at IS NULL) = (status <> 'published'))
) STRICT;
CREATE INDEX romancy_outbox_due ON romancy_outbox (next_at, position) WHERE status = 'pending' AND claimed_by IS NULL;
CREATE INDEX romancy_outbox_order ON romancy_outbox (instance_id, status, position);
CREATE INDEX romancy_outbox_owner ON romancy_outbox (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX romancy_outbox_dead ON romancy_outbox (status, position) WHERE status <> 'published';
CREATE INDEX romancy_outbox_published ON romancy_outbox (published_at) WHERE published_at IS NOT NULL;

-- migrate:down

DROP TABLE romancy_outbox;
