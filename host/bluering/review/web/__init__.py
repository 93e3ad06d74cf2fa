"""The web application: server-rendered pages, a little script, nothing from elsewhere."""
