"""The firmware's version, as *IDN? answers it."""

VERSION = "0.1.0"
