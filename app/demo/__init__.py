"""The demonstration: a town of our own invention, on a simulated platform on loopback, over eight nights."""
