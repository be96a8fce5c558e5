"""Rendition: the forms in which a record leaves, each made from what is released of it and from nothing else."""
