"""Pre-trade risk: rules, reservations, limits and the kill switch, on books kept from the logs."""
