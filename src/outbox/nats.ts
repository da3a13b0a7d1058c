/**
 * Events of the outbox to NATS JetStream. Needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * @module
 */
import {
  type Delivery,
  MissingPackageError,
  PublishError,
  type Publisher,
  type ReceivedEvent,
  TerminalError,
  toCloudEventJson,
} from "../index.ts";

export interface NatsPublisherOptions {
  /** What `connect` of `@nats-io/transport-node` is given, such as `{ servers: "nats://127.0.0.1:4222" }`. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** The subject of each event. Default: its type. A stream has to listen to it, else the event is tried again. */
  readonly subject?: string | ((event: ReceivedEvent<unknown>) => string);
}

/** What is used of the packages. Their types are not named, nor looked at: users compile without them. */
interface NatsConnection {
  readonly info?: { readonly max_payload: number } | undefined;
  closed(): Promise<unknown>;
  close(): Promise<void>;
}

interface JetStream {
  publish(
    subject: string,
    payload: string,
    options: { msgID: string; timeout: number; headers: unknown },
  ): Promise<unknown>;
}

interface Headers {
  set(name: string, value: string): void;
}

interface Client {
  readonly connection: NatsConnection;
  readonly stream: JetStream;
  readonly headers: () => Headers;
}

/** Milliseconds that the stream is given to confirm; the option `timeout` of the outbox may be shorter. */
const CONFIRMED_WITHIN = 30_000;

/**
 * Publishes each event as structured JSON, and waits until the stream has confirmed it. The event's id is the
 * message's id, so that a stream drops copies that come within its `duplicate_window`. It connects with the first event, and anew
 * after the connection was lost.
 *
 * @throws MissingPackageError with the first event, when a package is not installed
 * @example
 * const app = new Romancy({ database, outbox: { publisher: natsPublisher({ connection: { servers: "nats://127.0.0.1:4222" } }) } });
 */
export function natsPublisher({ connection, subject = ({ type }) => type }: NatsPublisherOptions): Publisher {
  let opening: Promise<Client> | undefined;

  /** One connection for all, until it has ended, or could not be made. */
  function client(): Promise<Client> {
    if (opening) return opening;
    const own = open(connection);
    const end = (): void => {
      if (opening === own) opening = undefined;
    };
    opening = own;
    own.then((opened) => opened.connection.closed()).then(end, end);
    return own;
  }

  async function publish(event: ReceivedEvent<unknown>, { signal }: Delivery): Promise<void> {
    const { stream, headers, connection } = await client();
    signal.throwIfAborted();
    const payload = toCloudEventJson(event);
    const limit = connection.info?.max_payload ?? Infinity;
    if (Buffer.byteLength(payload) > limit) {
      throw new TerminalError(`The event is larger than the ${limit} bytes that the NATS server takes.`);
    }
    const own = headers();
    own.set("content-type", "application/cloudevents+json");
    const to = typeof subject === "string" ? subject : subject(event);
    try {
      await stream.publish(to, payload, { msgID: event.id, timeout: CONFIRMED_WITHIN, headers: own });
    } catch (error) {
      throw new PublishError(`NATS did not take the event for ${to}: ${(error as Error).message}`, { cause: error });
    }
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

/** Typed so that the compiler does not look for their types, which not all of its settings take. */
const TRANSPORT: string = "@nats-io/transport-node";
const JETSTREAM: string = "@nats-io/jetstream";

interface Transport {
  readonly connect: (options: object) => Promise<NatsConnection>;
  readonly headers: () => Headers;
}

async function open(options: Readonly<Record<string, unknown>>): Promise<Client> {
  const { connect, headers } = await load<Transport>(TRANSPORT);
  const { jetstream } = await load<{ readonly jetstream: (connection: NatsConnection) => JetStream }>(JETSTREAM);
  try {
    const connection = await connect(options);
    return { connection, stream: jetstream(connection), headers };
  } catch (error) {
    throw new PublishError(`NATS could not be reached: ${(error as Error).message}`, { cause: error });
  }
}

async function load<Module>(name: string): Promise<Module> {
  try {
    return (await import(name)) as Module;
  } catch (cause) {
    throw new MissingPackageError("Events to NATS JetStream need", name, { cause });
  }
}
