"""The status page: rendered on the server, usable without JavaScript, live with it."""
