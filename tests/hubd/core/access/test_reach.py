from datetime import timedelta

from msgspec.structs import replace

from hubd.core.access.reach import Reach, as_wished, is_within
from hubd.model.access import (
    AcsGroup,
    AcsUser,
    AcsZone,
    CreateUser,
    EditUser,
    Permission,
    PermitEntrance,
    RevokeAll,
    SetMembership,
)
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


def test_what_is_wished_of_somebody_is_laid_over_them_in_order() -> None:
    anna = replace(ANNA, groups=("staff",), entrances=(Permission("bar"),), ends_at=NOON)
    assert as_wished(anna, [EditUser(subject="anna", is_suspended=True)]) == replace(anna, is_suspended=True)
    assert as_wished(anna, [EditUser(subject="anna", ends_at=None, starts_at=NOON)]) == replace(
        anna, starts_at=NOON, ends_at=None
    )
    joined = SetMembership(subject="anna", group="empty", is_member=True)
    left = SetMembership(subject="anna", group="staff", is_member=False)
    assert as_wished(anna, [joined, left]).groups == ("empty",)
    permit = PermitEntrance(subject="anna", entrance="main")
    assert as_wished(anna, [permit, permit]).entrances == (Permission("bar"), Permission("main"))
    assert as_wished(anna, [permit, RevokeAll(subject="anna")]) == replace(anna, groups=(), entrances=())
    assert as_wished(anna, [CreateUser(subject="anna", user=anna)]) == anna


def test_while_it_is_not_known_what_time_it_is_ends_happen_and_starts_wait() -> None:
    rights = (Permission("begun", NOON - HOUR), Permission("begins", NOON + HOUR), Permission("ended", None, NOON))
    anna, later = replace(ANNA, entrances=rights), NOON + 2 * HOUR
    assert REACH.of_user(anna, later) == {"begun", "begins"}
    assert REACH.of_user(anna, later, NOON) == {"begun"}
    assert is_within(None, None, NOON, NOON)
    assert is_within(later, NOON, None, None)
