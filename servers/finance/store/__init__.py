"""Queries and writes of the finance server; every query is narrowed by the caller's grant."""
