"""Counting what ownerships and nightly looks say."""
