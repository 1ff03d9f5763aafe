"""Execution: takes orders to a venue and keeps what became of them."""
