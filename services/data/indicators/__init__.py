"""Indicators: the catalogue, the formulas, how they are computed over bars. No gRPC, no SQL."""
