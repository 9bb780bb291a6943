"""The composition root: settings, wiring, the application, the embedded Ray cluster."""
