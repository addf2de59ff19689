"""`FilterExpression` of the audit trail: comparisons with AND, OR and brackets. Pure.

Public code shows ``Operation = 17 AND SubjectType <> 1`` and quotes around texts; what else real servers understand
is not known, and anything else is error 7 here.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

from hubd_drivers.salto_space.sim.replies import RefusalError

type Row = Mapping[str, int | str]
type Test = Callable[[Row], bool]

_FIELDS: Final = {"DoorID", "SubjectID", "SubjectType", "EventDateTime", "Operation", "EventID"}
_NUMBERS: Final = {"SubjectType", "Operation", "EventID"}
_SIGNS: Final[Mapping[str, Callable[[int | str, int | str], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    ">=": lambda one, other: one >= other,  # type: ignore[operator]  # `_comparison` makes both of one type
    "<=": lambda one, other: one <= other,  # type: ignore[operator]
    ">": lambda one, other: one > other,  # type: ignore[operator]
    "<": lambda one, other: one < other,  # type: ignore[operator]
}
_WORD: Final = re.compile(r"""\s*(<>|!=|>=|<=|[=<>()]|'[^']*'|"[^"]*"|[\w:.\-]+)""")
_LONGEST: Final = 4_000
_DEEPEST: Final = 20


def compiled(expression: str) -> Test:
    """Return the test of an expression; of an empty one, one that everything passes. Raises `RefusalError` 7."""
    if not expression.strip():
        return lambda _row: True
    if len(expression) > _LONGEST:
        raise RefusalError(7, "FilterExpression is too long")
    words, place = [], 0
    text = expression.rstrip()
    while place < len(text):
        if (match := _WORD.match(text, place)) is None:
            raise RefusalError(7, "FilterExpression")
        words.append(match[1])
        place = match.end()
    reader = _Reader(words)
    test = reader.either(0)
    reader.finish()
    return test


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self._words = words[::-1]

    def finish(self) -> None:
        if self._words:
            raise RefusalError(7, f"FilterExpression at {self._words[-1]}")

    def either(self, depth: int) -> Test:
        tests = [self._both(depth)]
        while self._next_is("OR"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._next_is("AND"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise RefusalError(7, "FilterExpression is too deep")
        if self._next_is("("):
            inner = self.either(depth + 1)
            if not self._next_is(")"):
                raise RefusalError(7, "FilterExpression: a bracket is open")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        field, sign, value = self._word(), self._word(), self._word()
        if field not in _FIELDS or sign not in _SIGNS:
            raise RefusalError(7, f"FilterExpression at {field} {sign}")
        compare, quoted = _SIGNS[sign], value[0] in "'\""
        text = value[1:-1] if quoted else value
        if field not in _NUMBERS:
            return lambda row: compare(row[field], text)
        if not text.isdecimal():
            raise RefusalError(7, f"FilterExpression at {field}")
        return lambda row: compare(row[field], int(text))

    def _word(self) -> str:
        if not self._words:
            raise RefusalError(7, "FilterExpression ends early")
        return self._words.pop()

    def _next_is(self, word: str) -> bool:
        if self._words and self._words[-1].upper() == word:
            self._words.pop()
            return True
        return False
