"""A Z-Wave network without a radio: see harness.py and fixtures.py."""
