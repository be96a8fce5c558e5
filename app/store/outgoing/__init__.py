"""The whole archive on its way out in open formats, so that nobody is locked in.

Two forms: `ocfl`, an OCFL 1.1 storage root with one object a record, for
custody; `wacz`, one or more WACZ 1.1.1 files a page, for replay. Both stand as
of one checkpoint: what was written to the ledger later is not in them. Both
are written a record or an exchange at a time, go on where a run was broken off,
and are the same bytes for the same archive.

What no form tells: which records a hold covers, who did what and why in the
archive, who reads it, and anything of what was disposed of beyond its
tombstone. No table that could tell it is read here.
"""
