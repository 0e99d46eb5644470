"""Therapy programs as data."""
