"""hubd: the site gateway daemon for locks and thermostats."""

__version__ = "0.1.0"
