"""The whole daemon against emulated sites, one file per field scenario."""
