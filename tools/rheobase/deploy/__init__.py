"""The firmware onto a board: `rheobase flash`."""
