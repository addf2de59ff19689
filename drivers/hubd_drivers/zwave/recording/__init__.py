"""The traffic with zwave-js-server on tape: kept without secrets, and played to the driver again."""
