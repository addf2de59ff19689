"""Mirror of `hubd/core`."""
