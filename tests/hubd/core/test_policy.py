from typing import Any

import pytest

from hubd.core.policy import Policy
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
