"""The actions of network care: what is run under which name."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from hubd.driver import ActionError, ActionResult, Arguments, Progress
from hubd_drivers.zwave.care import backup, exclusion, inclusion, report, routes, smart_start, upkeep
from hubd_drivers.zwave.care.network import Network

type OnNetwork = Callable[[Network, Any, Progress], Awaitable[ActionResult]]
type OnDevice = Callable[[Network, str | None, Any, Progress], Awaitable[ActionResult]]

ON_NETWORK: Final[Mapping[str, OnNetwork]] = {
    "include": inclusion.include,
    "exclude": exclusion.exclude,
    "smart_start_add": smart_start.add,
    "smart_start_list": smart_start.show,
    "smart_start_remove": smart_start.remove,
    "remove_failed_node": exclusion.remove_failed_node,
    "rebuild_all_routes": routes.rebuild_all,
    "network": report.show,
    "backup_stick": backup.backup,
    "restore_stick": backup.restore,
}
ON_DEVICE: Final[Mapping[str, OnDevice]] = {
    "ping": upkeep.ping,
    "interview_again": upkeep.interview_again,
    "rebuild_routes": routes.rebuild,
    "check_health": routes.check_health,
    "statistics": report.statistics,
    "remove_failed": exclusion.remove_failed,
    "replace_failed": inclusion.replace_failed,
}


async def act(
    network: Network, action: str, arguments: Arguments, native_id: str | None, progress: Progress
) -> ActionResult:
    """Do one of `catalogue.ACTIONS`. Raises `ActionError`, `DriverError`."""
    if (on_network := ON_NETWORK.get(action)) is not None:
        return await on_network(network, arguments, progress)
    if (on_device := ON_DEVICE.get(action)) is not None:
        return await on_device(network, native_id, arguments, progress)
    raise ActionError("action_not_found", f"The Z-Wave driver has no action {action!r}.")
