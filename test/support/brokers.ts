/** Message brokers for tests: the ones that the environment names, or those of this machine; what is not to be had is skipped. */
import { connect } from "node:net";
import type { TestContext } from "vitest";

/** What a broker says first, or is told, so that it is known to be one. */
interface Broker {
  readonly name: string;
  readonly variable: string;
  readonly port: number;
  readonly greeting: Buffer;
  readonly isAnswer: (answer: Buffer) => boolean;
}

const BROKERS = {
  nats: {
    name: "NATS with JetStream",
    variable: "ROMANCY_TEST_NATS_URL",
    port: 4222,
    greeting: Buffer.of(),
    isAnswer: (answer) => /^INFO .*"jetstream":true/.test(answer.toString()),
  },
  rabbitmq: {
    name: "RabbitMQ",
    variable: "ROMANCY_TEST_RABBITMQ_URL",
    port: 5672,
    greeting: Buffer.from("AMQP\u0000\u0000\u0009\u0001", "latin1"),
    isAnswer: (answer) => answer.includes("publisher_confirms"),
  },
} as const satisfies Record<string, Broker>;

/** Milliseconds in which a broker says what it is. */
const WITHIN = 2_000;

/** The broker's URL; without one the test is skipped, and says why. */
export async function brokerUrl(kind: keyof typeof BROKERS, context: TestContext): Promise<string> {
  const broker: Broker = BROKERS[kind];
  const named = process.env[broker.variable];
  if (named) return named;
  const url = `${kind === "nats" ? "nats://" : "amqp://guest:guest@"}127.0.0.1:${broker.port}`;
  if (await answers(broker)) return url;
  return context.skip(`${broker.name} does not run on port ${broker.port}; start it, or set ${broker.variable}`);
}

function answers({ port, greeting, isAnswer }: Broker): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(WITHIN, () => end(false));
    socket.once("error", () => end(false));
    socket.once("connect", () => socket.write(greeting));
    socket.once("data", (answer) => end(isAnswer(answer)));
  });
}
