/** One step of the schema, as its file in `migrations/` has it. */
export interface Migration {
  /** `YYYYMMDDhhmmss`. */
  readonly version: string;
  readonly name: string;
  readonly up: string;
  readonly down: string;
}
