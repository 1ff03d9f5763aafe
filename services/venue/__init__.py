"""The simulated exchange: price-time priority matching over sessions replayed from real daily bars."""
