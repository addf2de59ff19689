// The controller chip and its nodes, with the corrections the stock mocks need to stand for real hardware.
import { Security2CC } from "@zwave-js/cc";
import { CommandClasses as CC } from "@zwave-js/core";
import { createAndOpenMockedZWaveSerialPort } from "@zwave-js/serial/mock";
import { MockController, MockNode, MockZWaveFrameType, createMockZWaveAckFrame } from "@zwave-js/testing";
import { createDefaultMockControllerBehaviors, createDefaultMockNodeBehaviors } from "zwave-js/Testing";
import { keyExchange, unbind } from "./bootstrap.mjs";
import { keys } from "./keys.mjs";
import { Membership } from "./membership.mjs";
import { Memory } from "./memory.mjs";
import { describeNodes } from "./network.mjs";
import { supportedFunctionTypes } from "./registers.mjs";
import { reportRoutes } from "./routes.mjs";
import { serialFunctions } from "./serial-functions.mjs";

const HOME_ID = 0x7e570001; // fixed, so that a cache directory fits every run
const MOCK_ACK_TIMEOUT = 1000; // ms the stock controller waits for a node's ACK
const FRAMES_KEPT = 500;

/**
 * Builds the stick. `nodeIds`: which nodes of network.mjs and of `models` take part (all if absent); `txDelay`: ms on
 * the air per frame; `noAckDelay`: ms until a frame to a dead node is reported as not acknowledged (at most 1000);
 * `boltTravel`: ms the S2 lock's bolt takes.
 */
export async function createStick({ nodeIds, models = [], txDelay, noAckDelay, boltTravel }) {
  const { serial, port: mockPort } = await createAndOpenMockedZWaveSerialPort();
  const controller = await MockController.create({
    homeId: HOME_ID,
    ownNodeId: 1,
    mockPort,
    serial,
    securityKeys: keys,
    capabilities: { supportedFunctionTypes },
  });
  controller.defineBehavior(...createDefaultMockControllerBehaviors());
  reportRoutes(controller);
  const nodes = new Map();
  const known = [...describeNodes({ boltTravel }), ...models];
  const make = (id, description) => makeNode(controller, id, description, { txDelay, noAckDelay });
  for (const description of known) {
    if (nodeIds && !nodeIds.includes(description.id)) continue;
    const node = await make(description.id, description);
    controller.addNode(node);
    nodes.set(description.id, node);
  }
  const membership = new Membership(controller, nodes, async (id, like) => {
    const description = known.find((one) => one.id === like);
    if (description === undefined) throw new Error(`network.mjs describes no node ${like}`);
    const node = await make(id, description);
    unbind(node, description.capabilities.securityClasses ?? []);
    node.defineBehavior(keyExchange);
    return node;
  });
  const memory = new Memory(controller, nodes);
  controller.defineBehavior(serialFunctions({ ...membership.handlers, ...memory.handlers }));
  const missing = nodeIds?.filter((id) => !nodes.has(id)) ?? [];
  if (missing.length > 0) throw new Error(`network.mjs describes no node ${missing.join(",")}`);
  setInterval(() => {
    if (controller.receivedHostMessages.length > FRAMES_KEPT) controller.clearReceivedHostMessages();
  }, 2000).unref();
  return {
    controller,
    serial,
    nodes,
    membership,
    memory,
    /** Gets the stick ready for a driver that has just opened it. */
    connected() {
      controller.driverPresent = true;
      controller.state.clear();
      controller.clearReceivedHostMessages();
      membership.reset();
      // A new driver has forgotten its S2 nonces. Real nodes learn that from its "out of sync" and say again
      // what was lost; these ask for a nonce first.
      for (const { securityManagers } of nodes.values()) {
        securityManagers.securityManager2?.deleteNonce(controller.ownNodeId);
      }
    },
    disconnected() {
      controller.driverPresent = false;
    },
  };
}

/** Builds a device of network.mjs or models.mjs, on no network yet. */
async function makeNode(controller, id, { behaviors, capabilities, state = [] }, { txDelay, noAckDelay }) {
  const node = await MockNode.create({ id, controller, capabilities: { ...capabilities, txDelay } });
  node.defineBehavior(...createDefaultMockNodeBehaviors());
  node.defineBehavior(...behaviors);
  for (const [key, value] of state) node.state.set(key, value);
  equipWithRadio(node, noAckDelay);
  return node;
}

/** Makes the node's radio obey the states sim.dead, sim.asleep and sim.mute (see ops.mjs). */
function equipWithRadio(node, noAckDelay) {
  const receive = node.onControllerFrame.bind(node);
  node.onControllerFrame = async (frame) => {
    // The mock records every frame for assertions and never forgets one.
    if (node.receivedControllerFrames.length > FRAMES_KEPT) node.clearReceivedControllerFrames();
    if (node.sentControllerFrames.length > FRAMES_KEPT) node.clearSentControllerFrames();
    if (isRequest(frame)) node.state.set("sim.framesOnAir", (node.state.get("sim.framesOnAir") ?? 0) + 1);
    const hears = !node.state.get("sim.dead") && !node.state.get("sim.asleep");
    const acks = hears && !node.state.get("sim.mute");
    if (!acks && isRequest(frame) && noAckDelay < MOCK_ACK_TIMEOUT) {
      setTimeout(() => send(createMockZWaveAckFrame({ ack: false })), noAckDelay);
    }
    if (hears) await receive(frame);
  };
  const send = node.sendToController.bind(node);
  node.sendToController = async (frame) => {
    if (node.state.get("sim.mute")) return;
    return send(secured(node, frame));
  };
}

const isRequest = (frame) => frame.type === MockZWaveFrameType.Request && frame.ackRequested;

/**
 * The stock User Credential mock sends its result reports in the clear. The driver drops those on an S2 node
 * and answers Error_Unknown (255) after 1 s, although the lock has stored the data. Here they are encrypted.
 */
function secured(node, frame) {
  if (frame.payload?.ccId !== CC["User Credential"]) return frame;
  const isSecure = node.implementedCCs.get(CC["User Credential"])?.secure;
  if (!isSecure || !node.securityManagers.securityManager2) return frame;
  return { ...frame, payload: Security2CC.encapsulate(frame.payload, node.id, node.securityManagers) };
}
