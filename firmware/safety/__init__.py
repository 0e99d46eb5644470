"""States, faults and what keeps the output on only while it is healthy."""
