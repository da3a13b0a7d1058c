/** What is no event, or may not come in: refused, and nothing stored. */
import { describe, expect, it } from "vitest";
import { defineWorkflow, type RomancyOptions } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { answerTo, BATCH, event, post, postBinary, STRUCTURED } from "../support/http.ts";

const listener = defineWorkflow("listener", (ctx) => ctx.waitEvent("paid"), { events: ["paid"] });

/** Somebody hears of the events, so that one that got through would be seen. */
async function refusal(request: Request, options: Partial<RomancyOptions> = {}): Promise<unknown> {
  const app = await startApp({ workflows: [listener], ...options });
  await listener.start(app);
  const answer = await answerTo(app.fetch(request));
  expect(await testDatabase().rows("select type from romancy_inbox")).toEqual([]);
  expect(JSON.stringify(answer)).not.toMatch(/ {4}at |\.ts:/);
  return answer;
}

const refused = (status: number, type: string): object => ({
  status,
  body: { error: expect.any(String), error_type: type, retryable: false },
});

const without = (name: string): object => Object.fromEntries(Object.entries(event).filter(([key]) => key !== name));

describe("malformed", () => {
  it.each([
    ["nothing", ""],
    ["half an object", '{"specversion":"1.0",'],
    ["a number that JSON has not", JSON.stringify({ ...event, data: "N" }).replace('"N"', "01")],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["an overlong encoding", new Uint8Array([0x22, 0xc0, 0xa0, 0x22])],
  ])("%s", async (_, body) => {
    expect(await refusal(post(body))).toEqual(refused(400, "ParseError"));
  });

  it("a charset that nobody knows", async () => {
    expect(await refusal(post(event, `${STRUCTURED}; charset=klingon`))).toEqual(refused(400, "ParseError"));
  });

  it("JSON in binary mode that is none", async () => {
    const request = postBinary({ "content-type": "application/json" }, "{");
    expect(await refusal(request)).toEqual(refused(400, "ParseError"));
  });
});

describe("no CloudEvent", () => {
  it.each(["specversion", "id", "source", "type"])("without %s", async (name) => {
    expect(await refusal(post(without(name)))).toEqual(refused(400, "ValidationError"));
  });

  it.each(["ce-specversion", "ce-id", "ce-source", "ce-type"])("without the header %s", async (name) => {
    const request = postBinary({});
    request.headers.delete(name);
    expect(await refusal(request)).toEqual(refused(400, "ValidationError"));
  });

  it.each([
    ["a text", "text"],
    ["a list", [event]],
    ["null", null],
    ["another version", { ...event, specversion: "0.3" }],
    ["an id that is no text", { ...event, id: 7 }],
    ["an empty type", { ...event, type: "" }],
    ["a source that is no URI", { ...event, source: "a b" }],
    ["a subject that is no text", { ...event, subject: 7 }],
    ["a time that is none", { ...event, time: "yesterday" }],
    ["a schema that is no URI", { ...event, dataschema: "nowhere" }],
    ["an extension that is an object", { ...event, extra: {} }],
    ["an extension of a bad name", { ...event, Extra: "x" }],
    ["an instance that is no text", { ...event, romancyinstanceid: 7 }],
    ["data twice", { ...event, data: 1, data_base64: "AA==" }],
    ["data that is no base64", { ...event, data_base64: "A-_" }],
    ["a type that cannot be stored", { ...event, type: "paid\0" }],
  ])("%s", async (_, body) => {
    const text = body === "text" ? '"text"' : body;
    expect(await refusal(post(text))).toEqual(refused(400, "ValidationError"));
  });

  it("a batch that is no list", async () => {
    expect(await refusal(post(event, BATCH))).toEqual(refused(400, "ValidationError"));
  });

  it.each([
    ["a percent that encodes nothing", { "ce-id": "100%" }],
    ["percents that are no UTF-8", { "ce-id": "%C0%A0" }],
    ["what must be encoded", { "ce-id": "\u00e9" }],
    ["the data's type twice", { "ce-datacontenttype": "text/plain" }],
    ["an attribute of a bad name", { "ce-a-b": "x" }],
    ["an attribute that is no name at all", { "ce-__proto__": "x" }],
    ["the same header twice", { "ce-specversion": "1.0, 1.0" }],
  ])("with %s in its headers", async (_, headers) => {
    expect(await refusal(postBinary(headers))).toEqual(refused(400, "ValidationError"));
  });

  it.each(["__proto__", "constructor", "prototype"])("reaches no prototype by %s", async (key) => {
    const evil = `{"polluted":true}`;
    const body = JSON.stringify(event).replace("{", `{"${key}":${evil},`);
    expect(await refusal(post(body))).toEqual(refused(400, "ValidationError"));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("not to be stored", () => {
  it("data nested too deep", async () => {
    const body = JSON.stringify({ ...event, data: 0 }).replace(/0}$/, `${"[".repeat(400_000)}${"]".repeat(400_000)}}`);
    expect(await refusal(post(body))).toEqual(refused(400, "SerializationError"));
  });

  it("data larger than values may be", async () => {
    const options = { maxValueBytes: 100 };
    expect(await refusal(post({ ...event, data: "x".repeat(100) }), options)).toEqual(
      refused(400, "SerializationError"),
    );
  });
});

describe("of another kind", () => {
  it.each(["application/json", "text/plain", "application/cloudevents+avro", "nonsense", ""])("%j", async (type) => {
    expect(await refusal(post(event, type))).toEqual(refused(415, "UnsupportedMediaType"));
  });

  it("a format of CloudEvents that is not known, though it has attributes as headers", async () => {
    const request = postBinary({ "content-type": "application/cloudevents+avro" }, "x");
    expect(await refusal(request)).toEqual(refused(415, "UnsupportedMediaType"));
  });

  it.each([
    ["GET", "/", "POST"],
    ["PUT", "/", "POST"],
    ["DELETE", "/anything", "POST"],
    ["POST", "/health/live", "GET, HEAD"],
    ["POST", "/mount/health/ready", "GET, HEAD"],
  ])("%s %s", async (method, path, allow) => {
    const app = await startApp();
    const response = await app.fetch(new Request(`http://localhost${path}`, { method }));
    expect(response.headers.get("allow")).toBe(allow);
    expect(await answerTo(response)).toEqual(refused(405, "MethodNotAllowed"));
  });
});
