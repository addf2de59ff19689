"""Cards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from hubd_drivers.salto_space.encoders import Encoders
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.sim import Habit, Quirks, Space, Stp, Trouble
from hubd_drivers.salto_space.sim.people import Operator
from hubd_drivers.salto_space.sim.schema import USER

from hubd.driver import SystemClock
from hubd.driver.contract import check_outcome
from hubd.model import AcsUser, Outcome, OutcomeKind, ReachabilitySeen
from tests.drivers.salto_space.linked import HastyClock, config_for, linked
from tests.drivers.salto_space.living import encoding

ENCODER, ROM = "Encoder#1", "04AABBCCDDEE80"
ASSIGN = "Encoder.SaltoDBUser.AssignNewKey"
UPDATE = "Encoder.SaltoDBUser.UpdateCurrentKey"


class Bench(NamedTuple):
    space: Space
    encoders: Encoders
    clock: HastyClock

    @property
    def operator(self) -> Operator:
        return self.space.operator

    def without_key(self) -> str:
        return next(user.id for user in self.space.site.users if not user.is_set("CurrentKeyExists"))

    def with_key(self) -> str:
        return next(user.id for user in self.space.site.users if user.is_set("CurrentKeyExists"))

    async def encode(self, user: str, *, is_new_key: bool = True, encoder: str = ENCODER) -> Outcome:
        outcome = await self.encoders.encode(encoding(user, is_new_key=is_new_key, encoder=encoder))
        check_outcome(outcome)
        return outcome


@asynccontextmanager
async def bench(quirks: Quirks | None = None, **keys: Any) -> AsyncIterator[Bench]:
    keys = {"encode_seconds": 5.0, "encoders": (ENCODER, "Encoder#9"), **keys}
    clock = HastyClock()
    async with linked(quirks=quirks, **keys) as (client, space):
        config = await config_for(space.port, Stp(), **keys)
        yield Bench(space, Encoders(client, People(config), config, clock, asyncio.Lock()), clock)


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(encoder_reply="empty"), Quirks(page_start="exclusive")])
async def test_a_first_card(quirks: Quirks) -> None:
    async with bench(quirks) as b:
        b.space.present_card(ENCODER, ROM)
        user = b.without_key()
        outcome = await b.encode(user)
        assert outcome.kind is OutcomeKind.DONE
        (noted,) = outcome.noted
        assert isinstance(noted, AcsUser)
        assert noted.native_id == user
        assert noted.card is not None
        assert (noted.card.number, noted.card.state) == (ROM, "current")
        assert ROM not in repr(outcome), "the number of a card stands in no log"


async def test_a_card_that_is_written_anew() -> None:
    async with bench() as b:
        user = b.with_key()
        b.operator.change(USER, user, {"CurrentKeyStatus": "3"})
        b.space.present_card(ENCODER, b.space.site.users[user]["CurrentROMCode"])
        assert (await b.encode(user, is_new_key=False)).kind is OutcomeKind.DONE
        assert b.space.site.users[user]["CurrentKeyStatus"] == "1"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (400, "encoder_not_online"),
        (401, "encoder_not_online"),
        (403, "no_credential_on_encoder"),
        (404, "encoder_failed"),
        (405, "encoder_aborted"),
        (406, "encoder_not_online"),
        (302, "incompatible_card_format"),
        (303, "incompatible_card_format"),
        (304, "incompatible_card_format"),
        (306, "incompatible_card_format"),
        (300, "credential_cannot_be_reissued"),
        (301, "credential_cannot_be_reissued"),
        (203, "card_in_use"),
        (201, "user_locked"),
        (14, "licence_exceeded"),
    ],
)
async def test_refusals_have_a_code_and_say_what_to_do(code: int, name: str) -> None:
    async with bench() as b:
        b.space.faults.refuse(ASSIGN, code)
        outcome = await b.encode(b.without_key())
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, name)
        assert outcome.message.startswith(f"{ENCODER}: ")
        assert outcome.detail["space_error"] == code
        assert b.space.counters.requests[ASSIGN] == 1


async def test_a_user_who_has_a_key_gets_no_first_one() -> None:
    async with bench() as b:
        outcome = await b.encode(b.with_key())
        assert outcome.code == "credential_cannot_be_reissued"
        assert "Update that key" in outcome.message
        assert (await b.encode(b.without_key(), is_new_key=False)).code == "credential_cannot_be_reissued"


async def test_an_encoder_that_space_does_not_reach_counts_as_lost_until_it_works() -> None:
    async with bench() as b:
        b.space.encoders[ENCODER].is_online = False
        outcome = await b.encode(b.without_key())
        (seen,) = outcome.seen
        assert isinstance(seen, ReachabilitySeen)
        assert (seen.native_id, seen.online) == (f"encoder:{ENCODER}", False)
        b.space.encoders[ENCODER].is_online = True
        b.space.present_card(ENCODER, ROM)
        (seen,) = (await b.encode(b.without_key())).seen
        assert isinstance(seen, ReachabilitySeen)
        assert seen.online
        assert (await b.encode(b.without_key(), encoder="Encoder#9")).code == "encoder_not_online"
        assert (await b.encode(b.without_key(), encoder="Encoder#2")).code == "device_unknown"


async def test_an_encoder_at_work_is_waited_for() -> None:
    async with bench() as b:
        b.space.present_card(ENCODER, ROM)
        b.space.faults.refuse(ASSIGN, 402, 3)
        assert (await b.encode(b.without_key())).kind is OutcomeKind.DONE
        assert b.clock.pauses == [1.0, 2.0, 3.0]


async def test_an_encoder_at_work_is_not_waited_for_longer_than_the_time_there_is() -> None:
    class Sleepless(SystemClock):
        seconds = 0.0

        def monotonic(self) -> float:
            return self.seconds

        async def sleep(self, seconds: float) -> None:
            self.seconds += seconds
            await asyncio.sleep(0)

    async with bench(encode_seconds=20.0) as b:
        b.encoders._clock = clock = Sleepless()  # noqa: SLF001 - a clock of which only pauses pass
        b.space.faults.refuse(ASSIGN, 402, 99)
        outcome = await b.encode(b.without_key())
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "encoder_busy")
        assert clock.seconds < 20
        assert b.space.counters.requests[ASSIGN] > 4


async def test_a_lost_answer_is_looked_into() -> None:
    async with bench() as b:
        b.space.present_card(ENCODER, ROM)
        b.space.faults.drop_reply(ASSIGN)
        user = b.without_key()
        assert (await b.encode(user)).kind is OutcomeKind.DONE
        b.space.faults.drop_request(UPDATE)
        assert (await b.encode(user, is_new_key=False)).kind is OutcomeKind.SENT_UNCONFIRMED
        other = b.without_key()
        b.space.faults.garble(ASSIGN, Trouble.JUNK)
        b.space.present_card(ENCODER, "04FFFFFFFFFF80")
        assert (await b.encode(other)).kind is OutcomeKind.DONE
        assert b.space.counters.requests[ASSIGN] == 2


async def test_an_order_that_was_not_carried_out_is_not_done() -> None:
    async with bench() as b:
        b.space.faults.drop_request(ASSIGN)
        assert (await b.encode(b.without_key())).kind is OutcomeKind.SENT_UNCONFIRMED
        b.space.present_card(ENCODER, ROM)
        user = b.without_key()
        held = b.space.faults.hold(ASSIGN, after=True)
        task = asyncio.create_task(b.encode(user))
        await held.reached.wait()
        b.operator.cancel_key(user)
        held.release()
        assert (await task).kind is OutcomeKind.SENT_UNCONFIRMED, "Space said yes, and shows no key"


async def test_a_server_that_is_gone_got_nothing() -> None:
    async with bench() as b:
        user = b.without_key()
        await b.space.stop()
        assert (await b.encode(user)).kind is OutcomeKind.UNREACHABLE
        await b.space.start()
        assert (await b.encode("nobody")).code == "user_not_found"


async def test_nobody_waits_for_a_card_that_somebody_takes_their_time_to_present() -> None:
    async with bench() as b:
        user, name = b.without_key(), b.with_key()
        task = asyncio.create_task(b.encode(user))
        await b.space.encoders[ENCODER].waits.wait()
        async with asyncio.timeout(2):
            assert await b.encoders._user(name) is not None  # noqa: SLF001 - anything that reads
        b.space.present_card(ENCODER, ROM)
        assert (await task).kind is OutcomeKind.DONE


async def test_somebody_who_comes_after_a_while() -> None:
    async with bench() as b:
        b.space.encoders[ENCODER].habit = Habit(0.05)
        assert (await b.encode(b.without_key())).kind is OutcomeKind.DONE
