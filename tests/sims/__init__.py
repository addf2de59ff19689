"""Emulated networks that the drivers are tested against."""
