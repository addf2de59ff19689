"""The radio links: routes found anew, health checked."""

import asyncio
from typing import Final

from hubd.driver import ActionError, ActionResult, Arguments, Fact, Progress
from hubd_drivers.zwave.care.catalogue import ALL_ROUTES_SECONDS, ROUTES_SECONDS, Rounds
from hubd_drivers.zwave.care.events import HealthProgress, RoutesProgress
from hubd_drivers.zwave.care.network import Feed, Network
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.facts import Json, integer, items, mapping, number

STOP_SECONDS: Final = 5.0
_ROUND_SECONDS: Final = 85.0
_NO_CONTACT: Final = "Check its batteries and its distance to the next mains-powered node."
_WORDS: Final = ((10, "perfect"), (6, "good"), (4, "acceptable"), (1, "bad"), (0, "dead"))
"""zwave-js's own words, by the least rating."""
_ALREADY: Final = "Routes are being found anew already, by somebody else's order."


async def rebuild(network: Network, native_id: str | None, _: Arguments, progress: Progress) -> ActionResult:
    """Have one device find its neighbours and get new routes."""
    device = network.device(native_id)
    name = device.description.name
    _refuse_sleeping(device)
    progress.say(f"{name} looks for its neighbours.")
    answer = await network.command("controller.rebuild_node_routes", seconds=ROUTES_SECONDS, nodeId=device.node_id)
    if answer.get("success") is not True:
        raise ActionError("routes_failed", f"{name} did not do its part in finding new routes.", _NO_CONTACT)
    return ActionResult(message=f"{name} has new routes.", facts={"node_id": device.node_id})


async def rebuild_all(network: Network, _: Arguments, progress: Progress) -> ActionResult:
    """Do that for every node that does not sleep."""
    async with network.feed() as feed:
        options = {"includeSleeping": False}
        answer = await network.command("controller.begin_rebuilding_routes", options=options)
        if answer.get("success") is not True:
            raise ActionError("controller_busy", _ALREADY, "Wait for its end.")
        try:
            async with network.port.clock.timeout(ALL_ROUTES_SECONDS):
                nodes = await _follow(feed, progress)
        except (asyncio.CancelledError, TimeoutError) as error:
            await _give_up(network, "controller.stop_rebuilding_routes")
            if isinstance(error, TimeoutError):
                message = f"It was not over within {ALL_ROUTES_SECONDS // 3600} hours, and was stopped."
                raise ActionError("routes_failed", message, "Rebuild the routes of single devices.") from error
            raise
    states = {one: state for state, ids in nodes.items() for one in ids}
    rows: tuple[dict[str, Fact], ...] = tuple(
        {"node_id": one, "name": network.name(one), "state": states[one]} for one in sorted(states)
    )
    done, failed = len(nodes.get("done", ())), len(nodes.get("failed", ()))
    skipped = len(states) - done - failed
    message = f"{done} nodes have new routes, {failed} failed, {skipped} were passed over (dead or asleep)."
    facts: dict[str, Fact] = {"done": done, "failed": failed, "skipped": skipped}
    return ActionResult(message=message, facts=facts, table=rows)


async def _follow(feed: Feed, progress: Progress) -> dict[str, tuple[int, ...]]:
    while True:
        event = await feed.until(RoutesProgress)
        if event.is_over:
            return event.nodes
        total = sum(map(len, event.nodes.values()))
        left = len(event.nodes.get("pending", ()))
        progress.say(f"{total - left} of {total} nodes are done.", share=(total - left) / total if total else None)


async def check_health(network: Network, native_id: str | None, arguments: Rounds, progress: Progress) -> ActionResult:
    """Rate the link between the stick and one device."""
    device = network.device(native_id)
    name, node_id, rounds = device.description.name, device.node_id, arguments.rounds
    _refuse_sleeping(device)
    progress.say(f"{name} is pinged over and over.", share=0.0)
    async with network.feed() as feed:
        telling = asyncio.create_task(_tell_rounds(feed, node_id, progress), name="zwave-health")
        try:
            answer = await network.command(
                "node.check_lifeline_health", seconds=rounds * _ROUND_SECONDS, nodeId=node_id, rounds=rounds
            )
        except (asyncio.CancelledError, ActionError):
            await _give_up(network, "node.abort_health_check", nodeId=node_id)
            raise
        finally:
            telling.cancel()
            await asyncio.wait({telling})
    summary = mapping(answer.get("summary"))
    rating = integer(summary.get("rating"), high=10)
    if rating is None:
        raise ActionError("health_not_known", f"zwave-js came to no rating of {name}.", _NO_CONTACT)
    word = next(word for least, word in _WORDS if rating >= least)
    rows = tuple(_round(mapping(raw)) for raw in items(summary.get("results"))[:rounds])
    message = f"The link to {name} is {word} ({rating} of 10)."
    return ActionResult(message=message, facts={"node_id": node_id, "rating": rating}, table=rows)


async def _tell_rounds(feed: Feed, node_id: int, progress: Progress) -> None:
    while True:
        event = await feed.until(HealthProgress)
        if event.node_id == node_id and event.rounds > 0:
            rating = "not known" if event.rating is None else f"{event.rating} of 10"
            share = min(1.0, event.round / event.rounds)
            progress.say(f"Round {event.round} of {event.rounds}: {rating}.", share=share)


def _round(result: Json) -> dict[str, Fact]:
    return {
        "rating": integer(result.get("rating"), high=10),
        "failed_pings": integer(result.get("failedPingsNode"), high=1000),
        "latency_ms": number(result.get("latency"), 0, 10**6),
        "route_changes": integer(result.get("routeChanges"), high=1000),
        "neighbors": integer(result.get("numNeighbors"), high=1000),
        "margin_db": number(result.get("snrMargin"), -200, 200),
    }


def _refuse_sleeping(device: ZwaveDevice) -> None:
    if device.is_asleep:
        message = f"{device.description.name} sleeps and hears nothing."
        raise ActionError("device_asleep", message, "Wake it, usually by its button, and start it again at once.")


async def _give_up(network: Network, name: str, **arguments: object) -> None:
    """Have zwave-js stop what nobody waits for any more."""
    try:
        await network.command(name, seconds=STOP_SECONDS, **arguments)
    except ActionError as error:
        network.port.log.debug("%s: %s", name, error.message)
