/** Channels and groups, as workflow code uses them: names its operations and hands them to the execution. */
import type { ActionRequest, ChannelMessage, Membership } from "../core/action.ts";
import { toMilliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { ChannelMode, WaitFor } from "../core/history.ts";
import { checkOptions, type KnownKeys } from "../core/known-keys.ts";
import type { OperationNames } from "../core/operation.ts";
import { checkName } from "../workflow/activity.ts";
import type { PublishOptions, ReceivedMessage, ReceiveOptions, SentMessage } from "../workflow/channels.ts";
import { validate } from "../workflow/schema.ts";
import { channelMessage, receivedMessage } from "./messages.ts";
import type { ContextOptions, Request } from "./requests.ts";
import { checkPlace } from "./scope.ts";

const MODES: ReadonlySet<unknown> = new Set<ChannelMode>(["broadcast", "competing", "direct"]);

const KNOWN: KnownKeys<ReceiveOptions<unknown>> = { timeout: true, schema: true };

export class ChannelOperations {
  readonly #execution: Execution<Request>;
  readonly #names: OperationNames;
  readonly #options: ContextOptions;
  /** What is known to be subscribed to; what is not may be, if a predecessor did it. */
  readonly #modes = new Map<string, ChannelMode>();

  constructor(execution: Execution<Request>, names: OperationNames, options: ContextOptions) {
    this.#execution = execution;
    this.#names = names;
    this.#options = options;
  }

  async subscribe(channel: string, mode: ChannelMode): Promise<void> {
    checkName("channel", channel);
    if (!MODES.has(mode)) throw new ValidationError(`The mode ${mode} must be one of ${[...MODES].join(", ")}.`);
    await this.#belong("subscribe", { type: "subscribe", channel, mode });
    this.#modes.set(channel, mode);
  }

  async unsubscribe(channel: string): Promise<void> {
    checkName("channel", channel);
    this.#modes.delete(channel);
    await this.#belong("unsubscribe", { type: "unsubscribe", channel });
  }

  async receive<T>(channel: string, options: ReceiveOptions<T>): Promise<ReceivedMessage<T>> {
    checkPlace("receive");
    checkName("channel", channel);
    checkOptions("receive", options, KNOWN);
    const { timeout, schema } = options;
    const at = this.#options.clock.now();
    const deadline = timeout === undefined ? null : at + toMilliseconds(timeout, "The timeout of receive");
    const id = this.#names.next("receive");
    const message = receivedMessage<T>(await this.#wait(id, channel, at, deadline));
    if (!schema) return message;
    return { ...message, data: await validate(schema, message.data, `The data of a message of channel ${channel}`) };
  }

  publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    return this.#send("publish", () => ({ type: "publish", message: this.#message(channel, data, options) }));
  }

  sendTo(instanceId: string, channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    return this.#send("send_to", () => {
      checkName("instance", instanceId);
      return { type: "send", instanceId, message: this.#message(channel, data, options) };
    });
  }

  publishToGroup(name: string, channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    return this.#send("publish_to_group", () => {
      checkName("group", name);
      return { type: "publish_to_group", group: name, message: this.#message(channel, data, options) };
    });
  }

  async joinGroup(name: string): Promise<void> {
    checkName("group", name);
    await this.#belong("join_group", { type: "join", group: name });
  }

  async leaveGroup(name: string): Promise<void> {
    checkName("group", name);
    await this.#belong("leave_group", { type: "leave", group: name });
  }

  async groupMembers(name: string): Promise<readonly string[]> {
    checkName("group", name);
    return (await this.#act("group_members", { type: "members", group: name })) as readonly string[];
  }

  /** When it is retried, what ended with its failure is asked for once more. */
  async #belong(name: string, membership: Membership): Promise<void> {
    checkPlace(name);
    const id = this.#names.next(name);
    const isRecorded = this.#execution.hasRecord(id);
    await this.#execution.open("action", id, { type: "action", request: membership });
    if (isRecorded) this.#options.onRejoined?.(membership);
  }

  #wait(id: string, channel: string, at: number, deadline: number | null): Promise<Record<string, unknown>> {
    const mode = this.#modes.get(channel);
    // What is not known to be subscribed to is looked up within the commit that begins the wait.
    if (mode === undefined) return this.#open("wait", id, { type: "receive", channel, deadline });
    const waitFor: WaitFor = { kind: "channel", channel, mode };
    const started = { kind: "wait_started", operationId: id, at, waitFor, deadline } as const;
    return this.#open("wait", id, { type: "wait", waitFor, deadline }, started);
  }

  #open(...args: Parameters<Execution<Request>["open"]>): Promise<Record<string, unknown>> {
    return this.#execution.open(...args) as Promise<Record<string, unknown>>;
  }

  async #send(name: string, request: () => ActionRequest): Promise<SentMessage> {
    return (await this.#act(name, request())) as SentMessage;
  }

  #message(channel: string, data: unknown, options: PublishOptions): ChannelMessage {
    return channelMessage(channel, data, options, this.#options, this.#options.instanceId);
  }

  #act(name: string, request: ActionRequest): Promise<unknown> {
    checkPlace(name);
    return this.#execution.open("action", this.#names.next(name), { type: "action", request });
  }
}
