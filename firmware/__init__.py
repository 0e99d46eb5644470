"""The stimulator: everything that runs on the board."""
