// An emulated Z-Wave USB stick with its network: serial API over TCP, plus an HTTP/JSON control channel.
// Listens on loopback only. (zwave-js ships a mock-server of its own, but that one opens mDNS on 0.0.0.0:5353
// with no switch for it, and does not put frames together again that TCP has split.)
//
//   node mock-controller.mjs --port 5555 --control 5556 [--nodes 2,3] [--tx-delay 10]
//                            [--no-ack-delay 1000] [--bolt-travel 500] [--model FILE ...]
//
// The control channel answers as soon as the network is up; its operations are in ops.mjs.
import { parseArgs } from "node:util";
import { SerialSocket } from "./serial-socket.mjs";

const { values: arg } = parseArgs({
  options: {
    port: { type: "string", default: "5555" },
    control: { type: "string", default: "5556" },
    nodes: { type: "string" },
    model: { type: "string", multiple: true, default: [] },
    "tx-delay": { type: "string", default: "10" },
    "no-ack-delay": { type: "string", default: "1000" },
    "bolt-travel": { type: "string", default: "500" },
  },
});

// Loading zwave-js takes most of a second; a driver started at the same time already finds the port open.
const socket = new SerialSocket();
await socket.listen(Number(arg.port));

const { createStick } = await import("./stick.mjs");
const { describeModels } = await import("./models.mjs");
const stick = await createStick({
  nodeIds: arg.nodes?.split(",").map(Number),
  models: describeModels(arg.model),
  txDelay: Number(arg["tx-delay"]),
  noAckDelay: Number(arg["no-ack-delay"]),
  boltTravel: Number(arg["bolt-travel"]),
});

const { createOps } = await import("./ops.mjs");
const { serveControl } = await import("./control.mjs");
await serveControl(createOps(stick, socket), Number(arg.control));

// From here on nothing may end the stick: when a driver vanishes, the mock's pending waits for its ACK reject
// with nobody listening.
process.on("unhandledRejection", (error) => console.error("unhandled:", error?.message ?? error));
process.on("uncaughtException", (error) => console.error("uncaught:", error?.stack ?? error));
await socket.attach(stick);
console.log("ready: nodes", [...stick.nodes.keys()].join(","));

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    stick.controller.destroy();
    process.exit(0);
  });
}
