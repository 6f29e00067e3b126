"""Workflows, one folder each."""
