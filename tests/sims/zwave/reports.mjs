// What a node says on its own accord, encrypted as its security class demands.
import {
  BatteryCCReport,
  CommandClass,
  DoorLockCCOperationReport,
  DoorLockMode,
  NotificationCCReport,
  Security2CC,
  Security2CCNonceGet,
  Security2CCNonceReport,
  SecurityCC,
  SecurityCCNonceGet,
  SecurityCCNonceReport,
} from "@zwave-js/cc";
import { CommandClasses as CC, Duration, SPANState, SecurityClass } from "@zwave-js/core";
import { createMockZWaveRequestFrame } from "@zwave-js/testing";

const NONCE_TIMEOUT = 1000; // ms
export const ACCESS_CONTROL = 6; // notification type

export const LockEvent = {
  manualLock: 0x01,
  manualUnlock: 0x02,
  rfLock: 0x03,
  rfUnlock: 0x04,
  keypadLock: 0x05,
  keypadUnlock: 0x06,
  autoLock: 0x09,
  jammed: 0x0b,
  allCodesDeleted: 0x0c,
  codeDeleted: 0x0d,
  codeAdded: 0x0e,
  codeDuplicate: 0x0f,
  doorOpen: 0x16,
  doorClosed: 0x17,
};

const queues = new WeakMap();

/**
 * Sends `cc` from the node, after what it is still sending: the nonces of S0 bear no interleaving. Where no
 * driver listens or answers, the report is lost, as on the air.
 */
export function report(node, cc) {
  const earlier = queues.get(node) ?? Promise.resolve();
  const mine = earlier.then(async () => {
    if (!node.controller.driverPresent) return;
    try {
      await transmit(node, cc);
    } catch (error) {
      console.log(`node ${node.id} lost a report:`, error?.message ?? error);
    }
  });
  queues.set(node, mine);
  return mine;
}

/** A command the mocks cannot serialize, byte by byte. */
export function raw(controller, ccId, ccCommand, payload) {
  return new CommandClass({
    nodeId: controller.ownNodeId,
    ccId,
    ccCommand,
    payload: Uint8Array.from(payload),
  });
}

/** An Access Control or other notification; `parameters`: the event's parameter bytes. */
export function notify(node, type, event, parameters) {
  const cc = new NotificationCCReport({
    nodeId: node.controller.ownNodeId,
    notificationType: type,
    notificationEvent: event,
    eventParameters: parameters ? Uint8Array.from(parameters) : undefined,
  });
  return report(node, cc);
}

/** The event parameter that names a user: a User Code Report (slot, status) inside the notification. */
export function userParameter(slot, status = 1) {
  return [CC["User Code"], 0x03, slot, status];
}

/**
 * What the lock would answer to Door Lock Operation Get now. The report has bits for door, bolt and latch in
 * any case; left 0 they read "open, locked, open". That is what the driver makes of node 5, whose version of
 * Door Lock has no way to say that it lacks such sensors.
 */
export function doorLockReport(node) {
  const caps = node.getCCCapabilities(CC["Door Lock"]) ?? {};
  const transition = node.state.get("DoorLock_transition"); // the stock mock's, while the bolt travels
  const currentMode = node.state.get("DoorLock_currentMode") ?? DoorLockMode.Unsecured;
  const remaining = transition ? Math.max(0, transition.startTime + transition.durationMs - Date.now()) : 0;
  const doorStatus = node.state.get("sim.door") ?? "closed";
  const boltStatus = currentMode === DoorLockMode.Secured ? "locked" : "unlocked";
  return new DoorLockCCOperationReport({
    nodeId: node.controller.ownNodeId,
    currentMode,
    targetMode: transition?.targetMode ?? currentMode,
    duration: new Duration(Math.ceil(remaining / 1000), "seconds"),
    outsideHandlesCanOpenDoor: [false, false, false, false],
    insideHandlesCanOpenDoor: [false, false, false, false],
    doorStatus: caps.doorSupported ? doorStatus : undefined,
    boltStatus: caps.boltSupported ? boltStatus : undefined,
    latchStatus: caps.latchSupported ? doorStatus : undefined,
  });
}

/** Turns the lock on the spot. */
export function turn(node, locked) {
  node.state.set("DoorLock_currentMode", locked ? DoorLockMode.Secured : DoorLockMode.Unsecured);
}

export function reportLock(node) {
  return report(node, doorLockReport(node));
}

export function reportBattery(node, level) {
  return report(
    node,
    new BatteryCCReport({ nodeId: node.controller.ownNodeId, level: level === 0xff ? "low" : level }),
  );
}

async function transmit(node, cc) {
  const granted = node.capabilities.securityClasses;
  if (granted.size === 0) return send(node, cc);
  const onlyS0 = [...granted].every((securityClass) => securityClass === SecurityClass.S0_Legacy);
  return onlyS0 ? transmitS0(node, cc) : transmitS2(node, cc);
}

async function transmitS2(node, cc) {
  const span = node.securityManagers.securityManager2.getSPANState(node.controller.ownNodeId);
  if (span.type !== SPANState.SPAN && span.type !== SPANState.RemoteEI) {
    const isNonce = (reply) => reply instanceof Security2CCNonceReport && reply.SOS;
    await requestNonce(node, Security2CCNonceGet, isNonce);
  }
  await send(node, Security2CC.encapsulate(cc, node.id, node.securityManagers));
}

async function transmitS0(node, cc) {
  const isNonce = (reply) => reply instanceof SecurityCCNonceReport;
  const { nonce } = await requestNonce(node, SecurityCCNonceGet, isNonce);
  const encapsulated = SecurityCC.encapsulate(node.id, node.securityManagers.securityManager, cc);
  encapsulated.nonce = nonce;
  await send(node, encapsulated);
}

async function requestNonce(node, NonceGet, isReply) {
  const options = { timeout: NONCE_TIMEOUT, errorMessage: `the driver sent node ${node.id} no nonce` };
  const reply = node.expectControllerFrame((frame) => isReply(frame.payload), options);
  await send(node, new NonceGet({ nodeId: node.controller.ownNodeId }));
  return (await reply).payload;
}

function send(node, cc) {
  return node.sendToController(createMockZWaveRequestFrame(cc, { ackRequested: false }));
}
