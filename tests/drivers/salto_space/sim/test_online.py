import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.locks import DoorState, Wiring
from hubd_drivers.salto_space.sim.people import Operator
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.schema import DOOR

from tests.drivers.salto_space.sim.asking import SUMMER, Asker, small_site
from tests.support.clock import ManualClock

STATUS = "OnlineDoor.GetOnlineStatusList"


def asker(quirks: Quirks | None = None) -> Asker:
    clock = ManualClock(SUMMER)
    site = small_site(clock)
    for key, wiring in (("w1", Wiring.WIRED), ("w2", Wiring.WIRED), ("r1", Wiring.RADIO)):
        site.add(DOOR, {"ExtDoorID": key, "Name": f"Online {key}", "OpenTime": "6"}, wiring=wiring)
    return Asker(site, quirks, clock)


def ids(*keys: str) -> str:
    return "<ExtDoorIDList>" + "".join(f"<ExtDoorID>{key}</ExtDoorID>" for key in keys) + "</ExtDoorIDList>"


def names(*keys: str) -> str:
    return "<DoorNameList>" + "".join(f"<DoorID>{key}</DoorID>" for key in keys) + "</DoorNameList>"


def rows(params: Element) -> list[tuple[str, ...]]:
    return [tuple(child.text for child in row.children) for row in params.children[0].children]


def codes(params: Element) -> dict[str, str]:
    assert params.children[0].name == "OnlineDoorActionResultList"
    return {row.value("DoorID"): row.value("ErrorCode") for row in params.children[0].children}


async def test_a_status_is_asked_by_id_or_by_name_and_an_offline_door_has_none() -> None:
    here = asker()
    asked = await here.ask(STATUS, ids("r1", "d1"))
    assert [child.name for child in asked.children[0].children[0].children] == [
        "DoorID",
        "DoorType",
        "CommStatus",
        "DoorStatus",
        "BatteryStatus",
        "TamperStatus",
    ]
    assert rows(asked) == [("r1", "1", "1", "1", "0", "0"), ("d1", "-1", "-1", "-1", "-1", "-1")]
    assert rows(await here.ask(STATUS, names("Online w1"))) == [("Online w1", "0", "1", "1", "0", "0")]


async def test_an_empty_list_is_every_online_door() -> None:
    here = asker()
    for empty in (ids(), ""):
        assert [row[0] for row in rows(await here.ask(STATUS, empty))] == ["w1", "w2", "r1"]
    assert rows(await here.ask(STATUS, names()))[0][0] == "Online w1"


async def test_the_older_form_has_no_type() -> None:
    asked = await asker().ask("OnlineIPDoor.GetOnlineStatusList", ids("w1"))
    assert asked.children[0].name == "OnlineIPDoorStatusList"
    assert asked.children[0].children[0].name == "OnlineIPDoorStatus"
    assert rows(asked) == [("w1", "1", "1", "0", "0")]


async def test_an_unknown_door_is_answered_in_three_ways() -> None:
    found = {}
    for quirks in (Quirks(), Quirks(unknown_door="missing")):
        asked = await asker(quirks).ask(STATUS, ids("x", "w1"))
        found[quirks.unknown_door] = [row[:3] for row in rows(asked)]
    assert found == {"unknown": [("x", "-1", "-1"), ("w1", "0", "1")], "missing": [("w1", "0", "1")]}
    assert await asker(Quirks(unknown_door="error")).code(STATUS, ids("x", "w1")) == 100
    assert await asker().code(STATUS, ids("w1") + names("Online w1")) == 7


async def test_open_unlocks_for_the_time_of_the_door_and_stands_in_the_trail() -> None:
    here = asker()
    assert codes(await here.ask("OnlineDoor.Open", ids("w1"))) == {"w1": "0"}
    assert rows(await here.ask(STATUS, ids("w1")))[0][3] == "0"
    await here.clock.advance(6)
    assert rows(await here.ask(STATUS, ids("w1")))[0][3] == "1"
    what = here.site.trail.events[-1].what
    assert (what.operation, what.door_id, what.subject.type, what.subject.name) == (28, "w1", 2, "_SALTO")
    assert [(one.door_id, one.at) for one in here.site.opened] == [("w1", SUMMER)]
    assert here.site.disasters == []


async def test_each_door_has_its_own_result() -> None:
    here = asker()
    Operator(here.site).loses("w2")
    here.site.locks["r1"].emergency = DoorState.EMERGENCY_CLOSE
    asked = await here.ask("OnlineDoor.Open", ids("w1", "w2", "r1", "d1", "x"))
    assert codes(asked) == {"w1": "0", "w2": "401", "r1": "404", "d1": "401", "x": "100"}
    messages = [row.value("ErrorMessage") for row in asked.children[0].children]
    assert messages[0] == ""
    assert all(messages[1:])
    assert [one.door_id for one in here.site.opened] == ["w1"]


@pytest.mark.parametrize(
    ("begin", "end", "operations", "status"),
    [
        ("StartOfficeMode", "EndOfficeMode", [65, 66], "0"),
        ("EmergencyOpen", "EndOfEmergency", [56, 57], "4"),
        ("EmergencyClose", "EndOfEmergency", [58, 59], "5"),
        ("Open", "Close", [28], "0"),
    ],
)
async def test_modes_begin_and_end(begin: str, end: str, operations: list[int], status: str) -> None:
    here = asker(Quirks(office_shows_open=True))
    await here.ask(f"OnlineDoor.{begin}", ids("w1"))
    assert rows(await here.ask(STATUS, ids("w1")))[0][3] == status
    await here.ask(f"OnlineDoor.{end}", ids("w1"))
    await here.ask(f"OnlineDoor.{end}", ids("w1"))
    assert rows(await here.ask(STATUS, ids("w1")))[0][3] == "1"
    assert [event.what.operation for event in here.site.trail.events][:2] == operations


@pytest.mark.parametrize("empty", ["", ids(), names()])
async def test_a_command_without_a_door_is_a_disaster(empty: str) -> None:
    here = asker()
    assert set(codes(await here.ask("OnlineDoor.Open", empty)).values()) == {"0"}
    assert [one.door_id for one in here.site.opened] == ["w1", "w2", "r1"]
    assert [one.request for one in here.site.disasters] == ["OnlineDoor.Open"]


async def test_a_server_may_do_nothing_or_refuse_and_it_is_a_disaster_still() -> None:
    mild = asker(Quirks(empty_command_list="none"))
    assert codes(await mild.ask("OnlineDoor.EmergencyOpen", ids())) == {}
    strict = asker(Quirks(empty_command_list="refuse"))
    assert await strict.code("OnlineDoor.EmergencyOpen", ids()) == 12
    assert len(mild.site.disasters) == len(strict.site.disasters) == 1
    assert mild.site.opened == strict.site.opened == []


async def test_results_may_be_missing_and_a_door_may_start() -> None:
    here = asker(Quirks(action_results=False, initializing=99, offline_command_error=7))
    assert codes(await here.ask("OnlineDoor.Open", ids("w1"))) == {}
    assert len(here.site.opened) == 1
    here.site.locks["w1"].is_initializing = True
    assert rows(await here.ask(STATUS, ids("w1")))[0][3] == "99"
