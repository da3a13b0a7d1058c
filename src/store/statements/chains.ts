import { $, $int, $list, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

/** The instance is the first of a chain, unless it is a member of one. */
export const beginChain: Statement<"id"> = statement(
  "chains.begin",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_chains (chain_id, generation, instance_id)
  values (${$("id")}, 0, ${$("id")}) ${d.insertIgnore.after}`,
);

/** Of two that would succeed it, the key lets one. */
export const continueChain: Statement<"id" | "successor"> = statement(
  "chains.continue",
  () => sql`
  insert into romancy_chains (chain_id, generation, instance_id)
  select chain_id, generation + 1, ${$("successor")} from romancy_chains where instance_id = ${$("id")}`,
);

/** The last of the instance's chain. */
export const lastOfChain: Statement<"id", { readonly instance_id: string }> = statement(
  "chains.last",
  () => sql`
  select instance_id from romancy_chains
  where chain_id = (select chain_id from romancy_chains where instance_id = ${$("id")})
  order by generation desc limit 1`,
);

/** Which of the instances went on as others. */
export const recurredAmong: Statement<"ids", { readonly id: string }> = statement(
  "instances.recurredAmong",
  (d) => sql`
  select id from romancy_instances where ${d.isOneOf("id", $list("ids"))} and status = 'recurred'`,
);

/**
 * The successor's row: owned, and with what lasts of its predecessor. Its mailbox is the first thing that was sent to
 * it: so whoever runs it looks into it, and knows that there is something to be cleared at its end.
 */
export const insertSuccessor: Statement<"id" | "successor" | "input" | "version" | "workerId" | "at"> = statement(
  "instances.insertSuccessor",
  () => sql`
  insert into romancy_instances
    (id, workflow, status, input, parent_id, root_id, detached, awaited, continued_from, tags, priority, version,
     trace_context, worker_id, epoch, signals, created_at, updated_at)
  select ${$("successor")}, workflow, 'running', ${$("input")}, parent_id, root_id, detached, awaited, id, tags, priority,
         ${$("version")}, trace_context, ${$("workerId")}, 1, signals + 1, ${$int("at")}, ${$int("at")}
  from romancy_instances where id = ${$("id")}`,
);

export const archiveHistory: Statement<"id"> = statement(
  "history.archive",
  () => sql`
  insert into romancy_history_archive (instance_id, seq, kind, operation_id, data, at)
  select instance_id, seq, kind, operation_id, data, at from romancy_history where instance_id = ${$("id")}`,
);

export const deleteHistory: Statement<"id"> = statement(
  "history.delete",
  () => sql`delete from romancy_history where instance_id = ${$("id")}`,
);

/**
 * What was read long ago, or many deliveries ago, does not go along: no copy of it is to be expected any more, and one
 * that recurs for each message would take more along each time.
 */
export const forgetRead: Statement<"id" | "before" | "kept"> = statement(
  "inbox.forgetRead",
  () => sql`
  delete from romancy_inbox
  where instance_id = ${$("id")} and read_at is not null
    and (read_at < ${$int("before")}
         or position <= (select signals from romancy_instances where id = ${$("id")}) - ${$int("kept")})`,
);

const move = (table: string): Statement<"id" | "successor"> =>
  statement(
    `${table}.move`,
    () => sql`update ${table} set instance_id = ${$("successor")} where instance_id = ${$("id")}`,
  );

/** It does not wait any more. */
const moveSubscriptions: Statement<"id" | "successor"> = statement(
  "channelSubscriptions.move",
  () => sql`
  update romancy_channel_subscriptions set instance_id = ${$("successor")}, waiting_since = null
  where instance_id = ${$("id")}`,
);

/** What goes along to the successor. */
export const moves: readonly Statement<"id" | "successor">[] = [
  ...["romancy_inbox", "romancy_subscriptions", "romancy_groups"].map(move),
  moveSubscriptions,
];
