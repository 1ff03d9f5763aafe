"""Instruments, bars, ingestion and live market data."""
