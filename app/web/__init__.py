"""The web door: the API, the pages that people read, and what monitors ask. It translates; it decides nothing."""
