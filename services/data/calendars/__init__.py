"""Trading calendars and where they come from."""
