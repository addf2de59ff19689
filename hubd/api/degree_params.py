"""Temperatures as callers send them: in degrees Celsius or Fahrenheit, under two names for one thing."""

from typing import Annotated

import msgspec

from hubd.model.degrees import celsius as to_celsius
from hubd.model.errors import InvalidInputError

type Degrees = Annotated[float, msgspec.Meta(ge=-500, le=1000)]
"""In either scale; what a device takes is narrower, and checked against the device."""

_SLACK = 0.02
"""Degrees Celsius between two words for one temperature, each rounded in its own scale."""


def given(name: str, celsius: float | None, fahrenheit: float | None) -> float | None:
    """Return a temperature in degrees Celsius; None: neither `<name>_celsius` nor `<name>_fahrenheit` is given.

    Raises `InvalidInputError` for two that are not the same.
    """
    other = None if fahrenheit is None else to_celsius(fahrenheit)
    if celsius is None or other is None:
        return other if celsius is None else celsius
    if abs(celsius - other) > _SLACK:
        raise InvalidInputError(f"{name}_celsius", f"is another temperature than {name}_fahrenheit; send one of them")
    return celsius


def needed(name: str, celsius: float | None, fahrenheit: float | None) -> float:
    """Return a temperature in degrees Celsius. Raises `InvalidInputError` as `given`, and where there is none."""
    value = given(name, celsius, fahrenheit)
    if value is None:
        raise InvalidInputError(f"{name}_celsius", f"is required (or {name}_fahrenheit)")
    return value
