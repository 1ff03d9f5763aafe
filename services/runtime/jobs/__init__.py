"""Long work as a resource: recorded, run, watched, cancelled, and resumed after a restart."""
