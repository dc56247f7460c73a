"""Telephony: an exchange's calls as events and commands, whatever exchange it is."""
