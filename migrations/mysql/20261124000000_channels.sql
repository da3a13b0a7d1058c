-- migrate:up

-- The mode of each channel that has, or had, subscribers other than direct ones.
CREATE TABLE IF NOT EXISTS romancy_channels (
  name VARCHAR(255) NOT NULL PRIMARY KEY,
  mode VARCHAR(20)  NOT NULL CHECK (mode IN ('broadcast', 'competing'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

CREATE TABLE IF NOT EXISTS romancy_channel_subscriptions (
  channel       VARCHAR(255) NOT NULL,
  instance_id   VARCHAR(255) NOT NULL,
  mode          VARCHAR(20)  NOT NULL CHECK (mode IN ('broadcast', 'competing', 'direct')),
  -- Since when a competing one has waited for a message. Who waits longest is called first.
  waiting_since BIGINT,
  PRIMARY KEY (channel, instance_id),
  KEY romancy_channel_subscriptions_instance (instance_id),
  KEY romancy_channel_subscriptions_waiting (channel, waiting_since)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- Messages that one of competing subscribers is to take. Taken ones stay for a while, so that no copy is put in again.
CREATE TABLE IF NOT EXISTS romancy_channel_messages (
  position   BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id         VARCHAR(255) NOT NULL,
  channel    VARCHAR(255) NOT NULL,
  attributes LONGTEXT     NOT NULL,
  data       LONGTEXT     NOT NULL,
  created_at BIGINT       NOT NULL,
  taken_at   BIGINT,
  UNIQUE KEY romancy_channel_messages_id (id),
  KEY romancy_channel_messages_open (channel, taken_at, position),
  KEY romancy_channel_messages_taken (taken_at, created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

CREATE TABLE IF NOT EXISTS romancy_groups (
  name        VARCHAR(255) NOT NULL,
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (name, instance_id),
  KEY romancy_groups_instance (instance_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- Instances that went on as others: the members of each chain, in order.
CREATE TABLE IF NOT EXISTS romancy_chains (
  chain_id    VARCHAR(255) NOT NULL,
  generation  BIGINT       NOT NULL CHECK (generation >= 0),
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (chain_id, generation),
  UNIQUE KEY romancy_chains_instance (instance_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- Histories of instances that went on as others.
CREATE TABLE IF NOT EXISTS romancy_history_archive (
  instance_id  VARCHAR(255) NOT NULL,
  seq          BIGINT       NOT NULL CHECK (seq > 0),
  kind         VARCHAR(40)  NOT NULL,
  operation_id VARCHAR(255) NOT NULL,
  data         LONGTEXT,
  at           BIGINT       NOT NULL,
  PRIMARY KEY (instance_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- migrate:down

DROP TABLE IF EXISTS romancy_history_archive;
DROP TABLE IF EXISTS romancy_chains;
DROP TABLE IF EXISTS romancy_groups;
DROP TABLE IF EXISTS romancy_channel_messages;
DROP TABLE IF EXISTS romancy_channel_subscriptions;
DROP TABLE IF EXISTS romancy_channels;
