"""A client of the site for the terminal: what `slopewise cards` stands on.

It speaks to a site over HTTP alone and imports nothing of the server, so it works without the extra `site`.
"""
