"""A window of WebKit that WebKitWebDriver drives: the engine of Safari, and nothing around it.

Run by the Python of the system, which has the bindings. WebKit's own small browser would do, but for three
things: its window has a bar that is wider than a telephone, its sessions keep their console for themselves,
and it has no language. Arguments: width, height, ``dark`` or ``light``, ``scripts`` or ``none``, a language.
"""

import sys
from typing import Any

import gi


def main(width: str, height: str, scheme: str, scripts: str, language: str) -> None:
    """Be driven until the screen is gone."""
    gi.require_version("Gtk", "3.0")
    gi.require_version("WebKit2", "4.1")
    from gi.repository import Gtk, WebKit2

    Gtk.Settings.get_default().set_property("gtk-application-prefer-dark-theme", scheme == "dark")
    context = WebKit2.WebContext()
    context.set_automation_allowed(True)
    context.set_preferred_languages([language])

    def window(_session: Any) -> Any:
        settings = WebKit2.Settings(
            enable_write_console_messages_to_stdout=True, enable_javascript_markup=scripts == "scripts"
        )
        view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True, settings=settings)
        frame = Gtk.Window()
        frame.set_default_size(int(width), int(height))
        frame.add(view)
        frame.show_all()
        return view

    def started(_context: Any, session: Any) -> None:
        about = WebKit2.ApplicationInfo()
        about.set_name("a window of WebKit")
        about.set_version(1, 0, 0)
        session.set_application_info(about)
        session.connect("create-web-view", window)

    context.connect("automation-started", started)
    Gtk.main()


main(*sys.argv[1:6])
