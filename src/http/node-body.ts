import type { IncomingMessage } from "node:http";

/** The body of Node's request as the Web has it, which can be left at any time. */
export class NodeBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #message: IncomingMessage;
  #isLeft = false;

  constructor(message: IncomingMessage) {
    this.#message = message;
    this.stream = new ReadableStream({ start: (controller) => this.#feed(controller), pull: () => this.#pull() });
  }

  /** Reads no more and lets the rest go by, so that the sender gets the reply and may send its next request. */
  leave(): void {
    this.#isLeft = true;
    this.#message.resume();
  }

  #feed(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    const message = this.#message;
    let isOver = false;
    const end = (how: () => void): void => {
      if (!isOver && !this.#isLeft) how();
      isOver = true;
    };
    const fail = (): void => end(() => controller.error(new Error("The connection broke.")));
    message.on("data", (chunk: Buffer<ArrayBuffer>) => {
      if (isOver || this.#isLeft) return;
      controller.enqueue(new Uint8Array(chunk));
      message.pause();
    });
    message.on("end", () => end(() => controller.close()));
    message.on("error", fail);
    // Node tells of an error first; what imitates its requests may not.
    message.on("close", fail);
    message.pause();
  }

  #pull(): void {
    if (!this.#isLeft) this.#message.resume();
  }
}
