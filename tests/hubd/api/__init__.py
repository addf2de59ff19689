"""The API, route by route: every answer in every test is judged by Seam's schema and by the hub's own."""
