import * as fc from "fast-check";

/** Checks a synchronous property; typed so that linters know that there is nothing to await. */
export function check<T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>): void {
  fc.assert(property, parameters);
}
