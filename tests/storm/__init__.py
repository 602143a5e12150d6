"""Storms: whole nights from one seed, in virtual time, with the real engine, ledger and HTTP client.

simloop     the event loop: a clock that jumps, processes that can be frozen or die at any step
wires       transports without sockets             network   who is connected to whom
mischief    what the network does to a request     scenario  everything one seed decides
drawing     a scenario from its seed                excuses   ends that the world confirms
cloudscape  the simulated cloud of a scenario, and the people who work in it
troubles    storms that seek one fault
process     one life of the program                truth     what the promises are held against
night       lives until all is done                __main__  many seeds, counted
"""
