"""The driver SDK: all that a driver may import besides `hubd.model`."""

from hubd.driver.actions import Action, ActionError, ActionResult, Arguments, Fact, Progress, Question
from hubd.driver.clock import Clock, SystemClock
from hubd.driver.protocol import ActingDriver, Driver, DriverConfig, DriverError, Manifest, Port, Secrets

__all__ = [
    "ActingDriver",
    "Action",
    "ActionError",
    "ActionResult",
    "Arguments",
    "Clock",
    "Driver",
    "DriverConfig",
    "DriverError",
    "Fact",
    "Manifest",
    "Port",
    "Progress",
    "Question",
    "Secrets",
    "SystemClock",
]
