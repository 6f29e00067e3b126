"""Mails and documents as clean text, so that a place in it stays where it is."""
