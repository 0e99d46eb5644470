"""A two-channel session on the virtual board, from the serial line to a verdict on every edge."""
