-- migrate:up

-- version: what the workflow said of itself when the instance began.
-- trace_context: the trace context of whoever started it, a JSON object of strings.
-- root_ended_at: when one that began by itself has ended, and nothing for others. There are no partial indexes here.
-- The keys: listings of a status, of a workflow and of what belongs together, each in their order, and retention.
-- One statement, which a migration that was cut off may have executed already: then it is not executed again.
SET @change = (
  SELECT IF(COUNT(*) > 0, 'DO 0',
    'ALTER TABLE romancy_instances
      ADD COLUMN version VARCHAR(255),
      ADD COLUMN trace_context LONGTEXT,
      ADD COLUMN root_ended_at BIGINT GENERATED ALWAYS AS (CASE WHEN root_id = id THEN completed_at END) VIRTUAL,
      DROP KEY romancy_instances_parent,
      ADD KEY romancy_instances_parent (parent_id, created_at, id),
      ADD KEY romancy_instances_status (status, created_at, id),
      ADD KEY romancy_instances_workflow (status, workflow, created_at, id),
      ADD KEY romancy_instances_root (root_id, created_at, id),
      ADD KEY romancy_instances_ended (workflow, root_ended_at, id)')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'romancy_instances' AND column_name = 'version');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;

-- migrate:down

ALTER TABLE romancy_instances
  DROP KEY romancy_instances_ended,
  DROP KEY romancy_instances_root,
  DROP KEY romancy_instances_workflow,
  DROP KEY romancy_instances_status,
  DROP KEY romancy_instances_parent,
  ADD KEY romancy_instances_parent (parent_id),
  DROP COLUMN root_ended_at,
  DROP COLUMN trace_context,
  DROP COLUMN version;
