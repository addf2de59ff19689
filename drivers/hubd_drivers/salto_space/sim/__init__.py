"""A simulated ProAccess Space server: the other side of the wire, for tests and for `hubd sim salto`.

It is built on what is public of SHIP. That a driver works with it shows that both follow the same notes; it cannot show
that the notes match a real server.
"""

from hubd_drivers.salto_space.sim.builders import add_history, big_site, demo_site
from hubd_drivers.salto_space.sim.encoders import Encoder, Habit
from hubd_drivers.salto_space.sim.locks import DoorState, Lock, Wiring
from hubd_drivers.salto_space.sim.mischief import Hold, Trouble
from hubd_drivers.salto_space.sim.options import SIMULATOR, SimOptions, serve
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Permit, Record
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.state import Site
from hubd_drivers.salto_space.sim.stp import Stp
from hubd_drivers.salto_space.sim.trail import Operation
from hubd_drivers.salto_space.sim.web import Basic, Custom, Http

__all__ = [
    "SIMULATOR",
    "Basic",
    "Custom",
    "DoorState",
    "Encoder",
    "Habit",
    "Hold",
    "Http",
    "Lock",
    "Operation",
    "Permit",
    "Quirks",
    "Record",
    "SimOptions",
    "Site",
    "Space",
    "Stp",
    "Trouble",
    "Wiring",
    "add_history",
    "big_site",
    "demo_site",
    "serve",
]
