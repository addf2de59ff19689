"""The stick's inclusion and exclusion modes, which it is taken out of whatever happens.

zwave-js waits for a device without end, and goes on when the hub is gone. So a file in the driver's storage says that
the hub has put the stick into a mode; the next life that finds it takes the stick out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

from hubd.driver import ActionError, Port
from hubd_drivers.zwave.care.errors import BUSY_CODE, busy
from hubd_drivers.zwave.care.events import BUSY, EXCLUDING, INCLUDING
from hubd_drivers.zwave.facts import Json, mapping
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link

STOP_SECONDS: Final = 8.0
CANCELLED: Final = 6
"""`KEXFailType.BootstrappingCanceled` of zwave-js."""
MARKER: Final = "mode-open"
_UNPLUG: Final = "Unplug the stick for ten seconds."

type Way = Literal["inclusion", "exclusion"]


class Mode:
    """Takes the stick out of what actions have put it into."""

    def __init__(self, link: Link, port: Port) -> None:
        self._link = link
        self._port = port
        self._is_recovered = asyncio.Event()

    @asynccontextmanager
    async def open(self, way: Way, begin: Callable[[], Awaitable[Json]]) -> AsyncIterator[None]:
        """Bring the stick into a mode by `begin`, and have it out of it at the end of the block, however that ends.

        Raises `ActionError` instead of the block's own when the stick does not leave it. A cancellation and the loss of
        the link pass; the log then says that the stick may still be in the mode.
        """
        await self._is_recovered.wait()
        was_marked = await asyncio.to_thread(self._mark)
        try:
            await self._enter(begin)
            yield
        except ActionError as error:
            if error.code == BUSY_CODE:  # by somebody else's order, which is not ended here
                if not was_marked:
                    await asyncio.to_thread(self._unmark)
                raise
            if not await self.close():
                message = f"{error.message} The stick does not leave {way} mode."
                raise ActionError(f"{way}_not_stopped", message, _UNPLUG) from error
            raise
        except BaseException:
            if not await self.close():
                self._port.log.warning(
                    "the Z-Wave stick may be left in %s mode; that is seen to with the next link", way
                )
            raise
        if not await self.close():
            self._port.log.warning("whether the Z-Wave stick has left %s mode is not known", way)

    @staticmethod
    async def _enter(begin: Callable[[], Awaitable[Json]]) -> None:
        if (await begin()).get("success") is not True:
            raise busy()

    async def recover(self) -> None:
        """Take the stick out of the mode that an earlier life of the link, or of the hub, has left it in.

        No mode is opened before that is done.
        """
        try:
            if await asyncio.to_thread(self._is_marked):
                end = "it is out of it now" if await self.close() else "it cannot be taken out of it: unplug it"
                self._port.log.warning("the Z-Wave stick was left in inclusion or exclusion mode; %s", end)
        finally:
            self._is_recovered.set()

    async def close(self) -> bool:
        """Take the stick out of its mode; False when that is not known to have worked. Never raises for the network."""
        try:
            async with self._port.clock.timeout(STOP_SECONDS):
                answer = await self._link.command("controller.get_state")
                await self._leave(mapping(answer.get("state")).get("inclusionState"))
        except (CommandError, TimeoutError):
            return False
        await asyncio.to_thread(self._unmark)
        return True

    async def _leave(self, state: object) -> None:
        if state == INCLUDING:
            await self._link.command("controller.stop_inclusion")
        elif state == EXCLUDING:
            await self._link.command("controller.stop_exclusion")
        elif state == BUSY:
            await self._break_off_keys()

    async def _break_off_keys(self) -> None:
        """Answer what zwave-js may be waiting for so that it gives up. What it does not wait for, it refuses."""
        nothing = {"securityClasses": [], "clientSideAuth": False}
        for name, arguments in (
            ("grant_security_classes", {"inclusionGrant": nothing}),
            ("validate_dsk_and_enter_pin", {"pin": ""}),
            ("cancel_secure_bootstrap_s2", {"reason": CANCELLED}),
        ):
            try:
                await self._link.command(f"controller.{name}", **arguments)
            except CommandError as error:
                self._port.log.debug("%s was not waited for: %s", name, error.message)

    # -- off the loop -------------------------------------------------------------------------------------------------

    def _mark(self) -> bool:
        """Leave the mark; returns whether it was there already."""
        was_marked = self._is_marked()
        (self._port.storage / MARKER).touch(0o600)
        return was_marked

    def _unmark(self) -> None:
        (self._port.storage / MARKER).unlink(missing_ok=True)

    def _is_marked(self) -> bool:
        return (self._port.storage / MARKER).exists()
