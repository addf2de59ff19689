/**
 * Make every call on a thermostat with the official JavaScript SDK, as property software would, and read back what it did.
 *
 * `node js_thermostats.mjs ENDPOINT KEY DEVICE_NAME` takes the steps of ../python_thermostats.py, under the same names,
 * in the manner of js_client.mjs.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import { SeamHttpApiError, SeamHttpInvalidInputError } from '@seamapi/http'

import { check, eventually, main, refused } from './js_client.mjs'

const HOUR = 60 * 60 * 1000
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

const soon = (hours) => new Date(Date.now() + hours * HOUR).toISOString()

const properties = async ({ seam, id }) => (await seam.devices.get({ device_id: id })).properties

const setting = async (session) => (await properties(session)).current_climate_setting

/** Fail unless two values are the same. */
const same = (seen, expected, what) =>
  check(isDeepStrictEqual(seen, expected), `${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`)

/** Call `thermostats.<method>`, which waits for its attempt; return what is set then. */
const act = async (session, method, members = {}, type = 'SET_HVAC_MODE') => {
  const attempt = await session.seam.thermostats[method]({ device_id: session.id, ...members })
  same([attempt.status, attempt.action_type], ['success', type], method)
  const again = await session.seam.actionAttempts.get({ action_attempt_id: attempt.action_attempt_id })
  same([again.status, again.action_type], ['success', type], `${method}, asked again`)
  return await setting(session)
}

/** Wait until the thermostat is read back with a heating set-point. */
const heatsTo = (session, celsius) => {
  const isSet = async () => (await setting(session)).heating_set_point_celsius === celsius
  return eventually(isSet, `it was not set to ${celsius} °C`)
}

/** Return the thermostat's events since the script began. */
const eventsOf = ({ seam, id, begun }) => seam.events.list({ since: begun, device_id: id })

/** Wait until there is an event of a type. */
const happens = (session, type) => {
  const isTold = async () => (await eventsOf(session)).some((event) => event.event_type === `thermostat.${type}`)
  return eventually(isTold, `there was no ${type}`)
}

