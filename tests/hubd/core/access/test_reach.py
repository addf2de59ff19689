from datetime import timedelta

from msgspec.structs import replace

from hubd.core.access.reach import Reach
from hubd.model.access import AcsGroup, AcsUser, AcsZone, Permission
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
GROUPS = {
    "staff": AcsGroup("staff", "Staff", entrances=(Permission("main"),), zones=(Permission("floor"),)),
    "empty": AcsGroup("empty", "Empty"),
}
ZONES = {"floor": AcsZone("floor", "Floor 1", entrances=("r1", "r2")), "sea": AcsZone("sea", "Sea", entrances=("r9",))}
REACH = Reach(GROUPS.get, ZONES)
ANNA = AcsUser("anna", "Anna")


def test_rights_of_ones_own_of_groups_and_of_zones_come_together() -> None:
    anna = replace(
        ANNA, groups=("staff",), entrances=(Permission("bar"), Permission("main")), zones=(Permission("sea"),)
    )
    assert REACH.of_user(anna) == {"bar", "main", "r9", "r1", "r2"}
    assert REACH.of_own(anna) == {"bar", "main", "r9"}
    assert REACH.of_group(GROUPS["staff"]) == {"main", "r1", "r2"}


def test_nobody_passes_anything_while_suspended() -> None:
    anna = replace(ANNA, groups=("staff",), entrances=(Permission("bar"),), is_suspended=True)
    assert REACH.of_user(anna) == set()


def test_groups_and_zones_that_are_not_known_open_nothing() -> None:
    anna = replace(ANNA, groups=("gone", "empty"), zones=(Permission("gone"),))
    assert REACH.of_user(anna) == set()
    assert REACH.of_user(ANNA) == set()


def test_a_right_holds_within_its_frame() -> None:
    frame = Permission("bar", NOON, NOON + HOUR)
    anna = replace(ANNA, entrances=(frame,), zones=(Permission("floor", starts_at=NOON + HOUR),))
    assert REACH.of_user(anna) == {"bar", "r1", "r2"}
    assert REACH.of_user(anna, NOON) == {"bar"}
    assert REACH.of_user(anna, NOON + HOUR) == {"r1", "r2"}
    assert REACH.of_user(anna, NOON - HOUR) == set()


def test_what_is_returned_is_the_callers_own() -> None:
    REACH.of_user(replace(ANNA, zones=(Permission("sea"),))).add("vault")
    assert ZONES["sea"].entrances == ("r9",)
