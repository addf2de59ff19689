/**
 * Drive a hub with the official JavaScript SDK, as property software would.
 *
 * `node js_client.mjs ENDPOINT KEY DEVICE_NAME` takes the steps of ../python_client.py, under the same names
 * and with the same output: one JSON line per step (`step`, `expected`, `ok`, `got`), exit code 0 when every
 * step had the expected outcome, 1 otherwise, 2 for wrong arguments. The hub must serve at least two devices,
 * one of them the online lock called DEVICE_NAME.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

import {
  SeamHttp,
  SeamHttpApiError,
  SeamHttpInvalidInputError,
  SeamHttpUnauthorizedError,
} from '@seamapi/http'

/** Milliseconds within which a settled action must show in the device and in the events. */
const PATIENCE = 5000
/** Actions that the steps take: lock, unlock, lock. */
const ACTIONS = 3
const DAY = 24 * 60 * 60 * 1000

/** A step saw something else than it expects. */
class UnexpectedError extends Error {
  name = 'UnexpectedError'
}

export const check = (seen, message) => {
  if (!seen) throw new UnexpectedError(message)
}

/** Repeat `look` until it is true; throw after `PATIENCE`. */
export const eventually = async (look, message) => {
  const deadline = Date.now() + PATIENCE
  while (!(await look())) {
    check(Date.now() < deadline, `${message} within ${PATIENCE / 1000} s`)
    await sleep(100)
  }
}

/** Call `locks.<method>`, which waits for its attempt, and see the bolt follow. */
const act = async (session, method, type, locked) => {
  const attempt = await session.seam.locks[method]({ device_id: session.lockId })
  check(attempt.status === 'success', `status ${attempt.status}`)
  check(attempt.action_type === type, `action_type ${attempt.action_type}`)
  check(!session.attempts.has(attempt.action_attempt_id), "an attempt's id came twice")
  session.attempts.set(attempt.action_attempt_id, attempt.action_type)
  const bolt = async () => (await session.seam.devices.get({ device_id: session.lockId })).properties.locked
  await eventually(async () => (await bolt()) === locked, `the device did not show locked: ${locked}`)
  return { action_attempt_id: attempt.action_attempt_id, locked }
}

/** Return the error of `call`; throw unless it is exactly a `kind` with status and code. */
export const refused = async (call, kind, status, code) => {
  let error
  try {
    await call()
  } catch (caught) {
    error = caught
  }
  check(error !== undefined, 'it was accepted')
  if (!(error instanceof SeamHttpApiError)) throw error
  check(
    error.constructor === kind && error.statusCode === status && error.code === code,
    `got ${error.constructor.name} ${error.statusCode} ${error.code}`,
  )
  check(error.requestId, 'no seam-request-id')
  return error
}

