import { connect } from "amqplib";
import { expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { rabbitmqPublisher } from "../../src/outbox/rabbitmq.ts";
import { startApp } from "../support/apps.ts";
import { brokerUrl } from "../support/brokers.ts";
import { entries, settled } from "../support/outbox.ts";
import { until } from "../support/wait.ts";

const tell = defineActivity("tell", async (ctx, from: number, to: number) => {
  for (let n = from; n < to; n++) await ctx.sendEvent({ type: "told", data: { n } });
});
const flow = defineWorkflow("flow", (ctx, from: number, to: number) => tell(ctx, from, to));

it("publishes with confirmation, and tries again while no queue takes the event or the channel is broken", async (context) => {
  const url = await brokerUrl("rabbitmq", context);
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const exchange = `romancy-${crypto.randomUUID()}`;
  const app = await startApp({
    workflows: [flow],
    outbox: {
      publisher: rabbitmqPublisher({ url, exchange }),
      retry: { initialInterval: 10, maxInterval: 10, jitter: 0 },
    },
  });
  const failing = async (text: string): Promise<void> => {
    await until(async () => (await entries(app)).some(({ lastError }) => lastError?.includes(text)));
  };
  try {
    await (await flow.with({ id: "i-1" }).start(app, 0, 3)).result();
    // An exchange that does not exist: the broker closes the channel.
    await failing("did not confirm");
    await channel.assertExchange(exchange, "topic", { autoDelete: true });
    await failing("No queue of RabbitMQ");
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, exchange, "told");
    await settled(app, 3);
    const taken: unknown[] = [];
    await channel.consume(
      queue,
      (message) => {
        const { messageId, contentType, deliveryMode } = message?.properties ?? {};
        taken.push({ messageId, contentType, deliveryMode, n: JSON.parse(String(message?.content)).data.n });
      },
      { noAck: true },
    );
    await until(() => taken.length === 3);
    expect(taken).toEqual(
      [0, 1, 2].map((n) => ({
        messageId: `i-1/tell:1/${n + 1}`,
        contentType: "application/cloudevents+json",
        deliveryMode: 2,
        n,
      })),
    );
  } finally {
    await app.shutdown();
    await connection.close();
  }
});

it("says when the broker cannot be reached", async () => {
  const publisher = rabbitmqPublisher({ url: "amqp://127.0.0.1:1" });
  const app = await startApp({ workflows: [flow], outbox: { publisher, retry: false } });
  await (await flow.start(app, 0, 1)).result();
  expect(await settled(app, 1)).toMatchObject([{ status: "failed" }]);
  expect((await entries(app))[0]?.lastError).toContain("RabbitMQ could not be reached");
});
