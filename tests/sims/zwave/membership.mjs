// Who joins and who leaves: the stick's inclusion, exclusion, removal and replacement, and the devices that do their
// part. The stock mock adds a node only if it waited before the inclusion began, and removes none.
import { CommandClasses as CC, dskFromString, generateECDHKeyPair, nwiHomeIdFromDSK } from "@zwave-js/core";
import { FunctionType } from "@zwave-js/serial";
import { AddNodeStatus, AddNodeToNetworkRequestStatusReport, RemoveNodeStatus } from "@zwave-js/serial/serialapi";
import { dskOf } from "./bootstrap.mjs";
import { replies } from "./serial-functions.mjs";

const STEP = 10; // ms between two reports of the stick
const TYPE = 0b1111; // of an AddNode or RemoveNode request; the rest are options
const STOP = 5;
const SMART_START_LISTEN = 9;
const FAILED_NODE = { removed: 1, ok: 0, replace: 3, replaced: 4 };
const BUSY = 0x10; // RemoveProcessBusy, ReplaceProcessBusy
const NODE_FOUND = 0x08; // the node is not on the list of failed ones
const SMART_START_UPDATE = 0x85;

const pause = () => new Promise((resolve) => setTimeout(resolve, STEP));
export const isFailed = (node) => node === undefined || node.state.get("sim.dead") === true;

export class Membership {
  /** `make(id, like)`: builds a device like a node of network.mjs, not yet on the network. */
  constructor(controller, nodes, make) {
    Object.assign(this, { controller, nodes, make });
    this.mode = "idle"; // adding, removing, replacing, joined
    this.keys = new Map(); // key pairs by device name: a device keeps its own when it leaves
  }

  get handlers() {
    return {
      [FunctionType.AddNodeToNetwork]: (payload, reply) => this.#add(payload, reply),
      [FunctionType.RemoveNodeFromNetwork]: (payload, reply) => this.#remove(payload, reply),
      [FunctionType.RemoveFailedNode]: (payload, reply) => this.#removeFailed(payload, reply),
      [FunctionType.ReplaceFailedNode]: (payload, reply) => this.#replaceFailed(payload, reply),
      [FunctionType.IsFailedNode]: ([id], reply) =>
        reply.respond([this.nodes.has(id) && isFailed(this.nodes.get(id)) ? 1 : 0]),
    };
  }

  /** A stick that was opened anew is in no mode. */
  reset() {
    this.mode = "idle";
  }

  /** A device goes into learn mode; it joins at once or when the stick lets it. Returns its DSK. */
  async join({ like, device = `device ${like}`, smartStart = false }) {
    if (!this.keys.has(device)) this.keys.set(device, await generateECDHKeyPair());
    this.waiting = { like, keys: this.keys.get(device) };
    const dsk = dskOf({ ecdhKeyPair: this.waiting.keys });
    if (smartStart) await this.#announce(dsk);
    else await this.#meet();
    return dsk;
  }

  /** The device leaves learn mode. */
  giveUp() {
    this.waiting = undefined;
  }

  /** A device is told at its buttons to leave: a node, or with `stranger` one of no network. */
  async leave({ node: id, stranger = false }) {
    if (!stranger && !this.nodes.has(Number(id))) throw new Error(`no node ${id}`);
    this.leaving = { id: stranger ? 0 : Number(id) };
    await this.#part();
  }

