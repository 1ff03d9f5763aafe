"""The `bifrost` command and the local launcher."""
