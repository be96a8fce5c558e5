"""Capture keeps what connectors observe: pages, runs, batches, gaps and manifests."""
