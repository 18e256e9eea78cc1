"""A Sphinx extension: no button leads to an address that nobody has set."""

from address import address


def without_address(app, config):
    """Take away the buttons of the repository and of Colab where there is no repository."""
    if address() is None:
        options = dict(config.html_theme_options)
        for key in ("use_repository_button", "use_issues_button", "use_edit_page_button"):
            options[key] = False
        options["launch_buttons"] = {}
        options.pop("repository_url", None)
        config.html_theme_options = options


def setup(app):
    app.connect("config-inited", without_address)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
