// How nodes answer where zwave-js 15.29 has no mock, or one that differs from real devices.
import {
  AssociationCCGet,
  AssociationCCRemove,
  AssociationCCReport,
  AssociationCCSet,
  AssociationCCSupportedGroupingsGet,
  AssociationCCSupportedGroupingsReport,
  AssociationGroupInfoCCCommandListGet,
  AssociationGroupInfoCCCommandListReport,
  AssociationGroupInfoCCInfoGet,
  AssociationGroupInfoCCInfoReport,
  AssociationGroupInfoCCNameGet,
  AssociationGroupInfoCCNameReport,
  BatteryCCGet,
  BatteryCCReport,
  DoorLockCCOperationGet,
  DoorLockCCOperationSet,
  DoorLockMode,
  NotificationCCGet,
  NotificationCCReport,
  NotificationCCSet,
  UserCodeCCExtendedUserCodeSet,
  UserCodeCCGet,
  UserCodeCCReport,
  UserCodeCCSet,
  UserCredentialCCCredentialReport,
  UserCredentialCCCredentialSet,
  UserCredentialCCUserSet,
  UserCredentialCredentialReportType,
  UserCredentialModifierType,
  UserCredentialNameEncoding,
  UserCredentialRule,
  UserCredentialType,
  UserCredentialUserType,
  UserIDStatus,
  WakeUpCCIntervalCapabilitiesGet,
  WakeUpCCIntervalGet,
  WakeUpCCIntervalSet,
  WakeUpCCNoMoreInformation,
} from "@zwave-js/cc";
import { CommandClasses as CC } from "@zwave-js/core";
import { Bytes } from "@zwave-js/shared";
import {
  ACCESS_CONTROL,
  LockEvent,
  doorLockReport,
  notify,
  raw,
  reportLock,
  userParameter,
} from "./reports.mjs";

const LIFELINE = 1;
const AFTER_SET_DELAY = 20; // ms from the end of the bolt's travel until the lock reports it

export const stateOf = (node, key, fallback) => (node.state.has(key) ? node.state.get(key) : fallback);
export const answer = (cc) => ({ action: "sendCC", cc });
export const OK = { action: "ok" };
export const FAIL = { action: "fail" }; // supervised: Fail is reported; unsupervised: nothing is said
export const SILENCE = { action: "stop" }; // acknowledged by the radio, never answered

const REJECTABLE = [
  DoorLockCCOperationSet,
  UserCodeCCSet,
  UserCodeCCExtendedUserCodeSet,
  UserCredentialCCUserSet,
  UserCredentialCCCredentialSet,
];

const CODE_CLASSES = [CC["User Code"], CC["User Credential"], CC["Schedule Entry Lock"]];

/** Counts lock commands and plays the faults and habits that ops.mjs sets. Must be asked first. */
const gate = {
  handleCC(_controller, node, cc) {
    const isLockSet = cc instanceof DoorLockCCOperationSet;
    if (isLockSet) node.state.set("sim.lockSets", stateOf(node, "sim.lockSets", 0) + 1);
    if (CODE_CLASSES.includes(cc.ccId) && !isOfClock(cc)) countFrame(node, cc);
    const faults = stateOf(node, "sim.faults", {});
    if (faults.ignoreCCs?.includes(cc.ccId)) return SILENCE;
    if (faults.ignoreLockSets && isLockSet) return SILENCE;
    if (faults.rejectSets && REJECTABLE.some((type) => cc instanceof type)) return FAIL;
    if (faults.jamOnSet && isLockSet) {
      void notify(node, ACCESS_CONTROL, LockEvent.jammed);
      return FAIL;
    }
    const { travelTime = 0 } = isLockSet ? node.getCCCapabilities(CC["Door Lock"]) : {};
    if (faults.failLate && isLockSet) {
      setTimeout(() => void node.sendResponse(cc, FAIL), travelTime);
      return { ...OK, durationMs: Math.max(1, travelTime) }; // supervised: Working is reported
    }
    if (faults.claimsSuccess && isLockSet) {
      setTimeout(() => void reportLock(node), travelTime + AFTER_SET_DELAY);
      return OK;
    }
    if (isLockSet && stateOf(node, "sim.habits", {}).reportsAfterSet) {
      setTimeout(() => void reportRfOperation(node, cc.mode), travelTime + AFTER_SET_DELAY);
    }
    return undefined;
  },
};

const isOfClock = ({ constructor: { name } }) => name.includes("TimeOffset");

function countFrame(node, { constructor: { name } }) {
  const counts = stateOf(node, "sim.codeFrames", {});
  node.state.set("sim.codeFrames", { ...counts, [name]: (counts[name] ?? 0) + 1 });
}

async function reportRfOperation(node, mode) {
  const locked = mode === DoorLockMode.Secured;
  await notify(node, ACCESS_CONTROL, locked ? LockEvent.rfLock : LockEvent.rfUnlock);
  await reportLock(node);
}

/** The stock mock leaves out door, bolt and latch. */
const doorLock = {
  handleCC(_controller, node, cc) {
    return cc instanceof DoorLockCCOperationGet ? answer(doorLockReport(node)) : undefined;
  },
};

