-- migrate:up

-- cancel_requested_at: when it was asked that the instance be cancelled, in epoch milliseconds.
-- compensation_errors: compensations that failed for good.
-- detached, awaited: of a child, whether it goes on when its parent is cancelled, and how often its parent has begun to
-- wait for its end.
-- One statement, which a migration that was cut off may have executed already: then it is not executed again.
SET @change = (
  SELECT IF(COUNT(*) > 0, 'DO 0',
    'ALTER TABLE romancy_instances
      ADD COLUMN cancel_requested_at BIGINT,
      ADD COLUMN compensation_errors LONGTEXT,
      ADD COLUMN detached SMALLINT NOT NULL DEFAULT 0 CHECK (detached IN (0, 1)),
      ADD COLUMN awaited BIGINT NOT NULL DEFAULT 0 CHECK (awaited >= 0),
      ADD KEY romancy_instances_parent (parent_id)')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'romancy_instances' AND column_name = 'cancel_requested_at');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;

-- migrate:down

ALTER TABLE romancy_instances
  DROP KEY romancy_instances_parent,
  DROP COLUMN awaited,
  DROP COLUMN detached,
  DROP COLUMN compensation_errors,
  DROP COLUMN cancel_requested_at;
