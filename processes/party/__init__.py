"""Who the company deals with: customers, contacts, competitors; each party stored once."""
