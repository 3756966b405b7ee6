"""Tests of staff users and roles."""
