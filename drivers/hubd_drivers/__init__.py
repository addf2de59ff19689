"""The drivers that come with the hub. None knows another; the hub finds them by entry point and names none."""
