// Makers' models: nodes made of JSON files (those of tests/fixtures/devices), numbered from 20 in the order given.
// What such a file may say is checked by tests/drivers/zwave/models.py.
import { readFileSync } from "node:fs";
import { UserCredentialRule, UserCredentialType } from "@zwave-js/cc";
import { CommandClasses as CC, SecurityClass } from "@zwave-js/core";
import { common, lock as lockBehaviors, wakeUp } from "./behaviors.mjs";
import { fanState, thermostat as thermostatBehaviors } from "./thermostats.mjs";

const FIRST_NODE = 20;

const LISTENING = {
  always: { isListening: true, isFrequentListening: false },
  frequently: { isListening: false, isFrequentListening: "1000ms" },
  sleeping: { isListening: false, isFrequentListening: false },
};

/** What a secure node says in the clear, if the file does not tell otherwise. */
const IN_THE_CLEAR = ["Z-Wave Plus Info", "Security", "Security 2", "Supervision", "Lock"];

/** All models, as `describeNodes` of network.mjs has nodes, each with the `state` it starts in. */
export function describeModels(files) {
  return files.map((file, index) => {
    const { node, state } = JSON.parse(readFileSync(file, "utf8"));
    return {
      id: FIRST_NODE + index,
      capabilities: capabilities(node),
      behaviors: behaviors(node),
      state: initialState(state),
    };
  });
}

function capabilities(node) {
  const { listening, securityClasses = [], commandClasses, endpoints = [], ...rest } = node;
  const isSecure = securityClasses.length > 0;
  const all = (classes) => Object.entries(classes).map(([name, cc]) => commandClass(name, cc, isSecure));
  return {
    ...numbers(rest),
    ...LISTENING[listening],
    supportsSecurity: isSecure,
    securityClasses: new Set(securityClasses.map((name) => SecurityClass[name])),
    commandClasses: all(commandClasses),
    endpoints: endpoints.map(({ commandClasses: own, ...classes }) => ({
      ...numbers(classes),
      commandClasses: all(own),
    })),
  };
}

/** Ids and device classes are written as in zwave-js's own files: "0x003b". */
const numbers = (object) => mapped(object, (value) => (String(value).startsWith("0x") ? Number(value) : value));

function commandClass(name, { version, secure, ...own }, isSecure) {
  const adapt = ADAPTED[name] ?? (() => ({}));
  return {
    ccId: CC[name],
    version,
    isSupported: true,
    secure: secure ?? (isSecure && !IN_THE_CLEAR.includes(name)),
    ...adapt(own),
  };
}

/** What a file says of a command class, in the words of the mocks. */
const ADAPTED = {
  "Door Lock": ({ modes = [0x00, 0xff], door = false, bolt = false, latch = false }) => ({
    supportedOperationTypes: [1, 2],
    supportedDoorLockModes: modes,
    doorSupported: door,
    boltSupported: bolt,
    latchSupported: latch,
  }),
  "User Code": ({ users, characters = "0123456789" }) => ({
    numUsers: users,
    supportedASCIIChars: characters,
  }),
  "User Credential": ({ users, pins }) => ({
    numberOfSupportedUsers: users,
    supportedCredentialRules: [UserCredentialRule.Single],
    maxUserNameLength: 32,
    supportedCredentialTypes: new Map([
      [
        UserCredentialType.PINCode,
        {
          numberOfCredentialSlots: pins.slots,
          minCredentialLength: pins.min,
          maxCredentialLength: pins.max,
          maxCredentialHashLength: 0,
          supportsCredentialLearn: false,
        },
      ],
    ]),
  }),
  Notification: ({ events = {}, v1Alarm = false }) => ({
    notificationTypesAndEvents: events,
    supportsV1Alarm: v1Alarm,
  }),
  "Thermostat Mode": ({ modes }) => ({ supportedModes: modes }),
  "Thermostat Fan Mode": ({ modes }) => ({ supportedModes: modes }),
  "Thermostat Setpoint": ({ setpoints }) => ({
    setpoints: mapped(setpoints, ({ min, max, scale }) => ({ minValue: min, maxValue: max, scale })),
  }),
  "Multilevel Sensor": ({ sensors }) => ({
    sensors: mapped(sensors, ({ scale }) => ({ supportedScales: [scale] })),
    getValue: (type) => sensors[type].value,
  }),
};

function mapped(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function behaviors({ commandClasses, endpoints = [] }) {
  const names = new Set([commandClasses, ...endpoints.map((one) => one.commandClasses)].flatMap(Object.keys));
  const isThermostat = names.has("Thermostat Setpoint");
  return [
    ...(isThermostat ? [...thermostatBehaviors, fanState] : []),
    ...common,
    ...(names.has("Door Lock") ? lockBehaviors : []),
    ...(names.has("Wake Up") ? [wakeUp] : []),
  ];
}

/** The state of a mock is a bag of keys, some of the stock mocks, some ours (`sim.`). */
function initialState(state) {
  const setpoints = Object.entries(state.setpoints ?? {});
  const known = {
    DoorLock_currentMode: state.locked === undefined ? undefined : state.locked ? 0xff : 0x00,
    Lock_locked: state.locked,
    ThermostatMode_mode: state.mode,
    ...Object.fromEntries(setpoints.map(([type, value]) => [`ThermostatSetpoint_setpoint_${type}`, value])),
    "sim.door": state.door,
    "sim.battery": state.battery,
    "sim.operatingState": state.operatingState,
    "sim.fanMode": state.fanMode,
    "sim.fanState": state.fanState,
    "sim.notifications": state.notifications,
    "sim.wakeUpInterval": state.wakeUpInterval,
  };
  return Object.entries(known).filter(([, value]) => value !== undefined);
}
