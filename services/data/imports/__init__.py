"""Bars from files of users."""
