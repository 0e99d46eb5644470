"""One file a board: pins, scale factors, times and ceilings."""
