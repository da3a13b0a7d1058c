-- migrate:up

-- Events for brokers, written with the work that they tell of, and sent afterwards.
CREATE TABLE IF NOT EXISTS romancy_outbox (
  -- Events of one instance are sent in this order.
  position     BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id           TEXT         NOT NULL,
  instance_id  VARCHAR(255) NOT NULL,
  attributes   LONGTEXT     NOT NULL,
  -- As it is sent, bytes in base64.
  body         LONGTEXT,
  is_binary    BIGINT       NOT NULL CHECK (is_binary IN (0, 1)),
  status       VARCHAR(20)  NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'published', 'invalid', 'failed', 'expired')),
  attempts     BIGINT       NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- When a worker should look at it next.
  next_at      BIGINT       NOT NULL,
  -- Since when it is to be sent.
  queued_at    BIGINT       NOT NULL,
  created_at   BIGINT       NOT NULL,
  published_at BIGINT,
  last_error   LONGTEXT,
  -- The worker that sends it, and the fencing token of that claim.
  claimed_by   VARCHAR(255),
  claim_token  VARCHAR(255),
  CHECK ((claimed_by IS NULL) = (claim_token IS NULL)),
  CHECK (claimed_by IS NULL OR status = 'pending'),
  CHECK ((published_at IS NULL) = (status <> 'published')),
  KEY romancy_outbox_due (status, claimed_by, next_at, position),
  KEY romancy_outbox_order (instance_id, status, position),
  KEY romancy_outbox_owner (claimed_by),
  KEY romancy_outbox_dead (status, position),
  KEY romancy_outbox_published (published_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 /*!80017 COLLATE = utf8mb4_0900_bin */ /*M! COLLATE = utf8mb4_nopad_bin */;

-- migrate:down

DROP TABLE IF EXISTS romancy_outbox;
