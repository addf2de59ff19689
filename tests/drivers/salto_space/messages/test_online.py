"""Online doors. The first tests are the ones that keep every door of a site from opening."""

import pytest
from hubd_drivers.salto_space.document import DocumentError, Element, parse
from hubd_drivers.salto_space.faults import FaultKind
from hubd_drivers.salto_space.fields import BatteryState, CommState, DoorState, DoorType, TamperState
from hubd_drivers.salto_space.messages import Effect
from hubd_drivers.salto_space.messages.online import (
    ActionResult,
    DoorOrder,
    OnlineStatus,
    list_statuses,
    order_doors,
    read_results,
    read_statuses,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.messages.samples import result


@pytest.mark.parametrize("order", DoorOrder)
@pytest.mark.parametrize("ids", [[], (), set(), {}, "", "ab", [""], [" "], ["a", ""], ["\n", "a"]])
def test_no_order_goes_to_no_door_or_an_unnamed_one(order: DoorOrder, ids: list[str]) -> None:
    with pytest.raises(ValueError, match=r"every door|empty|as a list"):
        order_doors(order, ids)


@given(
    st.sampled_from(DoorOrder), st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "Z"])), max_size=4)
)
def test_an_order_that_is_made_has_one_list_with_ids_in_it(order: DoorOrder, ids: list[str]) -> None:
    if not ids or not all(one.strip() for one in ids):
        with pytest.raises(ValueError, match=r"every door|empty"):
            order_doors(order, ids)
        return
    params = parse(order_doors(order, ids).body).child("Params")
    assert params is not None
    assert [one.name for one in params] == ["ExtDoorIDList"]
    assert [one.name for one in params.children[0]] == ["ExtDoorID"] * len(set(ids))
    assert {one.text for one in params.children[0]} == {one.strip() for one in ids}
    assert all(one.text for one in params.children[0])


def test_an_order_as_it_is_sent() -> None:
    request = order_doors(DoorOrder.OPEN, ["door1"])
    assert request.effect is Effect.MOVES
    assert request.body.endswith(
        b"<RequestCall><RequestName>OnlineDoor.Open</RequestName><Params><ExtDoorIDList><ExtDoorID>door1</ExtDoorID>"
        b"</ExtDoorIDList></Params></RequestCall>"
    )


def test_every_order_moves_doors() -> None:
    assert {order_doors(order, ["a"]).effect for order in DoorOrder} == {Effect.MOVES}
    names = "Open Close EmergencyOpen EmergencyClose EndOfEmergency StartOfficeMode EndOfficeMode"
    assert [order.value for order in DoorOrder] == [f"OnlineDoor.{name}" for name in names.split()]


def test_the_state_may_be_asked_of_all_doors() -> None:
    assert list_statuses().params == Element("Params", children=[Element("ExtDoorIDList")])
    assert (list_statuses().name, list_statuses().effect) == ("OnlineDoor.GetOnlineStatusList", Effect.READS)
    assert list_statuses(["a"], of_ip_doors=True).name == "OnlineIPDoor.GetOnlineStatusList"
    assert [one.text for one in list_statuses(["a", "b"]).params.children[0]] == ["a", "b"]


def status(**fields: str) -> OnlineStatus:
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    page = read_statuses(
        result("X", f"<OnlineDoorStatusList><OnlineDoorStatus>{inner}</OnlineDoorStatus></OnlineDoorStatusList>")
    )
    return page.records[0]


def test_how_a_door_stands() -> None:
    found = status(DoorID="a", DoorType="1", CommStatus="1", DoorStatus="2", BatteryStatus="1", TamperStatus="0")
    assert found == OnlineStatus(
        id="a",
        type=DoorType.WIRELESS,
        comm=CommState.OK,
        door=DoorState.LEFT_OPENED,
        battery=BatteryState.LOW,
        tamper=TamperState.NORMAL,
        type_number=1,
        comm_number=1,
        door_number=2,
        battery_number=1,
        tamper_number=0,
    )
    assert not found.is_offline


def test_an_offline_door_answers_minus_one_everywhere() -> None:
    found = status(DoorID="a", DoorType="-1", CommStatus="-1", DoorStatus="-1", BatteryStatus="-1", TamperStatus="-1")
    assert found.is_offline
    assert found.door is DoorState.UNKNOWN
    assert status(DoorID="a", CommStatus="-1", DoorStatus="-1").is_offline


@pytest.mark.parametrize("fields", [{}, {"CommStatus": "0", "DoorStatus": "-1"}, {"CommStatus": "x"}])
def test_what_is_said_in_part_or_not_at_all_is_not_offline(fields: dict[str, str]) -> None:
    assert not status(DoorID="a", **fields).is_offline


@pytest.mark.parametrize("number", ["6", "99"])
def test_initializing_has_two_numbers(number: str) -> None:
    found = status(DoorID="a", DoorStatus=number)
    assert (found.door, found.door_number) == (DoorState.INITIALIZING, int(number))


def test_states_that_are_not_known_are_kept_as_numbers() -> None:
    found = status(DoorID="a", DoorStatus="7", BatteryStatus="55")
    assert (found.door, found.door_number, found.battery, found.battery_number) == (None, 7, None, 55)


def test_the_older_form() -> None:
    item = "<OnlineIPDoorStatus><DoorID>a</DoorID></OnlineIPDoorStatus><OnlineIPDoorStatus/>"
    text = f"<OnlineIPDoorStatusList>{item}</OnlineIPDoorStatusList>"
    page = read_statuses(result("X", text), of_ip_doors=True)
    assert (page.records, page.broken) == ((OnlineStatus(id="a"),), 1)
    with pytest.raises(DocumentError):
        read_statuses(result("X", text))


def result_of(door: str, code: str, message: str) -> str:
    parts = f"<DoorID>{door}</DoorID><ErrorCode>{code}</ErrorCode><ErrorMessage>{message}</ErrorMessage>"
    return f"<OnlineDoorActionResult>{parts}</OnlineDoorActionResult>"


def test_what_became_of_an_order() -> None:
    told = [("a", "0", ""), ("b", "101", "Locked"), ("c", "", ""), ("", "0", "")]
    text = "".join(result_of(*one) for one in told)
    page = read_results(result("X", f"<OnlineDoorActionResultList>{text}</OnlineDoorActionResultList>"))
    done, locked, silent = page.records
    assert page.broken == 1
    assert done == ActionResult(id="a", code=0)
    assert done.fault("OnlineDoor.Open") is None
    fault = locked.fault("OnlineDoor.Open")
    assert fault is not None
    assert (fault.code, fault.kind, fault.message, fault.request) == (
        101,
        FaultKind.LOCKED,
        "Locked",
        "OnlineDoor.Open",
    )
    no_code = silent.fault("OnlineDoor.Open")
    assert no_code is not None
    assert no_code.code == -1


@pytest.mark.parametrize("text", ["", "<OnlineDoorActionResultList/>"])
def test_a_reply_that_says_nothing_of_any_door(text: str) -> None:
    assert read_results(result("X", text)).records == ()
