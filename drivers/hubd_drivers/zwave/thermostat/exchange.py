"""Setting one thermostat, and finding out how it is set.

A thermostat may accept a setting, even confirm it, and keep another: it rounds, is locked at its buttons, or follows a
program of its own. So success is only what it says itself when it is asked afterwards: one question for each value
that was set. A thermostat that does not confirm gets time to take over what it was told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from hubd.driver import Clock
from hubd.model import (
    ClimateSeen,
    ClimateSetting,
    Detail,
    Outcome,
    OutcomeKind,
    ThermostatCapability,
    done,
    rejected,
    unsupported,
)
from hubd_drivers.zwave import climate
from hubd_drivers.zwave.climate import Place
from hubd_drivers.zwave.events import Event, MetadataReported, StatusChanged, ValueReported
from hubd_drivers.zwave.facts import STATUS_ASLEEP, NodeFacts, ValueId, integer
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.orders import Status
from hubd_drivers.zwave.thermostat.targets import Target, Targets, points_in_use

STORE_SECONDS: Final = 0.5
"""What a thermostat gets that has not confirmed; its own reports end the wait."""
SLOW_SECONDS: Final = 1.5
_SURE: Final = frozenset({Status.SUCCESS, Status.FAIL})

type Hint = Callable[[], Awaitable[None]]


class _AsleepError(Exception):
    """zwave-js says that the node sleeps, and keeps the command that was under way."""


class Exchange:
    """Made for one command."""

    def __init__(
        self,
        *,
        link: Link,
        clock: Clock,
        facts: NodeFacts,
        native_id: str,
        capability: ThermostatCapability,
        seconds: float,
        hold: Hint,
        let_go: Hint,
    ) -> None:
        """`let_go` is awaited before the frame that is most likely the last one, `hold` when it was not."""
        self._link = link
        self._clock = clock
        self._native_id = native_id
        self._capability = capability
        self._seconds = seconds
        self._hold = hold
        self._let_go = let_go
        self._sleeps = asyncio.Event()
        self._spoke = asyncio.Event()
        self.facts = facts
        """How the node stands by its own word; what zwave-js expects of it is not taken in."""
        self.sent: list[Target] = []
        self.answers: dict[ValueId, object] = {}
        """What the node said when it was asked."""
        self._setting: Target | None = None
        """What is being set."""
        self._has_left = False
        self._is_sure = True
        """All that was sent was confirmed."""

    def note(self, event: Event) -> bool:
        """Take in an event of the node at the instant it arrives; False: it proves nothing.

        What zwave-js expects of a command arrives like a report, but before the command's result.
        """
        match event:
            case ValueReported():
                if self._setting is not None and (event.id, event.value) == (self._setting.id, self._setting.raw):
                    return False
                self.facts = self.facts.with_value(event.id, event.value)
                self._spoke.set()
            case MetadataReported():
                self.facts = self.facts.with_metadata(event.id, event.metadata)
            case StatusChanged(status=status) if status == STATUS_ASLEEP:
                self._sleeps.set()
            case _:
                pass
        return True

    async def put(self, setting: ClimateSetting, targets: Targets) -> Outcome:
        """Set what is to be set, and read it back. Raises `CommandError` for a command that did not leave."""
        refusal: Outcome | None = None
        try:
            async with self._clock.timeout(self._seconds):
                refusal = await self._send(targets)
                await self._read_back(setting, is_final=refusal is not None)
        except TimeoutError:
            if refusal is None:
                return self._silent("The thermostat did not say in time how it is set.")
        except _AsleepError:
            message = (
                "It fell asleep meanwhile. zwave-js keeps what it did not acknowledge, and sends it when it wakes."
            )
            return self._silent(message, "device_asleep")
        except CommandError as error:
            if not self._has_left:
                raise
            if refusal is None:
                return self._silent(error.message, error.code)
        return self._judge(setting, targets, refusal)

    async def read(self) -> Outcome:
        """Ask how the thermostat is set, and what it does and measures. Raises `CommandError`."""
        try:
            async with self._clock.timeout(self._seconds):
                is_known = await self._read_settings()
                if is_known:
                    await self._read_sensors()
        except TimeoutError:
            is_known = False
        except _AsleepError:
            return self._silent("It fell asleep before it answered.", "device_asleep")
        except CommandError as error:
            if not self.answers:
                raise
            return self._silent(error.message, error.code)
        if not is_known:
            return self._silent("The thermostat did not say how it is set.")
        return done("The thermostat said how it stands.", self._seen())

    # -- setting -------------------------------------------------------------------------------------------------------

    async def _send(self, targets: Targets) -> Outcome | None:
        """Send one after the other; the first refusal ends it."""
        refusal = None if targets.mode is None else await self._set(targets.mode)
        if refusal is None:
            # A change of mode may have moved the set-points, and they are put in order by how they stand.
            for target in targets.in_order(self.facts):
                refusal = refusal or await self._set(target)
        if refusal is None and targets.fan is not None:
            refusal = await self._set(targets.fan)
        return refusal

    async def _set(self, target: Target) -> Outcome | None:
        self.sent.append(target)
        self._setting = target
        result = await self._awake(self._link.set_value(self.facts.node_id, target.id, target.raw))
        self._setting = None
        self._has_left = True
        status = integer(result.get("status"), high=0xFF)
        self._is_sure = self._is_sure and status in _SURE
        detail: Detail = {"setting": target.name, "set_value_status": status}
        match status:
            case Status.FAIL:
                return rejected("device_refused", f"The thermostat refused the {_word(target)}.", detail)
            case Status.NO_DEVICE_SUPPORT | Status.ENDPOINT_NOT_FOUND | Status.NOT_IMPLEMENTED:
                return unsupported("The device does not know this command.", detail)
            case Status.INVALID_VALUE:
                return rejected("invalid_value", "zwave-js does not accept the value for this device.", detail)
            case _:
                return None

    async def _read_back(self, setting: ClimateSetting, *, is_final: bool) -> None:
        """Ask for each value that was sent; once more for those that a slow thermostat does not show yet."""
        if not self._is_sure:
            await self._wait(STORE_SECONDS, lambda: not self._others(setting))
        if not await self._ask([target.id for target in self.sent]) or self._is_sure or is_final:
            return
        if others := self._others(setting):
            await self._hold()
            await self._wait(SLOW_SECONDS, lambda: not self._others(setting))
            await self._ask([target.id for target in others])

    def _others(self, setting: ClimateSetting) -> list[Target]:
        """Return what was sent and is not so, as far as the thermostat has said."""
        missing = setting.missing(climate.climate(self.facts), self._capability)
        return [target for target in self.sent if getattr(missing, target.name) is not None]

    async def _wait(self, seconds: float, is_over: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with self._clock.timeout(seconds):
                while not is_over():
                    self._spoke.clear()
                    await self._spoke.wait()

    def _judge(self, setting: ClimateSetting, targets: Targets, refusal: Outcome | None) -> Outcome:
        is_whole = len(self.sent) == sum(target is not None for target in targets)
        is_read = all(target.id in self.answers for target in self.sent)
        missing = setting.missing(climate.climate(self.facts), self._capability)
        if is_whole and is_read and not missing:
            return done("The thermostat was read back and is set so.", self._seen())
        if refusal is not None:
            return replace(refusal, seen=self._seen())
        if not is_read:
            return self._silent("The thermostat did not say how it is set now; the change was sent to it.")
        names = [target for target in self.sent if getattr(missing, target.name) is not None]
        message = f"The thermostat received the setting and did not take it over: {', '.join(map(_word, names))}."
        return rejected("setting_not_taken", message, self._held(setting, names), self._seen())

    def _held(self, setting: ClimateSetting, others: Sequence[Target]) -> Detail:
        held = climate.climate(self.facts)
        detail: Detail = {f"wanted_{target.name}": getattr(setting, target.name) for target in others}
        return {**detail, **{f"held_{target.name}": getattr(held, target.name) for target in others}}

    # -- reading -------------------------------------------------------------------------------------------------------

    async def _read_settings(self) -> bool:
        mode = climate.mode(self.facts)
        if mode is not None and not await self._ask([mode.id], is_last=False):
            return False
        rest = [*points_in_use(self.facts), climate.fan(self.facts)]
        return await self._ask([place.id for place in rest if place is not None], is_last=False)

    async def _read_sensors(self) -> None:
        """Ask for what it measures and does; one that is not told is not worth another question."""
        places: list[Callable[[NodeFacts], Place | None]] = [
            climate.operating_state,
            climate.fan_state,
            climate.temperature,
            climate.humidity,
        ]
        for find in places:
            if (place := find(self.facts)) is not None:
                await self._ask([place.id], is_last=False)

    async def _ask(self, ids: Sequence[ValueId], *, is_last: bool = True) -> bool:
        """Ask for values; a question that is not answered ends it."""
        for value_id in ids:
            if is_last and value_id == ids[-1]:
                await self._let_go()
            value = await self._awake(self._link.poll(self.facts.node_id, value_id))
            self._has_left = True
            if value is None:
                self.answers.pop(value_id, None)
                return False
            self.answers[value_id] = value
            self.facts = self.facts.with_value(value_id, value)
        return True

    async def _awake[T](self, command: Coroutine[Any, Any, T]) -> T:
        """Wait for a command; zwave-js does not answer one that it keeps for a node's next wake-up."""
        asked, asleep = asyncio.ensure_future(command), asyncio.ensure_future(self._sleeps.wait())
        try:
            await asyncio.wait({asked, asleep}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                raise _AsleepError
            return asked.result()
        finally:
            for task in (asked, asleep):
                task.cancel()
            await asyncio.wait({asked, asleep})

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _silent(self, message: str, code: str = "no_answer") -> Outcome:
        return Outcome(OutcomeKind.SENT_UNCONFIRMED, code, message, {"node_id": self.facts.node_id}, self._seen())

    def _seen(self) -> tuple[ClimateSeen, ...]:
        if not self.answers:
            return ()
        return (ClimateSeen(native_id=self._native_id, climate=climate.climate(self.facts)),)


def _word(target: Target) -> str:
    return target.name.removesuffix("_celsius").replace("hvac_", "").replace("_", " ")
