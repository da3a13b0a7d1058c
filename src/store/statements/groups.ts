import { $, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

export const joinGroup: Statement<"group" | "instanceId"> = statement(
  "groups.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_groups (name, instance_id)
  values (${$("group")}, ${$("instanceId")}) ${d.insertIgnore.after}`,
);

export const leaveGroup: Statement<"group" | "instanceId"> = statement(
  "groups.delete",
  () => sql`delete from romancy_groups where name = ${$("group")} and instance_id = ${$("instanceId")}`,
);

/** Memberships end with the instance. */
export const leaveGroups: Statement<"instanceId"> = statement(
  "groups.deleteOf",
  () => sql`delete from romancy_groups where instance_id = ${$("instanceId")}`,
);

export const membersOf: Statement<"group", { readonly instance_id: string }> = statement(
  "groups.members",
  () => sql`select instance_id from romancy_groups where name = ${$("group")} order by instance_id`,
);
