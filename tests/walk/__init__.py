"""Every interleaving of a tiny world, walked by breadth: the proof that no order of things breaks a promise.

cloud       what the cloud holds: images, requests on their way; immutable
answering   what the cloud makes of a request, and what it answers
moves       what can happen next in a state, and in which words
stepping    one move made: the real schedule, driven as the engine drives it
sameness    when two states are the same one
promises    what must hold in every state
search      the walk itself, and the way back from a broken promise
"""
