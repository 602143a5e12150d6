"""The pure schedule: its tables, its promises as stories, and random walks through a tiny cloud."""
