"""The pure core: integers in, integers out, the same on every Python."""
