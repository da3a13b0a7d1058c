-- migrate:up

-- version: what the workflow said of itself when the instance began.
-- trace_context: the trace context of whoever started it, a JSON object of strings.
-- listed_status: the status, unless it is pending, running or completed, which change often. There are no partial indexes here.
-- The keys: listings of a status and of what belongs together, each in their order.
-- One statement, which a migration that was cut off may have executed already: then it is not executed again.
SET @change = (
  SELECT IF(COUNT(*) > 0, 'DO 0',
    'ALTER TABLE romancy_instances
      ADD COLUMN version VARCHAR(255),
      ADD COLUMN trace_context LONGTEXT,
      ADD COLUMN listed_status VARCHAR(20) GENERATED ALWAYS AS (
        CASE WHEN status NOT IN (''pending'', ''running'', ''completed'') THEN status END) VIRTUAL,
      DROP KEY romancy_instances_parent,
      ADD KEY romancy_instances_parent (parent_id, created_at, id),
      ADD KEY romancy_instances_status (listed_status, created_at, id),
      ADD KEY romancy_instances_root (root_id, created_at, id)')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'romancy_instances' AND column_name = 'version');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;

-- migrate:down

ALTER TABLE romancy_instances
  DROP KEY romancy_instances_root,
  DROP KEY romancy_instances_status,
  DROP KEY romancy_instances_parent,
  ADD KEY romancy_instances_parent (parent_id),
  DROP COLUMN listed_status,
  DROP COLUMN trace_context,
  DROP COLUMN version;
