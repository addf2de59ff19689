"""What the hub knows of this driver before it runs."""

from hubd.driver import Action, Manifest
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.doctor import doctor
from hubd_drivers.salto_space.doors import END_OFFICE, START_OFFICE
from hubd_drivers.salto_space.driver import SaltoSpaceDriver
from hubd_drivers.salto_space.failures import SERVER
from hubd_drivers.salto_space.sim.options import SIMULATOR

BUDGET = 16
"""Orders under way at a time: somebody may take a minute to present a card, and nobody at a door waits for that."""

ACTIONS = (
    Action(
        name=START_OFFICE,
        title="Start office mode",
        description="Leaves an online door unlocked until office mode is ended, by command or at the door.",
        on_device=True,
        seconds=30.0,
        warning="Everybody can pass the door from then on.",
    ),
    Action(
        name=END_OFFICE,
        title="End office mode",
        description="Has an online door open with keys alone again.",
        on_device=True,
        seconds=30.0,
    ),
)

MANIFEST = Manifest(
    type="salto_space",
    title="Salto ProAccess Space",
    config=SaltoSpaceConfig,
    create=SaltoSpaceDriver,
    hops=(SERVER,),
    kinds=("entrance", "encoder"),
    budget=BUDGET,
    doctor=doctor,
    actions=ACTIONS,
    access_system="salto_space",
    simulator=SIMULATOR,
)
