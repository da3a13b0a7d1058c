-- migrate:up

-- What instances hear of; an empty key stands for any.
CREATE TABLE IF NOT EXISTS romancy_subscriptions (
  type        VARCHAR(255) NOT NULL,
  message_key VARCHAR(255) NOT NULL,
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (type, message_key, instance_id),
  KEY romancy_subscriptions_instance (instance_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- What was delivered to instances, in order; read messages stay, so that no copy of one is delivered again.
CREATE TABLE IF NOT EXISTS romancy_inbox (
  instance_id VARCHAR(255) NOT NULL,
  position    BIGINT       NOT NULL CHECK (position > 0),
  type        VARCHAR(255) NOT NULL,
  message_key VARCHAR(255),
  fingerprint VARCHAR(64)  NOT NULL,
  attributes  LONGTEXT     NOT NULL,
  data        LONGTEXT     NOT NULL,
  created_at  BIGINT       NOT NULL,
  read_at     BIGINT,
  PRIMARY KEY (instance_id, position),
  UNIQUE KEY romancy_inbox_fingerprint (instance_id, fingerprint)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- migrate:down

DROP TABLE IF EXISTS romancy_inbox;
DROP TABLE IF EXISTS romancy_subscriptions;
