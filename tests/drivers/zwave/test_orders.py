import asyncio
from collections.abc import Callable

import pytest
from hubd_drivers.zwave import orders
from hubd_drivers.zwave.events import Event, Notified, ValueReported
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost
from hubd_drivers.zwave.lock import find_bolt
from hubd_drivers.zwave.orders import LockOrder

from hubd.driver.contract import check_outcome
from hubd.model import LockSeen, Outcome, OutcomeKind
from tests.drivers.zwave.fakes import CURRENT, LOCK_STATE, Answer, FakeLink, FastClock, lock_node, value

REMOTE_LOCKED = LockSeen(native_id="id", locked=True, method="remote")
RF_LOCK = Notified(2, 6, 3)
LOCKED = ValueReported(2, CURRENT, 255)
JAM = ValueReported(2, LOCK_STATE, 11)


def status(number: object, **more: object) -> dict[str, object]:
    return {"result": {"status": number, **more}}


def order(set_value: Answer = None, poll_value: Answer = None, *, seconds: float = 5.0) -> LockOrder:
    """An order on a scripted link; None is an answer that never comes."""
    script = {"set_value": set_value, "poll_value": poll_value}
    answers = {name: answer for name, answer in script.items() if answer is not None}
    bolt = find_bolt(lock_node())
    assert bolt is not None
    link = FakeLink(**answers)
    return LockOrder(link=link, clock=FastClock(), node_id=2, native_id="id", bolt=bolt, target=True, seconds=seconds)


async def run(made: LockOrder, *heard: Event) -> Outcome:
    """Run an order during which the node says something as soon as the command was sent."""
    for event in heard:
        asyncio.get_running_loop().call_later(0.005, made.watch.note, event)
    outcome = await made.run()
    check_outcome(outcome)
    return outcome


async def test_a_supervised_success_and_the_value_that_follows() -> None:
    made = order(status(255))
    outcome = await run(made, LOCKED)
    assert (outcome.kind, outcome.seen) == (OutcomeKind.DONE, (REMOTE_LOCKED,))
    assert made.position is True
    assert not made.needs_verifying


async def test_a_supervised_success_without_a_value_is_read_back() -> None:
    outcome = await run(order(status(255), {"value": 255}))
    assert outcome.kind is OutcomeKind.DONE


async def test_a_supervised_success_is_not_believed_against_the_lock_s_own_answer() -> None:
    made = order(status(255), {"value": 0}, seconds=3.0)
    outcome = await run(made, LOCKED)
    assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "not_confirmed")
    assert outcome.seen == (LockSeen(native_id="id", locked=False),)
    assert not made.needs_verifying


async def test_a_bolt_that_is_slower_than_its_supervised_success_is_waited_for() -> None:
    made = order(status(255), [{"value": 0}, {"value": 254}, {"value": 255}])
    assert (await run(made)).kind is OutcomeKind.DONE


async def test_a_supervised_success_stands_where_the_lock_does_not_answer() -> None:
    outcome = await run(order(status(255), {}))
    assert (outcome.kind, outcome.seen) == (OutcomeKind.DONE, (REMOTE_LOCKED,))


async def test_a_jam_outweighs_a_supervised_success() -> None:
    made = order(status(255), {"value": 0})
    made.watch.note(JAM)
    assert (await run(made)).code == "lock_jammed"


async def test_what_zwave_js_expects_with_the_command_is_no_word_of_the_lock() -> None:
    """It writes the value before it gives the command's result; older ones do so for a bolt that only sets off."""
    made = order(status(1, remainingDuration={"value": 0, "unit": "seconds"}), {"value": 0}, seconds=3.0)
    made.watch.note(LOCKED)
    outcome = await run(made)
    assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "not_confirmed")
    assert made.position is False


async def test_a_bolt_on_its_way_is_waited_for() -> None:
    made = order(status(1, remainingDuration={"value": 2, "unit": "seconds"}))
    assert (await run(made, LOCKED)).kind is OutcomeKind.DONE


async def test_without_supervision_a_value_is_no_proof() -> None:
    made = order(status(254), {"value": 0}, seconds=3.0)
    outcome = await run(made, LOCKED)
    assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "not_confirmed")
    assert outcome.seen == (LockSeen(native_id="id", locked=False),)
    assert made.position is False
    assert not made.needs_verifying, "the lock itself said where its bolt is"


@pytest.mark.parametrize("number", [254, 77, None, "?"])
async def test_without_supervision_the_lock_is_asked_until_it_is_there(number: object) -> None:
    made = order(status(number), [{"value": 0}, {"value": 254}, {"value": 255}], seconds=15.0)
    assert (await run(made)).kind is OutcomeKind.DONE


