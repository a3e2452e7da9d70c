"""Accounts: addresses, passwords, links by mail, sessions, membership, export and erasure.

Functions here take a session of the database and the moment, and know nothing of HTTP.
"""
