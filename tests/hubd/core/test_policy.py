from typing import Any

import pytest

from hubd.core.policy import Policy
from hubd.model import Device, DeviceDescription
from tests.support.hub import lock, thermostat


@pytest.mark.parametrize(
    ("filters", "lock_wanted", "thermostat_wanted"),
    [
        ({}, True, False),
        ({"include_kinds": ("lock", "thermostat")}, True, True),
        ({"include_kinds": ()}, False, False),
        ({"exclude_kinds": ("lock",)}, False, False),
        ({"include_ids": ("n",)}, True, True),
        ({"include_ids": ("id",)}, True, True),
        ({"include_kinds": (), "include_ids": ("n",)}, True, True),
        ({"exclude_ids": ("n",)}, False, False),
        ({"exclude_ids": ("id",)}, False, False),
        ({"include_ids": ("n",), "exclude_kinds": ("thermostat",)}, True, False),
        ({"include_ids": ("n",), "exclude_ids": ("id",)}, False, False),
        ({"include_ids": ("other",), "exclude_ids": ("other",)}, True, False),
    ],
)
def test_a_new_device(filters: dict[str, Any], *, lock_wanted: bool, thermostat_wanted: bool) -> None:
    policy = Policy(**({"include_kinds": ("lock",)} | filters))
    assert policy.wants(lock("n"), "id") is lock_wanted
    assert policy.wants(thermostat("n"), "id") is thermostat_wanted


def test_to_be_left_out_is_more_than_not_to_be_asked_for() -> None:
    policy = Policy(("lock",), exclude_ids=("n",))
    assert policy.excludes(lock("n"), "id")
    assert not policy.excludes(thermostat("m"), "id")
    assert not policy.wants(thermostat("m"), "id")


@pytest.mark.parametrize(
    ("description", "was_managed", "is_managed"),
    [
        (lock("n"), None, True),
        (lock("n"), True, True),
        (lock("n"), False, False),
        (thermostat("n"), True, True),
        (thermostat("n"), None, False),
        (DeviceDescription("n", "entrance", "a_door", "Door"), False, True),
        (DeviceDescription("n", "encoder", "an_encoder", "Encoder"), True, False),
    ],
)
def test_people_decide_of_known_devices_and_the_config_of_parts_of_an_access_system(
    description: DeviceDescription, *, was_managed: bool | None, is_managed: bool
) -> None:
    policy = Policy(include_kinds=("lock", "entrance"))
    assert policy.manages(Device("id", "site", description), was_managed=was_managed) is is_managed


def test_what_the_config_excludes_is_managed_no_more() -> None:
    policy = Policy(include_kinds=("lock",), exclude_ids=("n",))
    assert not policy.manages(Device("id", "site", lock("n")), was_managed=True)
