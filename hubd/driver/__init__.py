"""The driver SDK: all that a driver may import besides `hubd.model`."""

from hubd.driver.actions import Action, ActionError, ActionResult, Arguments, Fact, Progress, Question
from hubd.driver.checks import CheckPort, Doctor, Finding, Verdict, skipped
from hubd.driver.clock import Clock, SystemClock
from hubd.driver.files import write_new
from hubd.driver.probe import reach
from hubd.driver.protocol import (
    ActingDriver,
    Driver,
    DriverConfig,
    DriverError,
    Manifest,
    Port,
    RecordableDriver,
    Replay,
    Secrets,
)
from hubd.driver.recording import Frame, Header, Order, Recording, RecordingError, Tape
from hubd.driver.simulation import Simulator

__all__ = [
    "ActingDriver",
    "Action",
    "ActionError",
    "ActionResult",
    "Arguments",
    "CheckPort",
    "Clock",
    "Doctor",
    "Driver",
    "DriverConfig",
    "DriverError",
    "Fact",
    "Finding",
    "Frame",
    "Header",
    "Manifest",
    "Order",
    "Port",
    "Progress",
    "Question",
    "RecordableDriver",
    "Recording",
    "RecordingError",
    "Replay",
    "Secrets",
    "Simulator",
    "SystemClock",
    "Tape",
    "Verdict",
    "reach",
    "skipped",
    "write_new",
]
