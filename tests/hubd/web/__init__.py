"""The status page: pure parts by themselves, pages as a browser without JavaScript sees them."""
