"""Network care: what a technician has done to a Z-Wave network, as actions."""