const steps = [
  {
    step: 'list_devices',
    expected: 'at least two devices, no id twice, exactly one called DEVICE_NAME',
    async run(session) {
      const devices = await session.seam.devices.list()
      session.ids = new Set(devices.map((device) => device.device_id))
      check(devices.length > 1, `${devices.length} device(s) listed`)
      check(session.ids.size === devices.length, 'an id is listed twice')
      const named = devices.filter((device) => device.display_name === session.name)
      check(named.length === 1, `${named.length} devices are called ${session.name}`)
      session.lockId = named[0].device_id
      return { devices: devices.length, device_id: session.lockId }
    },
  },
  {
    step: 'page_devices',
    expected: 'with limit 1: one device a page, no repeats, together the devices of the plain list',
    async run(session) {
      const pages = session.seam.createPaginator(session.seam.devices.list({ limit: 1 }))
      let [items, page] = await pages.firstPage()
      const walked = [items]
      while (page.hasNextPage) {
        check(walked.length <= session.ids.size, 'the pages do not end')
        ;[items, page] = await pages.nextPage(page.nextPageCursor)
        walked.push(items)
      }
      check(walked.every((found) => found.length === 1), `page sizes ${walked.map((found) => found.length)}`)
      for (const devices of [walked.flat(), await pages.flattenToArray()]) {
        const ids = new Set(devices.map((device) => device.device_id))
        check(ids.size === devices.length, 'a device came twice')
        const counts = `${ids.size} of ${session.ids.size}`
        check(isDeepStrictEqual(ids, session.ids), `${counts} devices came, or others`)
      }
      check(session.ids.size > 0, 'nothing was listed')
      return { pages: walked.length }
    },
  },
  {
    step: 'get_device',
    expected: 'the lock: its id and name, managed, online, remotely lockable and unlockable, its bolt known',
    async run(session) {
      const device = await session.seam.devices.get({ device_id: session.lockId })
      check(device.device_id === session.lockId, `got ${device.device_id}`)
      check(device.display_name === session.name, `called ${device.display_name}`)
      check(device.is_managed === true, 'not managed')
      check(device.properties.online === true, 'not online')
      check(device.can_remotely_lock === true, 'can_remotely_lock is not true')
      check(device.can_remotely_unlock === true, 'can_remotely_unlock is not true')
      check(typeof device.properties.locked === 'boolean', `locked: ${device.properties.locked}`)
      return { device_type: device.device_type, locked: device.properties.locked }
    },
  },
  {
    step: 'list_locks',
    expected: 'the lock among the locks; all of them locks, and devices of the plain list',
    async run(session) {
      const locks = await session.seam.locks.list()
      const ids = locks.map((lock) => lock.device_id)
      check(ids.includes(session.lockId), `not among ${ids.length} locks`)
      check(ids.every((id) => session.ids.has(id)), 'a lock is not among the devices')
      const odd = locks.filter((lock) => !lock.capabilities_supported.includes('lock'))
      check(odd.length === 0, `no locks: ${odd.map((lock) => lock.device_id)}`)
      return { locks: ids.length }
    },
  },
  {
    step: 'lock_first',
    expected: 'the attempt succeeds and the device shows locked: true',
    run: (session) => act(session, 'lockDoor', 'LOCK_DOOR', true),
  },
  {
    step: 'unlock',
    expected: 'the attempt succeeds and the device shows locked: false',
    async run(session) {
      session.since = new Date()
      return await act(session, 'unlockDoor', 'UNLOCK_DOOR', false)
    },
  },
  {
    step: 'lock',
    expected: 'the attempt succeeds and the device shows locked: true',
    run: (session) => act(session, 'lockDoor', 'LOCK_DOOR', true),
  },
  {
    step: 'action_attempts',
    expected: 'each of the three attempts by its id: same id and type, success, no error',
    async run(session) {
      check(session.attempts.size === ACTIONS, `${session.attempts.size} attempts were made`)
      for (const [id, type] of session.attempts) {
        const attempt = await session.seam.actionAttempts.get({ action_attempt_id: id })
        const seen = [attempt.action_attempt_id, attempt.action_type, attempt.status]
        check(isDeepStrictEqual(seen, [id, type, 'success']), `got ${seen}`)
        check(attempt.error === null, `error ${JSON.stringify(attempt.error)}`)
      }
      return [...session.attempts.values()].sort()
    },
  },
  {
    step: 'events_since',
    expected:
      'lock.unlocked, later lock.locked, both remote and of this lock; none older than asked for, no id twice',
    async run(session) {
      check(session.since, 'nothing was unlocked')
      const since = session.since.toISOString()
      let seen = []
      const of = (kind) => seen.filter((event) => event.event_type === kind)
      const times = (kind) => of(kind).map((event) => Date.parse(event.occurred_at))
      const both = async () => {
        seen = await session.seam.events.list({ since, device_id: session.lockId })
        return Math.min(...times('lock.unlocked')) < Math.max(...times('lock.locked'))
      }
      await eventually(both, 'no lock.unlocked followed by lock.locked')
      const isOld = (event) => Date.parse(event.created_at) < session.since
      check(!seen.some(isOld), 'an event is older than asked for')
      check(new Set(seen.map((event) => event.event_id)).size === seen.length, 'an event came twice')
      check(seen.every((event) => event.device_id === session.lockId), 'an event of another device came')
      const moves = [...of('lock.unlocked'), ...of('lock.locked')]
      const methods = [...new Set(moves.map((event) => event.method))]
      check(isDeepStrictEqual(methods, ['remote']), `methods ${methods}`)
      return seen.map((event) => event.event_type)
    },
  },
  {
    step: 'events_in_future',
    expected: 'no event since tomorrow',
    async run(session) {
      const seen = await session.seam.events.list({ since: new Date(Date.now() + DAY).toISOString() })
      check(isDeepStrictEqual(seen, []), `${seen.length} event(s)`)
      return []
    },
  },
  {
    step: 'unknown_device',
    expected: 'SeamHttpApiError: 404, device_not_found, with the id of the request',
    async run(session) {
      const get = () => session.seam.devices.get({ device_id: randomUUID() })
      return (await refused(get, SeamHttpApiError, 404, 'device_not_found')).message
    },
  },
  {
    step: 'invalid_input',
    expected: 'SeamHttpInvalidInputError: 400, invalid_input, naming device_id',
    async run(session) {
      const get = () => session.seam.devices.get({ device_id: 'front-door' })
      const error = await refused(get, SeamHttpInvalidInputError, 400, 'invalid_input')
      const faults = error.getValidationErrorMessages('device_id')
      check(faults.length > 0, 'validation_errors do not name device_id')
      check(error.message.includes('device_id'), `the message does not name device_id: ${error.message}`)
      return { message: error.message, device_id: faults }
    },
  },
  {
    step: 'bad_key',
    expected: 'SeamHttpUnauthorizedError: 401, unauthorized',
    async run(session) {
      const apiKey = `seam_${randomUUID().replaceAll('-', '')}`
      const stranger = new SeamHttp({ apiKey, endpoint: session.endpoint })
      const list = () => stranger.devices.list()
      return (await refused(list, SeamHttpUnauthorizedError, 401, 'unauthorized')).message
    },
  },
]

const report = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** Run every step, also after a failed one; return the exit code. */
export const main = async (args, steps) => {
  if (args.length !== 3) {
    process.stderr.write('arguments: ENDPOINT KEY DEVICE_NAME\n')
    return 2
  }
  const [endpoint, key, name] = args
  process.env.NO_PROXY = process.env.no_proxy = new URL(endpoint).hostname
  const installed = new URL('node_modules/@seamapi/http/package.json', import.meta.url)
  const { version } = JSON.parse(await readFile(installed, 'utf8'))
  const seam = new SeamHttp({ apiKey: key, endpoint })
  const session = { seam, endpoint, name, ids: new Set(), lockId: '', since: null, attempts: new Map(), codes: {} }
  report({ step: 'sdk', expected: 'the official JavaScript SDK', ok: true, got: `@seamapi/http ${version}` })
  let failed = 0
  for (const { step, expected, run } of steps) {
    let ok = true
    let got
    try {
      got = await run(session)
    } catch (error) {
      ok = false
      failed += 1
      got = `${error.name}: ${error.message}${error.cause?.message ? ` (${error.cause.message})` : ''}`
    }
    report({ step, expected, ok, got })
  }
  const got = `${steps.length - failed} of ${steps.length}`
  report({ step: 'all', expected: `${steps.length} steps as expected`, ok: failed === 0, got })
  return failed === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2), steps)
