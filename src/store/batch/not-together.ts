/** A batch does not apply as it is, and nothing of it: each of its changes is to be judged by itself. */
export class NotTogetherError extends Error {
  override readonly name: string = "NotTogetherError";
}
