"""The formats that an import understands: each reads what was handed in and says whose bytes are whose."""
