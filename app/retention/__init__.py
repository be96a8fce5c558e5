"""Retention decides what a record's series requires."""
