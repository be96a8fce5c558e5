"""The package: the folder in which a production leaves, numbered, bagged, proven and sealed."""
