"""One keypad in memory, without a database: what is durable of it, and what steps, readings and wishes make of that."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from hubd.core.codes.exchange import Exchange, begin, end
from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.plan import Plan, Step, plan
from hubd.core.codes.readings import Reader
from hubd.core.codes.wishes import Wish, Wishes
from hubd.core.vault import Vault
from hubd.model import CodeChange, CodeHintSeen, CodeSeen, DeviceState, KeypadCapability, Outcome, TimeFrame
from hubd.model.event import Event
from hubd.store.codes import CodeBook, CodeRecord, Placement
from hubd.store.records import DeviceRecord
from hubd.store.secrets import Sealer
from hubd.store.tables import Overlay, Tables, View
from tests.support.clock import NOON
from tests.support.store import device

KEY = bytes(range(32))
DEVICE = "a"
PIN, OTHER, THIRD = "48213077", "59104826", "73950148"


class Scene:
    """A lock with its codes; every call is one transaction at `wall`, planned by the time `at`."""

    def __init__(
        self, keypad: KeypadCapability | None = None, *, is_managed: bool = True, is_read: bool = True
    ) -> None:
        self.keypad = keypad or KeypadCapability(slots=4)
        self.at = self.wall = NOON
        self.vault = Vault()
        self.keeper = PinKeeper(Sealer(KEY), self.vault)
        self.tables = Tables()
        record = DeviceRecord(
            device(DEVICE, keypad=self.keypad), DeviceState(online=True), is_managed=is_managed, found_at=NOON
        )
        self.tables.put_device(record)
        if is_read:
            self.tables.put_book(CodeBook(DEVICE, unread=()))
        self.public: list[str | None] = []
        self.history: list[tuple[Any, ...]] = []
        """Parameters of the statements that were written beside the tables."""

    def transact[T](self, function: Callable[[View], T]) -> tuple[T, list[Event]]:
        """Do something in one transaction; return what it returns and the events it made."""
        view = View(self.tables, Overlay(), self.wall)
        result = function(view)
        for record in view.own.devices.values():
            self.tables.put_device(record)
        for code_id, code in view.own.codes.items():
            self.tables.put_code(code_id, code)
        for book in view.own.books.values():
            self.tables.put_book(book)
        self.public += [draft.public for draft in view.own.drafts]
        self.history += [parameters for _, parameters in view.own.statements]
        return result, [draft.event for draft in view.own.drafts]

    def pass_time(self, at: datetime) -> None:
        """Let it be that time, by the wall clock too."""
        self.at = self.wall = at

    # -- what is there

    @property
    def record(self) -> DeviceRecord:
        return self.tables.devices[DEVICE]

    @property
    def book(self) -> CodeBook:
        return self.tables.book(DEVICE)

    @property
    def codes(self) -> list[CodeRecord]:
        return self.tables.codes_of(DEVICE)

    def code(self, code_id: str) -> CodeRecord:
        return self.tables.codes[code_id]

    @property
    def only(self) -> CodeRecord:
        (code,) = self.codes
        return code

    def placed(self, code_id: str) -> Placement:
        placed = self.code(code_id).placement
        assert placed is not None
        return placed

    def mark(self, pin: str) -> bytes:
        return self.keeper.mark(pin)

    # -- making it so

    def made(self, code_id: str = "c", pin: str | None = PIN, **members: Any) -> CodeRecord:
        """Build a code."""
        sealed = None if pin is None else self.keeper.seal(code_id, pin)
        return replace(CodeRecord(code_id, DEVICE, NOON, NOON, pin=sealed), **members)

    def put(self, code_id: str = "c", pin: str | None = PIN, **members: Any) -> CodeRecord:
        """Have there be a code."""
        code = self.made(code_id, pin, **members)
        self.tables.put_code(code_id, code)
        return code

    def on(self, slot: int, pin: str | None = PIN, **members: Any) -> Placement:
        """Build a placement."""
        made = Placement(slot, "set", NOON, None if pin is None else self.mark(pin))
        return replace(made, **members)

    def put_book(self, **members: Any) -> None:
        self.tables.put_book(replace(self.book, **members))

    # -- what happens

    def reading(self, slot: int, pin: str | None = None, *, is_masked: bool = False, **members: Any) -> CodeSeen:
        """Build a reading: of an empty slot, of one with a PIN, or of one of which no PIN is told."""
        ref = None if pin is None else self.vault.seal(pin)
        return CodeSeen(native_id=DEVICE, slot=slot, is_used=is_masked or pin is not None, pin_ref=ref, **members)

    def read(
        self, slot: int, pin: str | None = None, *, is_masked: bool = False, is_trusted: bool = True, **members: Any
    ) -> list[Event]:
        """Take in a reading."""
        seen = self.reading(slot, pin, is_masked=is_masked, **members)
        return self.transact(lambda view: self._reader(view, is_trusted=is_trusted).read(seen))[1]

    def hint(self, change: CodeChange, slot: int | None = None) -> None:
        """Take in a hint."""
        seen = CodeHintSeen(native_id=DEVICE, change=change, slot=slot)
        self.transact(lambda view: self._reader(view).hint(seen))

    def _reader(self, view: View, *, is_trusted: bool = True) -> Reader:
        return Reader(view, self.record, self.keypad, self.keeper, self.at, is_trusted=is_trusted)

    def plan(self, *, is_trusted: bool = True) -> Plan:
        return plan(self.codes, self.book, self.keypad, self.at, is_trusted=is_trusted)

    def begin(self, step: Step | None = None) -> Exchange:
        """Begin the next step, or this one."""
        chosen = step or self.plan().steps[0]
        exchange, _ = self.transact(lambda view: begin(view, chosen, self.record, self.keypad))
        assert exchange is not None
        return exchange

    def end(self, exchange: Exchange, outcome: Outcome) -> list[Event]:
        return self.transact(lambda view: end(view, exchange, outcome, self.keeper, self.at))[1]

    def do(self, outcome: Outcome) -> list[Event]:
        """Take the next step, which ends so."""
        return self.end(self.begin(), outcome)

    def wishes[T](self, function: Callable[[Wishes], T], by: str = "me") -> T:
        """Do something at the desk."""
        return self.transact(lambda view: function(Wishes(view, self.keeper, self.at, by)))[0]

    def wish(self, **members: Any) -> CodeRecord:
        return self.wishes(lambda desk: desk.create(Wish(device_id=DEVICE, **members)))


def frame(start: datetime, end: datetime) -> TimeFrame:
    """Build a time frame."""
    return TimeFrame(start, end)


def kinds(events: list[Event]) -> list[str]:
    """Return the types of events."""
    return [str(event.__struct_config__.tag) for event in events]
