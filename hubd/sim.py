"""`hubd sim`: a simulated counterpart of a driver's system, on this machine."""

import argparse
import asyncio
import signal
from collections.abc import Callable
from typing import Any

import msgspec

from hubd.core.arguments import convert
from hubd.driver import fields, registry
from hubd.driver.protocol import Manifest
from hubd.driver.simulation import Simulator
from hubd.keyboard import about, pair
from hubd.model.errors import HubError, InvalidInputError

DONE = 0


def add(add_command: Callable[..., Any]) -> None:
    """Add the command to the command line."""
    sim = add_command("sim", "Play the system that a driver talks to; without a name, list what can be played.", _sim)
    sim.add_argument("name", nargs="?", metavar="NAME", help="such as salto")
    sim.add_argument("values", nargs="*", type=pair, metavar="NAME=VALUE", help="its options")


def _sim(arguments: argparse.Namespace) -> int:
    simulators = _installed()
    if arguments.name is None:
        for known in simulators.values():
            print("\n".join(_help(known)))
        return DONE
    simulator = simulators.get(arguments.name)
    if simulator is None:
        names = ", ".join(simulators) or "none"
        raise HubError("unknown_simulator", f"there is no simulator {arguments.name!r}; there are: {names}")
    try:
        options = convert(simulator.options, fields.read(simulator.options, dict(arguments.values)))
    except InvalidInputError as error:
        raise HubError(error.code, error.message.removeprefix("arguments.")) from None
    asyncio.run(_play(simulator, options))
    return DONE


def _installed() -> dict[str, Simulator]:
    """Return the simulators of the drivers whose libraries are there."""
    found: list[Manifest] = []
    for name in registry.types():
        try:
            found.append(registry.load(name))
        except HubError as error:
            if error.code != "driver_not_installed":
                raise
    return {one.simulator.name: one.simulator for one in found if one.simulator is not None}


def _help(simulator: Simulator) -> list[str]:
    known = fields.fields(simulator.options)
    width = max((len(field.name) for field in known), default=0)
    lines = [f"hubd sim {simulator.name} [NAME=VALUE ...]", f"    {simulator.title}"]
    return lines + [f"      {field.name:<{width}}  {about(msgspec.to_builtins(field))}" for field in known]


async def _play(simulator: Simulator, options: Any) -> None:
    playing = asyncio.create_task(simulator.serve(options, lambda line: print(line, flush=True)))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    await asyncio.wait({playing})
    if not playing.cancelled():
        playing.result()
