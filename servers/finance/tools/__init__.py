"""The tools of the finance server, by what they are for."""
