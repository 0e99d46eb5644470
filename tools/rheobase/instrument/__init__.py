"""The test instrument: motor point, thresholds, strength-duration curve, fatigue."""
