/** What the global setup of a database's tests tells them. */
import type { ServerKind } from "./servers/recipe.ts";

export type DatabaseKind = "sqlite" | ServerKind;

export type ProvidedDatabase =
  | { readonly kind: "sqlite" }
  | { readonly kind: ServerKind; readonly url: string }
  | { readonly kind: ServerKind; readonly missing: string };

declare module "vitest" {
  export interface ProvidedContext {
    database: ProvidedDatabase;
  }
}
