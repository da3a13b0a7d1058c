/** Evaluated before anything else: an older Node gets one clear line instead of whatever fails first. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 13)) {
  throw new Error(`romancy needs Node.js 22.13 or newer; this is ${process.versions.node}. Please upgrade Node.js.`);
}
