"""Subscriptions: terms, proration, ramps, changes and recurring figures; all pure."""
