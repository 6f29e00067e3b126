"""The tools, each a function: `toolkit/components.py` says how."""
