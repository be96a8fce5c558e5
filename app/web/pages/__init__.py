"""The pages that people read. They work without scripts."""
