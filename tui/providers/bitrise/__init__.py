"""Bitrise, API v0.1."""
