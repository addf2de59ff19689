"""What the hub knows of the driver before it runs."""

import pytest
from hubd_drivers import salto_space
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.driver import SaltoSpaceDriver
from hubd_drivers.salto_space.manifest import BUDGET, MANIFEST


def test_the_manifest() -> None:
    assert (MANIFEST.type, MANIFEST.title, MANIFEST.hops) == ("salto_space", "Salto ProAccess Space", ("server",))
    assert MANIFEST.kinds == ("entrance", "encoder")
    assert MANIFEST.access_system == "salto_space"
    assert MANIFEST.config is SaltoSpaceConfig
    assert MANIFEST.doctor is not None
    assert BUDGET > 4, "somebody who looks for their card holds nobody up"
    assert {action.name for action in MANIFEST.actions} == {"start_office_mode", "end_office_mode"}
    assert all(action.on_device for action in MANIFEST.actions)


def test_the_package_gives_what_it_names() -> None:
    assert salto_space.MANIFEST is MANIFEST
    assert salto_space.SaltoSpaceDriver is SaltoSpaceDriver
    with pytest.raises(AttributeError, match="nothing"):
        _ = salto_space.nothing
