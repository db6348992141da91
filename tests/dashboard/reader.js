// Runs a few lines with the language and time zone of a reader.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ASSETS = fileURLToPath(new URL("../../src/http/dashboard/assets/", import.meta.url));

/**
 * Returns the result of `lines`, the body of an async function, from a separate process. `name` is
 * a module of `lib`, whose exports are available as `lib`.
 */
export function asReader({ language, zone }, name, lines) {
  const script = `const lib = await import(${JSON.stringify(`file://${ASSETS}lib/${name}`)});
    const answer = await (async () => { ${lines} })();
    process.stdout.write(JSON.stringify(answer));`;
  const env = { ...process.env, LC_ALL: `${language}.UTF-8`, TZ: zone };
  delete env.NODE_TEST_CONTEXT;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { env, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
