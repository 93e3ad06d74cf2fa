"""From a stock MicroPython image, the application and models to a board that runs them."""
