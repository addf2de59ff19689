"""Every action that the manifest lists can be done, and nothing else."""

import pytest
from hubd_drivers.zwave import MANIFEST, ZwaveConfig
from hubd_drivers.zwave.care import dispatch
from hubd_drivers.zwave.care.catalogue import ACTIONS

from hubd.driver import ActingDriver, ActionError, Arguments
from tests.drivers.zwave.fakes import FakeLink
from tests.drivers.zwave.person import Person, network_of


def test_the_manifest_lists_what_is_done() -> None:
    assert MANIFEST.actions == ACTIONS
    on_device = {action.name for action in ACTIONS if action.on_device}
    on_network = {action.name for action in ACTIONS if not action.on_device}
    assert on_device == set(dispatch.ON_DEVICE)
    assert on_network == set(dispatch.ON_NETWORK)
    assert isinstance(MANIFEST.create(ZwaveConfig()), ActingDriver)


async def test_what_is_not_listed_is_not_done() -> None:
    with pytest.raises(ActionError) as caught:
        await dispatch.act(network_of(FakeLink()), "reset_stick", Arguments(), None, Person())
    assert caught.value.code == "action_not_found"
