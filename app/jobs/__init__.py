"""The night: what Muniment does by itself."""
