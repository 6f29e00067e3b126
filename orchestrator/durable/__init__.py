"""Runs that survive a killed process: the engine, its queues and seats, runs and events."""
