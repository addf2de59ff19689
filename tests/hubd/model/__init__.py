"""Mirror of `hubd/model`."""
