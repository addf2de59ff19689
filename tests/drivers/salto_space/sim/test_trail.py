from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hubd_drivers.salto_space.sim import trail as trail_module
from hubd_drivers.salto_space.sim.trail import AuditEvent, Happening, Operation, Subject, SubjectType, Trail

from tests.drivers.salto_space.sim.asking import SUMMER


def trail(events: int) -> Trail:
    made = Trail(Random(1))
    for number in range(events):
        who = Subject(SubjectType.DOOR, "d1", "Door")
        made.add(Happening(SUMMER + timedelta(seconds=number), Operation.OPENED_FROM_INSIDE, "d1", "Door", who))
    return made


def test_numbers_rise_with_gaps() -> None:
    ids = [event.id for event in trail(100).events]
    assert ids == sorted(set(ids))
    assert 1 < max(after - before for before, after in pairwise(ids)) < 10


def test_it_is_read_from_a_number_on_and_down_from_one() -> None:
    made = trail(20)
    ids = [event.id for event in made.events]
    assert [event.id for event in made.since(ids[17])] == ids[17:]
    assert [event.id for event in made.since(ids[17] + 1)] == ids[18:]
    assert [event.id for event in made.until(ids[2])] == ids[2::-1]
    assert made.until(ids[0] - 1) == []
    assert made.since(made.last_id + 1) == []
    assert len(made) == 20


def test_the_oldest_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module, "MOST", 100)
    made = trail(105)
    assert len(made) == 95
    assert made.events[-1].what.at == SUMMER + timedelta(seconds=104)


def test_listeners_hear_of_each_event_and_old_ones_are_forgotten() -> None:
    made, heard = trail(3), list[AuditEvent]()
    made.listeners.append(heard.append)
    event = made.add(made.events[0].what)
    assert heard == [event]
    made.purge(event.id)
    assert made.events == [event]
    assert Trail(Random(1)).last_id == 0
