/** A query builder on `ctx.session.client`, as users' code sets it up. */
export interface Builder {
  readonly name: string;
  /** Whether it can give rows one after another, with what is installed. */
  readonly streams: boolean;
  /** Set up at once: no builder waits for a connection before it is asked something. */
  on(client: unknown): Payments;
}

/** What the tests do through it, with a table `payments (order_id varchar(50) primary key)`. */
export interface Payments {
  insert(orderId: string): Promise<void>;
  orderIds(): Promise<string[]>;
  /** The same, one after another. */
  stream(): AsyncIterable<string>;
  /** In a transaction as the builder makes them, which a session leaves no room for. */
  insertInTransaction(orderId: string): Promise<void>;
  /** What is done with a builder that is not needed any more. */
  destroy(): Promise<void>;
}
