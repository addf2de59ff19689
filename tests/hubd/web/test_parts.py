import msgspec

from hubd.web.parts import Part, Shown


class Value(msgspec.Struct, frozen=True):
    number: int


def part(own: str, number: int, *children: Part) -> Part:
    return Part(own, "any.html", Value(number), children)


def ids(parts: list[Part]) -> list[str]:
    return [part.id for part in parts]


def test_the_first_look_shows_everything_once() -> None:
    shown = Shown()
    page = [part("a", 1), part("table", 1, part("row1", 1), part("row2", 1))]
    assert ids(shown.update(page)) == ["a", "table"]
    assert shown.update(page) == []


def test_only_what_changed_is_shown_again() -> None:
    shown = Shown()
    shown.update([part("a", 1), part("b", 1), part("table", 1, part("row1", 1), part("row2", 1))])
    assert ids(shown.update([part("a", 2), part("b", 1), part("table", 1, part("row1", 1), part("row2", 5))])) == [
        "a",
        "row2",
    ]


def test_a_table_with_other_rows_or_another_frame_is_shown_whole() -> None:
    shown = Shown()
    shown.update([part("table", 1, part("row1", 1), part("row2", 1))])
    assert ids(shown.update([part("table", 1, part("row2", 1), part("row1", 1))])) == ["table"]
    assert ids(shown.update([part("table", 1, part("row2", 3))])) == ["table"]
    assert ids(shown.update([part("table", 2, part("row2", 4))])) == ["table"]
    assert shown.update([part("table", 2, part("row2", 4))]) == []


def test_what_went_and_came_back_is_new() -> None:
    shown = Shown()
    shown.update([part("a", 1)])
    shown.update([])
    assert ids(shown.update([part("a", 1)])) == ["a"]
