"""Mirror of `hubd/driver`."""
