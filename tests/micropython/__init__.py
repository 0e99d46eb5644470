"""Tests that MicroPython runs. Nothing on CPython may take this folder for its `micropython`."""

raise ImportError("no module named 'micropython' here")
