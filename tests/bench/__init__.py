"""Benchmarks: the hub beside its floor, both measured in the same run. `make bench` prints one table."""
