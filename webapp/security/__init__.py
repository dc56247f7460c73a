"""Who is asking: logins, roles, and the actor every page and operation works for."""
