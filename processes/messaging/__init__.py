"""Words that leave the house: SMS and mail, written from templates, sent by the outbox."""
