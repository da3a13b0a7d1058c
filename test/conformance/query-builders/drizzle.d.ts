/** The declarations of `drizzle-orm` do not pass the compiler's check of libraries, so what uses them is JavaScript. */
import type { Builder } from "./builder.ts";

export const drizzle: Builder;
