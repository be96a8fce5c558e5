"""A production checked as its recipient would: from the folder alone, without the archive that made it."""
