// The stick's own store: its non-volatile memory, its radio switch, and what it knows of routes.
import { FunctionType } from "@zwave-js/serial";
import { isFailed } from "./membership.mjs";

const NVM_SIZE = 3000; // bytes; a 700 series stick has 48 KiB
const LARGEST_CHUNK = 120; // bytes the stick gives at a time, however many are asked for
const OPERATION = { open: 0, read: 1, write: 2, close: 3 };
const STATUS = { ok: 0, error: 1, endOfFile: 0xff };
const UPDATE = { started: 0x21, done: 0x22, failed: 0x23 };
const TRANSMIT = { ok: 0, noAck: 1 };
const NOISE = 0x100 - 95; // -95 dBm, on each channel
const MASK_BYTES = 29; // for nodes 1 to 232

/** Fixed bytes that no run of one value could imitate. */
const firstContent = () => Uint8Array.from({ length: NVM_SIZE }, (_, index) => (index * 7 + (index >> 8)) & 0xff);

export class Memory {
  constructor(controller, nodes) {
    Object.assign(this, { controller, nodes, nvm: firstContent(), isRadioOn: true, breaks: false });
  }

  get handlers() {
    return {
      [FunctionType.NVMOperations]: (payload, { respond }) => respond(this.#operate(payload)),
      [FunctionType.SetRFReceiveMode]: ([on], { respond }) => {
        this.isRadioOn = on !== 0;
        return respond([1]);
      },
      [FunctionType.GetBackgroundRSSI]: (_, { respond }) => respond([NOISE, NOISE, NOISE]),
      [FunctionType.GetRoutingInfo]: ([id], { respond }) => respond(mask(this.#neighbors(id))),
      [FunctionType.RequestNodeNeighborUpdate]: async ([id, callbackId], { callback }) => {
        await callback([callbackId, UPDATE.started]);
        await callback([callbackId, this.#isInReach(id) ? UPDATE.done : UPDATE.failed]);
      },
      [FunctionType.DeleteReturnRoute]: ([id, callbackId], reply) => this.#assign(id, callbackId, reply),
      [FunctionType.AssignReturnRoute]: ([id, , callbackId], reply) => this.#assign(id, callbackId, reply),
    };
  }

  #operate([operation, length, ...rest]) {
    const offset = (rest[0] << 8) | rest[1];
    if (operation === OPERATION.open) return [STATUS.ok, 0, NVM_SIZE >> 8, NVM_SIZE & 0xff];
    if (operation === OPERATION.close) return [STATUS.ok, 0, 0, 0];
    if (this.breaks) return [STATUS.error, 0, 0, 0];
    if (operation === OPERATION.write) {
      this.nvm.set(rest.slice(2, 2 + length), offset);
      return [STATUS.ok, length, rest[0], rest[1]];
    }
    const chunk = this.nvm.subarray(offset, offset + Math.min(length, LARGEST_CHUNK));
    const isEnd = offset + chunk.length >= NVM_SIZE;
    return [isEnd ? STATUS.endOfFile : STATUS.ok, chunk.length, rest[0], rest[1], ...chunk];
  }

  async #assign(id, callbackId, { respond, callback }) {
    await respond([1]);
    await callback([callbackId, this.#isInReach(id) ? TRANSMIT.ok : TRANSMIT.noAck]);
  }

  #isInReach(id) {
    return this.nodes.has(id) && !isFailed(this.nodes.get(id));
  }

  #neighbors(id) {
    const all = [this.controller.ownNodeId, ...this.nodes.keys()];
    return all.filter((other) => other !== id && (other === this.controller.ownNodeId || this.#isInReach(other)));
  }
}

function mask(ids) {
  const bytes = new Uint8Array(MASK_BYTES);
  for (const id of ids) bytes[(id - 1) >> 3] |= 1 << ((id - 1) & 7);
  return bytes;
}
