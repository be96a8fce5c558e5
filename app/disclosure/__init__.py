"""Disclosure produces what is responsive, redacted once, numbered and sealed."""
