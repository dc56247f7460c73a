"""Everything that is started: web pages, REST, worker, listener, command line."""