const association = {
  handleCC(controller, node, cc) {
    const nodeId = controller.ownNodeId;
    const members = stateOf(node, "sim.lifeline", []);
    if (cc instanceof AssociationCCSupportedGroupingsGet) {
      return answer(new AssociationCCSupportedGroupingsReport({ nodeId, groupCount: 1 }));
    }
    if (cc instanceof AssociationCCGet) {
      const group = { groupId: cc.groupId, maxNodes: 5, nodeIds: members, reportsToFollow: 0 };
      return answer(new AssociationCCReport({ nodeId, ...group }));
    }
    if (cc instanceof AssociationCCSet) {
      node.state.set("sim.lifeline", [...new Set([...members, ...cc.nodeIds])]);
      return OK;
    }
    if (cc instanceof AssociationCCRemove) {
      const gone = (id) => !cc.nodeIds?.length || cc.nodeIds.includes(id);
      node.state.set(
        "sim.lifeline",
        members.filter((id) => !gone(id)),
      );
      return OK;
    }
    return undefined;
  },
};

const associationGroupInfo = {
  handleCC(controller, _node, cc) {
    const nodeId = controller.ownNodeId;
    if (cc instanceof AssociationGroupInfoCCNameGet) {
      return answer(new AssociationGroupInfoCCNameReport({ nodeId, groupId: cc.groupId, name: "Lifeline" }));
    }
    if (cc instanceof AssociationGroupInfoCCInfoGet) {
      const groups = [{ groupId: LIFELINE, mode: 0, profile: 0x0001, eventCode: 0 }];
      const info = { isListMode: false, hasDynamicInfo: false, groups };
      return answer(new AssociationGroupInfoCCInfoReport({ nodeId, ...info }));
    }
    if (cc instanceof AssociationGroupInfoCCCommandListGet) {
      const reports = [
        [CC.Battery, [0x03]],
        [CC.Notification, [0x05]],
        [CC["Door Lock"], [0x03]],
      ];
      const list = { groupId: cc.groupId, commands: new Map(reports) };
      return answer(new AssociationGroupInfoCCCommandListReport({ nodeId, ...list }));
    }
    return undefined;
  },
};

const battery = {
  handleCC(controller, node, cc) {
    if (!(cc instanceof BatteryCCGet)) return undefined;
    const level = stateOf(node, "sim.battery", 87);
    return answer(
      new BatteryCCReport({ nodeId: controller.ownNodeId, level: level === 0xff ? "low" : level }),
    );
  },
};

/** Unanswered, each Get costs the interview a report timeout: 1 s, or 10 s by the Schlage's device config. */
const notification = {
  handleCC(controller, node, cc) {
    if (cc instanceof NotificationCCSet) return OK;
    if (!(cc instanceof NotificationCCGet)) return undefined;
    const notificationType = cc.notificationType ?? ACCESS_CONTROL;
    return answer(
      new NotificationCCReport({
        nodeId: controller.ownNodeId,
        notificationType,
        notificationStatus: 0xff,
        notificationEvent: stateOf(node, "sim.notifications", {})[notificationType] ?? 0x00, // idle
      }),
    );
  },
};

/** Codes that a lock has called stored, and how it lets them down (see `faults` in ops.mjs). */
const faultyCodes = {
  handleCC(_controller, node, cc) {
    if (!(cc instanceof UserCodeCCSet)) return undefined;
    const { claimsCodes, dropsCodes, storesLate } = stateOf(node, "sim.faults", {});
    if (claimsCodes) return OK;
    const { userId, userIdStatus, userCode } = cc;
    const wanted = userIdStatus === UserIDStatus.Available ? undefined : digits(userCode);
    if (storesLate) {
      setTimeout(() => storeUserCode(node, userId, wanted), storesLate);
      return OK;
    }
    if (dropsCodes === undefined || wanted === undefined) return undefined;
    storeUserCode(node, userId, wanted);
    setTimeout(() => {
      storeUserCode(node, userId, undefined);
      void notify(node, ACCESS_CONTROL, LockEvent.codeDeleted, userParameter(userId, UserIDStatus.Available));
    }, dropsCodes);
    return OK;
  },
};

/** A lock that answers with stars, as some of version 1 do. */
const masks = {
  handleCC(controller, node, cc) {
    if (!(cc instanceof UserCodeCCGet) || !stateOf(node, "sim.habits", {}).masksCodes) return undefined;
    const stored = storedUserCode(node, cc.userId);
    if (stored === undefined) return undefined;
    const userIdStatus = node.state.get(`UserCode_userIdStatus_${cc.userId}`);
    const masked = { userId: cc.userId, userIdStatus, userCode: "*".repeat(stored.length) };
    return answer(new UserCodeCCReport({ nodeId: controller.ownNodeId, ...masked }));
  },
};

/**
 * The stock mock takes "user 0, Available" (= delete all codes) for a write to slot 0, which would hide that
 * the driver clears a lock in its first interview; and it accepts the same code twice.
 */
