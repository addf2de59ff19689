"""The driver SDK: all that a driver may import besides `hubd.model`."""

from hubd.driver.clock import Clock, SystemClock
from hubd.driver.protocol import Driver, DriverConfig, DriverError, Manifest, Port, Secrets

__all__ = ["Clock", "Driver", "DriverConfig", "DriverError", "Manifest", "Port", "Secrets", "SystemClock"]
