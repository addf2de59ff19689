"""Operations that people ask of the hub, as calls of its desk for codes."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hubd.core.codes.wishes import Change, Wish
from hubd.core.hub import Hub
from hubd.store.codes import CodeRecord
from tests.support import year_operations as ops

if TYPE_CHECKING:
    from tests.support.year import Year

type Call = Coroutine[Any, Any, object]


def wish_of(year: "Year", hub: Hub, operation: ops.Operation) -> tuple[str, Call | None]:
    """Return which code is changed, "" if none, and the call; None if there is nothing that it could be about."""
    caller = _Caller(year, hub)
    call = caller.call(operation)
    return caller.target, call


class _Caller:
    def __init__(self, year: "Year", hub: Hub) -> None:
        self._year = year
        self._hub = hub
        self.target = ""

    def call(self, operation: ops.Operation) -> Call | None:
        """Return what is to be awaited; None if there is nothing that it could be about."""
        codes, wished, found = self._hub.codes, self._year.rules.wishes(), self._year.rules.found()
        match operation:
            case ops.Create():
                wish = self._wish(operation)
                return None if wish is None else codes.create([wish], "test")
            case ops.Pool(lock, is_wanted):
                device = self._id_of(lock)
                return None if device is None else codes.set_pool(device, "test", is_wanted=is_wanted)
            case ops.DeleteFound(number) if found:
                self.target = found[number % len(found)].code_id
                return codes.delete(self.target, "test", is_managed=False)
            case ops.Convert(number, True) if found:
                self.target = found[number % len(found)].code_id
                return codes.convert(self.target, "test")
            case ops.Move() | ops.Cut() | ops.Repin() | ops.Delete() | ops.Convert() | ops.Pull() if wished:
                return self._change(wished[operation.code % len(wished)], operation)
            case _:
                return None

    def _change(self, code: CodeRecord, operation: ops.Operation) -> Call | None:
        codes, code_id = self._hub.codes, code.code_id
        self.target = code_id
        change: Change | None = None
        match operation:
            case ops.Delete():
                return codes.delete(code_id, "test")
            case ops.Convert():
                return codes.convert(code_id, "test", is_managed=False)
            case ops.Pull():
                return codes.pull_backup(code_id, "test")
            case ops.Repin(_, pin):
                change = Change(pin=self._year.pins[0] if pin is None else self._year.pins[pin])
            case ops.Move(_, None):
                change = Change(starts_at=None, ends_at=None)
            case ops.Move(_, int(seconds)) if code.starts_at is not None and code.ends_at is not None:
                later = timedelta(seconds=seconds)
                change = Change(starts_at=code.starts_at + later, ends_at=code.ends_at + later)
            case ops.Cut(_, seconds):
                ends_at = self._year.whole(seconds)
                starts_at = min(code.starts_at or self._year.whole(0), ends_at - timedelta(seconds=1))
                change = Change(starts_at=starts_at, ends_at=ends_at)
            case _:
                pass
        return None if change is None else codes.update(code_id, change, "test")

    def _wish(self, create: ops.Create) -> Wish | None:
        device = self._id_of(create.lock)
        if device is None:
            return None
        starts_at = None if create.starts_in is None else self._year.whole(create.starts_in)
        ends_at = None if starts_at is None else starts_at + timedelta(seconds=create.lasts)
        return Wish(
            device_id=device,
            pin=None if create.pin is None else self._year.pins[create.pin],
            preferred_length=8,
            starts_at=starts_at,
            ends_at=ends_at,
            is_external_modification_allowed=create.is_open,
            prefers_native=create.prefers_native,
        )

    def _id_of(self, number: int) -> str | None:
        name = self._year.locks[number].native_id
        found = [d for d, r in self._hub.devices.items() if r.device.description.native_id == name]
        return found[0] if found else None
