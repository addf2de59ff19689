// The control channel: POST / with {"op": NAME, ...arguments} -> {"ok": true, "result": ...} or
// {"ok": false, "error": TEXT} with status 400.
import http from "node:http";

/** Serves `ops` on 127.0.0.1:`port`; resolves when listening. */
export function serveControl(ops, port) {
  const server = http.createServer({ keepAliveTimeout: 600_000 }, async (request, response) => {
    let status = 200;
    let answer;
    try {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { op, ...args } = JSON.parse(body || "{}");
      if (!Object.hasOwn(ops, op))
        throw new Error(`no op named ${op}; there are: ${Object.keys(ops).join(", ")}`);
      answer = { ok: true, result: (await ops[op](args)) ?? null };
    } catch (error) {
      status = 400;
      answer = { ok: false, error: String(error?.stack ?? error) };
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}
