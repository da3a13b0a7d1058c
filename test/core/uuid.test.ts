import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uuidv4, uuidv7 } from "../../src/core/uuid.ts";
import { check } from "./check.ts";

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-([47])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

/** Version 7 keeps time in 48 bits. */
const times = fc.nat({ max: 2 ** 48 - 1 });

describe("uuidv7", () => {
  it("gives the example of RFC 9562, A.6", () => {
    const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    expect(uuidv7(0x01_7f_22_e2_79_b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  it("has the form of version 7, holds the time, and leaves its source as it was", () => {
    check(
      fc.property(times, bytes(10), (now, random) => {
        const before = [...random];
        const id = uuidv7(now, random);
        expect(FORM.exec(id)?.[1]).toBe("7");
        expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
        expect([...random]).toEqual(before);
      }),
    );
  });

  it("sorts by time", () => {
    check(
      fc.property(times, times, bytes(10), bytes(10), (first, second, someRandom, otherRandom) => {
        fc.pre(first < second);
        expect(uuidv7(first, someRandom) < uuidv7(second, otherRandom)).toBe(true);
      }),
    );
  });

  it("ignores bytes beyond the tenth", () => {
    const random = new Uint8Array(16).fill(0xff, 10);
    expect(uuidv7(0, random)).toBe("00000000-0000-7000-8000-000000000000");
  });
});

describe("uuidv4", () => {
  it("has the form of version 4, differs by every free bit, and leaves its source as it was", () => {
    check(
      fc.property(bytes(16), (random) => {
        const before = [...random];
        expect(FORM.exec(uuidv4(random))?.[1]).toBe("4");
        expect([...random]).toEqual(before);
      }),
    );
    expect(uuidv4(new Uint8Array(16))).toBe("00000000-0000-4000-8000-000000000000");
    expect(uuidv4(new Uint8Array(16).fill(255))).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
  });

  it("too few bytes give a text that is no UUID, instead of an error or zeros", () => {
    expect(uuidv4(new Uint8Array(0))).toBe("00000000-0000-4000-8000-000000000000");
  });
});
