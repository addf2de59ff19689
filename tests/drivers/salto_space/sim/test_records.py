import pytest
from hubd_drivers.salto_space.sim.records import Links, Permit, Record, Table
from hubd_drivers.salto_space.sim.schema import GROUP, USER


def table(*ids: str) -> Table:
    made = Table()
    for key in ids:
        made.add(Record(GROUP, {"ExtGroupID": key}))
    return made


def test_a_record_has_defaults_and_no_unknown_elements() -> None:
    user = Record(USER, {"ExtUserID": "u1", "CurrentKeyPeriod.StartDate": "x", "Title": "Dr", "LastName": "Who"})
    assert (user.id, user["AuditOpenings"], user["CurrentKeyExists"], user["nothing"]) == ("u1", "1", "0", "")
    assert user.name == "Dr Who"
    with pytest.raises(ValueError, match="Nickname"):
        Record(USER, {"ExtUserID": "u1", "Nickname": "x"})


def test_a_change_sets_takes_away_and_empties_the_cache() -> None:
    user = Record(USER, {"ExtUserID": "u1"})
    user.cache["form"] = b"<old/>"
    user.change({"IsBanned": "1", "PINCode": None})
    assert user.is_set("IsBanned")
    assert "PINCode" not in user.values
    assert not user.cache


def test_a_page_begins_at_or_after_an_id_that_need_not_exist() -> None:
    made = table("c", "a", "b")
    assert made.after("", inclusive=False, by_id=True) == ["a", "b", "c"]
    assert made.after("b", inclusive=True, by_id=True) == ["b", "c"]
    assert made.after("b", inclusive=False, by_id=True) == ["c"]
    made.remove("b")
    assert made.after("b", inclusive=True, by_id=True) == ["c"]


def test_the_order_of_making_survives_a_removal() -> None:
    made = table("c", "a", "b")
    assert made.after("a", inclusive=False, by_id=False) == ["b"]
    made.remove("a")
    assert made.after("a", inclusive=True, by_id=False) == ["b"]
    assert made.after("never", inclusive=True, by_id=False) == []
    made.add(Record(GROUP, {"ExtGroupID": "0"}))
    assert made.after("", inclusive=True, by_id=False) == ["c", "b", "0"]


def test_an_id_is_taken_once() -> None:
    with pytest.raises(ValueError, match="already"):
        table("a", "a")


def test_links_are_the_same_from_both_ends() -> None:
    links = Links()
    links.put("u1", "g1", Permit(3))
    links.put("u2", "g1")
    assert links.of("g1", is_reversed=True) == {"u1": Permit(3), "u2": Permit()}
    links.cut("u1", "g1")
    links.cut("u1", "g1")
    assert (dict(links.of("u1")), list(links.of("g1", is_reversed=True))) == ({}, ["u2"])
