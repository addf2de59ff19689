"""Mirror of `drivers/hubd_drivers/virtual`."""
