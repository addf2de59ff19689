import pytest
from hubd_drivers.zwave import identity as i
from hubd_drivers.zwave.facts import NodeFacts
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.zwave.fakes import HOME_ID, node, value

DSK = "34673-15546-46480-39591-32400-22155-07715-45994"
KEY = "15546-46480-39591-32400-22155-07715-45994"


def test_by_key_without_the_pin() -> None:
    claim = i.Identities(HOME_ID).claim(node(9, dsk=DSK))
    assert claim == i.Claim(f"7e570001-dsk-{KEY}")
    assert "34673" not in claim.native_id


def test_the_same_key_is_the_same_device_wherever_it_is_included() -> None:
    first, second = i.Identities(HOME_ID), i.Identities(HOME_ID)
    assert first.claim(node(9, dsk=DSK)).native_id == second.claim(node(12, dsk=DSK)).native_id


def test_a_node_left_over_from_an_earlier_inclusion_is_displaced() -> None:
    leftover, living = node(5, dsk=DSK, status=3), node(3, dsk=DSK)
    identities = i.Identities(HOME_ID)
    claims = [identities.claim(facts) for facts in i.in_order_of_claim([living, leftover])]
    assert claims[0].displaced is None
    assert claims[1] == i.Claim(claims[0].native_id, 5)
    assert identities.claim(living) == i.Claim(claims[0].native_id)


@pytest.mark.parametrize("dsk", ["00000-" * 7 + "00000", "12345", None, "abc", 5])
def test_without_a_key(dsk: object) -> None:
    assert i.Identities(HOME_ID).claim(node(2, dsk=dsk)).native_id == "7e570001-node-2-ffff.0001.0002"


def test_by_serial_number_with_maker_and_product() -> None:
    facts = node(2, value(114, "deviceId", "0xA1B2 C3", key="SerialNumber"), manufacturerId=0x90)
    assert i.Identities(HOME_ID).claim(facts).native_id == "7e570001-sn-0090.0001.0002-a1b2-c3"


@pytest.mark.parametrize("serial", ["0000000000", "ff", "", None, 7, {"type": "Buffer"}])
def test_a_serial_number_that_says_nothing_is_none(serial: object) -> None:
    assert i.serial(node(2, value(114, "deviceId", serial, key="SerialNumber"))) is None


def test_a_serial_number_that_two_nodes_share_belongs_to_the_first() -> None:
    identities = i.Identities(HOME_ID)
    shared = value(114, "deviceId", "12345678", key="SerialNumber")
    first, second = identities.claim(node(2, shared)), identities.claim(node(3, shared))
    assert first.native_id.endswith("-12345678")
    assert second.native_id == "7e570001-node-3-ffff.0001.0002"
    assert identities.claim(node(2, shared)) == first
    identities.release(2)
    assert identities.claim(node(3, shared)) == first


def test_what_the_hardware_is_known_by_elsewhere() -> None:
    lock = node(9, value(114, "deviceId", "0xA1B2", key="SerialNumber"), dsk=DSK, manufacturer="ASSA ABLOY")
    assert i.hardware_ids(lock, HOME_ID) == (f"zwave-dsk:{KEY}", "serial:assa-abloy:a1b2", "zwave-node:7e570001:9")
    assert i.hardware_ids(lock, HOME_ID, has_own_serial=False) == (f"zwave-dsk:{KEY}", "zwave-node:7e570001:9")
    nameless = node(9, value(114, "deviceId", "0xA1B2", key="SerialNumber"))
    assert i.hardware_ids(nameless, HOME_ID) == ("zwave-node:7e570001:9",)


def test_a_serial_number_that_is_another_device_s_too_proves_nothing() -> None:
    identities = i.Identities(HOME_ID)
    shared = value(114, "deviceId", "12345678", key="SerialNumber")
    assert identities.has_own_serial(node(2, shared))
    assert not identities.has_own_serial(node(3, shared))
    assert identities.has_own_serial(node(2, shared))
    assert not identities.has_own_serial(node(4))
    identities.release(2)
    assert identities.has_own_serial(node(3, shared))


SERIAL = value(114, "deviceId", "12345678", key="SerialNumber")


@pytest.mark.parametrize(
    ("facts", "native_id", "expected"),
    [
        (node(9), f"7e570001-dsk-{KEY}", True),
        (node(9, dsk=DSK), f"7e570001-dsk-{KEY}", True),
        (node(9, dsk=DSK), "7e570001-dsk-another", False),
        (node(9), "7e570001-sn-ffff.0001.0002-12345678", True),
        (node(9, SERIAL), "7e570001-sn-ffff.0001.0002-12345678", True),
        (node(9, SERIAL), "7e570001-sn-ffff.0001.0002-87654321", False),
        (node(9), "7e570001-sn-003b.0001.0002-12345678", False),
        (node(9, manufacturerId=None), "7e570001-sn-003b.0001.0002-12345678", True),
        (node(9), "7e570001-node-9-ffff.0001.0002", True),
        (node(9), "7e570001-node-8-ffff.0001.0002", False),
        (node(9), "aaaaaaaa-node-9-ffff.0001.0002", False),
    ],
)
def test_who_a_node_in_interview_may_turn_out_to_be(facts: NodeFacts, native_id: str, *, expected: bool) -> None:
    assert i.could_be(facts, native_id, HOME_ID) is expected


def test_never_a_bare_node_number() -> None:
    unknown = node(
        2, manufacturerId=None, productType=None, deviceClass={"generic": {"key": 64}, "specific": {"key": 3}}
    )
    assert i.Identities(HOME_ID).claim(unknown).native_id == "7e570001-node-2-class.40.03"


@given(
    st.lists(
        st.tuples(st.integers(2, 232), st.sampled_from([None, DSK]), st.sampled_from([None, "12345678"])), max_size=8
    )
)
def test_no_two_nodes_share_an_identity(spec: list[tuple[int, str | None, str | None]]) -> None:
    identities = i.Identities(HOME_ID)
    owner: dict[str, int] = {}
    for node_id, dsk, serial in {node_id: (node_id, dsk, serial) for node_id, dsk, serial in spec}.values():
        claim = identities.claim(node(node_id, value(114, "deviceId", serial, key="SerialNumber"), dsk=dsk))
        assert owner.get(claim.native_id) == claim.displaced
        owner[claim.native_id] = node_id
