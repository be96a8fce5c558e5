"""Backup and restore: two sets, data and keys, taken while everything goes on, and put back so that no law is broken.

- `taking` makes the sets; their order is what makes them fit together.
- `sets` is what a set is: files, a signed list, and whole only at the end.
- `kept` remembers every copy of the keys, and when it must be gone.
- `disposed` is the list of what was disposed of, which goes with the keys.
- `later` leaves beside the keys what happened after they were copied.
- `restoring` puts sets into an empty place.
- `epochs` decides whether the ledger may go on under its name.

What was disposed of is carried out again by `app.disposition.replay`: nothing
here can destroy.
"""
