"""Mail: building messages, the SMTP road and its simulator."""
