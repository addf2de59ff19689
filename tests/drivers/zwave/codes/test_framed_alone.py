"""Changes with a time frame that break off somewhere: what is said of them, and what they leave on the lock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.zwave.codes.books import UserCodes
from hubd_drivers.zwave.codes.exchange import Exchange
from hubd_drivers.zwave.codes.framed import SILENT, Framed
from hubd_drivers.zwave.codes.schedules import Schedules
from hubd_drivers.zwave.codes.walltimes import frame_of, wall_of
from hubd_drivers.zwave.failures import CommandError, Kind

from hubd.driver.contract import RecordingPort
from hubd.model import CodeSeen, Outcome, OutcomeKind, TimeFrame
from tests.drivers.zwave.fakes import FakeLink, FastClock, value

PIN = "47110815"
BERLIN = ZoneInfo("Europe/Berlin")
FRAME = TimeFrame(datetime(2027, 6, 1, 13, tzinfo=UTC), datetime(2027, 6, 3, 9, tzinfo=UTC))
GONE = CommandError(Kind.UNREACHABLE, "device_unreachable", "zwave-js dropped the command.")
LOST = CommandError(Kind.UNCERTAIN, "no_answer", "It did not answer.")
NO = CommandError(Kind.REFUSED, "invalid_value", "No.")
DONE, FAIL, NOTHING = {"response": {"status": 255}}, {"response": {"status": 2}}, dict[str, Any]()
HIDDEN, ENABLED = 2, 1


class Lock(FakeLink):
    """A lock with one slot. `fails` says at which of the commands to it what happens."""

    def __init__(self, **fails: Any) -> None:
        super().__init__()
        self.fails = fails
        self.status, self.pin = 0, ""
        self.schedule: Any = None
        self.asked = 0
        self.done: list[str] = []
        self.opened_unbound = False

    async def command(self, name: str, /, **arguments: Any) -> Mapping[str, object]:
        if name == "node.get_value_timestamp":
            return {"timestamp": self.asked}
        if name == "node.get_value":
            return {"value": self.schedule} if self.schedule else {}
        if name == "node.get_state":
            known = [value(99, "userIdStatus", self.status, 3), value(99, "userCode", self.pin, 3)]
            return {"state": {"values": known if self.status else []}}
        step = self._step(arguments["methodName"], arguments["args"])
        self.done.append(step)
        fault = self.fails.get(step)
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return dict(fault)
        answer = self._do(step, arguments["args"])
        self.opened_unbound |= self.status == ENABLED and self.schedule is None
        return answer

    def _step(self, method: str, arguments: list[Any]) -> str:
        if method == "set":
            return "hide" if arguments[1] == HIDDEN else "enable"
        if method == "setYearDaySchedule":
            return "bind" if len(arguments) > 1 else "erase"
        return {"getYearDaySchedule": "look"}.get(method, method)

    def _do(self, step: str, arguments: list[Any]) -> Mapping[str, object]:
        match step:
            case "hide" | "enable":
                self.status, self.pin = arguments[1], arguments[2]
            case "clear":
                self.status, self.pin = 0, ""
            case "bind":
                self.schedule = arguments[1]
            case "erase":
                self.schedule = None
            case "get":
                return {"response": {"userIdStatus": self.status, "userCode": self.pin}}
            case "look":
                self.asked += 1
                return {"response": self.schedule} if self.schedule else {}
            case _:
                raise AssertionError(step)
        return DONE


class Bench:
    def __init__(self, **fails: Any) -> None:
        self.lock, self.port, self.wrongs = Lock(**fails), RecordingPort(clock=FastClock(50.0)), list[str]()
        book = UserCodes(self.lock, 7)
        exchange = Exchange(
            book=book,
            clock=self.port.clock,
            secrets=self.port,
            native_id="id",
            slot=3,
            tells_pins=True,
            seconds=5.0,
        )
        self.framed = Framed(
            exchange=exchange,
            book=book,
            schedules=Schedules(self.lock, 7),
            clock=self.port.clock,
            slot=3,
            seconds=5.0,
            give_up=self.wrongs.append,
        )

    async def put(self, *, hides: bool = True) -> Outcome:
        wall = wall_of(FRAME, BERLIN, FRAME.starts_at - timedelta(days=1))
        assert wall is not None
        return await self.framed.put(PIN, FRAME, wall, hides=hides)


def told(outcome: Outcome) -> list[tuple[bool, bool]]:
    return [(seen.is_used, seen.is_enabled) for seen in outcome.seen if isinstance(seen, CodeSeen)]


async def test_in_which_order_it_is_done() -> None:
    bench = Bench()
    outcome = await bench.put()
    assert outcome.kind is OutcomeKind.DONE
    assert bench.lock.done == ["hide", "bind", "enable", "get", "look"]
    assert not bench.lock.opened_unbound


@pytest.mark.parametrize("error", [GONE, LOST, NO], ids=["gone", "lost", "refused"])
async def test_what_does_not_leave_changes_nothing(error: CommandError) -> None:
    bench = Bench(hide=error)
    with pytest.raises(CommandError):
        await bench.put()
    assert bench.lock.done == ["hide"]


@pytest.mark.parametrize("step", ["bind", "enable", "get", "look"])
@pytest.mark.parametrize("error", [GONE, LOST], ids=["gone", "lost"])
async def test_what_breaks_off_later_is_open_and_opens_no_door_unbound(step: str, error: CommandError) -> None:
    bench = Bench(**{step: error})
    outcome = await bench.put()
    assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED
    assert (True, True) not in told(outcome)
    assert not bench.lock.opened_unbound
    assert bench.wrongs == [], "out of reach proves nothing of its schedules"
    assert PIN not in repr(outcome)


@pytest.mark.parametrize("answer", [FAIL, NO], ids=["supervised", "zwave-js"])
async def test_a_schedule_that_is_refused_has_the_code_taken_off(answer: Any) -> None:
    bench = Bench(bind=answer)
    outcome = await bench.put()
    assert (outcome.kind, outcome.code, told(outcome)) == (OutcomeKind.REJECTED, "schedule_refused", [(False, True)])
    assert (bench.lock.status, bench.lock.opened_unbound) == (0, False)
    assert bench.wrongs == ["It refuses the schedule of a code"]


@pytest.mark.parametrize("clear", [GONE, LOST, FAIL], ids=["gone", "lost", "refused"])
async def test_where_that_fails_too_the_slot_is_left_to_be_read(clear: Any) -> None:
    bench = Bench(bind=FAIL, clear=clear)
    outcome = await bench.put()
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "schedule_refused", ())
    assert not bench.lock.opened_unbound
    assert len(bench.wrongs) == 1


async def test_silence_about_the_schedule_alone_is_a_reason_and_silence_about_all_is_none() -> None:
    bench = Bench(bind=NOTHING, look=NOTHING)
    assert (await bench.put()).kind is OutcomeKind.REJECTED
    assert (bench.lock.status, bench.wrongs) == (0, [SILENT])
    bench = Bench(bind=NOTHING, look=NOTHING, clear=GONE)
    assert (await bench.put()).kind is OutcomeKind.SENT_UNCONFIRMED
    assert bench.wrongs == []


async def test_a_lock_that_refuses_what_is_disabled_is_given_no_more_of_it() -> None:
    bench = Bench(hide=FAIL)
    outcome = await bench.put(hides=False)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "code_refused")
    assert bench.wrongs == ["It refuses a code that is to be disabled until it has its schedule"]
    bench = Bench(hide=FAIL)
    assert (await bench.put(hides=True)).code == "code_refused"
    assert bench.wrongs == [], "it takes others, so it is the PIN"


async def test_an_attempt_is_not_repeated_that_came_so_far() -> None:
    bench = Bench()
    await bench.put()
    bench.lock.status = HIDDEN
    again = Bench()
    again.lock.status, again.lock.pin, again.lock.schedule = HIDDEN, PIN, bench.lock.schedule
    assert (await again.put()).kind is OutcomeKind.DONE
    assert again.lock.done == ["look", "enable", "get", "look"]


async def test_a_free_code_waits_for_no_schedule_that_somebody_left() -> None:
    bench = Bench()
    bench.lock.schedule = {"startYear": 20}
    assert (await bench.framed.free(PIN)).kind is OutcomeKind.DONE
    assert bench.lock.done == ["erase", "enable", "get"]
    assert bench.lock.schedule is None


async def test_a_lock_that_erases_schedules_of_codes_only_is_told_again() -> None:
    bench = Bench(erase=FAIL)
    bench.lock.schedule = {"startYear": 20}
    outcome = await bench.framed.free(PIN)
    assert (outcome.kind, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, ()), "it may not open"
    assert bench.lock.done == ["erase", "look", "enable", "get", "erase", "look"]
    assert (await Bench(erase=NO).framed.free(PIN)).kind is OutcomeKind.SENT_UNCONFIRMED
    with pytest.raises(CommandError):
        await Bench(erase=GONE).framed.free(PIN)


async def test_a_reading_that_breaks_off_is_no_reading() -> None:
    bench = Bench(look=LOST)
    bench.lock.status, bench.lock.pin = ENABLED, PIN
    with pytest.raises(CommandError):
        await bench.framed.read(lambda wall: frame_of(wall, BERLIN))
