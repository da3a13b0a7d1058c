-- migrate:up

-- What the workflow said of itself when the instance began.
ALTER TABLE romancy_instances ADD COLUMN version TEXT;
-- The trace context of whoever started it: a JSON object of strings.
ALTER TABLE romancy_instances ADD COLUMN trace_context TEXT;
-- Listings of a status, in their order. What runs and completes, and never waits, is never in it: it costs that nothing.
-- Not IN (...), for which SQLite makes a table each time.
CREATE INDEX romancy_instances_status ON romancy_instances (status, created_at, id)
  WHERE status <> 'pending' AND status <> 'running' AND status <> 'completed';
-- What belongs together, in its order.
CREATE INDEX romancy_instances_root ON romancy_instances (root_id, created_at, id) WHERE root_id <> id;
DROP INDEX romancy_instances_parent;
CREATE INDEX romancy_instances_parent ON romancy_instances (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
-- Events that were given up, and when.
CREATE INDEX romancy_outbox_given_up ON romancy_outbox (next_at) WHERE status IN ('invalid', 'failed', 'expired');

-- migrate:down

DROP INDEX romancy_outbox_given_up;
DROP INDEX romancy_instances_parent;
CREATE INDEX romancy_instances_parent ON romancy_instances (parent_id) WHERE parent_id IS NOT NULL;
DROP INDEX romancy_instances_root;
DROP INDEX romancy_instances_status;
ALTER TABLE romancy_instances DROP COLUMN trace_context;
ALTER TABLE romancy_instances DROP COLUMN version;
