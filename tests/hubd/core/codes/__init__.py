"""Mirror of `hubd/core/codes`."""
