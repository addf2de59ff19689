"""Thermostats: what is wished of them, and how they are brought to it."""
