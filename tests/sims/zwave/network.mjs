// The simulated home: which nodes there are and what they can do.
import {
  DoorLockMode,
  ThermostatMode,
  ThermostatSetpointType,
  UserCredentialRule,
  UserCredentialType,
} from "@zwave-js/cc";
import { CommandClasses as CC, SecurityClass } from "@zwave-js/core";
import { ccCaps } from "@zwave-js/testing";
import { common, lock, wakeUp } from "./behaviors.mjs";
import { ACCESS_CONTROL } from "./reports.mjs";
import { schedules } from "./schedules.mjs";
import { sensorValues, thermostat } from "./thermostats.mjs";

const ENTRY_CONTROL = { genericDeviceClass: 0x40, specificDeviceClass: 0x03 };
const FREQUENTLY_LISTENING = { isListening: false, isFrequentListening: "1000ms" };
const LOCK_EVENTS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10];
const DOOR_EVENTS = [0x16, 0x17];

const ZWAVE_PLUS = { ccId: CC["Z-Wave Plus Info"], version: 2 };
const SUPERVISION = { ccId: CC.Supervision, version: 1 };
const GROUP_INFO = { ccId: CC["Association Group Information"], version: 3 };
const BASE = [CC.Version, CC["Manufacturer Specific"], CC.Association, GROUP_INFO, ZWAVE_PLUS];

const secure = (list) =>
  list.map((cc) => (typeof cc === "number" ? { ccId: cc, secure: true } : { ...cc, secure: true }));

function doorLock(version, { hasDoorSensor = false, travelTime = 0 } = {}) {
  return ccCaps({
    ccId: CC["Door Lock"],
    isSupported: true,
    version,
    supportedOperationTypes: [1, 2],
    supportedDoorLockModes: [DoorLockMode.Unsecured, DoorLockMode.Secured],
    doorSupported: hasDoorSensor,
    boltSupported: hasDoorSensor,
    latchSupported: hasDoorSensor,
    travelTime,
  });
}

function notifications(version, events, supportsV1Alarm = false) {
  const notificationTypesAndEvents = { [ACCESS_CONTROL]: events };
  return ccCaps({
    ccId: CC.Notification,
    isSupported: true,
    version,
    supportsV1Alarm,
    notificationTypesAndEvents,
  });
}

function userCodes(numUsers) {
  return ccCaps({ ccId: CC["User Code"], isSupported: true, version: 1, numUsers });
}

/** A lock whose codes may have a time frame, of which it knows `slots` each; its clock is set with Time Parameters. */
function timedLock({ slots, supervised }) {
  return {
    ...ENTRY_CONTROL,
    firmwareVersion: "1.0",
    commandClasses: [
      ...BASE,
      doorLock(4),
      userCodes(8),
      ccCaps({
        ccId: CC["Schedule Entry Lock"],
        isSupported: true,
        version: 3,
        numWeekDaySlots: 0,
        numYearDaySlots: slots,
        numDailyRepeatingSlots: 0,
      }),
      { ccId: CC["Time Parameters"], version: 1 },
      CC.Battery,
      ...(supervised ? [SUPERVISION] : []),
      notifications(8, LOCK_EVENTS),
    ],
  };
}

function sensors(types) {
  return ccCaps({
    ccId: CC["Multilevel Sensor"],
    isSupported: true,
    version: 11,
    sensors: Object.fromEntries(types.map((type) => [type, { supportedScales: [0] }])),
    getValue: (type) => sensorValues[type] ?? 0,
  });
}

/** Generic deadbolt without encryption, with a door sensor; User Code v1, 30 slots; Supervision. */
const plainLock = {
  ...ENTRY_CONTROL,
  firmwareVersion: "3.4",
  commandClasses: [
    ...BASE,
    doorLock(4, { hasDoorSensor: true }),
    userCodes(30),
    CC.Battery,
    SUPERVISION,
    notifications(8, [...LOCK_EVENTS, ...DOOR_EVENTS]),
  ],
};

/** S2 Access Control, frequently listening, User Credential with 20 users and 20 PINs of 4 to 8 digits. */
function s2Lock(boltTravel) {
  const pins = {
    numberOfCredentialSlots: 20,
    minCredentialLength: 4,
    maxCredentialLength: 8,
    maxCredentialHashLength: 0,
    supportsCredentialLearn: false,
  };
  const credentials = ccCaps({
    ccId: CC["User Credential"],
    isSupported: true,
    version: 1,
    numberOfSupportedUsers: 20,
    supportedCredentialRules: [UserCredentialRule.Single],
    maxUserNameLength: 32,
    supportedCredentialTypes: new Map([[UserCredentialType.PINCode, pins]]),
  });
  return {
    ...ENTRY_CONTROL,
    ...FREQUENTLY_LISTENING,
    firmwareVersion: "1.2",
    supportsSecurity: true,
    securityClasses: new Set([SecurityClass.S2_AccessControl, SecurityClass.S2_Authenticated]),
    commandClasses: [
      CC.Version,
      CC["Manufacturer Specific"],
      ZWAVE_PLUS,
      CC["Security 2"],
      SUPERVISION,
      ...secure([
        CC.Association,
        GROUP_INFO,
        doorLock(4, { travelTime: boltTravel }),
        credentials,
        CC.Battery,
        notifications(8, LOCK_EVENTS),
      ]),
    ],
  };
}

