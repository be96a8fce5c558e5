"""Connectors observe pages. They know their platform and the contract; they do not know the archive."""
