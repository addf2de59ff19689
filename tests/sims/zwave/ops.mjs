// The operations of the control channel: what happens at the doors, and what goes wrong.
import {
  NotificationCCReport,
  WakeUpCCWakeUpNotification,
  ZWaveProtocolCCNodeInformationFrame,
} from "@zwave-js/cc";
import { CommandClasses as CC } from "@zwave-js/core";
import { createMockZWaveRequestFrame } from "@zwave-js/testing";
import { storeCredential, storeUserCode, storedPins } from "./behaviors.mjs";
import {
  ACCESS_CONTROL,
  LockEvent,
  notify,
  raw,
  report,
  reportBattery,
  reportLock,
  turn,
  userParameter,
} from "./reports.mjs";
import { scheduleOps } from "./schedules.mjs";
import { thermostatOps } from "./thermostats.mjs";

/** All operations by name. Each takes one object of arguments; a throw becomes the caller's error. */
export function createOps({ controller, nodes, membership, memory }, socket) {
  const find = (id) => {
    const node = nodes.get(Number(id));
    if (!node) throw new Error(`no node ${id}; there are: ${[...nodes.keys()].join(", ")}`);
    return node;
  };
  const vanished = new Map();
  return {
    ...lockOps(find),
    ...scheduleOps(find),
    ...thermostatOps(find),
    ...nodeOps(find, controller),
    ...faultOps(find),
    ...networkOps(membership, memory, find),
    /** The stick loses a node from its list without a word, as when another controller removed it. */
    vanish: ({ node }) => {
      vanished.set(Number(node), find(node));
      controller.removeNode(find(node));
      nodes.delete(Number(node));
    },
    /** A node that vanished is in the list again. */
    appear: ({ node }) => {
      const back = vanished.get(Number(node));
      if (!back) throw new Error(`node ${node} has not vanished`);
      vanished.delete(back.id);
      controller.addNode(back);
      nodes.set(back.id, back);
    },
    ping: () => ({ connected: socket.connected, rss: process.memoryUsage().rss }),
    unplug: () => socket.unplug(),
    plug: () => socket.plug(),
  };
}

