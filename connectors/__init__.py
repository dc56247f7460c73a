"""Wires and bytes: modem, mail server; no database and no business."""
