from datetime import timedelta

import pytest
from hubd_drivers.salto_space.sim.locks import MEMORY, DoorState, Lock, Status, Wiring
from hubd_drivers.salto_space.sim.trail import Happening, Subject, SubjectType

from tests.drivers.salto_space.sim.asking import SUMMER


def test_an_offline_lock_answers_with_minus_one() -> None:
    assert Lock().status(SUMMER) == Status(-1, -1, -1, -1, -1)
    assert not Lock().is_online


@pytest.mark.parametrize(("wiring", "number"), [(Wiring.WIRED, 0), (Wiring.RADIO, 1)])
def test_a_lock_that_is_lost_keeps_only_its_type(wiring: Wiring, number: int) -> None:
    lock = Lock(wiring)
    assert lock.status(SUMMER) == Status(number, 1, 1, 0, 0)
    lock.is_connected = False
    assert lock.status(SUMMER) == Status(number, 0, -1, -1, -1)
    assert not lock.is_online


def test_its_memory_loses_the_oldest() -> None:
    lock, who = Lock(), Subject(SubjectType.DOOR)
    for number in range(MEMORY + 3):
        lock.keep(Happening(SUMMER + timedelta(seconds=number), 62, "d1", "Door", who))
    assert len(lock.untold) == MEMORY
    assert lock.untold[0].at == SUMMER + timedelta(seconds=3)


def test_it_unlocks_for_a_moment() -> None:
    lock = Lock(Wiring.WIRED)
    lock.unlock(SUMMER, 6)
    assert lock.state(SUMMER + timedelta(seconds=5)) is DoorState.OPENED
    assert lock.is_unlocked(SUMMER + timedelta(seconds=5))
    assert lock.state(SUMMER + timedelta(seconds=6)) is DoorState.CLOSED
    assert not lock.is_unlocked(SUMMER + timedelta(seconds=6))


def test_office_mode_unlocks_and_need_not_show() -> None:
    lock = Lock(Wiring.WIRED)
    lock.is_office = True
    assert lock.is_unlocked(SUMMER)
    assert lock.state(SUMMER) is DoorState.CLOSED
    assert lock.state(SUMMER, office_shows_open=True) is DoorState.OPENED


def test_what_is_worst_shows_first() -> None:
    lock = Lock(Wiring.RADIO)
    seen = []
    lock.stands_open = True
    seen.append(lock.state(SUMMER))
    lock.is_left_open = True
    seen.append(lock.state(SUMMER))
    lock.is_intruded = True
    seen.append(lock.state(SUMMER))
    lock.emergency = DoorState.EMERGENCY_CLOSE
    seen.append(lock.state(SUMMER))
    assert [state.value for state in seen] == [0, 2, 3, 5]
    assert not lock.is_unlocked(SUMMER)
    lock.is_initializing = True
    assert lock.status(SUMMER, initializing=99).door == 99