const steps = [
  {
    step: 'find_thermostat',
    expected: 'exactly one thermostat called DEVICE_NAME, with its modes and limits, and nothing planned',
    async run(session) {
      const named = (await session.seam.thermostats.list()).filter((one) => one.display_name === session.name)
      check(named.length === 1, `${named.length} thermostats`)
      const [found] = named
      session.id = found.device_id
      session.begun = soon(0)
      session.lockId = (await session.seam.locks.list())[0].device_id
      check(found.capabilities_supported.includes('thermostat'), 'capabilities_supported lacks thermostat')
      const flags = [found.can_hvac_heat, found.can_hvac_cool, found.can_hvac_heat_cool, found.can_turn_off_hvac]
      same(flags, [true, true, true, true], 'flags')
      const known = found.properties
      const modes = known.available_hvac_mode_settings
      for (const mode of ['off', 'heat', 'cool', 'heat_cool']) check(modes.includes(mode), `modes ${modes}`)
      check(known.min_heating_set_point_celsius < known.max_heating_set_point_celsius, 'no range')
      same([known.available_climate_presets, known.fallback_climate_preset_key], [[], null], 'what is planned')
      return { modes, fans: known.available_fan_mode_settings }
    },
  },
  {
    step: 'modes',
    expected: 'each attempt succeeds, and what is read back is what was asked for, in both scales',
    async run(session) {
      let now = await act(session, 'heat', { heating_set_point_celsius: 20 })
      const heat = [now.hvac_mode_setting, now.heating_set_point_celsius, now.heating_set_point_fahrenheit]
      same(heat, ['heat', 20, 68], 'heat')
      now = await act(session, 'cool', { cooling_set_point_fahrenheit: 77 })
      const cool = [now.hvac_mode_setting, now.cooling_set_point_celsius, now.cooling_set_point_fahrenheit]
      same(cool, ['cool', 25, 77], 'cool')
      now = await act(session, 'heatCool', { heating_set_point_celsius: 19, cooling_set_point_celsius: 26 })
      const both = [now.hvac_mode_setting, now.heating_set_point_celsius, now.cooling_set_point_celsius]
      same(both, ['heat_cool', 19, 26], 'heatCool')
      same((await act(session, 'off')).hvac_mode_setting, 'off', 'off')
      now = await act(session, 'setHvacMode', { hvac_mode_setting: 'heat', heating_set_point_celsius: 21 })
      same([now.hvac_mode_setting, now.heating_set_point_celsius], ['heat', 21], 'setHvacMode')
      now = await act(session, 'setFanMode', { fan_mode_setting: 'on' }, 'SET_FAN_MODE')
      same([now.fan_mode_setting, (await properties(session)).fan_mode_setting], ['on', 'on'], 'setFanMode')
      return now.fan_mode_setting
    },
  },
  {
    step: 'impossible',
    expected: '400: set_point_out_of_range, mode_not_supported, device_type_not_supported; nothing is set',
    async run(session) {
      const { thermostats } = session.seam
      const heat = () => thermostats.heat({ device_id: session.id, heating_set_point_celsius: 60 })
      const hot = await refused(heat, SeamHttpApiError, 400, 'set_point_out_of_range')
      const save = () => thermostats.setHvacMode({ device_id: session.id, hvac_mode_setting: 'eco' })
      const eco = await refused(save, SeamHttpApiError, 400, 'mode_not_supported')
      const off = () => thermostats.off({ device_id: session.lockId })
      await refused(off, SeamHttpApiError, 400, 'device_type_not_supported')
      same((await setting(session)).heating_set_point_celsius, 21, 'what is set')
      return [hot.message, eco.message]
    },
  },
  {
    step: 'presets',
    expected: 'both presets with their settings; the same key again is 409, climate_preset_exists',
    async run(session) {
      const { thermostats } = session.seam
      for (const [key, celsius] of [['home', 21.5], ['away', 15]])
        await thermostats.createClimatePreset({
          device_id: session.id,
          climate_preset_key: key,
          name: key,
          climate_preset_mode: key,
          hvac_mode_setting: 'heat',
          heating_set_point_celsius: celsius,
          manual_override_allowed: true,
        })
      const change = { climate_preset_key: 'away', name: 'Nobody in', heating_set_point_celsius: 16 }
      await thermostats.updateClimatePreset({ device_id: session.id, ...change })
      const found = (await properties(session)).available_climate_presets
      same(found.map((one) => one.climate_preset_key).sort(), ['away', 'home'], 'presets')
      const away = found.find((one) => one.climate_preset_key === 'away')
      same([away.name, away.heating_set_point_celsius, away.hvac_mode_setting], ['Nobody in', 16, 'heat'], 'away')
      const again = { device_id: session.id, climate_preset_key: 'home', hvac_mode_setting: 'off' }
      const make = () => thermostats.createClimatePreset(again)
      return (await refused(make, SeamHttpApiError, 409, 'climate_preset_exists')).message
    },
  },
  {
    step: 'activate',
    expected: 'the attempt succeeds, the preset is the current setting, and an event says so; 404 for an unknown one',
    async run(session) {
      const away = { climate_preset_key: 'away' }
      const now = await act(session, 'activateClimatePreset', away, 'ACTIVATE_CLIMATE_PRESET')
      same([now.climate_preset_key, now.heating_set_point_celsius], ['away', 16], 'away')
      await happens(session, 'climate_preset_activated')
      const sauna = { device_id: session.id, climate_preset_key: 'sauna' }
      const activate = () => session.seam.thermostats.activateClimatePreset(sauna)
      return (await refused(activate, SeamHttpApiError, 404, 'climate_preset_not_found')).message
    },
  },
  {
    step: 'fallback',
    expected: 'the fallback preset is in force',
    async run(session) {
      const { thermostats } = session.seam
      const home = { device_id: session.id, climate_preset_key: 'home' }
      await thermostats.setFallbackClimatePreset(home)
      await heatsTo(session, 21.5)
      same((await properties(session)).fallback_climate_preset_key, 'home', 'the fallback')
      return 'home'
    },
  },
  {
    step: 'schedule',
    expected: 'in force at once and shown as active, without errors; get and list show it as it was made',
    async run(session) {
      const { schedules } = session.seam.thermostats
      const starts = soon(-1)
      const made = await schedules.create({
        device_id: session.id,
        climate_preset_key: 'away',
        name: 'Guest gone',
        starts_at: starts,
        ends_at: soon(5),
        max_override_period_minutes: 90,
      })
      const id = (session.scheduleId = made.thermostat_schedule_id)
      await heatsTo(session, 16)
      const active = async () => (await properties(session)).active_thermostat_schedule_id
      await eventually(async () => (await active()) === id, 'it was not active')
      same((await properties(session)).active_thermostat_schedule.name, 'Guest gone', 'the active schedule')
      const listed = await schedules.list({ device_id: session.id })
      for (const one of [await schedules.get({ thermostat_schedule_id: id }), ...listed]) {
        const seen = [one.thermostat_schedule_id, one.name, one.climate_preset_key, one.is_override_allowed, one.errors]
        same(seen, [id, 'Guest gone', 'away', true, []], 'the schedule')
        same([Date.parse(one.starts_at), one.max_override_period_minutes], [Date.parse(starts), 90], 'its times')
      }
      same(listed.length, 1, 'the list')
      return made.ends_at
    },
  },
  {
    step: 'wrong_schedules',
    expected: 'SeamHttpInvalidInputError: 400, invalid_input, naming ends_at; 404 for none; 409, climate_preset_in_use',
    async run(session) {
      const { schedules } = session.seam.thermostats
      const needed = { device_id: session.id, climate_preset_key: 'away' }
      const drop = () => session.seam.thermostats.deleteClimatePreset(needed)
      await refused(drop, SeamHttpApiError, 409, 'climate_preset_in_use')
      const backwards = { climate_preset_key: 'away', starts_at: soon(2), ends_at: soon(1) }
      const make = () => schedules.create({ device_id: session.id, ...backwards })
      const error = await refused(make, SeamHttpInvalidInputError, 400, 'invalid_input')
      check(error.getValidationErrorMessages('ends_at').length > 0, 'validation_errors do not name ends_at')
      const get = () => schedules.get({ thermostat_schedule_id: randomUUID() })
      await refused(get, SeamHttpApiError, 404, 'thermostat_schedule_not_found')
      return error.message
    },
  },
  {
    step: 'override',
    expected: 'a temporary override; once the schedule allows none, a call is 409, manual_override_not_allowed',
    async run(session) {
      const { thermostats } = session.seam
      const isOverridden = async () => (await properties(session)).is_temporary_manual_override_active
      same((await act(session, 'heat', { heating_set_point_celsius: 23 })).heating_set_point_celsius, 23, 'heat')
      same(await isOverridden(), true, 'the override')
      const change = { starts_at: soon(-2), is_override_allowed: false, name: 'Locked' }
      await thermostats.schedules.update({ thermostat_schedule_id: session.scheduleId, ...change })
      await heatsTo(session, 16)
      same(await isOverridden(), false, 'the override, ended')
      const heat = () => thermostats.heat({ device_id: session.id, heating_set_point_celsius: 23 })
      const error = await refused(heat, SeamHttpApiError, 409, 'manual_override_not_allowed')
      const one = await thermostats.schedules.get({ thermostat_schedule_id: session.scheduleId })
      same(one.name, 'Locked', 'the name')
      return error.message
    },
  },
  {
    step: 'unschedule',
    expected: 'the fallback preset is in force again, and the schedule is nowhere: 404',
    async run(session) {
      const { schedules } = session.seam.thermostats
      const drop = () => schedules.delete({ thermostat_schedule_id: session.scheduleId })
      await drop()
      await heatsTo(session, 21.5)
      same(await schedules.list({ device_id: session.id }), [], 'the list')
      same((await properties(session)).active_thermostat_schedule_id, null, 'the active schedule')
      return (await refused(drop, SeamHttpApiError, 404, 'thermostat_schedule_not_found')).message
    },
  },
  {
    step: 'programs',
    expected: 'the program is in force on every day, as it was made and as it was changed; then the fallback again',
    async run(session) {
      const { thermostats } = session.seam
      const daily = thermostats.dailyPrograms
      const allDay = (key) => [{ starts_at_time: '00:00:00', climate_preset_key: key }]
      const body = { name: 'Empty house', periods: allDay('away') }
      const made = await daily.create({ device_id: session.id, ...body })
      const id = made.thermostat_daily_program_id
      const week = Object.fromEntries(DAYS.map((day) => [`${day}_program_id`, id]))
      const isPushed = (attempt, what) =>
        same([attempt.status, attempt.action_type], ['success', 'PUSH_THERMOSTAT_PROGRAMS'], what)
      isPushed(await thermostats.updateWeeklyProgram({ device_id: session.id, ...week }), 'the week')
      await heatsTo(session, 16)
      const shown = await properties(session)
      same(shown.thermostat_daily_programs.map((one) => one.name), ['Empty house'], 'the programs')
      same([...new Set(DAYS.map((day) => shown.thermostat_weekly_program[`${day}_program_id`]))], [id], 'the days')
      const change = { name: 'Full house', periods: allDay('home') }
      isPushed(await daily.update({ thermostat_daily_program_id: id, ...change }), 'the program')
      await heatsTo(session, 21.5)
      await daily.delete({ thermostat_daily_program_id: id })
      same((await properties(session)).thermostat_daily_programs, [], 'the programs, deleted')
      const again = () => thermostats.updateWeeklyProgram({ device_id: session.id, friday_program_id: id })
      return (await refused(again, SeamHttpApiError, 404, 'thermostat_daily_program_not_found')).message
    },
  },
  {
    step: 'knob',
    expected: 'what somebody does at the device is read back, told as external, and is a temporary override',
    async run(session) {
      const { thermostats } = session.seam
      const turned = { hvac_mode: 'heat', heating_set_point_celsius: 24 }
      await thermostats.simulate.hvacModeAdjusted({ device_id: session.id, ...turned })
      await heatsTo(session, 24)
      const isOverridden = async () => (await properties(session)).is_temporary_manual_override_active
      await eventually(isOverridden, 'no override was shown')
      const seen = (await eventsOf(session)).filter((one) => one.event_type === 'thermostat.manually_adjusted')
      const methods = seen.map((event) => event.method)
      check(methods.at(-1) === 'external' && methods.includes('seam'), `methods ${methods}`)
      await thermostats.setFallbackClimatePreset({ device_id: session.id, climate_preset_key: 'away' })
      await heatsTo(session, 16) // another plan ends what was set by hand
      return methods
    },
  },
  {
    step: 'threshold',
    expected: 'told once when it is too warm and once when it is not any more; the limits are shown in both scales',
    async run(session) {
      const { thermostats } = session.seam
      const limits = { lower_limit_celsius: 10, upper_limit_fahrenheit: 80.6 }
      await thermostats.setTemperatureThreshold({ device_id: session.id, ...limits })
      const shown = (await properties(session)).temperature_threshold
      same([shown.lower_limit_fahrenheit, shown.upper_limit_celsius], [50, 27], 'limits')
      const reach = (degrees) => thermostats.simulate.temperatureReached({ device_id: session.id, ...degrees })
      await reach({ temperature_celsius: 30 })
      await happens(session, 'temperature_threshold_exceeded')
      same((await properties(session)).temperature_fahrenheit, 86, 'the temperature')
      await reach({ temperature_fahrenheit: 68 })
      await happens(session, 'temperature_threshold_no_longer_exceeded')
      const types = (await eventsOf(session)).map((event) => event.event_type.replace(/^thermostat\./, ''))
      for (const kind of ['temperature_threshold_exceeded', 'temperature_threshold_no_longer_exceeded'])
        same(types.filter((type) => type === kind).length, 1, kind)
      check(types.includes('temperature_changed'), 'the temperature was not told')
      return [...new Set(types)].sort()
    },
  },
  {
    step: 'forget',
    expected: 'the preset that nothing needs is gone',
    async run(session) {
      await session.seam.thermostats.deleteClimatePreset({ device_id: session.id, climate_preset_key: 'home' })
      const left = (await properties(session)).available_climate_presets.map((one) => one.climate_preset_key)
      same(left, ['away'], 'presets')
      return left
    },
  },
]

process.exitCode = await main(process.argv.slice(2), steps)
