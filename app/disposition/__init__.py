"""Disposition disposes of what is eligible, not held and approved."""
