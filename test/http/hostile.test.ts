/** Whatever comes in, the answer is a 202 or tells the sender what it did wrong; never a 500, never a rejection. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { startApp } from "../support/apps.ts";
import { BATCH, event, STRUCTURED } from "../support/http.ts";

const ANSWERS = [202, 400, 404, 413, 415];

const NAMES = [...Object.keys(event), "subject", "time", "data", "data_base64", "dataschema", "datacontenttype"];
const ODD_NAMES = [
  "romancyinstanceid",
  "__proto__",
  "constructor",
  "toString",
  "validate",
  "schemaurl",
  "extensions",
  "",
];

const value = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: "binary" }),
  fc.constantFrom<unknown>("1.0", "2026-01-02T03:04:05Z", "/a", "AA==", "\ud800", "\0", 1e308, -0, null),
);

/** Mostly an event. */
const broken = fc
  .dictionary(fc.constantFrom(...NAMES, ...ODD_NAMES), value, { maxKeys: 4 })
  .map((changes) => ({ ...event, ...changes }));

const json = fc.oneof(broken, fc.array(broken, { maxLength: 4 }), fc.jsonValue()).map((one) => JSON.stringify(one));

const body = fc.oneof(
  json,
  fc.uint8Array(),
  fc.string({ unit: "binary" }),
  fc.tuple(json, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
    const bytes = new TextEncoder().encode(text);
    bytes[at % bytes.length] = byte;
    return bytes;
  }),
);

const type = fc.oneof(
  fc.constantFrom(STRUCTURED, BATCH, "application/json", "text/plain; charset=utf-16le", "a/b;;charset=", "/", ";"),
  fc.string(),
);

const header = fc.oneof(fc.string(), fc.constantFrom("1.0", "%", "%zz", "%C0%A0", '"', '"\\"', "a, b", "\u00e9", "/a"));

const headers = fc.dictionary(fc.constantFrom(...[...NAMES, ...ODD_NAMES].map((name) => `ce-${name}`)), header);

const isHeader = (name: string, text: string): boolean => {
  try {
    new Headers().append(name, text);
    return true;
  } catch {
    return false;
  }
};

it("answers anything", { timeout: 60_000 }, async () => {
  const app = await startApp({ http: { maxBodyBytes: 2_000 } });
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(type, headers, fc.boolean(), body, async (contentType, extra, isBinary, content) => {
      const required = isBinary ? { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" } : {};
      const all = Object.entries({ "content-type": contentType, ...required, ...extra });
      const request = new Request("http://localhost/", {
        method: "POST",
        headers: all.filter(([name, text]) => isHeader(name, text)) as [string, string][],
        body: content as NonNullable<RequestInit["body"]>,
      });
      const { status } = await app.fetch(request);
      seen.add(status);
      expect(ANSWERS).toContain(status);
    }),
    { numRuns: 2_000 },
  );
  expect([...seen]).toEqual(expect.arrayContaining([202, 400, 415]));
});
