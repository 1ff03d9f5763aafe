"""What is wrong with bars that are held, and what would set it right: functions over columns."""
