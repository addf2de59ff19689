// Thermostats: how they answer, what goes wrong with them, and what happens at their buttons.
import {
  MultilevelSensorCCReport,
  NoOperationCC,
  ThermostatFanModeCCGet,
  ThermostatFanModeCCSet,
  ThermostatFanModeCCSupportedGet,
  ThermostatFanStateCCGet,
  ThermostatModeCCGet,
  ThermostatModeCCReport,
  ThermostatModeCCSet,
  ThermostatOperatingStateCCGet,
  ThermostatOperatingStateCCReport,
  ThermostatSetpointCCGet,
  ThermostatSetpointCCReport,
  ThermostatSetpointCCSet,
  ThermostatSetpointType,
} from "@zwave-js/cc";
import { CommandClasses as CC } from "@zwave-js/core";
import { FAIL, OK, SILENCE, answer, stateOf } from "./behaviors.mjs";
import { raw, report } from "./reports.mjs";

/** Values of the multilevel sensors by type: air temperature in °C, humidity in %. */
export const sensorValues = { 0x01: 21.5, 0x05: 44 };

const COUNTED = [
  CC["Thermostat Mode"],
  CC["Thermostat Setpoint"],
  CC["Thermostat Fan Mode"],
  CC["Thermostat Fan State"],
  CC["Thermostat Operating State"],
  CC["Multilevel Sensor"],
  CC["Wake Up"],
];
const SETS = [ThermostatModeCCSet, ThermostatSetpointCCSet, ThermostatFanModeCCSet];
const GETS = [ThermostatModeCCGet, ThermostatSetpointCCGet, ThermostatFanModeCCGet];
const { Heating, Cooling } = ThermostatSetpointType;

// zwave-js never receives a Fan Mode Set in production and so cannot parse one.
ThermostatFanModeCCSet.from = (frame, context) =>
  new ThermostatFanModeCCSet({
    nodeId: context.sourceNodeId,
    mode: frame.payload[0] & 0x0f,
    off: (frame.payload[0] & 0x80) !== 0,
  });

const isOneOf = (cc, types) => types.some((type) => cc instanceof type);

/** Counts what reached the thermostat's application, and plays the faults that ops.mjs sets. Must be asked first. */
const gate = {
  handleCC(controller, node, cc) {
    if (COUNTED.includes(cc.ccId) || cc instanceof NoOperationCC) count(node, cc);
    const { ignoreCCs, ignoreGets, rejectSets, keepsOld, takesLate } = stateOf(node, "sim.faults", {});
    if (ignoreCCs?.includes(cc.ccId)) return SILENCE;
    if (isOneOf(cc, GETS)) return ignoreGets ? SILENCE : undefined;
    if (!isOneOf(cc, SETS)) return undefined;
    if (rejectSets === true || rejectSets?.includes?.(cc.ccId)) return FAIL;
    if (keepsOld === true || keepsOld?.includes?.(cc.ccId)) return OK;
    if (takesLate) {
      setTimeout(() => take(node, cc), takesLate);
      return OK;
    }
    return take(node, cc);
  },
};

function count(node, { constructor: { name } }) {
  const counts = stateOf(node, "sim.climateFrames", {});
  node.state.set("sim.climateFrames", { ...counts, [name]: (counts[name] ?? 0) + 1 });
}

function take(node, cc) {
  if (cc instanceof ThermostatModeCCSet) return takeMode(node, cc);
  if (cc instanceof ThermostatSetpointCCSet) return takeSetpoint(node, cc);
  node.state.set("sim.fanMode", cc.mode);
  return OK;
}

function takeMode(node, { mode }) {
  node.state.set("ThermostatMode_mode", mode);
  const points = stateOf(node, "sim.habits", {}).pointsOf?.[mode];
  if (points !== undefined) {
    for (const [type, value] of Object.entries(points)) void turnSetpoint(node, Number(type), value);
  }
  return OK;
}

/** The range check of the stock mock is inverted (`value > minValue` fails): it refuses every useful set-point. */
function takeSetpoint(node, { endpointIndex, setpointType, value, scale }) {
  const range = described(node, endpointIndex)[setpointType];
  const { step, minDelta } = stateOf(node, "sim.habits", {});
  if (!range || scale !== scaleOf(range) || value < range.minValue || value > range.maxValue) return FAIL;
  const rounded = step ? Math.round(value / step) * step : value;
  if (minDelta !== undefined && isTooClose(node, setpointType, rounded, minDelta)) return FAIL;
  node.state.set(`ThermostatSetpoint_setpoint_${setpointType}`, rounded);
  return OK;
}

function isTooClose(node, type, value, minDelta) {
  const points = { ...heldSetpoints(node), [type]: value };
  return points[Cooling] - points[Heating] < minDelta;
}

