-- migrate:up

-- What the workflow said of itself when the instance began.
ALTER TABLE romancy_instances ADD COLUMN version TEXT;
-- The trace context of whoever started it: a JSON object of strings.
ALTER TABLE romancy_instances ADD COLUMN trace_context TEXT;
-- Listings of a status, of a workflow and of what belongs together, each in its order. None begins with the workflow:
-- SQLite, which knows nothing of how many rows have a value, would take it for claims.
CREATE INDEX romancy_instances_status ON romancy_instances (status, created_at, id);
CREATE INDEX romancy_instances_workflow ON romancy_instances (status, workflow, created_at, id);
CREATE INDEX romancy_instances_root ON romancy_instances (root_id, created_at, id) WHERE root_id <> id;
DROP INDEX romancy_instances_parent;
CREATE INDEX romancy_instances_parent ON romancy_instances (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
-- Retention: what began by itself and has ended, oldest first.
CREATE INDEX romancy_instances_ended ON romancy_instances (workflow, completed_at, id) WHERE completed_at IS NOT NULL AND root_id = id;

-- migrate:down

DROP INDEX romancy_instances_ended;
DROP INDEX romancy_instances_parent;
CREATE INDEX romancy_instances_parent ON romancy_instances (parent_id) WHERE parent_id IS NOT NULL;
DROP INDEX romancy_instances_root;
DROP INDEX romancy_instances_workflow;
DROP INDEX romancy_instances_status;
ALTER TABLE romancy_instances DROP COLUMN trace_context;
ALTER TABLE romancy_instances DROP COLUMN version;