function lockOps(find) {
  /** The lock's notification, then its state; `report: false` is a lock that says only the first. */
  async function operate(id, locked, [lockEvent, unlockEvent], { parameters, report: tells = true } = {}) {
    const node = find(id);
    turn(node, locked);
    await notify(node, ACCESS_CONTROL, locked ? lockEvent : unlockEvent, parameters);
    if (tells) await reportLock(node);
  }
  return {
    manual: ({ node, locked, ...how }) =>
      operate(node, locked, [LockEvent.manualLock, LockEvent.manualUnlock], how),
    rf: ({ node, locked, ...how }) => operate(node, locked, [LockEvent.rfLock, LockEvent.rfUnlock], how),
    auto_lock: ({ node, ...how }) => operate(node, true, [LockEvent.autoLock], how),
    keypad: ({ node, locked, user, ...how }) =>
      operate(node, locked, [LockEvent.keypadLock, LockEvent.keypadUnlock], {
        ...how,
        parameters: userParameter(user),
      }),

    /** "Lock jammed" is a state, not an event; with `locked`, the lock also reports where the bolt stands. */
    async jam({ node, locked }) {
      const lock = find(node);
      await notify(lock, ACCESS_CONTROL, LockEvent.jammed);
      if (locked === undefined) return;
      turn(lock, locked);
      await reportLock(lock);
    },
    unjam: ({ node }) => notify(find(node), ACCESS_CONTROL, 0x00, [LockEvent.jammed]),

    /** Opens or closes the door: a lock with a sensor reports it; with `event` as a notification too. */
    async door({ node, open, event = false }) {
      const lock = find(node);
      const { doorSupported = false } = lock.getCCCapabilities(CC["Door Lock"]) ?? {};
      if (!doorSupported) throw new Error(`node ${node} has no door sensor`);
      lock.state.set("sim.door", open ? "open" : "closed");
      if (event) await notify(lock, ACCESS_CONTROL, open ? LockEvent.doorOpen : LockEvent.doorClosed);
      await reportLock(lock);
    },

    /** How many Door Lock Operation Set frames have reached the lock's application since start or `reset`. */
    lock_sets({ node, reset = false }) {
      const { state } = find(node);
      const count = state.get("sim.lockSets") ?? 0;
      if (reset) state.set("sim.lockSets", 0);
      return count;
    },
    locked: ({ node }) => find(node).state.get("DoorLock_currentMode") === 0xff,

    /** A code entered or deleted at the keypad, past the driver. */
    async local_code({ node, slot, code, report: tells = true }) {
      const lock = find(node);
      if (lock.getCCCapabilities(CC["User Credential"])) {
        const told = storeCredential(lock, slot, code ?? undefined);
        if (tells) await report(lock, told);
        return;
      }
      storeUserCode(lock, slot, code ?? undefined);
      const event = code ? LockEvent.codeAdded : LockEvent.codeDeleted;
      if (tells) await notify(lock, ACCESS_CONTROL, event, userParameter(slot, code ? 1 : 0));
    },
    /** All codes are deleted at the keypad. */
    async local_wipe({ node }) {
      const lock = find(node);
      for (const slot of Object.keys(storedPins(lock))) storeUserCode(lock, Number(slot), undefined);
      await notify(lock, ACCESS_CONTROL, LockEvent.allCodesDeleted);
    },
    /** How many commands about codes have reached the lock's application, by their class in @zwave-js/cc. */
    code_frames({ node, reset = false }) {
      const { state } = find(node);
      const counts = state.get("sim.codeFrames") ?? {};
      if (reset) state.set("sim.codeFrames", {});
      return counts;
    },
    /** The PINs that the lock holds, as {slot: digits}. */
    codes: ({ node }) => storedPins(find(node)),
  };
}

function nodeOps(find, controller) {
  const nodeId = controller.ownNodeId;
  return {
    /** Level in percent; 255 is the low-battery warning. */
    async battery({ node, level, report: tells = true }) {
      find(node).state.set("sim.battery", level);
      if (tells) await reportBattery(find(node), level);
    },
    notify: ({ node, type, event, params }) => notify(find(node), type, event, params),
    v1alarm: ({ node, type, level }) =>
      report(find(node), new NotificationCCReport({ nodeId, alarmType: type, alarmLevel: level })),
    /** The action button: an unsolicited Node Information Frame. */
    async nif({ node }) {
      const device = find(node);
      const shown = [...device.implementedCCs].filter(([cc, info]) => cc !== CC.Basic && info.isSupported);
      const supportedCCs = shown.map(([cc]) => cc);
      const frame = new ZWaveProtocolCCNodeInformationFrame({
        nodeId: device.id,
        ...device.capabilities,
        supportedCCs,
      });
      await device.sendToController(createMockZWaveRequestFrame(frame, { ackRequested: false }));
    },
    raw: ({ node, cc, cmd, payload }) => report(find(node), raw(controller, cc, cmd, payload)),
    state({ node }) {
      const plain = [...find(node).state].filter(([key]) => key !== "DoorLock_transition");
      return Object.fromEntries(
        plain.map(([key, value]) => [key, value instanceof Uint8Array ? hex(value) : value]),
      );
    },
    set_state: ({ node, key, value }) => void find(node).state.set(key, value),
  };
}

