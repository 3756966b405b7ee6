"""Tests of guests and reservations."""
