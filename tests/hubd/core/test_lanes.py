from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hubd.core.lanes import Lanes, Priority

DEVICES = ["a", "b", "c", "d"]


class LanesMachine(RuleBasedStateMachine):
    """Offers, ends and withdrawals by chance, beside a list of what waits in the order it came."""

    @initialize(budget=st.integers(1, 5), most=st.integers(1, 4))
    def open(self, budget: int, most: int) -> None:
        self.lanes: Lanes[int] = Lanes(budget, most)
        self.budget, self.most, self.count = budget, most, 0
        self.waiting: list[tuple[Priority, int, str]] = []
        self.running: dict[str, int] = {}

    def startable(self) -> Iterable[tuple[Priority, int, str]]:
        """What may start now, first to go first: each free device's first, by priority, then by age."""
        heads = {device: min((w for w in self.waiting if w[2] == device), default=None) for device in DEVICES}
        return sorted(head for device, head in heads.items() if head is not None and device not in self.running)

    def started(self, items: list[int]) -> None:
        for item in items:
            assert len(self.running) < self.budget, "over its budget"
            expected = list(self.startable())
            assert expected, "started what does not wait"
            assert item == expected[0][1], "out of turn"
            self.waiting.remove(expected[0])
            self.running[expected[0][2]] = item

    @rule(device=st.sampled_from(DEVICES), priority=st.sampled_from(Priority))
    def offer(self, device: str, priority: Priority) -> None:
        self.count += 1
        self.waiting.append((priority, self.count, device))
        free = self.lanes.is_free(device)
        started = self.lanes.offer(device, self.count, priority)
        self.started(started)
        assert started == ([self.count] if free else [])

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.running)))
        del self.running[device]
        self.started(self.lanes.done(device))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.waiting))
        assert self.lanes.withdraw(gone[2], gone[1])
        self.waiting.remove(gone)
        assert not self.lanes.withdraw(gone[2], gone[1])

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def what_runs_cannot_be_withdrawn(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.running)))
        assert not self.lanes.withdraw(device, self.running[device])

    @rule()
    def ends_of_what_does_not_run_start_nothing(self) -> None:
        for device in set(DEVICES) - self.running.keys():
            assert self.lanes.done(device) == []

    @invariant()
    def as_the_list_says(self) -> None:
        assert self.lanes.running == len(self.running) <= self.budget
        for device in DEVICES:
            count = sum(waiting[2] == device for waiting in self.waiting)
            assert self.lanes.waiting(device) == count
            assert self.lanes.is_full(device) is (count >= self.most)
            assert self.lanes.running_item(device) == self.running.get(device)
            free = device not in self.running and not count and len(self.running) < self.budget
            assert self.lanes.is_free(device) is free

    @invariant()
    def nothing_waits_that_could_run(self) -> None:
        assert not (self.startable() and len(self.running) < self.budget)

    def teardown(self) -> None:
        """Nobody starves: as long as things end, everything that waits gets its turn."""
        for _ in range(len(self.waiting) + len(self.running)):
            if self.running:
                device = min(self.running, key=lambda name: self.running[name])
                del self.running[device]
                self.started(self.lanes.done(device))
        assert (self.waiting, self.running, self.lanes.running) == ([], {}, 0)


class TestLanes(LanesMachine.TestCase):  # type: ignore[misc,valid-type]  # hypothesis makes its base at run time
    """As long as a test may take."""

    settings = settings(max_examples=60, stateful_step_count=30)


@pytest.mark.soak
class TestLanesForLong(LanesMachine.TestCase):  # type: ignore[misc,valid-type]  # likewise
    """As many examples as the profile says, and longer ones."""

    settings = settings(stateful_step_count=100)


def test_orders_go_before_wishes_and_wishes_before_sweeps() -> None:
    lanes: Lanes[str] = Lanes(1, 9)
    assert lanes.offer("z", "first") == ["first"]
    for device, item, priority in [
        ("a", "sweep", Priority.SWEEP),
        ("a", "order", Priority.ORDER),
        ("b", "wish", Priority.WISH),
        ("c", "late order", Priority.ORDER),
        ("d", "late wish", Priority.WISH),
    ]:
        assert lanes.offer(device, item, priority) == []
    order = lanes.done("z")
    for device in "acbda":
        order += lanes.done(device)
    assert order == ["order", "late order", "wish", "late wish", "sweep"]


def test_a_busy_device_holds_up_no_other() -> None:
    lanes: Lanes[str] = Lanes(2, 9)
    lanes.offer("a", "a1")
    assert lanes.offer("a", "a2") == []
    assert lanes.offer("b", "b1") == ["b1"]
    assert lanes.offer("c", "c1") == []
    assert lanes.done("b") == ["c1"]
    assert lanes.done("a") == ["a2"]
