"""Promotions: what they ask for, what they give, which combination applies; all pure."""
