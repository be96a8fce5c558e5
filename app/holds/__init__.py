"""A hold covers records and outranks every schedule."""
