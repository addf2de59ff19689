"""Exchanges that go wrong in any order: once they go right again, the lock holds what is wished, nothing is lost."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.codes.exchange import Exchange
from hubd.core.codes.plan import Want, is_in_place, want
from hubd.model import Outcome, done, rejected, sent_unconfirmed
from tests.hubd.core.codes.scene import OTHER, PIN, THIRD, Scene

HOUR = timedelta(hours=1)
DUPLICATE = rejected("duplicate_code", "The lock has this PIN in another slot.")
PINS = [PIN, OTHER, THIRD, "20394851", "60718293"]
FAULTS = st.sampled_from(["none", "none", "mute", "deaf", "refuse", "crash", "edit", "clear"])


class Chance:
    """A lock that does or does not what it is told, and says so or not."""

    def __init__(self, scene: Scene, data: st.DataObject) -> None:
        self.scene = scene
        self.data = data
        self.slots: dict[int, str] = {}
        self.exchanges = 0

    def step(self, fault: str) -> bool:
        steps = self.scene.plan().steps
        if not steps:
            return False
        self.exchanges += 1
        exchange = self.scene.begin(steps[0])
        if fault == "crash" and self.data.draw(st.booleans()):
            self.obey(exchange)
        if fault == "crash":
            return True
        if fault == "edit":
            slot = self.data.draw(st.integers(1, 4))
            if slot not in {c.placement.slot for c in self.scene.codes if c.placement and c.is_managed}:
                self.slots[slot] = "111222"
        self.scene.end(exchange, self.outcome(exchange, fault))
        return True

    def outcome(self, exchange: Exchange, fault: str) -> Outcome:
        if fault == "deaf":
            return sent_unconfirmed("No answer.")
        if fault == "refuse" and exchange.step.kind != "read":
            return rejected("device_refused", "No.")
        refusal = self.obey(exchange)
        slot = exchange.step.slot
        seen = self.scene.reading(slot, self.slots.get(slot))
        if fault == "mute":
            return sent_unconfirmed("No answer.")
        return refusal or done(seen=(seen,))

    def obey(self, exchange: Exchange) -> Outcome | None:
        slot = exchange.step.slot
        if exchange.step.kind == "clear":
            self.slots.pop(slot, None)
        elif exchange.step.kind == "set":
            assert exchange.code is not None
            pin = self.scene.keeper.open(exchange.code)
            assert pin is not None
            if any(held == pin and other != slot for other, held in self.slots.items()):
                return DUPLICATE
            self.slots[slot] = pin
        return None


@given(
    st.data(),
    st.lists(st.tuples(st.sampled_from(["make", "make", "new pin", "move", "delete"]), st.integers(0, 4))),
    st.lists(FAULTS, max_size=25),
)
def test_a_lock_comes_to_hold_what_is_wished_whatever_goes_wrong(
    data: st.DataObject, wishes: list[tuple[str, int]], faults: list[str]
) -> None:
    scene = Scene(is_read=False)
    lock = Chance(scene, data)
    for number in range(max(len(wishes), len(faults))):
        if number < len(wishes):
            wish(scene, *wishes[number])
        if not lock.step(faults[number] if number < len(faults) else "none"):
            scene.pass_time(scene.at + timedelta(seconds=5))
    for _ in range(2):
        calm(scene, lock)
        for slot in range(1, 5):
            scene.read(slot, lock.slots.get(slot))
        scene.pass_time(scene.at + timedelta(seconds=5))
    calm(scene, lock)
    settled(scene, lock)


def calm(scene: Scene, lock: Chance) -> None:
    """Have the lock do as it is told until nothing is to be done for an hour."""
    for _ in range(200):
        wake = scene.plan().wake_at
        if lock.step("none"):
            continue
        if wake is None or wake - scene.at > HOUR:
            return
        scene.pass_time(wake)
    raise AssertionError("it is never quiet")


def wish(scene: Scene, what: str, number: int) -> None:
    """Have somebody wish something, if it may be wished."""
    code_id = str(number)
    known = scene.tables.codes.get(code_id)
    if what == "make" and known is None and all(scene.keeper.open(c) != PINS[number] for c in scene.codes):
        window = {} if number % 2 else {"starts_at": scene.at, "ends_at": scene.at + timedelta(days=300)}
        scene.put(code_id, PINS[number], changed_at=scene.at, created_at=scene.at, is_pin_chosen=True, **window)
    elif known is not None and known.deleted_at is None and known.is_managed:
        if what == "new pin":
            pin = PINS[(number + 1) % 5]
            if not any(scene.keeper.open(c) == pin and c.deleted_at is None for c in scene.codes):
                scene.tables.put_code(code_id, replace(known, pin=scene.keeper.seal(code_id, pin), trouble=None))
        elif what == "move" and known.starts_at is not None:
            start = scene.at + timedelta(days=100)
            scene.tables.put_code(code_id, replace(known, starts_at=start, trouble=None))
        elif what == "delete":
            scene.wishes(lambda desk: desk.delete(code_id))


def settled(scene: Scene, lock: Chance) -> None:
    """All is as wished; and what somebody put there by hand is still there."""
    holds = scene.plan().holds
    for code in scene.codes:
        wanted = want(code, scene.keypad, scene.at, is_trusted=True)
        if wanted is Want.ON and holds.get(code.code_id) is None:
            assert is_in_place(code, scene.keypad), code
        if wanted is Want.OFF:
            assert code.placement is None, code
    assert {hold.code for hold in holds.values()} <= {"no_space", "not_begun", "duplicate"}
    believed = {c.placement.slot: scene.keeper.open(c) for c in scene.codes if c.placement is not None}
    assert lock.slots == believed, "the hub believes what is not so"
    assert len(set(lock.slots.values()) - {"111222"}) == len([p for p in lock.slots.values() if p != "111222"])
