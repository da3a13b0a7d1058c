/** Values of workflows as JSON, for those who are no JavaScript: what JSON has not is shown as well as it can be. */
export function toJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_, one: unknown) => plain(one));
  return text === undefined ? null : JSON.parse(text);
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Error) return { name: value.name, message: value.message };
  return value;
}
