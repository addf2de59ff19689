import asyncio

import pytest
from hubd_drivers.salto_space.sim.mischief import ANY, Counters, Faults, Trouble


def test_faults_are_used_up_by_name_in_order() -> None:
    faults = Faults()
    faults.drop_reply("A", times=2)
    faults.refuse("B", 201)
    faults.delay(ANY, 5)
    taken = [faults.take(name) for name in ("C", "A", "A", "B", "A")]
    assert [fault and fault.trouble for fault in taken] == [
        Trouble.DELAY,
        Trouble.DROP_REPLY,
        Trouble.DROP_REPLY,
        Trouble.REFUSE,
        None,
    ]
    assert taken[0] is not None
    assert taken[0].seconds == 5
    assert taken[3] is not None
    assert taken[3].code == 201
    assert list(faults) == []


def test_only_a_way_to_spoil_a_reply_spoils_it() -> None:
    faults = Faults()
    faults.garble("A", Trouble.HALF)
    assert next(iter(faults)).trouble is Trouble.HALF
    with pytest.raises(ValueError, match="spoils no reply"):
        faults.garble("A", Trouble.DELAY)


async def test_a_hold_is_reached_and_let_go_and_clearing_lets_all_go() -> None:
    faults = Faults()
    first, second = faults.hold("A"), faults.hold("A", after=True)
    fault = faults.take("A")
    assert fault is not None
    assert (fault.hold, fault.is_after) == (first, False)
    passing = asyncio.create_task(first.passed())
    await first.reached.wait()
    assert not passing.done()
    first.release()
    await passing
    faults.clear()
    await second.passed()
    assert list(faults) == []


def test_counters_begin_anew() -> None:
    counters = Counters()
    counters.requests["A"] += 2
    counters.requests["B"] += 1
    counters.connections = 3
    assert counters.total == 3
    counters.clear()
    assert (counters.total, counters.connections, counters.refused_connections) == (0, 0, 0)
