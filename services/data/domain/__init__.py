"""Market data without servers or storage: instruments, bars, splits, adjustment, live quotes and bars."""
