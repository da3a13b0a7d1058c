/** Whether any database can store it as it is: half a character, and NUL, cannot be stored everywhere. */
export function isStorableText(text: unknown): text is string {
  return typeof text === "string" && text.isWellFormed() && !text.includes("\0");
}
