from hubd.api.reachability import unreachable
from hubd.model.seen import ReachabilitySeen
from tests.hubd.api.harness import Api
from tests.support.site import eventually


async def test_the_nearest_broken_hop_is_named(api: Api) -> None:
    device_id = await api.device_id()
    assert unreachable(api.hub, api.hub.present(device_id)) == []
    await api.see(ReachabilitySeen(native_id="lock-1", online=False, reason="No radio contact."))
    (problem,) = unreachable(api.hub, api.hub.present(device_id))
    assert (problem.error_code, problem.message) == ("device_disconnected", "No radio contact.")
    await api.ok("/devices/simulate/disconnect_from_hub", {"device_id": device_id})
    await eventually(lambda: not api.hub.health["site"].is_connected)
    (problem,) = unreachable(api.hub, api.hub.present(device_id))
    assert problem.error_code == "hub_disconnected"
    del api.hub.health["site"]
    (problem,) = unreachable(api.hub, api.hub.present(device_id))
    assert (problem.error_code, problem.is_device_error) == ("account_disconnected", False)
