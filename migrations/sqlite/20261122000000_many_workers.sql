-- migrate:up

-- How many owners have died, one after the other, while they ran the instance and it got no further.
ALTER TABLE romancy_instances ADD COLUMN recoveries INTEGER NOT NULL DEFAULT 0 CHECK (recoveries >= 0);
-- The lock that the worker's own connection holds; SQLite has none.
ALTER TABLE romancy_workers ADD COLUMN lock_name TEXT;
-- Listings are read in this order.
DROP INDEX romancy_instances_created;
CREATE INDEX romancy_instances_created ON romancy_instances (created_at, id);

-- migrate:down

DROP INDEX romancy_instances_created;
CREATE INDEX romancy_instances_created ON romancy_instances (created_at);
ALTER TABLE romancy_workers DROP COLUMN lock_name;
ALTER TABLE romancy_instances DROP COLUMN recoveries;
