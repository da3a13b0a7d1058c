-- migrate:up

-- Ids and names compare as bytes, trailing spaces included. MySQL and MariaDB call the collation that does so by
-- different names: each reads only its own comment. Times are epoch milliseconds.
-- Statements that define tables commit at once here, so each may find its work done by a migration that was cut off.
CREATE TABLE IF NOT EXISTS romancy_instances (
  id             VARCHAR(255) NOT NULL,
  workflow       VARCHAR(255) NOT NULL,
  status         VARCHAR(20)  NOT NULL CHECK (status IN ('pending', 'running', 'waiting', 'compensating', 'blocked', 'completed', 'failed', 'cancelled', 'recurred')),
  input          LONGTEXT     NOT NULL,
  output         LONGTEXT,
  error          LONGTEXT,
  parent_id      VARCHAR(255),
  root_id        VARCHAR(255),
  continued_from VARCHAR(255),
  tags           LONGTEXT,
  priority       BIGINT       NOT NULL DEFAULT 0 CHECK (priority >= 0),
  wake_at        BIGINT,
  worker_id      VARCHAR(255),
  epoch          BIGINT       NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  signals        BIGINT       NOT NULL DEFAULT 0 CHECK (signals >= 0),
  recoveries     BIGINT       NOT NULL DEFAULT 0 CHECK (recoveries >= 0),
  cancel_reason  LONGTEXT,
  created_at     BIGINT       NOT NULL,
  updated_at     BIGINT       NOT NULL,
  completed_at   BIGINT,
  -- When a blocked instance was created, and nothing for others: there are no partial indexes here.
  blocked_since  BIGINT GENERATED ALWAYS AS (CASE WHEN status = 'blocked' THEN created_at END) VIRTUAL,
  PRIMARY KEY (id),
  -- Claims: nobody's and due. Sweeps: by owner.
  KEY romancy_instances_due (worker_id, wake_at),
  -- Blocked instances are tried again when a worker starts.
  KEY romancy_instances_blocked (blocked_since),
  -- Listings, newest first.
  KEY romancy_instances_created (created_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

CREATE TABLE IF NOT EXISTS romancy_history (
  instance_id  VARCHAR(255) NOT NULL,
  seq          BIGINT       NOT NULL CHECK (seq > 0),
  kind         VARCHAR(40)  NOT NULL,
  operation_id VARCHAR(255) NOT NULL,
  data         LONGTEXT,
  at           BIGINT       NOT NULL,
  PRIMARY KEY (instance_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

CREATE TABLE IF NOT EXISTS romancy_workers (
  id          VARCHAR(255) NOT NULL,
  incarnation VARCHAR(255) NOT NULL,
  host        VARCHAR(500) NOT NULL,
  pid         BIGINT       NOT NULL,
  born        VARCHAR(255) NOT NULL,
  lock_name   VARCHAR(64),
  started_at  BIGINT       NOT NULL,
  expires_at  BIGINT       NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- migrate:down

DROP TABLE IF EXISTS romancy_workers;
DROP TABLE IF EXISTS romancy_history;
DROP TABLE IF EXISTS romancy_instances;
