"""Codes on the real zwave-js-server and an emulated stick: truth, cost on the radio, hints."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hubd.model import CodeSeen, OutcomeKind, TimeFrame
from tests.drivers.zwave.codes.locks import NATIVE, Site, site
from tests.drivers.zwave.conftest import LOCKS, SharedNetwork
from tests.drivers.zwave.models import DEVICES
from tests.sims.zwave.harness import FAST, FIRST_MODEL, ZwaveNetwork

pytestmark = pytest.mark.node

PIN, OTHER = "47110815", "90210333"
SETS = {2: "UserCodeCCSet", 5: "UserCodeCCSet", 3: "UserCredentialCCCredentialSet"}
GETS = {2: "UserCodeCCGet", 5: "UserCodeCCGet", 3: "UserCredentialCCCredentialGet"}
every_lock = pytest.mark.parametrize("node", [2, 3, 5])
code_locks = pytest.mark.parametrize("node", [2, 5])


@pytest_asyncio.fixture
async def h(network: SharedNetwork) -> AsyncIterator[Site]:
    async with site(network) as made:
        for node in LOCKS:
            await made.frames(node)
        yield made


@every_lock
async def test_a_code_lives_and_dies(h: Site, node: int) -> None:
    outcome = await h.put(node, 7, PIN)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, PIN))
    assert await h.pins(node) == {"7": PIN}
    assert h.holds(await h.read(node, 7)) == (True, PIN)
    await h.frames(node)
    outcome = await h.put(node, 7, OTHER)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, OTHER))
    assert await h.pins(node) == {"7": OTHER}
    assert await h.frames(node) == {SETS[node]: 1, GETS[node]: 1}
    outcome = await h.clear(node, 7)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (False, None))
    assert await h.pins(node) == {}
    assert await h.frames(node) == {SETS[node]: 1, GETS[node]: 1}
    outcome = await h.clear(node, 7)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (False, None))
    assert h.holds(await h.read(node, 7)) == (False, None)
    assert await h.hints(node) == [], "its own commands are no news"


@code_locks
async def test_the_first_code_in_a_slot_costs_one_set_and_one_get(h: Site, node: int) -> None:
    assert (await h.put(node, 8, PIN)).kind is OutcomeKind.DONE
    assert await h.frames(node) == {"UserCodeCCSet": 1, "UserCodeCCGet": 1}


async def test_a_slots_first_credential_makes_its_user_once(h: Site) -> None:
    assert (await h.put(3, 9, PIN)).kind is OutcomeKind.DONE
    first = await h.frames(3)
    assert first in (
        {"UserCredentialCCUserSet": 1, "UserCredentialCCCredentialSet": 1, "UserCredentialCCCredentialGet": 1},
        {"UserCredentialCCCredentialSet": 1, "UserCredentialCCCredentialGet": 1},  # an earlier test has made it
    )
    await h.clear(3, 9)
    await h.frames(3)
    assert (await h.put(3, 9, OTHER)).kind is OutcomeKind.DONE
    assert await h.frames(3) == {"UserCredentialCCCredentialSet": 1, "UserCredentialCCCredentialGet": 1}


@every_lock
async def test_a_duplicate_is_refused_by_its_name(h: Site, node: int) -> None:
    assert (await h.put(node, 3, PIN)).kind is OutcomeKind.DONE
    assert (await h.put(node, 4, OTHER)).kind is OutcomeKind.DONE
    outcome = await h.put(node, 4, PIN)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "duplicate_code")
    assert outcome.detail["other_slot"] == 3
    assert h.holds(outcome) == (True, OTHER)
    assert await h.pins(node) == {"3": PIN, "4": OTHER}
    assert await h.hints(node) == []


@code_locks
async def test_a_duplicate_that_the_lock_calls_done(h: Site, node: int) -> None:
    assert (await h.put(node, 3, PIN)).kind is OutcomeKind.DONE
    await h.network.op("habits", node=node, refusesSilently=True)
    outcome = await h.put(node, 5, PIN)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "duplicate_code")
    assert (outcome.detail["other_slot"], h.holds(outcome)) == (3, (False, None))
    other = outcome.seen[1]
    assert isinstance(other, CodeSeen)
    assert (other.slot, other.is_used) == (3, True), "it was asked for the other slot too"


@every_lock
async def test_a_lock_that_refuses(h: Site, node: int) -> None:
    await h.network.op("faults", node=node, rejectSets=True)
    outcome = await h.put(node, 3, PIN)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "code_refused")
    assert h.holds(outcome) == (False, None)
    assert PIN not in repr(outcome)
    await h.network.op("faults", node=node)
    assert (await h.put(node, 3, PIN)).kind is OutcomeKind.DONE
    await h.network.op("faults", node=node, rejectSets=True)
    outcome = await h.clear(node, 3)
    assert (outcome.kind, outcome.code, h.holds(outcome)) == (OutcomeKind.REJECTED, "device_refused", (True, PIN))


@code_locks
async def test_a_lock_that_only_claims_to_have_stored(h: Site, node: int) -> None:
    await h.network.op("faults", node=node, claimsCodes=True)
    outcome = await h.put(node, 3, PIN)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "code_refused")
    assert h.holds(outcome) == (False, None)


async def test_a_lock_that_needs_a_while(h: Site) -> None:
    await h.network.op("faults", node=5, storesLate=1200)
    outcome = await h.put(5, 3, PIN)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, PIN))
    assert await h.frames(5) == {"UserCodeCCSet": 1, "UserCodeCCGet": 2}


@code_locks
async def test_a_code_that_the_lock_drops_later_is_told(h: Site, node: int) -> None:
    await h.network.op("faults", node=node, dropsCodes=700)
    assert (await h.put(node, 3, PIN)).kind is OutcomeKind.DONE
    assert await h.hints(node, 1) == [("removed", 3)]
    assert h.holds(await h.read(node, 3)) == (False, None)


@pytest.mark.parametrize("node", [2, 3])
async def test_a_silent_lock_proves_nothing(h: Site, node: int) -> None:
    await h.network.op("faults", node=node, ignoreCCs=[99, 131])
    outcome = await h.put(node, 3, PIN)
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer", ())
    outcome = await h.clear(node, 3)
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer", ())
    outcome = await h.read(node, 3)
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer", ())


async def test_a_silent_schlage_is_waited_for_as_zwave_js_waits_for_it(network: SharedNetwork) -> None:
    """Ten seconds by its device file; no node gets anything meanwhile."""
    async with site(network, command_timeout=14.0) as h:
        await network.op("faults", node=5, ignoreCCs=[99])
        putting = asyncio.create_task(h.put(5, 3, PIN))
        await asyncio.sleep(1.0)
        begun = asyncio.get_running_loop().time()
        assert (await h.read(2, 3)).kind is OutcomeKind.DONE
        assert asyncio.get_running_loop().time() - begun > 5.0
        outcome = await putting
        assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer", ())


@every_lock
async def test_a_dead_lock(h: Site, node: int) -> None:
    await h.network.op("dead", node=node)
    for outcome in (await h.put(node, 3, PIN), await h.clear(node, 3), await h.read(node, 3)):
        # What zwave-js has in its queue when it finds the node dead, it drops: that was surely not sent.
        assert outcome.kind in {OutcomeKind.SENT_UNCONFIRMED, OutcomeKind.UNREACHABLE}
        assert (outcome.code, outcome.seen) == ("device_unreachable", ())
    assert await h.frames(node) == {}


@code_locks
async def test_a_lock_that_answers_with_stars(h: Site, node: int) -> None:
    await h.network.op("habits", node=node, masksCodes=True)
    before = h.port.devices[NATIVE[node]].capabilities.keypad
    assert before is not None
    assert before.tells_pins
    outcome = await h.put(node, 3, PIN)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, None))
    after = h.port.devices[NATIVE[node]].capabilities.keypad
    assert after is not None
    assert not after.tells_pins
    outcome = await h.put(node, 4, PIN)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "duplicate_code")
    async with site(h.network) as again:
        keypad = again.port.devices[NATIVE[node]].capabilities.keypad
        assert keypad is not None
        assert not keypad.tells_pins, "zwave-js has kept the stars"
        assert again.cached(node)[3] == (True, None)
    assert (await h.clear(node, 3)).kind is OutcomeKind.DONE


@every_lock
async def test_what_happens_at_the_keypad_is_told_and_read_from_the_lock(h: Site, node: int) -> None:
    assert h.holds(await h.read(node, 6)) == (False, None)
    await h.network.op("local_code", node=node, slot=6, code=PIN)
    assert await h.hints(node, 1) == [("added", 6)]
    assert h.holds(await h.read(node, 6)) == (True, PIN)
    await h.network.op("local_code", node=node, slot=6, code=OTHER, report=False)
    assert h.holds(await h.read(node, 6)) == (True, OTHER)
    assert await h.hints(node) == [("added", 6)], "what the hub read it knows already"
    await h.network.op("local_code", node=node, slot=6, code=None)
    assert await h.hints(node, 2) == [("added", 6), ("removed", 6)]


async def test_a_lock_that_was_emptied_at_its_keypad(h: Site) -> None:
    assert (await h.put(2, 3, PIN)).kind is OutcomeKind.DONE
    await h.network.op("local_wipe", node=2)
    assert ("removed", None) in await h.hints(2, 1)
    assert h.holds(await h.read(2, 3)) == (False, None)


async def test_all_codes_deleted_is_news_right_after_the_hub_has_deleted_one(h: Site) -> None:
    assert (await h.clear(2, 3)).kind is OutcomeKind.DONE
    await h.network.op("local_wipe", node=2)
    assert ("removed", None) in await h.hints(2, 1)


@pytest.mark.parametrize("slot", [13, 14])
async def test_a_pin_is_no_credential_of_a_user_who_is_somebody(h: Site, slot: int) -> None:
    """13: one who programs the lock. 14: one who was shut out, and of whom zwave-js only knows a PIN."""
    boss, pin_of_boss = f"UserCredential_user_{slot}", f"UserCredential_cred_1_{slot - 10}"
    kept = {"userType": 3 if slot == 13 else 0, "active": slot == 13, "credentialRule": 1, "userName": "Boss"}
    origin = {"modifierType": 3, "modifierNodeId": 0}
    await h.network.op("set_state", node=3, key=boss, value={**kept, **origin})
    await h.network.op("set_state", node=3, key=pin_of_boss, value={"userId": slot})
    await h.network.op("local_code", node=3, slot=slot - 10, code=OTHER)
    await h.hints(3, 1)
    outcome = await h.put(3, slot, PIN)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, PIN))
    state = await h.network.op("state", node=3)
    assert state[f"UserCredential_cred_1_{slot}"]["userId"] != slot
    assert {name: state[boss][name] for name in kept} == kept
    assert (await h.clear(3, slot)).kind is OutcomeKind.DONE


async def test_alarms_in_the_makers_own_numbers_are_hints(h: Site) -> None:
    for kind, level in ((112, 4), (33, 4), (112, 0), (113, 4)):
        await h.network.op("v1alarm", node=5, type=kind, level=level)
    assert await h.hints(5, 2) == [("added", 4), ("removed", 4)]


@every_lock
async def test_codes_are_announced_from_the_cache_without_a_frame(h: Site, node: int) -> None:
    assert (await h.put(node, 2, PIN)).kind is OutcomeKind.DONE
    assert (await h.put(node, 11, OTHER)).kind is OutcomeKind.DONE
    assert (await h.clear(node, 11)).kind is OutcomeKind.DONE
    await h.frames(node)
    async with site(h.network) as again:
        known = again.cached(node)
        assert (known[2], known[11]) == ((True, PIN), (False, None))
        keypad = again.port.devices[NATIVE[node]].capabilities.keypad
        assert keypad is not None
        assert set(known) == set(range(1, keypad.slots + 1))
        assert await again.frames(node) == {}


async def test_a_credential_that_was_changed_behind_the_cache(h: Site) -> None:
    await h.network.op("local_code", node=3, slot=12, code=PIN, report=False)
    outcome = await h.put(3, 12, OTHER)
    assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, OTHER))
    await h.network.op("local_code", node=3, slot=12, code=None, report=False)
    assert (await h.put(3, 12, PIN)).kind is OutcomeKind.DONE
    assert (await h.clear(3, 12)).kind is OutcomeKind.DONE
    await h.network.op("local_code", node=3, slot=12, code=PIN, report=False)
    assert (await h.clear(3, 12)).kind is OutcomeKind.DONE
    assert await h.pins(3) == {}


async def test_what_is_not_the_hubs_is_not_touched(h: Site) -> None:
    for slot in (0, 31, 70000):
        for outcome in (await h.put(2, slot, PIN), await h.clear(2, slot), await h.read(2, slot)):
            assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "slot_not_usable")
    now = h.port.clock.now()
    assert (await h.put(2, 3, PIN, frame=TimeFrame(now, now))).kind is OutcomeKind.UNSUPPORTED
    assert (await h.put(2, 3, PIN, is_one_time=True)).kind is OutcomeKind.UNSUPPORTED
    assert await h.frames(2) == {}


async def test_a_lock_with_version_2_of_user_code_and_letters() -> None:
    model = DEVICES / "unlisted-lettered-lock.json"
    async with ZwaveNetwork(nodes=(), models=[model], pace=FAST, log_level="warn") as network:
        await network.wait_ready()
        async with site(network) as h:
            await h.frames(FIRST_MODEL)
            for pin in (PIN, "12AB"):
                outcome = await h.put(FIRST_MODEL, 7, pin)
                assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (True, pin))
                assert await h.frames(FIRST_MODEL) == {"UserCodeCCExtendedUserCodeSet": 1, "UserCodeCCGet": 1}
        async with site(network) as h:
            assert h.cached(FIRST_MODEL) == {7: (True, "12AB")}, "of the others zwave-js knows nothing"
            outcome = await h.clear(FIRST_MODEL, 7)
            assert (outcome.kind, h.holds(outcome)) == (OutcomeKind.DONE, (False, None))
            outcome = await h.put(FIRST_MODEL, 7, "12XY")
            assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "invalid_value")