const userCode = {
  handleCC(_controller, node, cc) {
    if (!(cc instanceof UserCodeCCSet)) return undefined;
    const { numUsers = 1 } = node.getCCCapabilities(CC["User Code"], cc.endpointIndex) ?? {};
    const slots = Array.from({ length: numUsers }, (_, index) => index + 1);
    if (cc.userId === 0 && cc.userIdStatus === UserIDStatus.Available) {
      node.state.set("sim.clearAllCount", stateOf(node, "sim.clearAllCount", 0) + 1);
      for (const slot of slots) storeUserCode(node, slot, undefined);
      return OK;
    }
    if (cc.userIdStatus === UserIDStatus.Available) return undefined;
    const wanted = digits(cc.userCode);
    if (slots.every((slot) => slot === cc.userId || storedUserCode(node, slot) !== wanted)) return undefined;
    const parameters = userParameter(cc.userId, UserIDStatus.Available);
    const { refusesSilently } = stateOf(node, "sim.habits", {});
    if (!refusesSilently) void notify(node, ACCESS_CONTROL, LockEvent.codeDuplicate, parameters);
    return refusesSilently ? OK : FAIL;
  },
};

/** Writes a slot of a User Code lock, as at its keypad; no code empties it. */
export function storeUserCode(node, slot, code) {
  node.state.set(`UserCode_userIdStatus_${slot}`, code ? UserIDStatus.Enabled : UserIDStatus.Available);
  node.state.set(`UserCode_userCode_${slot}`, code);
}

/** Writes a PIN of a User Credential lock, as at its keypad, for the user of that number; no code empties the slot. */
export function storeCredential(node, slot, code) {
  const key = `UserCredential_cred_${UserCredentialType.PINCode}_${slot}`;
  const at = { modifierType: UserCredentialModifierType.Locally, modifierNodeId: 0 };
  const { userId = slot } = node.state.get(key) ?? {};
  if (code) {
    const user = `UserCredential_user_${userId}`;
    if (!node.state.has(user)) node.state.set(user, { ...NEW_USER, userName: `User-${userId}`, ...at });
    node.state.set(key, { userId, credentialData: Bytes.from(code, "ascii"), ...at });
  } else node.state.delete(key);
  return new UserCredentialCCCredentialReport({
    nodeId: node.controller.ownNodeId,
    reportType: UserCredentialCredentialReportType[code ? "CredentialAdded" : "CredentialDeleted"],
    userId,
    credentialType: UserCredentialType.PINCode,
    credentialSlot: slot,
    credentialReadBack: true,
    credentialData: Bytes.from(code ?? "", "ascii"),
    ...at,
  });
}

const NEW_USER = {
  userType: UserCredentialUserType.General,
  active: true,
  credentialRule: UserCredentialRule.Single,
  expiringTimeoutMinutes: 0,
  nameEncoding: UserCredentialNameEncoding.ASCII,
};

/** The PINs that a lock of either kind holds, as {slot: digits}. */
export function storedPins(node) {
  const { numUsers = 0 } = node.getCCCapabilities(CC["User Code"]) ?? {};
  const userCodes = Array.from({ length: numUsers }, (_, index) => [
    index + 1,
    storedUserCode(node, index + 1),
  ]);
  const prefix = `UserCredential_cred_${UserCredentialType.PINCode}_`;
  const credentials = [...node.state]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, { credentialData }]) => [key.slice(prefix.length), digits(credentialData)]);
  return Object.fromEntries([...userCodes, ...credentials].filter(([, pin]) => pin !== undefined));
}

function storedUserCode(node, slot) {
  if (!stateOf(node, `UserCode_userIdStatus_${slot}`, UserIDStatus.Available)) return undefined;
  return digits(node.state.get(`UserCode_userCode_${slot}`));
}

const digits = (code) => (code instanceof Uint8Array ? Buffer.from(code).toString("ascii") : code);

export const wakeUp = {
  handleCC(controller, node, cc) {
    if (cc instanceof WakeUpCCIntervalGet) {
      const seconds = stateOf(node, "sim.wakeUpInterval", 3600);
      const payload = [(seconds >> 16) & 0xff, (seconds >> 8) & 0xff, seconds & 0xff, controller.ownNodeId];
      return answer(raw(controller, CC["Wake Up"], 0x06, payload));
    }
    if (cc instanceof WakeUpCCIntervalCapabilitiesGet) {
      const [min, max, usual, step] = [
        [0, 0, 60],
        [0x01, 0x51, 0x80],
        [0, 0x0e, 0x10],
        [0, 0, 60],
      ]; // seconds
      return answer(raw(controller, CC["Wake Up"], 0x0a, [...min, ...max, ...usual, ...step]));
    }
    if (cc instanceof WakeUpCCIntervalSet) {
      node.state.set("sim.wakeUpInterval", cc.wakeUpInterval);
      return OK;
    }
    if (cc instanceof WakeUpCCNoMoreInformation) {
      node.state.set("sim.asleep", true);
      return SILENCE;
    }
    return undefined;
  },
};

// The first entry is asked first, and all of them before the stock mocks.
export const common = [gate, association, associationGroupInfo, battery, notification];
export const lock = [doorLock, masks, userCode, faultyCodes];
