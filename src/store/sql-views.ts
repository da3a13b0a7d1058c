import type { HistoryEvent } from "../core/history.ts";
import type { Database } from "./database.ts";
import { restOf, sourceOf } from "./list-params.ts";
import { forEachRow } from "./pages.ts";
import { recordOf, summaryOf } from "./records.ts";
import { retrying } from "./retry-transient.ts";
import { eventOf } from "./rows.ts";
import type { Queries, Runner } from "./runner.ts";
import { archivePage, type HistoryRow, historyPage } from "./statements/history.ts";
import { instanceById } from "./statements/instances.ts";
import { listing } from "./statements/listing.ts";
import type { InstanceRecord, ListFilter, SummaryRecord, Views } from "./store.ts";

/** What users look at, on any SQL database. */
export class SqlViews implements Views {
  readonly #viewer: Queries;

  constructor(database: Database, runner: Runner) {
    this.#viewer = retrying(database, runner.on(database.viewer));
  }

  async instance(id: string): Promise<InstanceRecord | undefined> {
    const [row] = await this.#viewer.all(instanceById, { id });
    return row && recordOf(row);
  }

  async list(filter: ListFilter): Promise<SummaryRecord[]> {
    const statement = listing({ source: sourceOf(filter), order: filter.order, inputs: filter.input.length });
    const rows = await this.#viewer.all(statement, restOf(filter));
    return rows.map(summaryOf);
  }

  async history(id: string): Promise<HistoryEvent[]> {
    const events = await this.#events(id, historyPage);
    return events.length > 0 ? events : this.#events(id, archivePage);
  }

  async #events(id: string, page: typeof historyPage): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    await forEachRow<HistoryRow>(
      (last, limit) => this.#viewer.all(page, { ids: [id], afterId: id, afterSeq: last?.seq ?? 0, limit }),
      (row) => void events.push(eventOf(row)),
    );
    return events;
  }
}
