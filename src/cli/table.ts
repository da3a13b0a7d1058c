import { lineWidth, paintHeading, widthOf } from "./terminal.ts";

const GAP = "  ";

/** The narrowest that a column is made. */
const NARROWEST = 8;

/** Rows in columns that fit the terminal: the widest column gives way first. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const room = lineWidth() - GAP.length * (widths.length - 1);
  narrow(widths, room);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => fitted(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  return [paintHeading(line(headings)), ...rows.map(line)].join("\n");
}

function narrow(widths: number[], room: number): void {
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  while (total() > room) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) return;
    widths[widths.indexOf(widest)] = Math.max(NARROWEST, widest - (total() - room));
  }
}

/** Coloured cells are short, and never cut. */
function fitted(cell: string, width: number): string {
  const length = widthOf(cell);
  if (length <= width) return cell + " ".repeat(width - length);
  return length === cell.length ? `${cell.slice(0, width - 1)}…` : cell;
}

/** Names and values, one to a line. */
export function fields(entries: readonly (readonly [string, string | undefined])[]): string {
  const known = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${paintHeading(name.padEnd(width))}${GAP}${value}`).join("\n");
}
