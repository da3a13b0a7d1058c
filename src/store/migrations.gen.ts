// Made by `npm run migrations` from migrations/*/*.sql. Do not edit.
import type { Migration } from "./migration.ts";

export const migrations: Readonly<Record<string, readonly Migration[]>> = {
  "sqlite": [
    {
      "version": "20261121000000",
      "name": "engine",
      "up": "CREATE TABLE romancy_instances (\n  id             TEXT    NOT NULL PRIMARY KEY,\n  workflow       TEXT    NOT NULL,\n  status         TEXT    NOT NULL CHECK (status IN ('pending', 'running', 'waiting', 'compensating', 'blocked', 'completed', 'failed', 'cancelled', 'recurred')),\n  input          TEXT    NOT NULL,\n  output         TEXT,\n  error          TEXT,\n  parent_id      TEXT,\n  root_id        TEXT,\n  continued_from TEXT,\n  tags           TEXT,\n  priority       INTEGER NOT NULL DEFAULT 0 CHECK (priority >= 0),\n  wake_at        INTEGER,\n  worker_id      TEXT,\n  epoch          INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),\n  signals        INTEGER NOT NULL DEFAULT 0 CHECK (signals >= 0),\n  cancel_reason  TEXT,\n  created_at     INTEGER NOT NULL,\n  updated_at     INTEGER NOT NULL,\n  completed_at   INTEGER\n) STRICT;\n\n-- Partial indexes: instances that have ended, which become most of them, cost nothing in them.\n-- Claims: nobody's and due.\nCREATE INDEX romancy_instances_due ON romancy_instances (wake_at) WHERE worker_id IS NULL AND wake_at IS NOT NULL;\n-- Sweeps: by owner.\nCREATE INDEX romancy_instances_owner ON romancy_instances (worker_id) WHERE worker_id IS NOT NULL;\n-- Blocked instances are tried again when a worker starts.\nCREATE INDEX romancy_instances_blocked ON romancy_instances (created_at) WHERE status = 'blocked';\n-- Listings, newest first.\nCREATE INDEX romancy_instances_created ON romancy_instances (created_at);\n\nCREATE TABLE romancy_history (\n  instance_id  TEXT    NOT NULL,\n  seq          INTEGER NOT NULL CHECK (seq > 0),\n  kind         TEXT    NOT NULL,\n  operation_id TEXT    NOT NULL,\n  data         TEXT,\n  at           INTEGER NOT NULL,\n  PRIMARY KEY (instance_id, seq)\n) STRICT, WITHOUT ROWID;\n\nCREATE TABLE romancy_workers (\n  id          TEXT    NOT NULL PRIMARY KEY,\n  incarnation TEXT    NOT NULL,\n  host        TEXT    NOT NULL,\n  pid         INTEGER NOT NULL,\n  born        TEXT    NOT NULL,\n  started_at  INTEGER NOT NULL,\n  expires_at  INTEGER NOT NULL\n) STRICT;",
      "down": "DROP TABLE romancy_workers;\nDROP TABLE romancy_history;\nDROP TABLE romancy_instances;"
    }
  ]
};