async def test_without_supervision_the_lock_s_notification_is_proof() -> None:
    made = order(status(254))
    assert (await run(made, RF_LOCK)).kind is OutcomeKind.DONE
    other_way = order(status(254), {"value": 0}, seconds=1.0)
    assert (await run(other_way, Notified(2, 6, 4))).kind is OutcomeKind.SENT_UNCONFIRMED
    other_node = order(status(254), {"value": 0}, seconds=1.0)
    assert (await run(other_node, Notified(3, 6, 3))).kind is OutcomeKind.SENT_UNCONFIRMED


async def test_silence_is_neither_success_nor_failure() -> None:
    made = order(status(254), {}, seconds=2.0)
    outcome = await run(made)
    assert (outcome.kind, outcome.code, outcome.seen) == (OutcomeKind.SENT_UNCONFIRMED, "not_confirmed", ())
    assert made.needs_verifying
    assert made.position is None


async def test_a_question_that_hangs_does_not_hold_the_order() -> None:
    async with asyncio.timeout(2.0):
        outcome = await run(order(status(254), seconds=2.0))
    assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED


async def test_no_report_in_time() -> None:
    made = order(seconds=1.0)
    outcome = await run(made)
    assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
    assert made.needs_verifying


@pytest.mark.parametrize("number", [1, 2, 254])
async def test_a_jam_ends_the_order(number: int) -> None:
    outcome = await run(order(status(number)), JAM)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "lock_jammed")
    assert outcome.seen == (LockSeen(native_id="id", locked=None, jammed=True),)


async def test_not_fully_locked_is_a_jam() -> None:
    assert (await run(order(status(254)), Notified(2, 6, 8))).code == "lock_jammed"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (2, OutcomeKind.REJECTED, "device_refused"),
        (0, OutcomeKind.UNSUPPORTED, "not_supported"),
        (3, OutcomeKind.UNSUPPORTED, "not_supported"),
        (4, OutcomeKind.UNSUPPORTED, "not_supported"),
        (5, OutcomeKind.REJECTED, "invalid_value"),
    ],
)
async def test_refusals(number: int, kind: OutcomeKind, code: str) -> None:
    made = order(status(number))
    outcome = await run(made)
    assert (outcome.kind, outcome.code) == (kind, code)
    assert not made.needs_verifying


async def test_a_lock_that_cannot_be_locked_is_not_asked_to() -> None:
    bolt = find_bolt(lock_node(2, 0, value(98, "targetMode", 0, states={"0": "Unsecured"})))
    assert bolt is not None
    link = FakeLink()
    made = LockOrder(link=link, clock=FastClock(), node_id=2, native_id="id", bolt=bolt, target=True, seconds=5)
    outcome = await run(made)
    assert (outcome.kind, outcome.detail) == (OutcomeKind.UNSUPPORTED, {"capability": "can_lock"})
    assert link.sent == []


async def test_what_surely_was_not_sent_needs_no_verifying() -> None:
    made = order(CommandError(Kind.UNREACHABLE, "device_unreachable", "zwave-js could not send.", 215))
    with pytest.raises(CommandError) as failure:
        await made.run()
    assert not made.needs_verifying
    outcome = orders.failed(failure.value, 2)
    assert (outcome.kind, outcome.detail) == (OutcomeKind.UNREACHABLE, {"node_id": 2, "zwave_error": 215})


async def test_what_may_have_been_sent_does() -> None:
    made = order(answer_lost())
    with pytest.raises(CommandError) as failure:
        await made.run()
    assert made.needs_verifying
    assert orders.failed(failure.value, 2).kind is OutcomeKind.SENT_UNCONFIRMED


async def test_the_link_breaks_while_the_bolt_moves() -> None:
    made = order(status(254), CommandError(Kind.UNREACHABLE, "server_lost", "Nothing was sent."))
    outcome = await run(made)
    assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "server_lost")
    assert made.needs_verifying


@pytest.mark.parametrize("kind", list(Kind))
def test_every_failure_has_an_outcome(kind: Kind) -> None:
    check_outcome(orders.failed(CommandError(kind, "some_code", "A sentence."), 2))


async def test_a_cancelled_order_asks_to_be_verified() -> None:
    made = order(status(254), seconds=60.0)
    task = asyncio.create_task(made.run())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert made.needs_verifying


@pytest.mark.parametrize(
    ("poll", "expected"),
    [
        ({"value": 255}, True),
        ({"value": 0}, False),
        ({}, None),
        (answer_lost(), None),
        (lambda **_: {"value": "?"}, None),
    ],
)
async def test_asking(poll: dict[str, object] | Exception | Callable[..., object], *, expected: bool | None) -> None:
    bolt = find_bolt(lock_node())
    assert bolt is not None
    assert await orders.ask(FakeLink(poll_value=poll), FastClock(), 2, bolt) is expected
