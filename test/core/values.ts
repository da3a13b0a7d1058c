/** Arbitrary values of everything that the codec stores. */
import * as fc from "fast-check";

/** Keys that trip those who build paths out of keys. */
const keys: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.string({ unit: fc.constantFrom(".", "/", "0", "a"), maxLength: 5 }),
    fc.constantFrom("", "$rich", "json", "meta", "values", "toString", "valueOf", "hasOwnProperty", "-1", "length"),
  )
  // A fault of JSON.parse in Node 24.21 (V8 13.6; not in Node 20), and not of the codec: it compares the key that it
  // expects, unescaped, with the text, escaped. After `{"id":1,"C:\\\\x":1}` it reads `{"id":1,"C:\\xy":1}` under the
  // former key. So backslashes have examples in codec.test.ts, but no property.
  .filter((key) => !key.includes("\\"))
  // Rich values with these keys are refused; codec.test.ts has them.
  .filter((key) => key !== "__proto__" && key !== "constructor" && key !== "prototype");

const leaves: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.boolean(),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, Number.NaN, -0, Infinity, -Infinity),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 20 }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }).map((url) => new URL(url)),
);

const classes = fc.constantFrom(Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError);

/** Parts of errors that are kept elsewhere, or left out when `undefined`. */
const fieldsOf = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(
    keys.filter((key) => !["name", "message", "stack", "cause", "errors"].includes(key)),
    values.filter((value) => value !== undefined),
    { maxKeys: 3, noNullPrototype: true },
  );

function errorsOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<Error> {
  const present = values.filter((value) => value !== undefined);
  const plain = fc
    .tuple(classes, fc.string(), fieldsOf(values), fc.option(present, { nil: undefined }))
    .map(([kind, message, fields, cause]) =>
      Object.assign(cause === undefined ? new kind(message) : new kind(message, { cause }), fields),
    );
  const aggregate = fc
    .tuple(fc.array(present, { maxLength: 3 }), fc.string())
    .map(([members, message]) => new AggregateError(members, message));
  return fc.oneof(plain, aggregate);
}

/** Rich and plain values in each other, in any order. */
export const values: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "medium", withCrossShrink: true },
    { weight: 3, arbitrary: leaves },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 4 }) },
    { weight: 3, arbitrary: fc.dictionary(keys, tie("value"), { maxKeys: 4, noNullPrototype: true }) },
    {
      weight: 2,
      arbitrary: fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 3 }).map((members) => new Set(members)) },
    { weight: 2, arbitrary: errorsOf(tie("value")) },
  ),
})).value;
