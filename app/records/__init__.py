"""The nouns of the archive, its errors and its clock."""
