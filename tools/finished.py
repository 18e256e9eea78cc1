"""What the book's extensions do once all pages are written."""

from functools import wraps


def with_pages(handler):
    """Call a handler of ``build-finished`` where HTML was built without a fault, and only there.

    The decorated function takes the application alone.
    """

    @wraps(handler)
    def on_finished(app, exception):
        if exception is None and app.builder.format == "html":
            handler(app)

    return on_finished
