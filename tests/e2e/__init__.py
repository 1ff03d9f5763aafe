"""The running mesh, used as people and programs use it."""
