from datetime import timedelta

from hubd.core.health import HopHealth, InstanceHealth, Moment
from tests.support.clock import NOON, ManualClock
from tests.support.hub import ScriptedDriver, lost

HOPS = ("server", "controller", "mesh")


def a_health(clock: ManualClock | None = None) -> InstanceHealth:
    return InstanceHealth("front", ScriptedDriver().manifest(hops=HOPS), clock or ManualClock())


def marks(health: InstanceHealth) -> list[bool | None]:
    assert [hop.name for hop in health.hops()] == list(HOPS)
    return [hop.ok for hop in health.hops()]


def test_nothing_is_known_at_first() -> None:
    health = a_health()
    assert (health.state, health.is_connected, marks(health)) == ("starting", False, [None, None, None])
    assert health.sentence() == "Scripted: connecting."


def test_connected() -> None:
    health = a_health()
    health.attempts, health.next_try_at = 4, NOON
    health.connected()
    assert (health.state, health.is_connected, marks(health)) == ("connected", True, [True, True, True])
    assert [health.attempts, health.next_try_at, health.error] == [0, None, None]
    assert health.sentence() == "Scripted: connected."


def test_behind_a_broken_hop_nothing_is_judged() -> None:
    health = a_health()
    health.connected()
    health.lost(lost("controller"))
    assert marks(health) == [True, False, None]
    assert health.hops()[1] == HopHealth(
        "controller", ok=False, code="gone", message="The server is gone.", remedy="Plug it in."
    )
    assert health.sentence() == "Scripted: The server is gone."
    health.lost(lost("server"))
    assert marks(health) == [False, None, None]


def test_a_loss_whose_hop_nobody_knows_is_shown_all_the_same() -> None:
    health = a_health()
    health.connected()
    health.lost(lost("the moon"))
    assert marks(health) == [False, None, None]
    assert health.hops()[0].code == "gone"


def test_since_when() -> None:
    clock = ManualClock()
    health = a_health(clock)
    clock.step(10)
    health.lost(lost("server"))
    clock.step(10)
    health.lost(lost("controller"))
    assert health.since == NOON + timedelta(seconds=10)
    clock.step(10)
    health.connected()
    health.connected()
    assert health.since == NOON + timedelta(seconds=30)


def test_each_hop_behind_the_link_comes_back_by_itself() -> None:
    health = a_health()
    health.connected()
    health.hop_lost(lost("mesh"))
    health.hop_lost(lost("controller"))
    assert marks(health) == [True, False, None]
    health.hop_back("controller")
    assert marks(health) == [True, True, False]
    health.hop_back("controller")
    assert not health.is_connected
    health.hop_back("mesh")
    assert health.is_connected


def test_a_hop_that_was_lost_before_the_link_was_ready_is_still_lost_then() -> None:
    health = a_health()
    health.hop_lost(lost("controller"))
    health.connected()
    assert marks(health) == [True, False, None]
    health.hop_back("controller")
    assert health.is_connected


def test_a_hop_that_is_back_before_the_link_is_ready_is_no_connection() -> None:
    health = a_health()
    health.hop_lost(lost("controller"))
    health.hop_back("controller")
    assert (health.state, health.error) == ("starting", None)


def test_a_new_link_knows_nothing_of_the_old_ones_hops() -> None:
    health = a_health()
    health.connected()
    health.hop_lost(lost("controller"))
    health.lost(lost("server"))
    health.hop_back("controller")
    assert marks(health) == [False, None, None]
    health.connected()
    assert marks(health) == [True, True, True]


def test_at_first_the_way_is_not_lost() -> None:
    health = a_health()
    assert health.lost_since is None


def test_the_way_is_lost_once_whatever_is_lost_of_it_since() -> None:
    clock = ManualClock()
    health = a_health(clock)
    clock.step(10)
    health.lost(lost("server"))
    began = Moment(NOON + timedelta(seconds=10), clock.monotonic())
    clock.step(10)
    health.lost(lost("controller"))
    health.hop_lost(lost("mesh"))
    health.hop_back("mesh")
    assert health.state == "starting"
    assert health.lost_since == began
    health.connected()
    assert health.lost_since is None
