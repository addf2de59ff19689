"""Seam's own SDKs, unchanged, against the daemon as a process with a simulated ProAccess Space server behind it."""

from pathlib import Path

import pytest
from hubd_drivers.salto_space.sim import Habit

from tests.scenarios.space import TRANSPORTS, Transport, at_home, opened, premises_of_process
from tests.scenarios.space_sides import agree
from tests.scenarios.test_official_sdks import ACCESS_STEPS, Sdk, drive, javascript, python_1, python_3

pytestmark = [pytest.mark.scenario, pytest.mark.node]

DOOR = "Garage"
"""An online door that not every access level lets pass."""


@pytest.fixture(params=[(python_3, "http"), (python_1, "stp"), (javascript, "stp")], ids=lambda one: one[0].__name__)
def visitor(request: pytest.FixtureRequest) -> tuple[Sdk, Transport]:
    """Each SDK, if it is installed, with a way between hub and server."""
    find, way = request.param
    return find(), TRANSPORTS[way]


async def test_space_as_property_software_uses_it(visitor: tuple[Sdk, Transport], tmp_path: Path) -> None:
    sdk, transport = visitor
    async with premises_of_process(tmp_path, transport) as (space, daemon):
        for encoder in space.encoders.values():
            encoder.habit = Habit(0.2)
        people = {user.id for user in space.site.users}
        async with at_home(space, daemon) as home:
            await drive(sdk, sdk.access, home.client, DOOR, steps=ACCESS_STEPS)
            await agree(home)
            await home.hears_all()
        assert {user.id for user in space.site.users} == people, "who was made is deleted again"
        assert opened(space, DOOR) == len(space.opened) == 1
        assert space.counters.requests["OnlineDoor.Open"] == 1
