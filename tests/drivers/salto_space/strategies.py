"""What a server may send, within and beyond reason."""

import random
from collections.abc import Iterator

from hubd_drivers.salto_space.document import Element
from hypothesis import strategies as st

XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda one: one in "\t\n\r" or ord(one) >= 0x20
    ),
    max_size=30,
)
"""Whatever XML can hold, also what it has to escape."""

NAMES = st.sampled_from(
    ["Params", "EOF", "ExtUserID", "UserExpiration.Enabled", "SaltoDB.MembershipList.User_Group", "a", "_b-1"]
)

_RECORDS = [
    "SaltoDBUserList SaltoDBUser ExtUserID",
    "SaltoDBGroupList SaltoDBGroup ExtGroupID",
    "SaltoDBDoorList SaltoDBDoor ExtDoorID",
    "SaltoDBHotelRoomList SaltoDBHotelRoom ExtDoorID",
    "SaltoDBZoneList SaltoDBZone ExtZoneID",
    "OnlineDoorStatusList OnlineDoorStatus DoorID",
    "OnlineDoorActionResultList OnlineDoorActionResult DoorID",
    "SaltoDBAuditTrail SaltoDBAuditTrailEvent EventID",
]
_NAMES = (
    "EventDateTime Operation IsExit SubjectType SubjectID ErrorCode ErrorMessage DoorType CommStatus DoorStatus "
    "BatteryStatus TamperStatus OpenTime OpeningMode GPF1 GPF2 Name IsLow UserActivation UserExpiration "
    "UserExpiration.Enabled CurrentKeyStatus CurrentROMCode PhoneNumber MobileAppType PINCode IsBanned "
    "ProtocolID ProtocolVersion DateTime ROMCode KeyID UsePeriod TimezoneTableID EOF Code Message"
)
_FIELDS = _NAMES.split()
_LISTS = [
    "SaltoDB.MembershipList.User_Group SaltoDB.Membership.User_Group ExtGroupID",
    "SaltoDB.MembershipList.Door_Zone SaltoDB.Membership.Door_Zone ExtDoorID",
    "SaltoDB.AccessPermissionList.User_Door SaltoDB.AccessPermission.User_Door ExtDoorID",
]
VALUES = (
    st.sampled_from(["0", "1", "-1", "99", "true", "x", "", "9" * 30, "2024-9-2T12:30:20", "2024-12-31T24:00:00"])
    | st.sampled_from(["1900-01-01T00:00:00", "2000-01-01T00:00:00", "2024-02-30T00:00:00", "9999-12-31T24:00:00"])
    | XML_TEXT
)


def elements() -> st.SearchStrategy[Element]:
    """Any tree of elements that can be written; text only where there are no elements below."""
    leaves = st.builds(Element, NAMES, XML_TEXT)
    return st.recursive(
        leaves, lambda inner: st.builds(Element, NAMES, st.just(""), st.lists(inner, max_size=4)), max_leaves=20
    )


def records() -> st.SearchStrategy[Element]:
    """`Params` with a list of records of which some are right, some odd."""
    return st.sampled_from(_RECORDS).flatmap(lambda names: _page(*names.split()))


def _page(list_name: str, record_name: str, id_name: str) -> st.SearchStrategy[Element]:
    leaf = st.builds(Element, st.sampled_from([id_name, *_FIELDS]), VALUES)
    links = st.sampled_from(_LISTS).flatmap(lambda names: _links(*names.split()))
    record = st.builds(
        lambda known, rest: Element(record_name, children=[*known, *rest]),
        st.lists(st.builds(Element, st.just(id_name), VALUES), max_size=1),
        st.lists(leaf | links | elements(), max_size=8),
    )
    return st.builds(
        lambda found, rest: Element("Params", children=[Element(list_name, children=found), *rest]),
        st.lists(record, max_size=5),
        st.lists(leaf, max_size=2),
    )


def _links(list_name: str, link_name: str, id_name: str) -> st.SearchStrategy[Element]:
    period = Element("Period", children=[Element("StartDate", "2024-01-01T00:00:00"), Element("EndDate", "x")])
    link = st.builds(
        lambda one, uses: Element(link_name, children=[Element(id_name, one), Element("UsePeriod", uses), period]),
        VALUES,
        VALUES,
    )
    return st.builds(lambda found: Element(list_name, children=found), st.lists(link, max_size=3))


def pieces(data: bytes, seed: int, most: int = 7) -> Iterator[bytes]:
    """Cut bytes into random pieces of at most `most`."""
    chance = random.Random(seed)
    while data:
        size = chance.randint(1, most)
        yield data[:size]
        data = data[size:]
