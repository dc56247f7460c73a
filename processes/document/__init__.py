"""Papers: what a process looks like in print, and the read-only package it leaves in the archive."""
