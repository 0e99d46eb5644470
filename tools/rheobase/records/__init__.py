"""What was done in a session: kept as one JSON file each, listed, exported, counted by week."""
