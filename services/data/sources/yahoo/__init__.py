"""Yahoo Finance, by yfinance as it is published."""
