// Network keys, made up for tests. keys.json is also what the harness writes into the server's config.
import { readFileSync } from "node:fs";

const hex = JSON.parse(readFileSync(new URL("./keys.json", import.meta.url), "utf8"));

export const keys = Object.fromEntries(
  Object.entries(hex).map(([name, key]) => [name, Uint8Array.from(Buffer.from(key, "hex"))]),
);
