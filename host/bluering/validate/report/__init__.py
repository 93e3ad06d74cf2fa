"""The report: its data (JSON) and its face (one self-contained HTML file)."""
