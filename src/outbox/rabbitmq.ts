/**
 * Events of the outbox to RabbitMQ, by AMQP 0.9.1. Needs the package `amqplib`.
 *
 * @module
 */
import {
  type Delivery,
  MissingPackageError,
  PublishError,
  type Publisher,
  type ReceivedEvent,
  toCloudEventJson,
} from "../index.ts";

export interface RabbitmqPublisherOptions {
  /** `amqp://` or `amqps://`. */
  readonly url: string;
  /** It has to exist. Default: the default exchange, which takes a queue's name for the routing key. */
  readonly exchange?: string;
  /** The routing key of each event. Default: its type. */
  readonly routingKey?: string | ((event: ReceivedEvent<unknown>) => string);
  /** Whether an event that no queue takes is tried again later, rather than lost. Default `true`. */
  readonly mandatory?: boolean;
  /** Options of the socket, as `amqplib` takes them, such as `ca` and `cert`. */
  readonly socket?: Readonly<Record<string, unknown>>;
}

/** What is used of the package. Its types are not named: users compile without it. */
interface Connection {
  createConfirmChannel(): Promise<Channel>;
  on(event: "error" | "close", listener: () => void): unknown;
  close(): Promise<void>;
}

interface Channel {
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Readonly<Record<string, unknown>>,
    confirmed: (error: Error | null) => void,
  ): boolean;
  on(event: "error" | "close", listener: () => void): unknown;
  on(event: "return", listener: (message: { readonly properties: { readonly messageId?: unknown } }) => void): unknown;
}

interface Client {
  readonly connection: Connection;
  readonly channel: Channel;
  /** Ids of messages that no queue has taken; each is told before it is confirmed. */
  readonly returned: Set<unknown>;
  /** Resolves when it can be used no more. */
  readonly ended: Promise<void>;
}

/** Milliseconds that connecting may take. */
const CONNECTED_WITHIN = 10_000;

/**
 * Publishes each event as structured JSON in a persistent message, whose `messageId` is the event's id, and waits until
 * the broker has confirmed it. It connects with the first event, and anew after the connection was lost.
 *
 * @throws MissingPackageError with the first event, when `amqplib` is not installed
 * @example
 * const publisher = rabbitmqPublisher({ url: "amqp://guest:guest@127.0.0.1:5672", exchange: "events" });
 * const app = new Romancy({ database, outbox: { publisher } });
 */
export function rabbitmqPublisher(options: RabbitmqPublisherOptions): Publisher {
  const { exchange = "", routingKey = ({ type }) => type, mandatory = true } = options;
  let opening: Promise<Client> | undefined;

  /** One connection for all, until it has ended, or could not be made. */
  function client(): Promise<Client> {
    if (opening) return opening;
    const own = open(options);
    const end = (): void => {
      if (opening === own) opening = undefined;
    };
    opening = own;
    own.then((opened) => opened.ended).then(end, end);
    return own;
  }

  async function publish(event: ReceivedEvent<unknown>, { signal }: Delivery): Promise<void> {
    const { channel, returned } = await client();
    signal.throwIfAborted();
    const to = typeof routingKey === "string" ? routingKey : routingKey(event);
    const properties = {
      messageId: event.id,
      contentType: "application/cloudevents+json",
      type: event.type.length <= LONGEST_TEXT ? event.type : undefined,
      persistent: true,
      mandatory,
    };
    await new Promise<void>((resolve, reject) => {
      const confirmed = (error: Error | null): void => {
        const isLost = returned.delete(event.id);
        if (error) reject(new PublishError(`RabbitMQ did not confirm the event: ${error.message}`, { cause: error }));
        else if (isLost) reject(new PublishError(`No queue of RabbitMQ takes events for ${to}.`));
        else resolve();
      };
      channel.publish(exchange, to, Buffer.from(toCloudEventJson(event)), properties, confirmed);
    });
  }

  return {
    publish,
    async close() {
      const opened = await opening?.catch(() => undefined);
      opening = undefined;
      await opened?.connection.close();
    },
  };
}

/** Bytes of a short string of AMQP, and characters that surely fit. */
const LONGEST_TEXT = 60;

async function open({ url, socket }: RabbitmqPublisherOptions): Promise<Client> {
  const amqp = await load();
  try {
    const connection = await amqp.connect(url, { timeout: CONNECTED_WITHIN, ...socket });
    const channel = await connection.createConfirmChannel();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      resolve();
      // A channel that an error has closed leaves its connection open; one that is closed already says so.
      connection.close().catch(() => {});
    };
    for (const one of [connection, channel]) {
      one.on("error", end);
      one.on("close", end);
    }
    const client: Client = { connection, channel, returned: new Set(), ended };
    channel.on("return", ({ properties }) => client.returned.add(properties.messageId));
    return client;
  } catch (error) {
    throw new PublishError(`RabbitMQ could not be reached: ${(error as Error).message}`, { cause: error });
  }
}

async function load(): Promise<{ connect(url: string, socket: object): Promise<Connection> }> {
  try {
    return await import("amqplib");
  } catch (cause) {
    throw new MissingPackageError("Events to RabbitMQ need", "amqplib", { cause });
  }
}
