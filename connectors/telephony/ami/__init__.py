"""Asterisk's Manager Interface (AMI)."""