  async #add([control, callbackId]) {
    const type = control & TYPE;
    if (type === SMART_START_LISTEN) return;
    if (type === STOP) {
      await this.#stop(callbackId, this.#teller(callbackId), AddNodeStatus);
    } else if (this.mode !== "idle") {
      await this.#teller(callbackId)(AddNodeStatus.Failed);
    } else {
      this.mode = "adding";
      this.tellAddition = this.#teller(callbackId);
      await this.tellAddition(AddNodeStatus.Ready);
      await this.#meet();
    }
  }

  async #remove([control, callbackId], reply) {
    const tell = (status, ...more) => reply.callback([callbackId, status, ...more]);
    if ((control & TYPE) === STOP) {
      await this.#stop(callbackId, tell, RemoveNodeStatus);
    } else if (this.mode !== "idle") {
      await tell(RemoveNodeStatus.Failed);
    } else {
      this.mode = "removing";
      this.tellRemoval = tell;
      await tell(RemoveNodeStatus.Ready);
      await this.#part();
    }
  }

  async #stop(callbackId, tell, status) {
    const joined = this.mode === "joined" ? this.joinedId : 0;
    this.mode = "idle";
    if (callbackId !== 0) await tell(status.Done, joined);
  }

  #teller(callbackId) {
    return (status, context) => {
      const more = typeof context === "object" ? { nodeInfo: context } : { nodeId: context ?? 0 };
      return this.controller.sendMessageToHost(
        new AddNodeToNetworkRequestStatusReport({ callbackId, status, ...more }),
      );
    };
  }

  /** Stick and device meet: the first is adding or replacing, the second in learn mode. */
  async #meet() {
    if (this.waiting === undefined || (this.mode !== "adding" && this.mode !== "replacing")) return;
    const node = await this.#build(this.mode === "replacing" ? this.replaced : this.#nextId());
    this.waiting = undefined;
    await pause();
    if (this.mode === "replacing") {
      this.#admit(node);
      this.mode = "idle";
      await this.tellReplacement(FAILED_NODE.replaced);
      return;
    }
    await this.tellAddition(AddNodeStatus.NodeFound);
    await pause();
    await this.tellAddition(AddNodeStatus.AddingSlave, informationOf(node));
    await pause();
    this.#admit(node);
    this.mode = "joined";
    this.joinedId = node.id;
    await this.tellAddition(AddNodeStatus.ProtocolDone);
  }

  #nextId() {
    return Math.max(1, ...this.nodes.keys()) + 1;
  }

  async #build(id) {
    const node = await this.make(id, this.waiting.like);
    node.ecdhKeyPair = this.waiting.keys;
    return node;
  }

  #admit(node) {
    this.controller.addNode(node);
    this.nodes.set(node.id, node);
  }

  #dismiss(id) {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.controller.removeNode(node);
    this.nodes.delete(id);
  }

  async #part() {
    if (this.mode !== "removing" || this.leaving === undefined) return;
    const { id } = this.leaving;
    this.leaving = undefined;
    await pause();
    await this.tellRemoval(RemoveNodeStatus.NodeFound);
    await pause();
    await this.tellRemoval(RemoveNodeStatus.RemovingSlave, id);
    await pause();
    this.#dismiss(id);
    await this.tellRemoval(RemoveNodeStatus.Done);
  }

  async #removeFailed([id, callbackId], reply) {
    if (!(await this.#accepts(id, reply))) return;
    this.#dismiss(id);
    await pause();
    await reply.callback([callbackId, FAILED_NODE.removed]);
  }

  async #replaceFailed([id, callbackId], reply) {
    if (!(await this.#accepts(id, reply))) return;
    this.mode = "replacing";
    this.replaced = id;
    this.tellReplacement = (status) => reply.callback([callbackId, status]);
    await pause();
    await this.tellReplacement(FAILED_NODE.replace);
    this.#dismiss(id);
    await this.#meet();
  }

  async #accepts(id, reply) {
    const refusal = this.mode !== "idle" ? BUSY : this.nodes.has(id) && isFailed(this.nodes.get(id)) ? 0 : NODE_FOUND;
    await reply.respond([refusal]);
    return refusal === 0;
  }

  /** Calls for a stick that has the device on its SmartStart list. */
  async #announce(dsk) {
    const info = informationOf(await this.#build(this.#nextId()));
    const classes = [info.basicDeviceClass, info.genericDeviceClass, info.specificDeviceClass];
    const home = nwiHomeIdFromDSK(dskFromString(dsk));
    const { callback } = replies(this.controller, FunctionType.ApplicationUpdateRequest);
    await callback([SMART_START_UPDATE, 0, 0, ...home, info.supportedCCs.length, ...classes, ...info.supportedCCs]);
  }
}

/** What a device shows of itself without encryption. */
function informationOf(node) {
  const { basicDeviceClass, genericDeviceClass, specificDeviceClass } = node.capabilities;
  const isShown = ([cc, info]) => info.isSupported && info.version > 0 && !info.secure && cc !== CC.Basic;
  const supportedCCs = [...node.implementedCCs].filter(isShown).map(([cc]) => cc);
  return { nodeId: node.id, basicDeviceClass, genericDeviceClass, specificDeviceClass, supportedCCs };
}
