"""A demo site in this process: locks and thermostats with latency, faults and people."""

from hubd_drivers.virtual.driver import MANIFEST

__all__ = ["MANIFEST"]
