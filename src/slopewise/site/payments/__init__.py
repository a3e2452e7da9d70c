"""Membership by subscription: what the payment service tells is kept, and memberships follow from it."""
