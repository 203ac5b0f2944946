"""The engine room of the lesson: PyTorch, NumPy, SciPy and Plotly, and never Streamlit.

A notebook can import everything here and do what the pages do.
"""
