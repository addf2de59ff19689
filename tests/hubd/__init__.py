"""The daemon's tests, file for file."""
