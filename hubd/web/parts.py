"""A page as parts that can be compared: what changed of what a reader sees is found without rendering it."""

from collections.abc import Iterable, Sequence

import msgspec


class Part(msgspec.Struct, frozen=True):
    """A piece of a page: the id of its element, the template of what is in it, and the values shown.

    Equal values mean equal HTML. The template of a part with children sees them, rendered, as `children`.
    """

    id: str
    template: str
    values: msgspec.Struct | None
    children: tuple["Part", ...] = ()


class Shown:
    """What one reader's page shows."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[msgspec.Struct | None, tuple[str, ...]]] = {}

    def update(self, parts: Sequence[Part]) -> list[Part]:
        """Take over what is to be shown and return the outermost parts that are not shown yet.

        A part whose own values and children's order stand is not returned for a child's sake; the child is.
        """
        changed: list[Part] = []
        seen: dict[str, tuple[msgspec.Struct | None, tuple[str, ...]]] = {}
        for part in parts:
            self._compare(part, seen, changed, is_covered=False)
        self._values = seen
        return changed

    def _compare(
        self,
        part: Part,
        seen: dict[str, tuple[msgspec.Struct | None, tuple[str, ...]]],
        changed: list[Part],
        *,
        is_covered: bool,
    ) -> None:
        state = seen[part.id] = (part.values, _ids(part.children))
        is_changed = not is_covered and self._values.get(part.id) != state
        if is_changed:
            changed.append(part)
        for child in part.children:
            self._compare(child, seen, changed, is_covered=is_covered or is_changed)


def _ids(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(part.id for part in parts)