const THERMOSTAT = { genericDeviceClass: 0x08, specificDeviceClass: 0x06, firmwareVersion: "2.0" };
const { Off, Heat, Cool, Auto } = ThermostatMode;
const AUXILIARY = 4;
const ENERGY_SAVE_HEAT = 11;

function thermostatModes(version, supportedModes) {
  return ccCaps({ ccId: CC["Thermostat Mode"], isSupported: true, version, supportedModes });
}

/** Set-points as {type: [min, max, at first]}. */
function setpoints(scale, points) {
  const described = Object.entries(points).map(([type, [minValue, maxValue, defaultValue]]) => [
    type,
    { minValue, maxValue, defaultValue, scale },
  ]);
  return ccCaps({
    ccId: CC["Thermostat Setpoint"],
    isSupported: true,
    version: 3,
    setpoints: Object.fromEntries(described),
  });
}

const { Heating, Cooling } = ThermostatSetpointType;

/** Heat, cool, auto; fan mode; operating state; temperature and humidity; Supervision. */
const thermostatNode = {
  ...THERMOSTAT,
  commandClasses: [
    ...BASE,
    CC.Battery,
    SUPERVISION,
    thermostatModes(3, [Off, Heat, Cool, Auto]),
    setpoints("°C", { [Heating]: [5, 30, 20], [Cooling]: [15, 35, 25] }),
    { ccId: CC["Thermostat Fan Mode"], isSupported: true, version: 3 },
    { ccId: CC["Thermostat Operating State"], isSupported: true, version: 1 },
    sensors([0x01, 0x05]),
  ],
};

/** A radiator valve that sleeps: off, heat, and an eco mode with a set-point of its own; without Supervision. */
const sleepingValve = {
  ...THERMOSTAT,
  isListening: false,
  isFrequentListening: false,
  commandClasses: [
    ...BASE,
    CC.Battery,
    { ccId: CC["Wake Up"], version: 2 },
    thermostatModes(2, [Off, Heat, ENERGY_SAVE_HEAT]),
    setpoints("°C", { [Heating]: [4, 28, 21], [ENERGY_SAVE_HEAT]: [4, 20, 17] }),
  ],
};

/** Counts in whole degrees Fahrenheit; with auxiliary heat and a fan; without Supervision. */
const fahrenheitThermostat = {
  ...THERMOSTAT,
  commandClasses: [
    ...BASE,
    thermostatModes(2, [Off, Heat, Cool, Auto, AUXILIARY]),
    setpoints("°F", { [Heating]: [40, 90, 68], [Cooling]: [50, 95, 77] }),
    { ccId: CC["Thermostat Fan Mode"], isSupported: true, version: 2 },
  ],
};

/** The ids of a Schlage BE469ZP, so that the driver applies its real device config; S0, no Supervision. */
const schlage = {
  ...ENTRY_CONTROL,
  ...FREQUENTLY_LISTENING,
  manufacturerId: 0x003b,
  productType: 0x0001,
  productId: 0x0469,
  firmwareVersion: "0.11",
  supportsSecurity: true,
  securityClasses: new Set([SecurityClass.S0_Legacy]),
  commandClasses: [
    CC.Version,
    CC["Manufacturer Specific"],
    ZWAVE_PLUS,
    { ccId: CC.Security, version: 1 },
    ...secure([CC.Association, doorLock(2), userCodes(30), CC.Battery, notifications(4, LOCK_EVENTS, true)]),
  ],
};

/** A temperature sensor that sleeps. */
const sleepingSensor = {
  genericDeviceClass: 0x21,
  specificDeviceClass: 0x01,
  isListening: false,
  isFrequentListening: false,
  commandClasses: [...BASE, CC.Battery, { ccId: CC["Wake Up"], version: 2 }, sensors([0x01])],
};

/** All nodes, as [{id, capabilities, behaviors}]. `boltTravel`: ms the S2 lock's bolt takes. */
export function describeNodes({ boltTravel }) {
  return [
    { id: 2, capabilities: plainLock, behaviors: [...common, ...lock] },
    { id: 3, capabilities: s2Lock(boltTravel), behaviors: [...common, ...lock] },
    { id: 4, capabilities: thermostatNode, behaviors: [...thermostat, ...common] },
    { id: 5, capabilities: schlage, behaviors: [...common, ...lock] },
    { id: 6, capabilities: sleepingSensor, behaviors: [...common, wakeUp] },
    { id: 7, capabilities: timedLock({ slots: 1, supervised: true }), behaviors: [...common, ...lock, ...schedules] },
    { id: 8, capabilities: timedLock({ slots: 2, supervised: false }), behaviors: [...common, ...lock, ...schedules] },
    { id: 9, capabilities: sleepingValve, behaviors: [...thermostat, ...common, wakeUp] },
    { id: 10, capabilities: fahrenheitThermostat, behaviors: [...thermostat, ...common] },
  ];
}