const described = (node, endpoint = 0) =>
  node.getCCCapabilities(CC["Thermostat Setpoint"], endpoint)?.setpoints ?? {};
const scaleOf = ({ scale }) => (scale === "°F" ? 1 : 0);

function heldSetpoints(node) {
  const points = Object.entries(described(node)).map(([type, { defaultValue, minValue }]) => [
    type,
    stateOf(node, `ThermostatSetpoint_setpoint_${type}`, defaultValue ?? minValue),
  ]);
  return Object.fromEntries(points);
}

function turnSetpoint(node, type, value) {
  const nodeId = node.controller.ownNodeId;
  node.state.set(`ThermostatSetpoint_setpoint_${type}`, value);
  const scale = scaleOf(described(node)[type] ?? {});
  return report(node, new ThermostatSetpointCCReport({ nodeId, type, value, scale }));
}

const fanMode = {
  handleCC(controller, node, cc) {
    const ccId = CC["Thermostat Fan Mode"];
    if (cc instanceof ThermostatFanModeCCSupportedGet) {
      const autoLowLowCirculation = [0, 1, 6];
      const capabilities = node.getCCCapabilities(ccId, cc.endpointIndex);
      const supportedModes = capabilities?.supportedModes ?? autoLowLowCirculation;
      const mask = supportedModes.reduce((bits, mode) => bits | (1 << mode), 0);
      return answer(raw(controller, ccId, 0x05, [mask & 0xff, mask >> 8]));
    }
    if (!(cc instanceof ThermostatFanModeCCGet)) return undefined;
    return answer(raw(controller, ccId, 0x03, [stateOf(node, "sim.fanMode", 0)]));
  },
};

const operatingState = {
  handleCC(controller, node, cc) {
    if (!(cc instanceof ThermostatOperatingStateCCGet)) return undefined;
    const state = stateOf(node, "sim.operatingState", 0);
    return answer(new ThermostatOperatingStateCCReport({ nodeId: controller.ownNodeId, state }));
  },
};

export const fanState = {
  handleCC(controller, node, cc) {
    if (!(cc instanceof ThermostatFanStateCCGet)) return undefined;
    return answer(raw(controller, CC["Thermostat Fan State"], 0x03, [stateOf(node, "sim.fanState", 0)]));
  },
};

// The first entry is asked first, and all of them before the stock mocks.
export const thermostat = [gate, fanMode, operatingState];

export function thermostatOps(find) {
  return {
    /**
     * Someone turns the knob, or the thermostat's own program changes it: any of `mode`, `setpoint` {type, value} in
     * its own scale, `opState`, `fanMode`. `report: false`: it says nothing.
     */
    async thermostat({ node, mode, setpoint, opState, fanMode: fan, report: tells = true }) {
      const device = find(node);
      const nodeId = device.controller.ownNodeId;
      const tell = (cc) => (tells ? report(device, cc) : undefined);
      if (mode !== undefined) {
        device.state.set("ThermostatMode_mode", mode);
        await tell(new ThermostatModeCCReport({ nodeId, mode }));
      }
      if (setpoint !== undefined && tells) await turnSetpoint(device, setpoint.type, setpoint.value);
      else if (setpoint !== undefined)
        device.state.set(`ThermostatSetpoint_setpoint_${setpoint.type}`, setpoint.value);
      if (opState !== undefined) {
        device.state.set("sim.operatingState", opState);
        await tell(new ThermostatOperatingStateCCReport({ nodeId, state: opState }));
      }
      if (fan !== undefined) {
        device.state.set("sim.fanMode", fan);
        // zwave-js cannot serialize this report.
        await tell(raw(device.controller, CC["Thermostat Fan Mode"], 0x03, [fan]));
      }
    },
    async sensor({ node, type, value, scale = 0, report: tells = true }) {
      sensorValues[type] = value;
      const nodeId = find(node).controller.ownNodeId;
      if (tells) await report(find(node), new MultilevelSensorCCReport({ nodeId, type, scale, value }));
    },
    /** How the thermostat is set in truth; set-points by type, in its own scale. */
    climate({ node }) {
      const device = find(node);
      return {
        mode: device.state.get("ThermostatMode_mode") ?? 0,
        fanMode: device.state.get("sim.fanMode") ?? 0,
        setpoints: heldSetpoints(device),
      };
    },
    /** How many commands a thermostat has to do with have reached its application, by their class in @zwave-js/cc. */
    climate_frames({ node, reset = false }) {
      const { state } = find(node);
      const counts = state.get("sim.climateFrames") ?? {};
      if (reset) state.set("sim.climateFrames", {});
      return counts;
    },
  };
}
