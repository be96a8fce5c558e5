"""The door for work that nobody waits for: what the night does by itself."""
