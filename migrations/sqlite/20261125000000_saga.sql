-- migrate:up

-- When it was asked that the instance be cancelled, in epoch milliseconds.
ALTER TABLE romancy_instances ADD COLUMN cancel_requested_at INTEGER;
-- Compensations that failed for good.
ALTER TABLE romancy_instances ADD COLUMN compensation_errors TEXT;
-- Of a child: whether it goes on when its parent is cancelled, and how often its parent has begun to wait for its end.
ALTER TABLE romancy_instances ADD COLUMN detached INTEGER NOT NULL DEFAULT 0 CHECK (detached IN (0, 1));
ALTER TABLE romancy_instances ADD COLUMN awaited INTEGER NOT NULL DEFAULT 0 CHECK (awaited >= 0);
CREATE INDEX romancy_instances_parent ON romancy_instances (parent_id) WHERE parent_id IS NOT NULL;

-- migrate:down

DROP INDEX romancy_instances_parent;
ALTER TABLE romancy_instances DROP COLUMN awaited;
ALTER TABLE romancy_instances DROP COLUMN detached;
ALTER TABLE romancy_instances DROP COLUMN compensation_errors;
ALTER TABLE romancy_instances DROP COLUMN cancel_requested_at;
