/** SQL that tests need and that each database has its own words for. */
import { readdirSync } from "node:fs";
import { dialectName } from "./database.ts";

/** An expression for a text inside a column of JSON, at the path of keys and positions. */
export function jsonText(column: string, ...path: readonly (string | number)[]): string {
  if (dialectName === "postgres") return `${column}::json #>> '{${path.join(",")}}'`;
  const steps = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return dialectName === "sqlite" ? `${column} ->> '$${steps}'` : `json_unquote(json_extract(${column}, '$${steps}'))`;
}

/** A script after which the database refuses each row of history with that data. */
export function refusingData(data: string): string {
  switch (dialectName) {
    case "sqlite":
      return `create trigger refuse before insert on romancy_history when new.data = '${data}'
        begin select raise(abort, 'refused by trigger'); end`;
    case "postgres":
      return `create function refuse() returns trigger language plpgsql as $$
          begin raise exception 'refused by trigger'; end $$;
        create trigger refuse before insert on romancy_history
          for each row when (new.data = '${data}') execute function refuse()`;
    case "mysql":
      return `create trigger refuse before insert on romancy_history for each row
        if new.data = '${data}' then signal sqlstate '45000' set message_text = 'refused by trigger'; end if`;
  }
}

/** How many migrations make the whole schema. */
export function migrationCount(): number {
  return readdirSync(new URL(`../../migrations/${dialectName}`, import.meta.url)).length;
}
