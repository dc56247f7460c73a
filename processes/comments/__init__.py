"""What people say to each other on a record, beside what they decide about it."""
