"""The bench test: `rheobase bench` goes through every promise with a dummy load and a scope."""
