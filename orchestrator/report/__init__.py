"""The report of a run: one page for people, the same as data for machines. Reads the ledger, never writes it.

story       what a run came to and how, as plain records
retelling   events -> story
traffic     calls over time, by API
lineage     which image a relayed copy was made of, back to the original
upkeep      what happened to images beside their copying
page        story -> one HTML file                     payload  what the page's script draws
flat        story -> JSON, CSV
keeping     the reports that a run leaves in report_dir
"""
