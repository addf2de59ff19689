// Locks that keep to time frames: a clock that runs, the zone it was told, and schedules of codes.
import {
  ScheduleEntryLockCCTimeOffsetGet,
  ScheduleEntryLockCCTimeOffsetSet,
  ScheduleEntryLockCCYearDayScheduleGet,
  ScheduleEntryLockCCYearDayScheduleSet,
  TimeParametersCCGet,
  TimeParametersCCSet,
  TimeParametersCommand,
  UserCodeCCSet,
  UserIDStatus,
} from "@zwave-js/cc";
import { CommandClasses as CC } from "@zwave-js/core";
import { raw } from "./reports.mjs";

const OK = { action: "ok" };
const FAIL = { action: "fail" };
const SILENCE = { action: "stop" };
const YEAR_DAY = 1; // ScheduleEntryLockScheduleKind
const STATE = "ScheduleEntryLock_"; // of the stock mock
const FIRST_YEAR = 2000;

/** ms since 1970 of what the lock's clock shows, taken for UTC; a lock that lost power begins in the year 2000. */
function shown(node) {
  const { at, since } = node.state.get("sim.clock") ?? { at: Date.UTC(FIRST_YEAR, 0, 1), since: 0 };
  return at + Date.now() - since;
}

function count(node, { constructor: { name } }) {
  const counts = node.state.get("sim.clockFrames") ?? {};
  node.state.set("sim.clockFrames", { ...counts, [name]: (counts[name] ?? 0) + 1 });
}

function show(node, at) {
  node.state.set("sim.clock", { at, since: Date.now() });
}

const clock = {
  handleCC(controller, node, cc) {
    if (cc.ccId === CC["Time Parameters"]) count(node, cc);
    const { stuckClock, ignoreClock } = node.state.get("sim.faults") ?? {};
    if (cc instanceof TimeParametersCCGet) {
      if (ignoreClock) return SILENCE;
      return { action: "sendCC", cc: clockReport(controller, new Date(shown(node))) };
    }
    if (!(cc instanceof TimeParametersCCSet)) return undefined;
    if (!stuckClock) show(node, cc.dateAndTime.getTime()); // read as UTC, whatever it was meant as
    return OK;
  },
};

/** zwave-js cannot serialize this report. */
function clockReport(controller, at) {
  const year = at.getUTCFullYear();
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
  const payload = [year >> 8, year & 0xff, at.getUTCMonth() + 1, at.getUTCDate(), ...time];
  return raw(controller, CC["Time Parameters"], TimeParametersCommand.Report, payload);
}

/** Faults of schedules (see `faults` in ops.mjs). */
const faulty = {
  handleCC(controller, node, cc) {
    const faults = node.state.get("sim.faults") ?? {};
    const isSet = cc instanceof ScheduleEntryLockCCYearDayScheduleSet;
    if (isSet || cc instanceof ScheduleEntryLockCCYearDayScheduleGet) {
      if (faults.ignoreSchedules) return SILENCE;
      if (isSet && faults.rejectSchedules) return FAIL;
      if (isSet && faults.claimsSchedules) return OK;
    }
    const isZone = cc instanceof ScheduleEntryLockCCTimeOffsetSet || cc instanceof ScheduleEntryLockCCTimeOffsetGet;
    if (isZone) count(node, cc);
    if (cc instanceof ScheduleEntryLockCCTimeOffsetSet && faults.stuckZone) return OK;
    if (cc instanceof UserCodeCCSet && faults.opensDisabled && cc.userIdStatus === UserIDStatus.Disabled) {
      cc.userIdStatus = UserIDStatus.Enabled;
    }
    if (cc instanceof UserCodeCCSet && faults.forgetsSchedules && cc.userIdStatus === UserIDStatus.Enabled) {
      node.state.delete(key(cc.userId));
    }
    return undefined;
  },
};

const key = (user) => `${STATE}schedule_${user}_1_${YEAR_DAY}`;

export const schedules = [faulty, clock];

const two = (number) => String(number).padStart(2, "0");

/** The schedule of a code as the lock holds it, as "2026-03-28 15:00/2026-03-30 10:00" by the clock on the wall. */
function told(schedule) {
  const side = (name) => {
    const part = (field) => schedule[name + field];
    const date = [FIRST_YEAR + part("Year"), two(part("Month")), two(part("Day"))].join("-");
    return `${date} ${two(part("Hour"))}:${two(part("Minute"))}`;
  };
  return `${side("start")}/${side("stop")}`;
}

/** What the lock itself holds, never what zwave-js believes. */
export function scheduleOps(find) {
  return {
    /** The schedules of its codes, as {slot: text}. */
    schedules: ({ node }) =>
      Object.fromEntries(
        [...find(node).state]
          .filter(([name, value]) => name.startsWith(`${STATE}schedule_`) && value !== undefined)
          .map(([name, value]) => [name.split("_")[2], told(value)]),
      ),
    /** What its clock shows, taken for UTC, and the zone it was told. */
    clock({ node }) {
      const { state } = find(node);
      const [standard, summer] = ["standardOffset", "dstOffset"].map((name) => state.get(STATE + name) ?? 0);
      return { shows: new Date(shown(find(node))).toISOString(), standard, summer };
    },
    /** Its clock goes wrong by so many seconds. */
    drift: ({ node, seconds }) => show(find(node), shown(find(node)) + seconds * 1000),
    /** A schedule is erased at the lock. */
    local_erase: ({ node, slot }) => void find(node).state.delete(key(slot)),
    /** Which of its codes are disabled. */
    disabled: ({ node }) =>
      [...find(node).state]
        .filter(([name, value]) => name.startsWith("UserCode_userIdStatus_") && value === UserIDStatus.Disabled)
        .map(([name]) => Number(name.split("_")[2])),
    /** How many commands about its clock have reached the lock since start or `reset`. */
    clock_frames({ node, reset = false }) {
      const { state } = find(node);
      const counts = state.get("sim.clockFrames") ?? {};
      if (reset) state.set("sim.clockFrames", {});
      return counts;
    },
  };
}
