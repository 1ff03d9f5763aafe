"""The live market: sources, streams, indicators."""
