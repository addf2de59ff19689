import hashlib

from hypothesis import given
from hypothesis import strategies as st

from hubd.store import chain

FIELDS = st.one_of(st.none(), st.integers(-5, 5), st.text(st.characters(codec="utf-8"), max_size=4))
HEADERS = st.lists(FIELDS, max_size=4).map(tuple)
DIGEST = bytes(range(32))


def test_a_body_is_hashed_by_sha256() -> None:
    assert chain.body_hash(b"{}") == hashlib.sha256(b"{}").digest()


@given(HEADERS, HEADERS)
def test_no_two_headers_read_alike(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    """Except by the type of a field, which the table's columns fix."""
    alike = [None if field is None else str(field) for field in one] == [
        None if field is None else str(field) for field in other
    ]
    assert (chain.link(chain.GENESIS, one, DIGEST) == chain.link(chain.GENESIS, other, DIGEST)) is alike


def test_a_missing_field_is_not_an_empty_one() -> None:
    empty = chain.link(chain.GENESIS, (1, ""), DIGEST)
    assert empty != chain.link(chain.GENESIS, (1, None), DIGEST)


def test_a_link_covers_what_is_before_it_and_the_body() -> None:
    link = chain.link(chain.GENESIS, (1, "a"), DIGEST)
    assert len(link) == 32
    assert link != chain.link(bytes([1]) * 32, (1, "a"), DIGEST)
    assert link != chain.link(chain.GENESIS, (1, "a"), chain.GENESIS)


def test_a_link_is_for_ever() -> None:
    """A change of this would break the chain of every journal there is."""
    header = (7, "lock.changed", "lock.locked", None, "d", 1_700_000_000_000_000, 1_700_000_000_000_001)
    text = "1:7;12:lock.changed;11:lock.locked;-;1:d;16:1700000000000000;16:1700000000000001;"
    expected = hashlib.sha256(chain.GENESIS + text.encode() + DIGEST).digest()
    assert chain.link(chain.GENESIS, header, DIGEST) == expected
