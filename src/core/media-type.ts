/** A `Content-Type`. */
export interface MediaType {
  /** In lower case, without parameters. */
  readonly essence: string;
  readonly charset: string;
}

/** `undefined` for what is none. */
export function mediaTypeOf(header: string): MediaType | undefined {
  const [essence = "", ...parameters] = header.split(";").map((part) => part.trim());
  if (!/^[^\s/,]+\/[^\s/,]+$/.test(essence)) return undefined;
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter))?.slice("charset=".length) ?? "utf-8";
  return { essence: essence.toLowerCase(), charset: charset.replaceAll('"', "") };
}

export function isJson({ essence }: MediaType): boolean {
  return /[/+]json$/.test(essence);
}

export function isText({ essence }: MediaType): boolean {
  return essence.startsWith("text/") || /[/+]xml$/.test(essence);
}
