/**
 * Use an access control system with the official JavaScript SDK, as property software would.
 *
 * `node js_access.mjs ENDPOINT KEY DOOR_NAME` takes the steps of ../python_access.py, under the same names, in the manner
 * of js_client.mjs.
 */
import { randomUUID } from 'node:crypto'

import { SeamHttpApiError } from '@seamapi/http'

import { check, eventually, main, refused } from './js_client.mjs'

const NAME = 'Jana Example'

const user = ({ seam, codes }) => seam.acs.users.get({ acs_user_id: codes.user })

/** Return the types of the system's events that fit. */
const events = async ({ seam, codes }, filters) =>
  (await seam.events.list({ acs_system_id: codes.system, ...filters })).map((event) => event.event_type)

const steps = [
  {
    step: 'list_systems',
    expected: 'exactly one system of Salto Space, reachable',
    async run({ seam, codes }) {
      const found = await seam.acs.systems.list()
      check(found.length === 1, `${found.length} systems`)
      codes.system = found[0].acs_system_id
      const again = await seam.acs.systems.get({ acs_system_id: codes.system })
      check(again.external_type === 'salto_space_system', `type ${again.external_type}`)
      check(again.errors.length === 0, JSON.stringify(again.errors))
      return { users: again.acs_user_count, groups: again.acs_access_group_count }
    },
  },
  {
    step: 'list_entrances',
    expected: 'DOOR_NAME among the entrances, to be opened from afar; another that cannot; none among the devices',
    async run({ seam, codes, name }) {
      const found = await seam.acs.entrances.list({ acs_system_id: codes.system })
      const named = found.filter((one) => one.display_name === name)
      check(named.length === 1, `${named.length} entrances are called ${name}`)
      const door = await seam.acs.entrances.get({ acs_entrance_id: named[0].acs_entrance_id })
      check(door.can_unlock_with_cloud_key === true, 'can_unlock_with_cloud_key is not true')
      codes.door = door.acs_entrance_id
      const standalone = found.filter((one) => one.can_unlock_with_cloud_key === false)
      check(standalone.length > 0, 'every door is wired')
      codes.standalone = standalone[0].acs_entrance_id
      const ids = new Set(found.map((one) => one.acs_entrance_id))
      const devices = await seam.devices.list()
      check(!devices.some((device) => ids.has(device.device_id)), 'an entrance is among the devices')
      return found.length
    },
  },
  {
    step: 'list_the_rest',
    expected: 'users, groups, credentials and encoders, each at least one',
    async run({ seam, codes }) {
      const system = { acs_system_id: codes.system }
      const found = {
        users: await seam.acs.users.list(system),
        groups: await seam.acs.accessGroups.list(system),
        encoders: await seam.acs.encoders.list(system),
        credentials: await seam.acs.credentials.list(system),
      }
      for (const [name, list] of Object.entries(found)) check(list.length > 0, `no ${name}`)
      for (const { acs_access_group_id: id } of found.groups) {
        const doors = await seam.acs.accessGroups.listAccessibleEntrances({ acs_access_group_id: id })
        if (!doors.some((one) => one.acs_entrance_id === codes.door)) codes.group = id
      }
      check(codes.group, 'every group lets pass the door')
      codes.encoder = found.encoders[0].acs_encoder_id
      return found.users.length
    },
  },
  {
    step: 'create_user',
    expected: 'a user of the name, in the group, and nothing pending',
    async run(session) {
      const { seam, codes } = session
      const made = await seam.acs.users.create({
        acs_system_id: codes.system,
        full_name: NAME,
        email_address: 'jana@example.com',
        acs_access_group_ids: [codes.group],
      })
      codes.user = made.acs_user_id
      await eventually(async () => (await user(session)).pending_mutations.length === 0, 'something is still pending')
      const members = await seam.acs.accessGroups.listUsers({ acs_access_group_id: codes.group })
      check(members.some((one) => one.acs_user_id === codes.user), 'not in the group')
      check((await user(session)).email_address === 'jana@example.com', 'another address')
      return made.full_name
    },
  },
  {
    step: 'edit_user',
    expected: 'the new name; suspended and not; in the group no more, and in it again',
    async run(session) {
      const { seam, codes } = session
      const one = { acs_user_id: codes.user }
      await seam.acs.users.update({ ...one, full_name: `${NAME} II` })
      await eventually(async () => (await user(session)).full_name === `${NAME} II`, 'the name did not change')
      await seam.acs.users.suspend(one)
      await eventually(async () => (await user(session)).is_suspended === true, 'not suspended')
      await seam.acs.users.unsuspend(one)
      await eventually(async () => (await user(session)).is_suspended === false, 'still suspended')
      const membership = { ...one, acs_access_group_id: codes.group }
      await seam.acs.users.removeFromAccessGroup(membership)
      check((await seam.acs.accessGroups.list(one)).length === 0, 'still in the group')
      await seam.acs.users.addToAccessGroup(membership)
      check((await seam.acs.accessGroups.list(one)).length === 1, 'not in the group again')
      return (await user(session)).display_name
    },
  },
  {
    step: 'grant_access',
    expected: '400 no_access_to_entrance; after the grant the door is among theirs',
    async run({ seam, codes }) {
      const key = await seam.acs.credentials.create({ access_method: 'cloud_key', acs_user_id: codes.user })
      codes.key = key.acs_credential_id
      const door = { acs_entrance_id: codes.door }
      const open = () => seam.acs.entrances.unlock({ ...door, acs_credential_id: codes.key })
      await refused(open, SeamHttpApiError, 400, 'no_access_to_entrance')
      await seam.acs.entrances.grantAccess({ ...door, acs_user_id: codes.user })
      const mayPass = async () => {
        const found = await seam.acs.users.listAccessibleEntrances({ acs_user_id: codes.user })
        return found.some((one) => one.acs_entrance_id === codes.door)
      }
      await eventually(mayPass, 'the door is not among theirs')
      const holders = await seam.acs.entrances.listCredentialsWithAccess(door)
      check(holders.some((one) => one.acs_credential_id === codes.key), 'the key is not among them')
      return key.access_method
    },
  },
  {
    step: 'unlock',
    expected: 'the attempt succeeds; a door that is not wired is refused with not_supported',
    async run({ seam, codes }) {
      const key = { acs_credential_id: codes.key }
      const attempt = await seam.acs.entrances.unlock({ ...key, acs_entrance_id: codes.door })
      check(attempt.status === 'success' && attempt.action_type === 'UNLOCK_DOOR', attempt.status)
      await seam.acs.entrances.grantAccess({ acs_entrance_id: codes.standalone, acs_user_id: codes.user })
      const open = () => seam.acs.entrances.unlock({ ...key, acs_entrance_id: codes.standalone })
      return (await refused(open, SeamHttpApiError, 400, 'not_supported')).message
    },
  },
  {
    step: 'encode',
    expected: 'the attempt succeeds, and the card is issued with its number',
    async run({ seam, codes }) {
      const card = await seam.acs.credentials.create({
        access_method: 'card',
        acs_user_id: codes.user,
        salto_space_metadata: { assign_new_key: true },
      })
      check(card.is_issued === false, 'issued before it was written')
      codes.card = card.acs_credential_id
      const written = { acs_credential_id: codes.card, acs_encoder_id: codes.encoder }
      const attempt = await seam.acs.encoders.encodeCredential(written)
      check(attempt.status === 'success' && attempt.action_type === 'ENCODE_CREDENTIAL', attempt.status)
      const found = await seam.acs.credentials.get({ acs_credential_id: codes.card })
      check(found.is_issued === true && Boolean(found.card_number), 'not issued')
      return found.display_name
    },
  },
  {
    step: 'list_events',
    expected: 'acs_user.created and acs_credential.issued of these, and the opening of the door succeeded',
    async run(session) {
      const { codes } = session
      const ofUser = await events(session, { acs_user_id: codes.user })
      check(ofUser.includes('acs_user.created'), `of the user ${ofUser}`)
      const ofCard = await events(session, { acs_credential_id: codes.card })
      check(ofCard.join() === 'acs_credential.issued', `of the card ${ofCard}`)
      const ofDoor = await events(session, { acs_entrance_id: codes.door })
      check(ofDoor.includes('action_attempt.unlock_door.succeeded'), `of the door ${ofDoor}`)
      return ofUser
    },
  },
  {
    step: 'impossible',
    expected: '409 for a card that opens doors, and 400 for what is not public of SHIP',
    async run({ seam, codes }) {
      const drop = () => seam.acs.credentials.delete({ acs_credential_id: codes.card })
      await refused(drop, SeamHttpApiError, 409, 'credential_issued')
      for (const method of ['code', 'mobile_key']) {
        const make = () => seam.acs.credentials.create({ access_method: method, acs_user_id: codes.user })
        await refused(make, SeamHttpApiError, 400, 'not_supported')
      }
      const scan = () => seam.acs.encoders.scanCredential({ acs_encoder_id: codes.encoder })
      return (await refused(scan, SeamHttpApiError, 400, 'not_supported')).message
    },
  },
  {
    step: 'delete_user',
    expected: 'the user is gone: 404 acs_user_not_found; so is a stranger',
    async run({ seam, codes }) {
      await seam.acs.users.delete({ acs_user_id: codes.user })
      const isGone = async () => !(await seam.acs.users.list()).some((one) => one.acs_user_id === codes.user)
      await eventually(isGone, 'the user is still there')
      for (const id of [codes.user, randomUUID()]) {
        await refused(() => seam.acs.users.get({ acs_user_id: id }), SeamHttpApiError, 404, 'acs_user_not_found')
      }
      return 'gone'
    },
  },
]

process.exitCode = await main(process.argv.slice(2), steps)
