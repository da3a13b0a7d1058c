/** What commands write. Colours are for terminals only, and not for those who have set NO_COLOR. */
import { stripVTControlCharacters, styleText } from "node:util";
import type { Finding, InstanceStatus } from "../index.ts";
import { toJson } from "./json.ts";

/** What a command has to say: one thing for programs, another for people. */
export interface Answer {
  readonly json: unknown;
  readonly text: string;
}

/** @param options of the command */
export function answer(options: { readonly json?: boolean }, { json, text }: Answer): void {
  if (options.json) writeJson(json);
  else process.stdout.write(`${text}\n`);
}

/** One line of JSON. */
export function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(toJson(value))}\n`);
}

type Style = Parameters<typeof styleText>[0];

function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

const STATUS_STYLES: Readonly<Record<InstanceStatus, Style>> = {
  pending: "gray",
  running: "cyan",
  waiting: "blue",
  compensating: "yellow",
  blocked: "red",
  completed: "green",
  failed: "red",
  cancelled: "gray",
  recurred: "gray",
};

export function paintStatus(status: InstanceStatus): string {
  return paint(STATUS_STYLES[status], status);
}

const FINDING_STYLES: Readonly<Record<Finding["status"], Style>> = { ok: "green", warning: "yellow", problem: "red" };

export function paintFinding(status: Finding["status"]): string {
  return paint(FINDING_STYLES[status], status);
}

export function paintHeading(text: string): string {
  return paint("bold", text);
}

/** Characters of a line; as many as it takes where nobody looks at a screen. */
export function lineWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
}

/** Characters that the text takes up. */
export function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
