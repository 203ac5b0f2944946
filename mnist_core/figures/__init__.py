"""Data in, figure out: Plotly figures, and ECharts options (dicts) for charts that update often.

Figures set no background and no font colour, so that the light or dark theme of the page shows.
"""
