"""Players, sense and storage of the chips; the only code that touches machine and rp2."""
