"""The drivers' tests, file for file."""
