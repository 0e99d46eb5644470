"""The virtual board: chip and bench on which the firmware runs without hardware."""
