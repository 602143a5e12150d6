"""Rehearsals: the real engine on a simulated cloud in virtual time. Nothing is sent or written."""
