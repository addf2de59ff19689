"""Thermostats: set, read back, followed as they change; sleepers told what is wished once they wake."""
