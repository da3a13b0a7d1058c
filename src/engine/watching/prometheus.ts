/** Figures, and their text as Prometheus reads it (https://prometheus.io/docs/instrumenting/exposition_formats/). */

/** The values of the labels, in the order of their names. */
type Labels = readonly string[];

interface Figure {
  readonly name: string;
  readonly help: string;
  /** The names of the labels. */
  readonly labels: readonly string[];
}

/** Values of labels beyond which the rest counts as `other`: names that users make up must not fill the memory. */
const MOST_SERIES = 1_000;

interface OneOf<T> {
  readonly labels: Labels;
  readonly value: T;
}

/** What a figure has for each combination of labels, of which there are two at most. */
class Series<T> {
  /** By the first label and by the second: looked up with each figure, so no key is made of both. */
  readonly #byLabels = new Map<string | undefined, Map<string | undefined, OneOf<T>>>();
  readonly #create: () => T;
  #size = 0;

  constructor(create: () => T) {
    this.#create = create;
  }

  of(first?: string, second?: string): T {
    return this.#byLabels.get(first)?.get(second)?.value ?? this.#add(first, second);
  }

  *[Symbol.iterator](): Generator<OneOf<T>> {
    for (const bySecond of this.#byLabels.values()) yield* bySecond.values();
  }

  #add(first: string | undefined, second: string | undefined): T {
    const labels = [first, second].filter((label) => label !== undefined);
    if (this.#size >= MOST_SERIES && labels.some((label) => label !== OTHER)) {
      return this.of(...(labels.map(() => OTHER) as [string, string?]));
    }
    const made = { labels, value: this.#create() };
    const bySecond = this.#byLabels.get(first);
    if (bySecond) bySecond.set(second, made);
    else this.#byLabels.set(first, new Map([[second, made]]));
    this.#size++;
    return made.value;
  }
}

const OTHER = "other";

/** A number that only rises, or, as a gauge, one that falls too. */
export class Count {
  readonly #figure: Figure;
  readonly #type: "counter" | "gauge";
  readonly #series = new Series(() => ({ value: 0 }));

  constructor(type: "counter" | "gauge", name: string, help: string, ...labels: readonly string[]) {
    this.#type = type;
    this.#figure = { name, help, labels };
    // Where nothing tells series apart there is one from the beginning: none is not the same as 0.
    if (labels.length === 0) this.#series.of();
  }

  add(amount: number, first?: string, second?: string): void {
    this.#series.of(first, second).value += amount;
  }

  lines(): string[] {
    const { name, labels: names } = this.#figure;
    const samples = [...this.#series].map(({ labels, value }) => `${name}${textOf(names, labels)} ${value.value}`);
    return [...headOf(this.#figure, this.#type), ...samples];
  }
}

/** How measured values are spread over buckets, each of which counts all that are not larger than its bound. */
export class Histogram {
  readonly #figure: Figure;
  readonly #bounds: readonly number[];
  readonly #series = new Series(() => ({ counts: this.#bounds.map(() => 0), count: 0, sum: 0 }));

  /** @param bounds rising */
  constructor(bounds: readonly number[], name: string, help: string, ...labels: readonly string[]) {
    this.#bounds = bounds;
    this.#figure = { name, help, labels };
  }

  add(value: number, first?: string, second?: string): void {
    const series = this.#series.of(first, second);
    let bucket = 0;
    while (value > (this.#bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    if (bucket < this.#bounds.length) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.count++;
    series.sum += value;
  }

  lines(): string[] {
    return [...headOf(this.#figure, "histogram"), ...[...this.#series].flatMap((series) => this.#samples(series))];
  }

  #samples({ labels, value }: { readonly labels: Labels; readonly value: Spread }): string[] {
    const { name, labels: names } = this.#figure;
    let below = 0;
    const buckets = this.#bounds.map((bound, index) => {
      below += value.counts[index] ?? 0;
      return `${name}_bucket${textOf([...names, "le"], [...labels, String(bound)])} ${below}`;
    });
    const all = textOf(names, labels);
    return [
      ...buckets,
      `${name}_bucket${textOf([...names, "le"], [...labels, "+Inf"])} ${value.count}`,
      `${name}_sum${all} ${value.sum}`,
      `${name}_count${all} ${value.count}`,
    ];
  }
}

interface Spread {
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

function headOf({ name, help }: Figure, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function textOf(names: readonly string[], values: Labels): string {
  if (names.length === 0) return "";
  return `{${names.map((name, index) => `${name}="${escaped(values[index] ?? "")}"`).join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
