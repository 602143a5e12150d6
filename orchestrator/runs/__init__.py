"""What is done with a plan and a ledger, each a thin shell around the pure core. `app` puts them together.

preparing   what a run wants, found out before it begins    wishes      what it is asked for, what it came to
selecting   selectors -> images                             extras      what surrounds the copying
night       one run: engine, log, console, books            finishing   names and comparison of ready copies
planning    what a run would do, looked at only             pruning     old copies judged and deleted
settling    a person's word on a doubtful copy              rebuilding  a lost ledger made anew
"""
