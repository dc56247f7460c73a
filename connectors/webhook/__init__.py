"""Webhooks as standardwebhooks.com wants them: signed both ways, safe to receive twice."""
