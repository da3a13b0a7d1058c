/** Attributes in the headers of binary mode (section 3.1.3 of the binding). */
import { ValidationError } from "../core/errors.ts";

const PREFIX = "ce-";

export function hasAttributes(headers: Headers): boolean {
  return [...headers.keys()].some((name) => name.startsWith(PREFIX));
}

/** @throws ValidationError */
export function attributesOf(headers: Headers): Record<string, unknown> {
  const attributes: [string, string][] = [];
  for (const [header, value] of headers) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    if (ELSEWHERE.has(name)) throw new ValidationError(`An event in binary mode must not have the header ${header}.`);
    attributes.push([name, decode(header, value)]);
  }
  const type = headers.get("content-type");
  if (type !== null) attributes.push(["datacontenttype", type]);
  return Object.fromEntries(attributes);
}

/** What the body and `Content-Type` carry. */
const ELSEWHERE: ReadonlySet<string> = new Set(["data", "datacontenttype"]);

function decode(header: string, value: string): string {
  if (/[^\t\x20-\x7e]/.test(value)) throw undecodable(header);
  const text = percentDecode(header, unquote(value));
  // Senders that do not encode, the SDK among them, send the percents of a URI as they are.
  return URIS.has(header) && !/^[\x21-\x7e]*$/.test(text) ? value : text;
}

const URIS: ReadonlySet<string> = new Set(["ce-source", "ce-dataschema"]);

/** Senders of older versions quote. */
function unquote(value: string): string {
  return /^"(?:[^"\\]|\\.)*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
}

function percentDecode(header: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw undecodable(header);
  }
}

function undecodable(header: string): ValidationError {
  return new ValidationError(
    `The header ${header} cannot be decoded: what is not printable ASCII, and each percent, must be percent-encoded UTF-8.`,
  );
}
