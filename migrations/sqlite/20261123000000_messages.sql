-- migrate:up

-- What instances hear of; an empty key stands for any.
CREATE TABLE romancy_subscriptions (
  type        TEXT NOT NULL,
  message_key TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  PRIMARY KEY (type, message_key, instance_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX romancy_subscriptions_instance ON romancy_subscriptions (instance_id);

-- What was delivered to instances, in order; read messages stay, so that no copy of one is delivered again.
CREATE TABLE romancy_inbox (
  instance_id TEXT    NOT NULL,
  position    INTEGER NOT NULL CHECK (position > 0),
  type        TEXT    NOT NULL,
  message_key TEXT,
  fingerprint TEXT    NOT NULL,
  attributes  TEXT    NOT NULL,
  data        TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  read_at     INTEGER,
  PRIMARY KEY (instance_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX romancy_inbox_fingerprint ON romancy_inbox (instance_id, fingerprint);

-- Calls of owners to their instances are found beside the owner.
DROP INDEX romancy_instances_owner;
CREATE INDEX romancy_instances_owner ON romancy_instances (worker_id, wake_at) WHERE worker_id IS NOT NULL;

-- migrate:down

DROP INDEX romancy_instances_owner;
CREATE INDEX romancy_instances_owner ON romancy_instances (worker_id) WHERE worker_id IS NOT NULL;
DROP TABLE romancy_inbox;
DROP TABLE romancy_subscriptions;
