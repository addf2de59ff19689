"""Mirror of `hubd/store`."""
