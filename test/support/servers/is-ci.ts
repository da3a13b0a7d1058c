/** Where what is missing is a failure, and not skipped. */
export function isCi(): boolean {
  return !["", "0", "false"].includes(process.env["CI"] ?? "");
}
