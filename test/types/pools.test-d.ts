import mysqlWithCallbacks from "mysql2";
import mysql from "mysql2/promise";
import { Client, Pool, type PoolConfig } from "pg";
import { describe, expectTypeOf, test } from "vitest";
import { Romancy, type RomancyOptions } from "../../src/index.ts";

const open = (options: RomancyOptions): Romancy => new Romancy(options);

describe("the option `database`", () => {
  test("takes the pools that `pg` and `mysql2` make", () => {
    expectTypeOf<Pool>().toExtend<RomancyOptions["database"]>();
    expectTypeOf<mysql.Pool>().toExtend<RomancyOptions["database"]>();
    expectTypeOf<mysqlWithCallbacks.Pool>().toExtend<RomancyOptions["database"]>();
    open({ database: new Pool({}) });
    open({ database: mysql.createPool({}) });
    open({ database: mysqlWithCallbacks.createPool({}) });
  });

  test("takes neither connections nor anything else", () => {
    expectTypeOf<Client>().not.toExtend<RomancyOptions["database"]>();
    expectTypeOf<mysql.Connection>().not.toExtend<RomancyOptions["database"]>();
    expectTypeOf<mysqlWithCallbacks.Connection>().not.toExtend<RomancyOptions["database"]>();
    expectTypeOf<PoolConfig>().not.toExtend<RomancyOptions["database"]>();
    // @ts-expect-error a connection is not a pool
    open({ database: new Client() });
    // @ts-expect-error a pool's options are not a pool
    open({ database: { max: 10 } });
  });
});