function faultOps(find) {
  function set(key) {
    return ({ node, on = true }) => void find(node).state.set(key, on);
  }
  return {
    /** No radio: nothing sent to it is acknowledged. */
    dead: set("sim.dead"),
    /** Hears and obeys, but neither acknowledges nor reports. */
    mute: set("sim.mute"),
    sleep: set("sim.asleep"),
    /** It wakes and says so. It sleeps again when it is told to, or by itself after `awake` ms. */
    async wake({ node, awake }) {
      find(node).state.set("sim.asleep", false);
      if (awake !== undefined) setTimeout(() => find(node).state.set("sim.asleep", true), awake);
      await report(find(node), new WakeUpCCWakeUpNotification({ nodeId: find(node).controller.ownNodeId }));
    },
    /**
     * Replaces the node's faults (none given: none left):
     * `ignoreLockSets`: lock commands are acknowledged by the radio, neither obeyed nor answered;
     * `ignoreCCs` [ids]: the same for whole command classes; `rejectSets`: what is set is refused;
     * `jamOnSet`: the bolt jams at each lock command; `failLate`: a lock command is accepted ("working"), and fails
     * once the bolt should be there; `claimsSuccess`: it is called done, the bolt stays, and the lock says so later;
     * User Codes: `claimsCodes`: a change is called done and nothing is stored; `storesLate` ms: it is stored so much
     * later; `dropsCodes` ms: a code is stored, deleted again after so long, and the lock says that;
     * Schedules: `rejectSchedules`, `ignoreSchedules`, `claimsSchedules`: one is refused, not answered, called set and not
     * stored; `forgetsSchedules`: a code loses it when it is enabled; `opensDisabled`: a disabled code opens;
     * `stuckClock`, `stuckZone`: what is set stays as it was; `ignoreClock`: the lock does not tell its time.
     * Thermostats: `keepsOld`: a setting is called done and the old one kept; `takesLate` ms: it is taken over so much
     * later; `ignoreGets`: what is set is taken over, and questions are not answered.
     */
    faults: ({ node, ...faults }) => void find(node).state.set("sim.faults", faults),
    /**
     * `reportsAfterSet`: on a command, the lock sends "RF (un)lock operation" and its state, as many do; `masksCodes`:
     * it answers with stars; `refusesSilently`: it calls a duplicate code done, and does not store it.
     * Thermostats: `step`: it rounds set-points to it, in its own scale; `pointsOf` {mode: {type: value}}: a mode brings
     * its set-points along, which it reports; `minDelta`: it refuses a set-point that is closer to the other one.
     */
    habits: ({ node, ...habits }) => void find(node).state.set("sim.habits", habits),
    /** How many frames were sent to the node, whether it heard them or not, but for acknowledgements. */
    frames_on_air({ node, reset = false }) {
      const { state } = find(node);
      const count = state.get("sim.framesOnAir") ?? 0;
      if (reset) state.set("sim.framesOnAir", 0);
      return count;
    },
    latency: ({ node, ms }) => void (find(node).capabilities.txDelay = ms),
  };
}

function networkOps(membership, memory, find) {
  return {
    /**
     * A device like node `like` of network.mjs comes into learn mode, and joins now or once the stick includes. Answers
     * with its DSK. `device` names it: it keeps its DSK when it comes again. `smartStart`: it calls of its own accord.
     */
    join: (how) => membership.join(how),
    give_up: () => membership.giveUp(),
    /** A device is told at its buttons to leave, now or once the stick excludes; `stranger`: it is of no network. */
    leave: (who) => membership.leave(who),
    /** idle, adding, removing, replacing or joined. */
    mode: () => membership.mode,
    /** The stick's memory in base64, and whether its radio is on. */
    nvm: () => ({ data: Buffer.from(memory.nvm).toString("base64"), radio: memory.isRadioOn }),
    nvm_fault: ({ on = true }) => void (memory.breaks = on),
    /** By which `repeaters` frames to the node go, and with which `rssi` in dBm it is heard. */
    route: ({ node, repeaters = [], rssi }) => void find(node).state.set("sim.route", { repeaters, rssi }),
  };
}

const hex = (bytes) => Buffer.from(bytes).toString("hex");
