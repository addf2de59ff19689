/**
 * Live the whole life of access codes with the official JavaScript SDK, as property software would.
 *
 * `node js_codes.mjs ENDPOINT KEY DEVICE_NAME` takes the steps of ../python_codes.py, under the same names, in the
 * manner of js_client.mjs.
 */
import { isDeepStrictEqual } from 'node:util'

import { SeamHttpApiError, SeamHttpInvalidInputError } from '@seamapi/http'

import { check, eventually, main, refused } from './js_client.mjs'

const HOUR = 60 * 60 * 1000

const soon = (hours) => new Date(Date.now() + hours * HOUR).toISOString()

const get = (session, purpose) => session.seam.accessCodes.get({ access_code_id: session.codes[purpose] })

/** Poll a code until it has a status. */
const until = async (session, purpose, status) => {
  await eventually(async () => (await get(session, purpose)).status === status, `${purpose} was not ${status}`)
  return await get(session, purpose)
}

const change = (session, purpose, members) =>
  session.seam.accessCodes.update({ access_code_id: session.codes[purpose], ...members })

const isSame = (one, other) => Date.parse(one) === Date.parse(other)

const steps = [
  {
    step: 'find_locks',
    expected: 'exactly one lock called DEVICE_NAME, which takes codes, and another one that does',
    async run(session) {
      const locks = (await session.seam.locks.list()).filter((lock) => lock.can_program_online_access_codes)
      const named = locks.filter((lock) => lock.display_name === session.name)
      check(named.length === 1 && locks.length > 1, `${named.length} of ${locks.length} locks`)
      session.ids = new Set(locks.map((lock) => lock.device_id))
      session.lockId = named[0].device_id
      check(named[0].capabilities_supported.includes('access_code'), 'capabilities_supported lacks access_code')
      const lengths = named[0].properties.supported_code_lengths
      check(lengths.length > 0, 'no length of a PIN is supported')
      return { locks: locks.length, lengths }
    },
  },
  {
    step: 'generate',
    expected: 'a PIN of a length that the lock takes, and nothing kept of it',
    async run(session) {
      const found = await session.seam.accessCodes.generateCode({ device_id: session.lockId })
      check(/^\d+$/.test(found.code), 'no PIN')
      const listed = await session.seam.accessCodes.list({ device_id: session.lockId })
      check(listed.filter((code) => !code.is_backup).length === 0, 'there is a code already')
      session.pin = found.code
      return found.code.length
    },
  },
  {
    step: 'create',
    expected: 'the code is setting or set at once, and set soon; get by id and by PIN find it, the list has it',
    async run(session) {
      const made = await session.seam.accessCodes.create({ device_id: session.lockId, name: 'Anna', code: session.pin })
      session.codes.ongoing = made.access_code_id
      check(['setting', 'set'].includes(made.status), `status ${made.status}`)
      const code = await until(session, 'ongoing', 'set')
      const seen = [code.name, code.type, code.code, code.is_managed, code.errors, code.pending_mutations]
      check(isDeepStrictEqual(seen, ['Anna', 'ongoing', session.pin, true, [], []]), `got ${seen}`)
      const byPin = await session.seam.accessCodes.get({ device_id: session.lockId, code: session.pin })
      check(byPin.access_code_id === code.access_code_id, 'another code has this PIN')
      return { first: made.status }
    },
  },
  {
    step: 'duplicate',
    expected: 'SeamHttpApiError: 409, duplicate_access_code',
    async run(session) {
      const again = () => session.seam.accessCodes.create({ device_id: session.lockId, code: session.pin })
      const error = await refused(again, SeamHttpApiError, 409, 'duplicate_access_code')
      check(!error.message.includes(session.pin), 'the message tells the PIN')
      return error.message
    },
  },
  {
    step: 'backwards',
    expected: 'SeamHttpInvalidInputError: 400, invalid_input, naming ends_at',
    async run(session) {
      const times = { starts_at: soon(2), ends_at: soon(1) }
      const make = () => session.seam.accessCodes.create({ device_id: session.lockId, ...times })
      const error = await refused(make, SeamHttpInvalidInputError, 400, 'invalid_input')
      check(error.getValidationErrorMessages('ends_at').length > 0, 'validation_errors do not name ends_at')
      return error.message
    },
  },
  {
    step: 'time_bound',
    expected: 'unset until it starts, with the time as a pending mutation',
    async run(session) {
      const made = await session.seam.accessCodes.create({
        device_id: session.lockId,
        name: 'Ben',
        starts_at: soon(150),
        ends_at: soon(160),
        use_backup_access_code_pool: true,
      })
      session.codes.bound = made.access_code_id
      check(made.type === 'time_bound' && made.status === 'unset', `${made.type}, ${made.status}`)
      const [mutation] = made.pending_mutations
      check(mutation.mutation_code === 'deferring_creation', `mutation ${mutation.mutation_code}`)
      return mutation
    },
  },
  {
    step: 'earlier',
    expected: 'the same code, set; its times as given',
    async run(session) {
      const starts = soon(-1)
      await change(session, 'bound', { starts_at: starts, name: 'Benno' })
      const code = await until(session, 'bound', 'set')
      check(isSame(code.starts_at, starts), `starts_at ${code.starts_at}`)
      check(code.name === 'Benno', `name ${code.name}`)
      return code.starts_at
    },
  },
  {
    step: 'later',
    expected: 'set, with another end; then unset, and set again',
    async run(session) {
      const ends = soon(200)
      await change(session, 'bound', { ends_at: ends })
      check(isSame((await until(session, 'bound', 'set')).ends_at, ends), 'another end')
      await change(session, 'bound', { starts_at: soon(150) })
      await until(session, 'bound', 'unset')
      await change(session, 'bound', { starts_at: soon(-1) })
      return (await until(session, 'bound', 'set')).ends_at
    },
  },
  {
    step: 'backup',
    expected: 'a code that is set already, ends with the other one, and is the same when pulled again',
    async run(session) {
      const isThere = async () => (await get(session, 'bound')).is_backup_access_code_available
      await eventually(isThere, 'no backup code was there')
      const pull = () => session.seam.accessCodes.pullBackupAccessCode({ access_code_id: session.codes.bound })
      const pulled = await pull()
      const again = await pull()
      check(pulled.is_backup && pulled.status === 'set', `status ${pulled.status}`)
      check(again.access_code_id === pulled.access_code_id, 'another one the second time')
      const code = await get(session, 'bound')
      check(code.pulled_backup_access_code_id === pulled.access_code_id, 'the code does not name it')
      check(isSame(pulled.ends_at, code.ends_at), `it ends ${pulled.ends_at}`)
      check(pulled.code !== code.code, 'it has the same PIN')
      return { name: pulled.name }
    },
  },
  {
    step: 'multiple',
    expected: 'one PIN and one common_code_key on every lock, set soon; the same call again: the same codes',
    async run(session) {
      const body = { device_ids: [...session.ids].sort(), name: 'Cleaner' }
      const made = await session.seam.accessCodes.createMultiple(body)
      const again = await session.seam.accessCodes.createMultiple(body)
      check(new Set(made.map((code) => code.code)).size === 1, 'several PINs')
      check(new Set(made.map((code) => code.common_code_key)).size === 1, 'several keys')
      const ids = made.map((code) => code.access_code_id)
      check(isDeepStrictEqual(ids, again.map((code) => code.access_code_id)), 'other codes')
      for (const [number, id] of ids.entries()) {
        session.codes[`multiple ${number}`] = id
        await until(session, `multiple ${number}`, 'set')
      }
      const key = made[0].common_code_key
      await session.seam.accessCodes.updateMultiple({ common_code_key: key, name: 'Cleaning' })
      for (const number of ids.keys()) {
        const { name } = await get(session, `multiple ${number}`)
        check(name === 'Cleaning', `name ${name}`)
      }
      return { locks: ids.length }
    },
  },
  {
    step: 'unmanaged',
    expected: 'unmanaged, still on the lock; then managed again, twice is once',
    async run(session) {
      const id = session.codes.ongoing
      await change(session, 'ongoing', { is_managed: false })
      const found = await session.seam.accessCodes.unmanaged.list({ device_id: session.lockId })
      check(found.length === 1 && found[0].access_code_id === id, `${found.length} codes`)
      const one = await session.seam.accessCodes.unmanaged.get({ access_code_id: id })
      const seen = [one.code, one.status, one.is_managed]
      check(isDeepStrictEqual(seen, [session.pin, 'set', false]), `status ${one.status}`)
      await session.seam.accessCodes.unmanaged.convertToManaged({ access_code_id: id })
      await session.seam.accessCodes.unmanaged.convertToManaged({ access_code_id: id })
      const left = await session.seam.accessCodes.unmanaged.list({ device_id: session.lockId })
      check(left.length === 0, 'still unmanaged')
      return (await until(session, 'ongoing', 'set')).name
    },
  },
  {
    step: 'events',
    expected: 'created, set and so on, of this code and without its PIN',
    async run(session) {
      const seen = await session.seam.events.list({ since: soon(-1), access_code_id: session.codes.bound })
      const types = seen.map((event) => event.event_type.replace(/^access_code\./, ''))
      for (const needed of ['created', 'set_on_device', 'changed', 'time_frame_changed', 'removed_from_device'])
        check(types.includes(needed), `missing: ${needed}`)
      check(seen.every((event) => event.access_code_id === session.codes.bound), "another code's event")
      check(seen.every((event) => (event.code ?? '****') === '****'), 'an event has a PIN')
      return types
    },
  },
  {
    step: 'delete',
    expected: 'gone from every lock and list; 404, access_code_not_found',
    async run(session) {
      const ids = Object.values(session.codes)
      for (const id of ids) await session.seam.accessCodes.delete({ access_code_id: id })
      const areGone = async () => (await session.seam.accessCodes.list({ access_code_ids: ids })).length === 0
      await eventually(areGone, 'not all were gone')
      const error = await refused(() => get(session, 'bound'), SeamHttpApiError, 404, 'access_code_not_found')
      const left = await session.seam.accessCodes.list({ device_id: session.lockId })
      check(left.every((code) => code.is_backup), `${left.length} codes are left`)
      return error.message
    },
  },
]

process.exitCode = await main(process.argv.slice(2), steps)
