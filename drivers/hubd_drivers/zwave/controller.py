"""Watches the stick behind a living server.

zwave-js reports a pulled stick after some 12 s. It is known earlier: zwave-js writes into its log that the serial port
closed, and the stick is asked every few seconds (which waits for ever if a frame was on its way when it was pulled).
"""

import asyncio
from typing import Final

from hubd.driver import DriverError, Port
from hubd_drivers.zwave.failures import (
    CONTROLLER,
    NOT_SUPPORTED_BY_CONTROLLER,
    SERVER_LOST,
    CommandError,
    controller_error,
)
from hubd_drivers.zwave.link import Link

READY, UNRESPONSIVE, JAMMED = range(3)
"""`ControllerStatus` of zwave-js."""

PATIENCE_SECONDS: Final = 30.0
"""A question waits behind what the radio is sending, which for a lock out of reach lasts many seconds."""

_QUESTIONS: Final = ("controller.is_failed_node", "controller.get_background_rssi", "controller.get_powerlevel")
"""Each reads a register of the controller over the serial port and sends nothing over the air; the first is the one
that every generation of controllers answers."""


class ControllerWatch:
    """Knows whether the controller works, and tells the hub when that changes."""

    def __init__(self, link: Link, port: Port, seconds: float) -> None:
        self._link = link
        self._port = port
        self._seconds = seconds
        self._questions = list(_QUESTIONS)
        self._suspected = asyncio.Event()
        self._is_unresponsive = False
        self.recovered = asyncio.Event()
        """Set whenever the controller is back."""
        self.recoveries = 0
        """How often it came back in this life."""

    @property
    def loss(self) -> DriverError | None:
        """Why commands cannot be sent at the moment."""
        return self._link.controller_loss

    def status(self, status: int) -> None:
        """Take in what zwave-js says about the controller; it may call it ready in mere hope, so that is checked."""
        self._is_unresponsive = status == UNRESPONSIVE
        if status == UNRESPONSIVE:
            self._lose("controller_unresponsive", "The Z-Wave stick does not answer zwave-js.")
        elif status == JAMMED:
            self._lose("controller_jammed", "The Z-Wave stick cannot transmit: the radio channel is occupied.")
        else:
            self.suspect()

    def port(self, *, is_open: bool) -> None:
        """Take in that zwave-js lost the serial port of the stick, or has it again.

        An open port counts as the stick's return until an answer says otherwise: a question may have to wait for the
        end of the frame that was on its way when the stick was pulled.
        """
        if not is_open:
            self._lose("controller_lost", "zwave-js cannot reach its Z-Wave stick.")
            return
        if not self._is_unresponsive:
            self._regain()
        self.suspect()

    def suspect(self) -> None:
        """Have the controller checked at once."""
        self._suspected.set()

    async def hear_log(self) -> None:
        """Have the server pass on what zwave-js logs of itself; what is of use arrives as an event."""
        try:
            async with self._port.clock.timeout(PATIENCE_SECONDS):
                await self._link.command("driver.start_listening_logs", filter={"source": "driver"})
        except (TimeoutError, CommandError) as error:
            self._port.log.debug("zwave-js does not pass on its log: %r", error)

    async def run(self) -> None:
        """Check for ever."""
        while True:
            try:
                async with self._port.clock.timeout(self._seconds):
                    await self._suspected.wait()
            except TimeoutError:
                pass
            self._suspected.clear()
            await self.check()

    async def check(self) -> bool:
        """Ask the controller something; returns whether it works as far as anybody can tell."""
        try:
            async with self._port.clock.timeout(PATIENCE_SECONDS):
                answered = await self._ask()
        except TimeoutError:
            self._lose("controller_silent", f"The Z-Wave stick gave no answer within {PATIENCE_SECONDS:g} s.")
            return False
        except CommandError as error:
            if error.code != SERVER_LOST:
                self._lose("controller_lost", "zwave-js cannot reach its Z-Wave stick.")
            return False
        if (answered or not self._questions) and not self._is_unresponsive:
            self._regain()
        return self.loss is None

    async def _ask(self) -> bool:
        """Return False when no question suits this controller. Raises `CommandError` when it cannot be reached."""
        while self._questions:
            arguments = {"nodeId": self._link.own_node_id} if self._questions[0] == _QUESTIONS[0] else {}
            try:
                await self._link.command(self._questions[0], **arguments)
            except CommandError as error:
                if error.number != NOT_SUPPORTED_BY_CONTROLLER:
                    if error.suspect or error.code == SERVER_LOST:
                        raise
                    return True  # it objected, so it is there
                self._questions.pop(0)
                if not self._questions:
                    self._port.log.warning(
                        "this Z-Wave stick cannot be asked whether it is there; its loss shows later"
                    )
            else:
                return True
        return False

    def _lose(self, code: str, message: str) -> None:
        if self.loss is not None and self.loss.code == code:
            return
        self._link.controller_loss = error = controller_error(code, message)
        self._port.log.warning("controller lost: %s", message)
        self._port.hop_lost(error)

    def _regain(self) -> None:
        if self.loss is None:
            return
        self._link.controller_loss = None
        self._port.log.info("the controller works again")
        self._port.hop_back(CONTROLLER)
        self.recoveries += 1
        self.recovered.set()
