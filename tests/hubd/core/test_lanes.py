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
        self.orders: set[int] = set()

    def has_room(self, *, is_order: bool) -> bool:
        """Whether one more may be under way; orders have a budget of their own."""
        under_way = [item for item in self.running.values() if (item in self.orders) is is_order]
        return len(under_way) < self.budget

    def startable(self) -> Iterable[tuple[Priority, int, str]]:
        """What may start now, first to go first: each free device's first, by priority, then by age."""
        heads = {device: min((w for w in self.waiting if w[2] == device), default=None) for device in DEVICES}
        free = (head for device, head in heads.items() if head is not None and device not in self.running)
        return sorted(head for head in free if self.has_room(is_order=head[0] is Priority.ORDER))

    def started(self, items: list[int]) -> None:
        for item in items:
            expected = list(self.startable())
            assert expected, "started what does not wait, or over its budget"
            assert item == expected[0][1], "out of turn"
            self.waiting.remove(expected[0])
            self.running[expected[0][2]] = item

    @rule(device=st.sampled_from(DEVICES), priority=st.sampled_from(Priority))
    def offer(self, device: str, priority: Priority) -> None:
        self.count += 1
        is_next = all(w[0] > priority for w in self.waiting if w[2] == device)
        free = device not in self.running and is_next and self.has_room(is_order=priority is Priority.ORDER)
        assert priority is not Priority.ORDER or self.lanes.is_free(device) is free
        self.waiting.append((priority, self.count, device))
        if priority is Priority.ORDER:
            self.orders.add(self.count)
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
        started = self.lanes.withdraw(gone[2], gone[1])
        self.waiting.remove(gone)
        assert started is not None
        self.started(started)
        assert self.lanes.withdraw(gone[2], gone[1]) is None

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def what_runs_cannot_be_withdrawn(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.running)))
        assert self.lanes.withdraw(device, self.running[device]) is None

    @rule()
    def ends_of_what_does_not_run_start_nothing(self) -> None:
        for device in set(DEVICES) - self.running.keys():
            assert self.lanes.done(device) == []

    @invariant()
    def as_the_list_says(self) -> None:
        assert self.lanes.running == len(self.running) <= 2 * self.budget
        for device in DEVICES:
            count = sum(waiting[2] == device for waiting in self.waiting)
            assert self.lanes.waiting(device) == count
            assert self.lanes.is_full(device) is (count >= self.most)
            assert self.lanes.running_item(device) == self.running.get(device)
            orders = [w for w in self.waiting if w[2] == device and w[0] is Priority.ORDER]
            free = device not in self.running and not orders and self.has_room(is_order=True)
            assert self.lanes.is_free(device) is free

    @invariant()
    def nothing_waits_that_could_run(self) -> None:
        assert not self.startable()

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
    assert lanes.offer("y", "first order") == ["first order"]
    assert lanes.offer("z", "first wish", Priority.START) == ["first wish"]
    for device, item, priority in [
        ("a", "sweep", Priority.SWEEP),
        ("a", "order", Priority.ORDER),
        ("b", "wish", Priority.START),
        ("c", "late order", Priority.ORDER),
        ("d", "late wish", Priority.START),
        ("e", "end", Priority.END),
        ("f", "preload", Priority.PRELOAD),
    ]:
        assert lanes.offer(device, item, priority) == []
    started = [item for device in "yzaecbdf" for item in lanes.done(device)]
    assert started == ["order", "end", "late order", "wish", "late wish", "preload", "sweep"]


def test_nobody_at_a_door_waits_for_a_code_on_another_one() -> None:
    lanes: Lanes[str] = Lanes(1, 9)
    assert lanes.offer("a", "code on a", Priority.END) == ["code on a"]
    assert lanes.offer("b", "code on b", Priority.END) == []
    assert lanes.offer("b", "order to b") == ["order to b"]
    assert lanes.offer("c", "order to c") == []
    assert lanes.done("a") == []
    assert lanes.done("b") == ["order to c", "code on b"]


def test_a_device_does_one_thing_at_a_time_order_or_not() -> None:
    lanes: Lanes[str] = Lanes(2, 9)
    assert lanes.offer("a", "code", Priority.START) == ["code"]
    assert lanes.offer("a", "order") == []
    assert lanes.done("a") == ["order"]
    assert lanes.offer("a", "another code", Priority.START) == []


def test_what_waited_behind_an_order_that_was_taken_back_starts_at_once() -> None:
    lanes: Lanes[str] = Lanes(1, 9)
    assert lanes.offer("a", "order to a") == ["order to a"]
    assert lanes.offer("b", "order to b") == []
    assert lanes.offer("b", "code on b", Priority.END) == []
    assert lanes.withdraw("b", "order to b") == ["code on b"]


def test_a_busy_device_holds_up_no_other() -> None:
    lanes: Lanes[str] = Lanes(2, 9)
    lanes.offer("a", "a1")
    assert lanes.offer("a", "a2") == []
    assert lanes.offer("b", "b1") == ["b1"]
    assert lanes.offer("c", "c1") == []
    assert lanes.done("b") == ["c1"]
    assert lanes.done("a") == ["a2"]
