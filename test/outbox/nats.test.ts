import { expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { natsPublisher } from "../../src/outbox/nats.ts";
import { startApp } from "../support/apps.ts";
import { brokerUrl } from "../support/brokers.ts";
import { entries, settled } from "../support/outbox.ts";
import { until } from "../support/wait.ts";

/** What tests use of the packages, whose own types need settings that this project does not have. */
interface Connection {
  readonly info: { readonly server_id: string };
  close(): Promise<void>;
}
interface Manager {
  readonly streams: {
    add(config: object): Promise<unknown>;
    delete(name: string): Promise<boolean>;
    getMessage(name: string, query: { seq: number }): Promise<{ readonly subject: string; json(): unknown }>;
    info(name: string): Promise<{ readonly state: { readonly messages: number } }>;
  };
}
const { connect } = (await import("@nats-io/transport-node" as string)) as {
  connect(options: object): Promise<Connection>;
};
const { jetstreamManager } = (await import("@nats-io/jetstream" as string)) as {
  jetstreamManager(connection: Connection): Promise<Manager>;
};

const tell = defineActivity("tell", async (ctx, count: number) => {
  for (let n = 0; n < count; n++) await ctx.sendEvent({ type: "told", data: { n } });
});
const flow = defineWorkflow("flow", (ctx, count: number) => tell(ctx, count));

it("publishes to a stream, which drops copies, and tries again while there is none", async (context) => {
  const servers = await brokerUrl("nats", context);
  const connection = await connect({ servers });
  const name = `romancy-${crypto.randomUUID()}`;
  const { streams } = await jetstreamManager(connection);
  const publisher = natsPublisher({ connection: { servers }, subject: ({ type }) => `${name}.${type}` });
  const app = await startApp({
    workflows: [flow],
    outbox: { publisher, retry: { initialInterval: 10, maxInterval: 10, jitter: 0 } },
  });
  try {
    await (await flow.with({ id: "i-1" }).start(app, 3)).result();
    await until(async () => (await entries(app))[0]?.lastError !== undefined);
    expect((await entries(app))[0]?.lastError).toContain("NATS did not take the event");
    await streams.add({ name, subjects: [`${name}.*`], storage: "memory" });
    await settled(app, 3);
    // As after a crash between the confirmation and its record.
    const [{ event } = expect.fail()] = await entries(app);
    await publisher.publish(event, { instanceId: "i-1", attempt: 2, signal: new AbortController().signal });
    expect((await streams.info(name)).state.messages).toBe(3);
    const messages = await Promise.all([1, 2, 3].map((seq) => streams.getMessage(name, { seq })));
    expect(messages.map((message) => message.json())).toMatchObject(
      [0, 1, 2].map((n) => ({ specversion: "1.0", id: `i-1/tell:1/${n + 1}`, type: "told", data: { n } })),
    );
    expect(messages[0]?.subject).toBe(`${name}.told`);
  } finally {
    await app.shutdown();
    await streams.delete(name).catch(() => {});
    await connection.close();
  }
});
