"""Data in, figure out: Plotly for what stands still, ECharts options (dicts) for what streams.

Figures carry no background and no font colour, so that the page's light or dark theme shows
through.
"""
