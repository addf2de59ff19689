"""Temperatures: kept in degrees Celsius, shown in both scales, rounded as a device rounds."""

from typing import Final, Literal

type Scale = Literal["celsius", "fahrenheit"]

UNSURE: Final = 0.3
"""Degrees Celsius by which a set-point that is read back may differ, where the device does not say how it rounds.

Half a degree Fahrenheit: the coarsest step of common devices.
"""


def fahrenheit(celsius: float) -> float:
    """Return degrees Fahrenheit, to a hundredth."""
    return round(celsius * 9 / 5 + 32, 2)


def celsius(degrees: float) -> float:
    """Return degrees Celsius of degrees Fahrenheit, to a ten-thousandth: the way back gives the hundredth again."""
    return round((degrees - 32) * 5 / 9, 4)


def snapped(degrees: float, scale: Scale, step: float | None) -> float:
    """Return the temperature, in Celsius, that a device makes of one: the nearest of its steps, in its own scale."""
    if step is None:
        return round(degrees, 2)
    raw = degrees if scale == "celsius" else degrees * 9 / 5 + 32
    steps = round(round(raw / step, 6)) * step
    return round(steps if scale == "celsius" else (steps - 32) * 5 / 9, 2)


def is_same(one: float | None, other: float | None, scale: Scale, step: float | None) -> bool:
    """Whether two set-points in Celsius are one to a device; one that is not known is the same as no other."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= tolerance(scale, step)


def tolerance(scale: Scale, step: float | None) -> float:
    """Return by how many degrees Celsius a set-point that is read back may differ from the one that was sent."""
    if step is None:
        return UNSURE
    return (step if scale == "celsius" else step * 5 / 9) / 2 + 0.01
