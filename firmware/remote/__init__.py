"""The command tree and telemetry."""
