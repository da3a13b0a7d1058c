-- migrate:up

-- The mode of each channel that has, or had, subscribers other than direct ones.
CREATE TABLE romancy_channels (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('broadcast', 'competing'))
);

CREATE TABLE romancy_channel_subscriptions (
  channel       TEXT COLLATE "C" NOT NULL,
  instance_id   TEXT COLLATE "C" NOT NULL,
  mode          TEXT COLLATE "C" NOT NULL CHECK (mode IN ('broadcast', 'competing', 'direct')),
  -- Since when a competing one has waited for a message; who waits longest is called first.
  waiting_since BIGINT,
  PRIMARY KEY (channel, instance_id)
);
CREATE INDEX romancy_channel_subscriptions_instance ON romancy_channel_subscriptions (instance_id);
CREATE INDEX romancy_channel_subscriptions_waiting ON romancy_channel_subscriptions (channel, waiting_since) WHERE waiting_since IS NOT NULL;

-- Messages that one of competing subscribers is to take. Taken ones stay for a while, so that no copy is put in again.
CREATE TABLE romancy_channel_messages (
  position   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id         TEXT   COLLATE "C" NOT NULL,
  channel    TEXT   COLLATE "C" NOT NULL,
  attributes TEXT   NOT NULL,
  data       TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  taken_at   BIGINT
);
CREATE UNIQUE INDEX romancy_channel_messages_id ON romancy_channel_messages (id);
CREATE INDEX romancy_channel_messages_open ON romancy_channel_messages (channel, position) WHERE taken_at IS NULL;
CREATE INDEX romancy_channel_messages_taken ON romancy_channel_messages (taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX romancy_channel_messages_created ON romancy_channel_messages (created_at) WHERE taken_at IS NULL;

CREATE TABLE romancy_groups (
  name        TEXT COLLATE "C" NOT NULL,
  instance_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (name, instance_id)
);
CREATE INDEX romancy_groups_instance ON romancy_groups (instance_id);

-- Instances that went on as others: the members of each chain, in order.
CREATE TABLE romancy_chains (
  chain_id    TEXT   COLLATE "C" NOT NULL,
  generation  BIGINT NOT NULL CHECK (generation >= 0),
  instance_id TEXT   COLLATE "C" NOT NULL,
  PRIMARY KEY (chain_id, generation)
);
CREATE UNIQUE INDEX romancy_chains_instance ON romancy_chains (instance_id);

-- Histories of instances that went on as others.
CREATE TABLE romancy_history_archive (
  instance_id  TEXT   COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL CHECK (seq > 0),
  kind         TEXT   COLLATE "C" NOT NULL,
  operation_id TEXT   COLLATE "C" NOT NULL,
  data         TEXT,
  at           BIGINT NOT NULL,
  PRIMARY KEY (instance_id, seq)
);

-- migrate:down

DROP TABLE romancy_history_archive;
DROP TABLE romancy_chains;
DROP TABLE romancy_groups;
DROP TABLE romancy_channel_messages;
DROP TABLE romancy_channel_subscriptions;
DROP TABLE romancy_channels;
